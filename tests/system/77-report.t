#!/bin/sh
# SPDX-License-Identifier: MIT
#
# report: what is in its page, what is not, and where it is written. How it looks
# in a browser: browser.sh.
. "$(dirname "$0")/report.sh"

lacks() {
	! grep -qF -e "$1" "$dir/page.html"
}

nothing_wrong() {
	rule r 'watch = /f' 'description = Does this & that'
	start_daemon
	put "$box/f" 1
	wait_runs r 1
	until_true 30 is_logged 'r: running -> idle'
	make_page
	ok "its status is 0" [ $status -eq 0 ]
	ok "where nothing is wrong it says so" has 'Nothing is wrong'
	ok "it has the rule and its state" has '<h3>r</h3><span class="state idle">idle</span>'
	ok "its description" has 'Does this &amp; that'
	ok "what it watches, without the root" \
	    has '<code>/f</code> <span class="soft">present</span>'
	ok "and runs" has '<code>/act</code>'
	ok "the chart of its runs" has 'aria-label="1 runs, 0 of them failed"'
	ok "its last run" has '<td class="ok">ok</td>'
	ok "the rule file" has '<b>[r]'
	ok "the end of the log" has ' info: r: running -&gt; idle, run '
	ok "the versions" has "<dt>daemon</dt><dd>watchpathd $("$WATCHPATHD" version |
	    sed -n '1s/watchpathd //p'), up since 20"
	sed '/End of the log/q' "$dir/page.html" >"$dir/before"
	ok "but in the log a sandbox has no path above it" not grep -q "$box/" "$dir/before"
	ok "nobody else may read it" [ -n "$(find "$dir/page.html" -perm 600)" ]
}

lengths_are_lengths() {
	grep -oE 'data-of="(start|done)">[^<]*' "$dir/page.html" >"$dir/lengths"
	[ -s "$dir/lengths" ] && ! grep -vE '>[0-9.]+ s$' "$dir/lengths"
}

findings_come_first() {
	printf '[bad]\nwatch = f\naction = /act\n' >"$conf/bad.ini"
	rule r 'watch = /f' "action = /none '<x>'"
	rule gone 'watch = /g' 'retry = 0'
	on_run gone 'status=3'
	start_daemon
	put "$box/f" 1
	put "$box/g" 1
	until_true 30 is_logged 'gone: running -> failed'
	until_true 30 is_logged 'r: [a-z]* -> blocked'
	make_page
	ok "its status is 0 all the same" [ $status -eq 0 ]
	ok "it counts what is wrong" has '<h2>3 things are wrong</h2>'
	ok "a refused file is a finding" has "$conf_d/bad.ini:2: "
	ok "with why it matters" has 'the file is refused as a whole'
	ok "the repair is there" has 'To repair it, by hand:</span> correct line 2 of '
	ok "findings come before the rules" \
	    [ "$(grep -n -m 1 'things are wrong' "$dir/page.html" | cut -d : -f 1)" -lt \
	    "$(grep -n -m 1 '<h3>' "$dir/page.html" | cut -d : -f 1)" ]
	ok "a blocked rule has its reason" has '<p class="problem">/none: not installed yet'
	ok "and one that failed is marked" has '<td class="failed">exit 3</td>'
	ok "how long each run waited and took is a length" lengths_are_lengths
	ok "all rules stand in a list" has '<a href="#rule-gone">gone</a>'
	stop_daemon
	make_page
	ok "a daemon that is not running is a finding" has 'the daemon is not running'
	ok "its repair is a command" has '<pre class="do">'
	ok "the rules are those of the files" \
	    has '<h3>gone</h3><span class="state not known">not known</span>'
	ok "the version of the daemon is not known" has 'does not answer'
	ok "what is in a file of no rule is shown" has '<b>[bad]'
}

one_finding_and_notes() {
	rule r 'watch = /f'
	: >"$conf/x.conf"
	start_daemon
	make_page
	ok "what is but a note is nothing wrong" \
	    has '<h2>Nothing is wrong, but there is something to know</h2>'
	ok "it is there" has 'x.conf: not read'
	stop_daemon
	make_page
	ok "one thing is one" has '<h2>One thing is wrong</h2>'
}

