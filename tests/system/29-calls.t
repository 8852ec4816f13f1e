#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the daemon asks of the kernel between an event and its action. How long that
# takes depends on the machine, what it is does not: tests/calls/event.txt has each
# call, and why it is there.
. "$(dirname "$0")/lib.sh"

# is_old DIRECTORY: is its ctime as old as trust wants it, to remember the directory?
is_old() {
	[ $(($(date +%s) - $(stat -c %Z "$1"))) -gt 3 ]
}

has_run() {
	[ "$(grep -c ' traced: running -> idle' "$log")" -ge "$1" ]
}

# compare: has the cheapest event so far made the calls of the page, and no others?
compare() {
	perl "$top/tests/calls/list.pl" "$box" <"$dir/trace.$daemon" >"$dir/calls"
	grep '^[a-z]' "$top/tests/calls/event.txt" | diff - "$dir/calls" >"$dir/differs"
}

# Each call of a child before it executes keeps the daemon waiting.
children_do_no_more() {
	for trace in "$dir"/trace.*; do
		[ "$trace" = "$dir/trace.$daemon" ] || sed '/^execve(/q' "$trace"
	done >"$dir/children"
	grep -q '^execve(' "$dir/children" || return
	grep -Ev '^(dup[23]|execve|rt_sigaction|rt_sigprocmask|setsid)\(' \
	    "$dir/children" >"$dir/more" || return 0
	diag <"$dir/more"
	return 1
}

# Others come and go above the sandbox, and the daemon saves now and then: of so many
# events one costs what is listed.
is_as_listed() {
	until [ $runs -eq 40 ]; do
		runs=$((runs + 1))
		echo "$runs" >>"$box/watched/file"
		until_true 30 has_run $runs || return
		! until_true 1 compare || return 0
	done
	return 1
}

calls() {
	if ! strace -qq -o "$dir/true" true 2>"$dir/why"; then
		skip "an event costs the calls of the page" "$(head -1 "$dir/why")"
		return
	fi
	mkdir -p "$box/watched" "$box/usr/local/bin"
	# What looks for leaks in our own program ends where it is traced.
	cp /bin/true "$box/usr/local/bin/act"
	echo 0 >"$box/watched/file"
	rule traced 'watch = /watched/file' 'action = /usr/local/bin/act' \
	    'settle = 0'
	cat >"$dir/traced" <<-END
	#!/bin/sh
	exec strace -D -ff -qq -y -o '$dir/trace' '$WATCHPATHD' "\$@"
	END
	chmod 755 "$dir/traced"
	WATCHPATHD=$dir/traced
	# What looks for leaks traces the process itself.
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	start_daemon
	until_true 30 is_old "$box/usr/local/bin" || return
	runs=0
	ok "an event costs the calls of tests/calls/event.txt, and no others" \
	    is_as_listed
	diag <"$dir/differs"
	cat "$dir/differs" >&2
	ok "a child leaves it to the kernel to close what the daemon has open" \
	    children_do_no_more
}

run_tests calls
