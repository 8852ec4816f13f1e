#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rules that no program can run for: what is said, and what wakes them.
. "$(dirname "$0")/lib.sh"

# program FILE: runs as /act does, whoever its rule is.
program() {
	cp "$box/act" "$dir/new.program"
	mv "$dir/new.program" "$1"
}

# shell FILE: an interpreter that is a script itself.
shell() {
	printf '#!/bin/sh\nexec /bin/sh "$@"\n' >"$dir/new.shell"
	chmod 755 "$dir/new.shell"
	mv "$dir/new.shell" "$1"
}

# is_blocked RULE PATTERN: and the log says why.
is_blocked() {
	is_logged " $1: [a-z]* -> blocked, $2\$"
}

# problem RULE: the member of the status.
problem() {
	"$WATCHPATHD" status --json --root "$box" "$1" |
	    sed -n 's/.*"problem":"\([^"]*\)".*/\1/p'
}

# has_problem RULE TEXT
has_problem() {
	_problem=$(problem "$1")
	[ "$_problem" = "$2" ] && return
	echo "# problem: $_problem"
	return 1
}

# wakes RULE: it runs for the change that was made while it was blocked.
wakes() {
	until_true 30 has_run_times "$1" 1
}

# What a command needs appears, one piece after the other.
what_is_missing_appears() {
	late=$dir/late
	mkdir "$late" "$box/bin"
	shell "$box/bin/sh"
	printf '#!%s/lua\n' "$late" >"$box/bin/script"
	chmod 755 "$box/bin/script"
	printf '#!/usr/bin/env lua\n' >"$box/bin/env-script"
	chmod 755 "$box/bin/env-script"
	ln -s "$late/target" "$box/bin/link"
	rule shell 'watch = /f' "action = /bin/sh $late/s.sh"
	rule interpreter 'watch = /f' 'action = /bin/script'
	rule search 'watch = /f' 'action = /bin/env-script' \
	    "environment = PATH=$late/one:$late/two"
	rule link 'watch = /f' 'action = /bin/link'
	rule program 'watch = /f' 'action = /bin/program'
	start_daemon
	put "$box/f" 1
	for r in shell interpreter search link program; do
		until_true 30 is_logged " $r: [a-z]* -> blocked, " ||
		    ok "$r is blocked" false
	done
	ok "the script is named" \
	    is_blocked shell "$late/s.sh: not installed yet"
	ok "the interpreter is named, and whose it is" is_blocked interpreter \
	    "$late/lua: not installed yet (for the #! line of $box/bin/script)"
	ok "what env does not find is named" is_blocked search \
	    "lua: not installed yet: /usr/bin/env finds it nowhere in its PATH .*"
	ok "a link that leads nowhere is named, and where it leads" is_blocked link \
	    "$box/bin/link: not installed yet: there is no $late/target"
	program "$late/s.sh"
	ok "a script that appears wakes its rule" wakes shell
	shell "$late/lua"
	program "$box/bin/script.new"
	ok "an interpreter that appears wakes its rule" \
	    until_true 30 is_logged ' interpreter: [a-z]* -> running, '
	mkdir "$late/two"
	shell "$late/two/lua"
	ok "what env finds wakes its rule" \
	    until_true 30 is_logged ' search: [a-z]* -> running, '
	program "$late/target"
	ok "a link's target wakes its rule" wakes link
	program "$box/bin/program"
	ok "the program itself wakes its rule" wakes program
}