hostile_text() {
	keep_state
	evil='<script>alert(1)</script><img src=x onerror=alert(2)>'
	mkdir -p "$box/d"
	rule r 'watch = /d/*' "description = $evil \"'& $(printf '\342\200\256')"
	past "$evil" 2
	past r 30 "/d/$evil\\\\342\\\\200\\\\256"
	: >"$box/d/<b onclick=x>$(printf 'a\033[2J\nb')"
	printf '; \033]0;x\007 </pre><script>\n' >"$conf/hostile.ini"
	printf '2026-01-01T00:00:00.000Z warning: </pre><script>x\n' >>"$log"
	start_daemon
	make_page
	ok "no element comes from outside" lacks '<script'
	ok "nor from a path" lacks '<img'
	ok "nor from a file's name" lacks '<b onclick'
	ok "a description is text" has '&lt;script&gt;alert(1)&lt;/script&gt;'
	ok "what turns text around is shown" has '\342\200\256'
	ok "control bytes are, too" has '&lt;b onclick=x&gt;a\033[2J\012b'
	ok "in rule files also" has '; \033]0;x\007 &lt;/pre&gt;&lt;script&gt;'
	ok "and in the log" has '<span class="warning">2026-01-01T00:00:00.000Z warning: &lt;/pre&gt;'
	ok "there is no byte of control in it" \
	    not grep -q "$(printf '[\001-\010\013-\037]')" "$dir/page.html"
	ok "a rule that has gone is told from others" has 'no longer in force'
	ok "a browser is told to run nothing" has "default-src 'none'"
	grep -oE '<[a-z][^>]*>' "$dir/page.html" | grep -E ' (href|src|action|data|xlink:href)=' |
	    grep -v -e 'href="#' -e 'href="data:,"' >"$dir/references"
	diag <"$dir/references"
	ok "nothing is referred to but its own parts" [ ! -s "$dir/references" ]
}

many_paths() {
	mkdir "$box/d"
	i=0
	while [ $i -lt 25 ]; do
		: >"$box/d/$i"
		i=$((i + 1))
	done
	rule r 'watch = /d/*' 'watch = /f' 'lock = l'
	rule other 'watch = /o' 'lock = l'
	hold other
	start_daemon
	put "$box/o" 1
	wait_runs other 1
	put "$box/f" 1
	until_true 30 became '$r->{r}{state}' '"queued"'
	make_page
	ok "a pattern stands above its paths" has '<dt>which are</dt>'
	ok "many of them are counted" has 'and 5 more'
	ok "what a rule waits for is said" has '<dt>waits for</dt><dd>the lock l'
	release other
}

nothing_of_what_is_watched() {
	rule r 'watch = /f' 'log-output = yes'
	on_run r "cat '$box/f'"
	start_daemon
	put "$box/f" 'the-secret'
	wait_runs r 1
	until_true 30 is_logged 'output: r: the-secret'
	make_page
	ok "what an action prints is left out" lacks the-secret
	ok "and that is said" has 'left out is what actions have printed, lines: 1'
	ln -s ../../../f "$conf/link.ini"
	: >"$conf/open.ini"
	chmod 666 "$conf/open.ini"
	make_page
	ok "nothing is shown of a file behind a link" lacks the-secret
	ok "with the reason" has "Not shown: $conf_d/link.ini: "
	ok "nor of one that others may write" \
	    has "Not shown: $conf_d/open.ini: writable by "
	head -c 1100000 /dev/zero | tr '\0' ';' >"$conf/large.ini"
	make_page
	ok "nor of one that is too large to be a rule file" \
	    has "Not shown: $conf_d/large.ini: File too large"
	rm "$conf"/[lo]*.ini
	ln -s "$box/f" "$dir/log.link"
	wp report -o "$dir/page.html" --log "$dir/log.link"
	ok "nor of a log behind one" lacks the-secret
}

empty() {
	make_page
	ok "without a rule it says so" has 'No rule is in force'
	ok "and without a file" has 'There are none'
	ok "without filevault-escrow it has no part on keys" lacks 'FileVault key'
	wp report -o "$dir/page.html"
	ok "a log that is not there is told" \
	    has 'Not shown: /var/log/watchpathd.log: No such file or directory'
	rule r 'watch = /f'
	make_page
	ok "a rule that has not run says so" has 'It has not run so far'
}

