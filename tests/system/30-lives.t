#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What changed while nobody watched: at-start over restarts, patterns, and rules
# that were not in force for a while.
. "$(dirname "$0")/restart.sh"

# are_runs COUNTS: of never, changed, new and always.
are_runs() {
	[ "$(runs never) $(runs changed) $(runs new) $(runs always)" = "$1" ]
}

at_start() {
	put "$box/f" 1
	for at in never changed new always; do
		rule $at 'watch = /f' '	/g' "at-start = $at"
	done
	fence=400ms
	start_daemon
	fence
	ok "a first start: never, changed, new, always run 0 0 1 1 times" \
	    until_true 30 are_runs '0 0 1 1'
	restart
	fence
	ok "nothing changed while stopped: only always runs" \
	    until_true 30 are_runs '0 0 1 2'
	ok "at-start = always says that it is the start" is_run always 2 start 1 -
	restart put "$box/f" 2
	fence
	ok "a change while stopped: all but never run, once" \
	    until_true 30 are_runs '0 1 2 3'
	ok "and are told of the change" is_run changed 1 change 1 create
	restart put "$box/g" 1
	fence
	ok "a path that appeared while stopped is a change" \
	    until_true 30 are_runs '0 2 3 4'
	restart rm "$box/g"
	fence
	ok "a path that vanished while stopped is a change" is_run changed 3 change 1 delete
	ok "also to at-start = new" is_run new 4 change 1 delete
	ok "at-start = never has run for none of it" has_runs never 0
	put "$box/f" 3
	fence
	ok "at-start = never runs for what changes while it lives" has_runs never 1
}

revert() {
	touch -r "$box/f" "$dir/stamp"
	chmod 600 "$box/f"
	echo more >>"$box/f"
	printf 'same\n' >"$box/f"
	chmod 644 "$box/f"
	touch -r "$dir/stamp" "$box/f"
}

reverted() {
	put "$box/f" same
	rule r 'watch = /f'
	start_daemon
	restart revert
	fence
	ok "what is undone while the daemon is stopped is not seen" has_runs r 0
	restart touch "$box/f"
	fence
	ok "a new mtime is a change" is_run r 1 change 1 modify
	restart chmod 600 "$box/f"
	fence
	ok "a new mode is none, unless asked for" has_runs r 1
}

not_asked_for() {
	put "$box/f" same
	rule r 'watch = /f' 'on = attributes'
	start_daemon
	echo x >>"$box/f"
	fence
	restart
	fence
	ok "a change that nobody asked for is not owed after a restart" has_runs r 0
	restart chmod 600 "$box/f"
	fence
	ok "one that was is" is_run r 1 change 1 attributes
}

swap_entries() {
	rm "$box/d/old"
	put "$box/d/new" 1
}

patterns() {
	mkdir "$box/d"
	put "$box/d/old" 1
	put "$box/d/stays" 1
	rule c 'watch = /d/*' 'on = create'
	rule d 'watch = /d/*' 'on = delete'
	rule m 'watch = /d/*' 'on = modify'
	start_daemon
	restart swap_entries
	fence
	ok "a match that appeared while stopped is created" is_run c 1 change 1 create
	ok "that very one" test "$path" = "$box/d/new"
	ok "a match that vanished while stopped is deleted" is_run d 1 change 1 delete
	ok "that very one" test "$path" = "$box/d/old"
	ok "one that stayed is neither" has_runs m 0
	restart
	fence
	ok "and that once" test "$(runs c) $(runs d)" = '1 1'
	restart rm -r "$box/d"
	fence
	ok "so are all when their directory vanishes" is_run d 2 change 1 delete
	restart swap_dir
	fence
	ok "and when it is back they are created" is_run c 2 change 1 create
}

swap_dir() {
	mkdir "$box/d"
	put "$box/d/again" 1
}

# A known pattern is compared although a new entry names one of its matches.
name_a_match() {
	rule r 'watch = /d/a' '	/d/*'
	put "$box/d/a" 2
}

new_entry() {
	mkdir "$box/d"
	put "$box/d/a" 1
	rule r 'watch = /d/*'
	start_daemon
	restart name_a_match
	fence
	ok "a new entry takes nothing from a known one for the same path" has_runs r 1
}