# A chmod is enough, of a file or of a directory above it.
what_is_refused_is_repaired() {
	mkdir -p "$dir/deep/er" "$box/bin"
	shell "$box/bin/sh"
	program "$dir/open.sh"
	chmod 666 "$dir/open.sh"
	program "$box/bin/plain"
	chmod 644 "$box/bin/plain"
	program "$dir/deep/er/s.sh"
	chmod 777 "$dir/deep"
	rule script 'watch = /f' "action = /bin/sh $dir/open.sh"
	rule mode 'watch = /f' 'action = /bin/plain'
	rule above 'watch = /f' "action = /bin/sh $dir/deep/er/s.sh"
	start_daemon
	put "$box/f" 1
	ok "a script that others may write blocks" until_true 30 is_blocked script \
	    "$dir/open.sh: writable by group and others (mode 0666)"
	ok "a program that is not executable blocks" until_true 30 is_blocked mode \
	    "$box/bin/plain: not executable (mode 0644)"
	ok "a directory that others may write blocks" until_true 30 is_blocked above \
	    "$dir/deep: writable by group and others (mode 0777) (for \`$dir/deep/er/s.sh\` of $box/bin/sh)"
	chmod 644 "$dir/open.sh"
	ok "chmod of the script wakes its rule" wakes script
	chmod 755 "$box/bin/plain"
	ok "chmod of the program wakes its rule" wakes mode
	chmod 755 "$dir/deep"
	ok "chmod of a directory above wakes its rule" wakes above
}

# Every way in which a script is none, in the words of the log and the status.
scripts_that_are_none() {
	mkdir "$box/bin"
	program "$box/bin/mode"
	chmod 644 "$box/bin/mode"
	sed 1d "$box/act" >"$box/bin/text"
	awk '{ printf "%s\r\n", $0 }' "$box/act" >"$box/bin/dos"
	sed '1s,.*,#!/nope/zsh,' "$box/act" >"$box/bin/zsh-script"
	: >"$box/bin/empty"
	sed '1s,.*,#!/usr/bin/env -S sh -e,' "$box/act" >"$box/bin/env-s"
	chmod 755 "$box/bin/text" "$box/bin/dos" "$box/bin/zsh-script" \
	    "$box/bin/empty" "$box/bin/env-s"
	for r in mode text dos zsh-script empty env-s; do
		rule $r 'watch = /f' "action = /bin/$r"
	done
	start_daemon
	put "$box/f" 1
	until_true 30 has_run_times env-s 1
	ok "env -S is understood" has_runs env-s 1
	for r in mode text dos zsh-script empty; do
		until_true 30 is_logged " $r: [a-z]* -> blocked, " ||
		    ok "$r is blocked" false
	done
	ok "a file that is not executable" has_problem mode \
	    "$box/bin/mode: not executable (mode 0644)"
	ok "a script without a #! line" has_problem text \
	    "$box/bin/text: neither a program for this machine nor a script with a #! line"
	ok "a script with the line ends of Windows" has_problem dos \
	    "$box/bin/dos: its #! line ends in a carriage return, which would be part of the interpreter's name: save it with Unix line ends"
	ok "a script whose interpreter is not there" has_problem zsh-script \
	    "/nope/zsh: not installed yet: there is no /nope (for the #! line of $box/bin/zsh-script)"
	ok "an empty file" has_problem empty "$box/bin/empty: an empty file"
}

warning_is_shown() {
	"$WATCHPATHD" status --json --root "$box" | grep -q -e "\"r.ini:[0-9]*: .*$1"
}

# At load and later, one sentence; and no longer than it is true.
the_reason_is_the_latest() {
	mkdir "$box/bin"
	rule r 'watch = /f' 'watch = /open/f' 'action = /bin/late'
	mkdir "$box/open"
	chmod 777 "$box/open"
	start_daemon
	ok "the load is warned of a missing program" \
	    is_logged "warning: $conf/r.ini:4: $box/bin/late: not installed yet"
	ok "the status shows the warning" warning_is_shown 'late: not installed yet'
	ok "the status shows a directory that all may write" \
	    warning_is_shown 'everyone may write to /open/'
	chmod 755 "$box/open"
	ok "a directory that was repaired is no warning" \
	    not warning_is_shown 'everyone may write'
	put "$box/f" 1
	until_true 30 is_blocked r "$box/bin/late: not installed yet"
	ok "what is shown as the problem is no warning as well" \
	    not warning_is_shown 'late: not installed yet'
	printf '#!%s/lua\n' "$dir" >"$dir/late"
	chmod 755 "$dir/late"
	mv "$dir/late" "$box/bin/late"
	ok "another reason is logged" until_true 30 is_logged \
	    " r: still blocked: $dir/lua: not installed yet (for the #! line of $box/bin/late)"
	ok "and shown" has_problem r \
	    "$dir/lua: not installed yet (for the #! line of $box/bin/late)"
	program "$box/bin/late"
	ok "a program that may run ends it" wakes r
	ok "nothing is warned of any more" not warning_is_shown .
}