a_history_that_cannot_be_read() {
	keep_state
	mkdir "$state/history.jsonl"
	make_page
	ok "a history that cannot be read is told" \
	    has 'The history cannot be read: Is a directory'
}

a_long_log() {
	awk 'BEGIN { for (i = 0; i < 9000; i++)
		print "2026-01-01T00:00:00.000Z error: line " i "." }' >>"$log"
	make_page
	ok "the end of a long log is there" has '<span class="error">2026-01-01T00:00:00.000Z error: line 8999.'
	ok "that is its last 100 lines" has 'line 8900.'
	ok "and no more" lacks 'line 8899.'
	printf '2026-01-01T00:00:00.000Z %s\n' 'rules: a' 'errors: b' 'error' >"$log"
	make_page
	ok "no other word makes a line an error" lacks '<span class="error">2026'
	printf 'cut\n' >"$log"
	make_page
	ok "a short one is there as a whole" has '<pre>cut'
}

# escrow LINE...: a stand-in that runs these.
escrow() {
	mkdir -p "$box${escrow_program%/*}"
	printf '%s\n' '#!/bin/sh' "$@" >"$box$escrow_program"
	chmod 755 "$box$escrow_program"
}

from_key_to_mdm() {
	escrow '[ "$*" = report ] || exit 64' \
	    'echo "2026-11-20 09:12:01+0100: key saved; sent to MDM at 2026-11-20 09:12:21+0100, 20.7 s later"' \
	    'echo "2026-11-25 08:00:00+0100: key saved; not sent so far"'
	make_page
	ok "the time from key to MDM stands out" has '<li><b>20.7 s</b>'
	ok "the line of filevault-escrow is there" has 'key saved; not sent so far'
	escrow 'exit 77'
	make_page
	ok "where it cannot tell, that is said" has 'Not known: filevault-escrow cannot tell'
	chmod 777 "$box$escrow_program"
	make_page
	ok "where it is not trusted it is not run" \
	    has "Not asked: $escrow_program: writable by "
}

the_file() {
	start_daemon
	"$WATCHPATHD" report --root "$box" >"$dir/out"
	ok "without -o the page goes to standard output" \
	    grep -q '^<!DOCTYPE html>' "$dir/out"
	echo precious >"$dir/victim"
	ln -s victim "$dir/link.html"
	wp report -o "$dir/link.html"
	ok "a link is not followed" says "$dir/link.html: a symbolic link, which is not followed: name another file"
	ok "and not written through" [ "$(cat "$dir/victim")" = precious ]
	ok "its status is 1" [ $status -eq 1 ]
	mkdir "$dir/d"
	wp report -o "$dir/d"
	ok "a directory is refused" says "$dir/d: a directory: name a file in it"
	wp report -o /dev/null
	ok "a device is neither replaced nor written" says '/dev/null: no regular file: name another one'
	ok "and is still one" [ -c /dev/null ]
	wp report -o "$dir/none/page"
	ok "a directory that is not there is told" \
	    says "$dir/none/page: No such file or directory"
	echo old >"$dir/old.html"
	wp report -o "$dir/old.html"
	ok "a file that is there is replaced" grep -q '</html>' "$dir/old.html"
	ok "nothing is left beside it" [ "$(echo "$dir"/old.html*)" = "$dir/old.html" ]
	wp report x
	ok "there is no argument" says 'report takes no argument: x'
	ok "that is misuse" [ $status -eq 64 ]
	if [ -w /dev/full ]; then
		"$WATCHPATHD" report --root "$box" >/dev/full 2>"$dir/err"
		ok "a full disk is told" says 'standard output: No space left on device'
	else
		skip "a full disk is told" "no /dev/full"
	fi
	if [ "$(id -u)" -eq 0 ]; then
		SUDO_UID=4711 SUDO_GID=4712 "$WATCHPATHD" report --root "$box" \
		    -o "$dir/sudo.html"
		ok "who called sudo gets the file" \
		    [ -n "$(find "$dir/sudo.html" -user 4711 -group 4712)" ]
	else
		skip "who called sudo gets the file" "only root may give it"
	fi
}

run_tests nothing_wrong findings_come_first one_finding_and_notes hostile_text many_paths \
    nothing_of_what_is_watched empty a_history_that_cannot_be_read a_long_log \
    from_key_to_mdm the_file
