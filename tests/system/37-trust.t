#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What may run, in the eyes of the daemon itself, and of check: without --root, so
# that programs and words are those of the system.
. "$(dirname "$0")/lib.sh"

# A directory where everybody may write, with a script in it that leaves a trace.
make_open() {
	mkdir -p "$dir/open" "$dir/closed"
	chmod 777 "$dir/open"
	printf '#!/bin/sh\necho "$0" >>%s/ran\n' "$dir" >"$dir/open/x"
	cp "$dir/open/x" "$dir/closed/x"
	chmod 755 "$dir/open/x" "$dir/closed/x"
	conf=$dir/conf.d
	mkdir -p "$conf"
}

# daemon_of_the_system [PROGRAM]
daemon_of_the_system() {
	"${1:-$WATCHPATHD}" run --config "$conf" --state "$dir/state" >>"$log" 2>&1 &
	daemon=$!
	echo "$daemon" >>"$dir/daemons"
	wait_ready
}

# It knows of the change once its rule is blocked, or has run.
is_blocked() {
	is_logged " $1: [a-z]* -> blocked, $2\$"
}

code_that_others_may_write() {
	make_open
	theirs="$dir/open: writable by group and others (mode 0777)"
	n=0
	for words in "/bin/sh $dir/open/x" "/bin/sh -x $dir/open/x" \
	    "/bin/sh -c $dir/open/x" "/usr/bin/env $dir/open/x" \
	    "/usr/bin/env PATH=$dir/open x" "/usr/bin/nice -n 5 $dir/open/x" \
	    "/usr/bin/nohup /bin/sh $dir/open/x" "/usr/bin/xargs $dir/open/x" \
	    "/usr/bin/find $dir/closed -maxdepth 0 -exec $dir/open/x {} ';'" \
	    "/usr/bin/awk -f $dir/open/x"; do
		n=$((n + 1))
		rule "r$n" "watch = $dir/f" "action = $words" 'at-start = new'
	done
	rule directory "watch = $dir/f" 'action = /bin/sh x' "directory = $dir/open" \
	    'at-start = new'
	rule variable "watch = $dir/f" 'action = /bin/sh -c true' 'at-start = new' \
	    "environment = BASH_ENV=$dir/open/x"
	rule good "watch = $dir/f" "action = /usr/bin/nice -n 1 /bin/sh $dir/closed/x" \
	    'at-start = new'
	: >"$dir/f"
	daemon_of_the_system
	while [ $n -gt 0 ]; do
		ok "rule r$n is blocked, and the word is named" \
		    until_true 30 is_blocked "r$n" "$theirs (for \`.*\` of /[a-z/]*)"
		n=$((n - 1))
	done
	ok "so is one with a relative script" until_true 30 is_blocked directory \
	    "$theirs (for \`directory\` of /bin/sh)"
	ok "so is one with a variable" until_true 30 is_blocked variable \
	    "$theirs (for \`BASH_ENV=$dir/open/x\` of environment)"
	ok "one that leads to no place of others runs" until_true 30 test -s "$dir/ran"
	ok "and it is the only one" [ "$(cat "$dir/ran")" = "$dir/closed/x" ]
	"$WATCHPATHD" check --trust "$conf" >"$dir/out" 2>&1
	ok "check names them all" \
	    [ "$(grep -c "^$conf/.*: warning: $theirs (for" "$dir/out")" -eq 12 ]
}

places_that_are_named() {
	make_open
	rule copy "watch = $dir/f" "action = /bin/cp $dir/open/x $dir/closed/y"
	rule good "watch = $dir/f" "action = /bin/cp $dir/closed/x $dir/closed/y"
	"$WATCHPATHD" check --trust "$conf" >"$dir/out" 2>&1
	ok "they are no refusal" [ $? -eq 0 ]
	ok "check says what others could do there" grep -q \
	    "copy.ini:3: warning: \`$dir/open/x\`: $dir/open: writable by group and others (mode 0777): others choose what /bin/cp finds there, and where a link in its place leads\$" \
	    "$dir/out"
	ok "and only of that" [ "$(grep -c ': warning: ' "$dir/out")" -eq 1 ]
}

# The exec mode is the daemon's own program, and begins as root.
its_own_program() {
	make_open
	cp "$WATCHPATHD" "$dir/open/watchpathd"
	rule apart "watch = $dir/f" "action = $dir/closed/x" 'umask = 022' \
	    'at-start = new'
	rule plain "watch = $dir/f" "action = $dir/closed/x" 'at-start = new'
	: >"$dir/f"
	daemon_of_the_system "$dir/open/watchpathd"
	why="$dir/open: writable by group and others (mode 0777)"
	ok "a program that others may write says so at start" \
	    is_logged "warning: the daemon's own program is not trusted: $why\$"
	ok "a rule that needs it is blocked" until_true 30 is_blocked apart \
	    "$why (for \`$dir/open/watchpathd\` of watchpathd itself)"
	ok "another one runs" until_true 30 is_logged ' plain: running -> idle, '
	"$WATCHPATHD" status --state "$dir/state" >"$dir/out" 2>&1
	ok "the status says so" grep -q "the daemon's own program is not trusted" \
	    "$dir/out"
	chmod 755 "$dir/open"
	ok "once it is repaired the rule runs" \
	    until_true 30 is_logged ' apart: running -> idle, '
	ok "and the warning goes" \
	    until_true 30 is_logged "the daemon's own program can be trusted"
}

run_tests code_that_others_may_write places_that_are_named its_own_program