# pauses RULE: are the judgements of it at least a second apart? The first two
# are one: before and after what they depend on is armed.
pauses() {
	grep " $1: looking for a program again" "$log" |
	    sed 's/.*T\(..\):\(..\):\(..\)\.\(...\)Z.*/\1 \2 \3 \4/' |
	    awk '{ t = (($1 * 60 + $2) * 60 + $3) * 1000 + $4 }
		NR > 2 && t - last < 990 && t - last >= 0 {
			print "# only " t - last " ms"; short = 1 }
		{ last = t }
		END { exit short || NR < '"$2"' }'
}

judged_times() {
	[ "$(grep -c " r: looking for a program again" "$log")" -ge "$1" ]
}

# Whoever may write on the way decides when, but not how often.
a_user_does_not_drive_judgements() {
	mkdir "$box/bin" "$box/w"
	printf '[daemon]\nlog-level = debug\n' >"$conf/daemon.ini"
	rule r 'watch = /w/*' 'action = /bin/late'
	start_daemon
	put "$box/w/f" 1
	until_true 30 is_logged ' r: [a-z]* -> blocked, '
	i=0
	until judged_times 6 || [ $i -ge 20000 ]; do
		i=$((i + 1))
		: >"$box/bin/x$((i % 50))"
		rm "$box/bin/x$((i % 50))"
		echo x >>"$box/w/f"
	done
	ok "however often something changes, judgements are a second apart" pauses r 6
}

# trigger, a reload and a change of the rule's own paths ask once more.
a_question_is_answered_anew() {
	mkdir "$box/bin"
	printf '[daemon]\nlog-level = debug\n' >"$conf/daemon.ini"
	rule r 'watch = /f' 'action = /bin/late'
	start_daemon
	put "$box/f" 1
	until_true 30 is_logged ' r: [a-z]* -> blocked, '
	until_true 30 judged_times 2
	n=$(grep -c " r: looking for a program again" "$log")
	"$WATCHPATHD" trigger --root "$box" r 2>"$dir/err"
	ok "a trigger is refused with the reason" grep -qxF \
	    "watchpathd: r cannot run: $box/bin/late: not installed yet" "$dir/err"
	ok "after it was judged" judged_times $((n + 1))
	kill -HUP "$daemon"
	ok "a reload judges" until_true 30 judged_times $((n + 2))
	put "$box/f" 2
	ok "a change of the rule's path judges" until_true 30 judged_times $((n + 3))
}

# The action has run well: what is repeated is only what has not been done.
a_verify_that_cannot_start() {
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 100ms' 'retry = forever'
	start_daemon
	put "$box/f" 1
	until_true 30 is_logged ' r: .*verify: .*/verify: not installed yet'
	ok "a missing verify fails the run" is_logged \
	    "run [^ ]* failed after [0-9.]* s: verify: $box/verify: not installed yet"
	until_true 30 has_failed_times 3
	ok "its retries do not repeat the action" has_runs r 1
	printf '#!/bin/sh\nexit 0\n' >"$dir/verify"
	chmod 755 "$dir/verify"
	mv "$dir/verify" "$box/verify"
	ok "once it is there it is all that is run" \
	    until_true 30 is_logged ' r: running -> idle, .* succeeded'
	ok "the action has run once" has_runs r 1
	put "$box/f" 2
	wait_runs r 2
	ok "a new change runs the action again" has_runs r 2
}

has_failed_times() {
	[ "$("$WATCHPATHD" history --json --root "$box" |
	    grep -c '"error":"verify: .*/verify: not installed yet"')" -ge "$1" ]
}

run_tests what_is_missing_appears what_is_refused_is_repaired \
    scripts_that_are_none the_reason_is_the_latest \
    a_user_does_not_drive_judgements a_question_is_answered_anew \
    a_verify_that_cannot_start