reload() {
	"$WATCHPATHD" reload --root "$box" >>"$dir/reload" 2>&1
}

# away HOW: the rule r is not in force for a while.
go_away() {
	case $1 in
	off) mv "$conf/r.ini" "$conf/r.ini.off" ;;
	disabled) sed -i.tmp '1a\
enabled = no' "$conf/r.ini" && rm -f "$conf/r.ini.tmp" ;;
	refused) echo 'nonsense' >>"$conf/r.ini" ;;
	esac
}

come_back() {
	rm -f "$conf/r.ini.off"
	rule r "watch = $watch"
}

away_over_restarts() {
	mkdir "$box/d"
	put "$box/d/old" 1
	watch='/d/*'
	rule r "watch = $watch"
	start_daemon
	n=0
	for how in off disabled refused; do
		restart go_away $how
		put "$box/d/$how" 1
		fence
		ok "$how: a rule that is not in force does not run" has_runs r $n
		restart
		restart come_back
		fence
		n=$((n + 1))
		ok "$how: what changed meanwhile is owed when it comes back" has_runs r $n
	done
}

away_over_reloads() {
	mkdir "$box/d"
	put "$box/d/old" 1
	watch='/d/*'
	rule r "watch = $watch"
	start_daemon
	n=0
	for how in off disabled; do
		go_away $how
		reload
		put "$box/d/$how" 1
		fence
		ok "$how by a reload: the rule does not run" has_runs r $n
		come_back
		reload
		fence
		n=$((n + 1))
		ok "$how by a reload: what changed meanwhile is owed" has_runs r $n
		go_away $how
		reload
		rm "$box/d/$how"
		restart come_back
		fence
		n=$((n + 1))
		ok "$how by a reload, back by a restart: owed too" has_runs r $n
	done
}

away_while_running() {
	mkdir "$box/d"
	put "$box/d/a" 1
	watch='/d/*'
	rule r "watch = $watch"
	start_daemon
	n=1
	for how in off disabled; do
		hold r
		put "$box/d/$how" 1
		wait_runs r $n
		go_away $how
		reload
		release r
		until_true 10 has_ended r $n
		rm "$box/d/$how"
		fence
		ok "$how while it ran: nothing more runs" has_runs r $n
		come_back
		reload
		fence
		n=$((n + 1))
		ok "$how while it ran: what changed meanwhile is owed" has_runs r $n
		n=$((n + 1))
	done
}

away_while_running_and_back_meanwhile() {
	mkdir "$box/d"
	put "$box/d/a" 1
	watch='/d/*'
	rule r "watch = $watch"
	start_daemon
	hold r
	put "$box/d/b" 1
	wait_runs r 1
	go_away off
	reload
	rm "$box/d/a"
	come_back
	reload
	release r
	fence
	ok "a match that vanished while its rule was away is owed" has_runs r 2
	ok "as what it is" is_run r 2 change 1 delete
}

damaged() {
	put "$box/f" 1
	rule r 'watch = /f'
	rule s 'watch = /g'
	rule never 'watch = /f' 'at-start = never'
	start_daemon
	stop_daemon
	perl -pi -e 's/^\{"rule":"r",/{"rule":r,/' "$(state_file)"
	live_again
	fence
	ok "a rule whose line is damaged counts as changed" is_run r 1 start 1 -
	ok "one whose line is not does not" has_runs s 0
	ok "nor one with at-start = never" has_runs never 0
	ok "the log says why" is_logged 'warning: not all of the state could be read'
	ok "the damaged file is kept" test -s "$(state_file).bad"
	restart
	fence
	ok "the damage is over after that" has_runs r 1
}

second_daemon() {
	rule r 'watch = /f'
	start_daemon
	"$WATCHPATHD" run --root "$box" >"$dir/second" 2>&1
	second=$?
	ok "a second daemon on the same state exits with status 1" test $second -eq 1
	ok "and says so" grep -q 'another watchpathd is running' "$dir/second"
	put "$box/f" 1
	wait_runs r 1
	ok "the first one goes on" is_run r 1 change 1 create
}

run_tests at_start reverted not_asked_for patterns new_entry away_over_restarts \
    away_over_reloads away_while_running away_while_running_and_back_meanwhile \
    damaged second_daemon
