#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The page of `report` in a browser without a screen: a history of 500 runs, names
# that would be code if they could, and every state that has a colour. PICTURES, a
# directory, gets a picture of each view.
. "$(dirname "$0")/report.sh"

chromium=$(command -v chromium || command -v chromium-browser ||
    command -v google-chrome || :)

# The sandbox: a rule that works, one that fails, one that is blocked, and files
# that are refused.
make_sandbox() {
	keep_state
	evil='</title></style></pre><script src=//x.example/></script><img src=x onerror=alert(2)>'
	long=$(printf '%0150d' 0)
	mkdir -p "$box/d" "$box${escrow_program%/*}"
	rule works 'watch = /d/*' "description = $evil"
	rule fails 'watch = /f' 'retry = 0'
	rule blocked "watch = /w/$long" "action = /none/$long"
	on_run fails 'status=3'
	past works 500 "/d/$evil/$long"
	past "$evil" 3
	past "$long" 3
	: >"$box/d/<svg onload=alert(3)>"
	printf '[refused]\n; %s\nwatch = %s\n' "$evil" "$long" >"$conf/refused.ini"
	printf '2026-01-01T00:00:00.000Z warning: %s%s\n' "$evil" "$long" >"$log"
	printf '%s\n' '#!/bin/sh' \
	    "echo '2026-11-20 09:12:01+0100: key saved; sent to MDM at 2026-11-20, 20.7 s later'" \
	    >"$box$escrow_program"
	chmod 755 "$box$escrow_program"
}

no_line() {
	! grep -e "$1" "$dir/seen"
}

a_browser_shows_the_page() {
	if [ -z "$chromium" ]; then
		skip "a browser shows the page" "no chromium: make browser installs it"
		return
	fi
	make_sandbox
	start_daemon
	put "$box/f" 1
	until_true 30 is_logged 'fails: running -> failed'
	make_page
	perl "$top/tests/browser/browser.pl" "$chromium" "$dir/page.html" ${PICTURES:+"$PICTURES"} \
	    >"$dir/seen" 2>&1
	ok "the browser comes to its end" [ $? -eq 0 ]
	diag <"$dir/seen"
	for view in phone desk night paper; do
		ok "it has the view $view" grep -q "^$view: [0-9]* wide" "$dir/seen"
	done
	ok "a phone is wide enough" grep -q '^phone: 390 wide' "$dir/seen"
	ok "nothing is wider than its view" no_line 'too wide'
	ok "there is no message" no_line ': message\|: exception'
	ok "nothing is asked for" no_line request
	ok "nothing is code, or comes from elsewhere" no_line 'code or content'
	ok "by day it is light" grep -q '^desk: .*rgb(2' "$dir/seen"
	ok "by night it is dark" grep -q '^night: .*rgb(1' "$dir/seen"
	ok "on paper it is white" grep -q '^paper: .*rgb(255, 255, 255)' "$dir/seen"
}

run_tests a_browser_shows_the_page
