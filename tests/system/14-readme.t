#!/bin/sh
# SPDX-License-Identifier: MIT
#
# README says what is so: its sandbox works as it is pasted, and its screens and
# pictures are the program's.
. "$(dirname "$0")/lib.sh"

readme=$top/README.md

# block TEXT: the code block that has this, without its fences.
block() {
	awk -v text="$1" '/^```/ { if (inside && index(part, text)) printf "%s", part
		inside = !inside; part = ""; next }
	inside { part = part $0 "\n" }' "$readme"
}

has_ended() {
	[ "$(grep -c 'hosts: running -> idle, run .* succeeded' "$log")" -ge "$1" ]
}

is_read_again() {
	[ "$(grep -c 'hosts: action: ' "$log")" -ge 2 ]
}

# The pauses of a person are waits for what they are for, in their order; in the
# end each is there.
pauses='is_ready has_ended:1 is_read_again has_ended:2 end'

is_ready() {
	is_logged 'info: ready: '
}

sleep() {
	case $1 in
	0*) command sleep "$1" ;;
	*)
		_next=${pauses%% *}
		pauses=${pauses#* }
		case $_next in
		has_ended:*) until_true 30 has_ended "${_next#*:}" ;;
		*) until_true 30 "$_next" ;;
		esac
		;;
	esac
}

make() {
	[ "$*" = sandbox ] && sh "$top/tests/sandbox.sh" box
}

a_new_admin_gets_a_changed_rule_to_run() {
	block 'make sandbox' >"$dir/commands"
	ok "README has a sandbox" [ -s "$dir/commands" ]
	ok "in at most 8 commands" [ "$(wc -l <"$dir/commands")" -le 8 ]
	ok "make sandbox is what is run here" \
	    grep -qF "sh tests/sandbox.sh '\$(BOX)'" "$top/Makefile"
	mkdir "$dir/build"
	ln -s "$WATCHPATHD" "$dir/build/watchpathd"
	cd "$dir" || exit 1
	# shellcheck disable=SC1091
	. "$dir/commands" >"$dir/out" 2>"$log"
	wait
	ok "the file is read by the rule" \
	    grep -q 'output: hosts: I run because of: [a-z]* of .*/box/etc/hosts' "$log"
	ok "the rule ran, was changed, and ran again" has_ended 2
	ok "every pause has been one" [ "$pauses" = end ]
	ok "the rule has changed" grep -q '^cooldown = 1s' box/conf.d/hosts.ini
	ok "nothing was refused" not is_logged 'error: '
	ok "the history shows both" [ "$(grep -c ' ok ' "$dir/out")" -ge 2 ]
	ok "the daemon has ended" until_true 30 is_logged 'info: stopped'
}

a_sandbox_stays() {
	cd "$dir" || exit 1
	WATCHPATHD=build/watchpathd sh "$top/tests/sandbox.sh" box >"$dir/out"
	ok "it says what it has made" grep -q '^box is made, with the rule box/conf.d/' "$dir/out"
	ok "no line has more than 79 columns" not grep -q "$(printf '%080d' 0 | tr 0 .)" \
	    "$dir/out"
	ok "its rule is good" "$WATCHPATHD" check --root box box/conf.d
	echo 'cooldown = 5s' >>box/conf.d/hosts.ini
	sh "$top/tests/sandbox.sh" box >"$dir/out"
	ok "one that is there is left alone" grep -q '^cooldown = 5s' box/conf.d/hosts.ini
	ok "and that is said" grep -q '^box is there, and stays as it is' "$dir/out"
}

# squeezed: a heading without its layout.
squeezed() {
	grep "^ *$1 " | tr -s ' ' | sed 's/^ //; s/ $//'
}

the_screens_have_the_headings_of_the_program() {
	rule r 'watch = /f' 'at-start = always'
	start_daemon
	until_true 30 is_logged 'r: running -> idle'
	block '$ watchpathd status' >"$dir/screen"
	"$WATCHPATHD" status --root "$box" >"$dir/status"
	"$WATCHPATHD" history --summary --root "$box" >"$dir/summary"
	ok "the heading of status" [ "$(squeezed RULE <"$dir/screen")" = \
	    "$(squeezed RULE <"$dir/status")" ]
	ok "the line on top of it" [ "$(sed -n '2s/[0-9][0-9.:]*//gp' "$dir/screen")" = \
	    "$(sed -n '1s/[0-9][0-9.:]*//gp' "$dir/status")" ]
	ok "the heading of history" [ "$(squeezed RUNS <"$dir/screen")" = \
	    "$(squeezed RUNS <"$dir/summary")" ]
	ok "no line of them is wider than a terminal" \
	    perl -CSD -lne 'exit 1 if length > 80' "$dir/screen"
}

the_pictures_are_what_would_be_drawn() {
	for picture in timeline states; do
		perl "$top/tests/pictures.pl" again <"$top/man/$picture.svg" >"$dir/again"
		ok "man/$picture.svg is what would be drawn" cmp -s "$dir/again" \
		    "$top/man/$picture.svg"
		ok "README shows it" grep -q "](man/$picture.svg)" "$readme"
		ok "it is light and dark" grep -q 'prefers-color-scheme:dark' "$dir/again"
		ok "it refers to nothing" not grep -qE '(href|src)=|url\([^#]' "$dir/again"
	done
	sed -n 's/^.*\[STATE_[A-Z]*\] = "\([a-z]*\)".*/\1/p' "$top/src/schedule/dispatch.c" |
	    while read -r state; do
		ok "the states have $state" grep -q ">$state</text>" "$top/man/states.svg"
	done
	for key in settle cooldown; do
		value=$(sed -n "s/^$key  *= *//p" "$top/conf.d/filevault-escrow.ini")
		ok "$key is that of the rule" \
		    grep -q "$key=$value " "$top/man/timeline.svg"
	done
}

run_tests a_new_admin_gets_a_changed_rule_to_run a_sandbox_stays \
    the_screens_have_the_headings_of_the_program the_pictures_are_what_would_be_drawn
