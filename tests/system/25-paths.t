#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What can be watched: patterns, missing directories, links, directories, and
# what happens above and beside a path.
. "$(dirname "$0")/lib.sh"

# Each step below changes something, and `answered` tells what must follow. A
# step that must run nothing is fenced.
steps=0

# answered WHAT RULE PATH [CHANGE]: does one more run of the rule follow, for
# this path? Both may be patterns.
answered() {
	steps=$((steps + 1))
	if ! until_true 30 has_run_times "$2" $steps; then
		ok "$1" false
		exit 1
	fi
	get_run "$2" $steps
	# shellcheck disable=SC2254 # $3 and $4 are patterns
	case "$path $change" in
	"$box"$3' '${4:-*}) ok "$1" true ;;
	*) ok "$1, not for $path $change" false ;;
	esac
}

# ignored WHAT RULE: does no run follow?
ignored() {
	fence
	ok "$1" has_runs "$2" $steps
}

# relink TARGET LINK: in one step; mv would move into the link's directory.
relink() {
	perl -e 'symlink($ARGV[0], "$ARGV[1].new") && rename("$ARGV[1].new", $ARGV[1])
	    or die $!' "$1" "$2"
}

patterns() {
	rule r 'watch = /g/*.txt' 'on = create modify delete'
	start_daemon
	mkdir "$box/g"
	put "$box/g/a.txt" 1
	answered "a file that comes to match a pattern is a creation" r /g/a.txt create
	put "$box/g/a.log" 1
	put "$box/g/.hidden.txt" 1
	ignored "a name that does not match runs nothing" r
	echo 2 >>"$box/g/a.txt"
	answered "a match is watched" r /g/a.txt modify
	put "$box/g/b.txt" 1
	answered "a second match is another creation" r /g/b.txt create
	mv "$box/g/b.txt" "$box/g/b.old"
	answered "a match that is renamed away is a deletion" r /g/b.txt delete
	rm -r "$box/g"
	answered "a directory that goes takes its matches" r /g/a.txt delete
	mkdir "$box/g"
	put "$box/g/c.txt" 1
	answered "the pattern survives it" r /g/c.txt create
	ignored "each of them is one run" r
}

pattern_of_directories() {
	mkdir -p "$box/Users/anna/Library"
	put "$box/Users/notes" 1
	rule r 'watch = /Users/*/Library/p[ab].plist'
	start_daemon
	put "$box/Users/anna/Library/pa.plist" 1
	answered "a pattern in a directory's place finds files below it" \
	    r /Users/anna/Library/pa.plist create
	mkdir -p "$box/Users/ben/Library"
	put "$box/Users/ben/Library/pb.plist" 1
	answered "also in directories that come later" \
	    r /Users/ben/Library/pb.plist create
	put "$box/Users/ben/Library/pc.plist" 1
	ignored "and no others" r
	mv "$box/Users/ben" "$box/Users/ben.old"
	answered "a directory that is renamed takes its matches away" \
	    r "/Users/ben*/Library/pb.plist"
	ignored "and brings those of its new name, in the same run" r
}

missing_directories() {
	rule r 'watch = /m/a/b/c/f'
	start_daemon
	mkdir "$box/m"
	mkdir "$box/m/a"
	mkdir "$box/m/a/b"
	ignored "directories on the way run nothing" r
	mkdir "$box/m/a/b/c"
	put "$box/m/a/b/c/f" 1
	answered "a file at the end of them is a creation" r /m/a/b/c/f create
	rm -r "$box/m"
	answered "all of them going is a deletion" r /m/a/b/c/f delete
	mkdir -p "$box/m/a/b/c"
	put "$box/m/a/b/c/f" 2
	answered "all of them coming at once is a creation" r /m/a/b/c/f create
	echo 3 >>"$box/m/a/b/c/f"
	answered "and the new file is watched" r /m/a/b/c/f modify
	mv "$box/m" "$dir/aside"
	answered "an ancestor that is moved away is a deletion" r /m/a/b/c/f delete
	echo 4 >>"$dir/aside/a/b/c/f"
	ignored "a file where it was moved is not watched" r
	mv "$dir/aside" "$box/m"
	answered "an ancestor that is moved back is a creation" r /m/a/b/c/f create
	echo 5 >>"$box/m/a/b/c/f"
	answered "and the file in it is watched again" r /m/a/b/c/f modify
	mkdir -p "$dir/other/b/c"
	put "$dir/other/b/c/f" other
	mv "$box/m/a" "$dir/old"
	answered "a directory on the way that goes is a deletion" r /m/a/b/c/f delete
	mv "$dir/other" "$box/m/a"
	answered "another directory in its place is a creation" r /m/a/b/c/f create
	ignored "each of them is one run" r
}

links() {
	mkdir "$box/l" "$box/l/t"
	put "$box/l/t/one" 1
	put "$box/l/t/two" 2
	ln -s t/one "$box/l/link"
	rule r 'watch = /l/link'
	start_daemon
	echo 1 >>"$box/l/t/one"
	answered "a link's target is watched" r /l/link modify
	relink t/two "$box/l/link"
	answered "a link that leads elsewhere is another file" r /l/link
	echo 2 >>"$box/l/t/two"
	answered "its new target is watched" r /l/link modify
	echo 1 >>"$box/l/t/one"
	ignored "its old target is not" r
	rm "$box/l/t/two"
	answered "a link that leads nowhere any more is a deletion" r /l/link delete
	put "$box/l/t/two" 3
	answered "a target that comes back is a creation" r /l/link create
	rm "$box/l/link"
	answered "a link that goes is a deletion" r /l/link delete
	ln -s "$box/l/t/one" "$box/l/link"
	answered "a link that comes is a creation" r /l/link create
	ignored "each of them is one run" r
}

links_on_the_way() {
	mkdir "$box/v1" "$box/v2"
	put "$box/v1/f" one
	put "$box/v2/f" two
	ln -s v1 "$box/current"
	rule r 'watch = /current/f'
	start_daemon
	echo 1 >>"$box/v1/f"
	answered "a file behind a link is watched" r /current/f modify
	relink v2 "$box/current"
	answered "a link on the way that leads elsewhere is another file" r /current/f
	echo 2 >>"$box/v2/f"
	answered "which is watched" r /current/f modify
	echo 1 >>"$box/v1/f"
	ignored "the old one is not" r
	relink v3 "$box/current"
	answered "a link on the way to nothing is a deletion" r /current/f delete
	mkdir "$box/v3"
	put "$box/v3/f" three
	answered "what comes where it leads is a creation" r /current/f create
	relink current "$box/current"
	ignored "a link to itself is an error, not a deletion" r
	ok "and the log says so" is_logged "r: $box/current/f: .*symbolic links"
}

directories() {
	mkdir "$box/d"
	put "$box/d/old" 1
	rule r 'watch = /d'
	start_daemon
	echo 2 >>"$box/d/old"
	ignored "a directory does not see a write to a file in it" r
	: >"$box/d/new"
	answered "a new entry changes a directory" r /d modify
	mkdir "$box/d/sub"
	answered "so does a new directory in it" r /d modify
	: >"$box/d/sub/file"
	ignored "but not what is below that" r
	rm "$box/d/new"
	answered "so does an entry that goes" r /d modify
	mv "$box/d/old" "$box/d/renamed"
	answered "so does one that is renamed" r /d modify
	mv "$box/d" "$dir/away"
	answered "a directory that goes is a deletion" r /d delete
	mkdir "$box/d"
	answered "a directory that comes is a creation" r /d create
	ignored "each of them is one run" r
}

# state_of RULE: state and error of its only path.
state_of() {
	"$WATCHPATHD" status --root "$box" --json "$1" |
	    sed 's/.*"paths":\[{"path":"[^"]*","\([^}]*\)}.*/\1/'
}

a_slash_at_the_end() {
	mkdir "$box/d"
	put "$box/f" 1
	rule r 'watch = /f/'
	rule d 'watch = /d//'
	rule p 'watch = /d/*/'
	start_daemon
	ok "a file is not what was asked for, and its state says so" [ "$(state_of r)" = \
	    'state":"error","error":"not a directory, which the / at its end asks for"' ]
	ok "and the log" is_logged "r: $box/f/: not a directory"
	ok "a directory is" [ "$(state_of d)" = 'state":"present","error":null' ]
	put "$box/f" 2
	: >"$box/d/file"
	ignored "a write to the file is no change" r
	ok "a new entry changes the directory" has_runs d 1
	ok "a file matches no pattern with a slash at its end" has_runs p 0
	rm "$box/f"
	mkdir "$box/f" "$box/d/sub"
	answered "a directory in place of the file is a creation" r /f/ create
	wait_runs p 1
	get_run p 1
	ok "a directory does match the pattern" [ "$path $change" = "$box/d/sub/ create" ]
	ok "and all is well" [ "$(state_of r)" = 'state":"present","error":null' ]
}

hard_links() {
	mkdir "$box/h"
	put "$box/h/a" 1
	ln "$box/h/a" "$box/elsewhere"
	rule r 'watch = /h/a'
	start_daemon
	echo 2 >>"$box/elsewhere"
	answered "a write through another name of the file is seen" r /h/a modify
	rm "$box/h/a"
	answered "its name going is a deletion, whatever other names it has" \
	    r /h/a delete
	echo 3 >>"$box/elsewhere"
	ignored "its other names are not watched" r
	ln "$box/elsewhere" "$box/h/a"
	answered "the same file coming back is a creation" r /h/a create
	echo 4 >>"$box/elsewhere"
	answered "and is watched" r /h/a modify
}

fifos() {
	mkdir "$box/p"
	rule r 'watch = /p/*'
	rule s 'watch = /s'
	mkfifo "$box/s"
	start_daemon
	mkfifo "$box/p/fifo"
	answered "a FIFO that comes is a creation" r /p/fifo create
	ignored "a FIFO blocks nothing" r
	rm "$box/s"
	put "$box/s" 1
	until_true 30 has_run_times s 1
	ok "a file in a FIFO's place is a change" has_run_times s 1
	rm "$box/p/fifo"
	answered "a FIFO that goes is a deletion" r /p/fifo delete
}

modes() {
	put "$box/f" 1
	rule r 'watch = /f' 'on = attributes'
	rule s 'watch = /f' 'on = modify'
	start_daemon
	chmod 600 "$box/f"
	answered "on = attributes: a new mode is a change" r /f attributes
	echo 2 >>"$box/f"
	ignored "on = attributes: a write is none" r
	ok "on = modify: a new mode is none" has_runs s 1
	chmod 600 "$box/f"
	ignored "on = attributes: the same mode again is none" r
	if [ "$(id -u)" -eq 0 ]; then
		chown 1 "$box/f"
		answered "on = attributes: another owner is a change" r /f attributes
	else
		skip "on = attributes: another owner is a change" "only root can"
	fi
}

# has_told N: do the runs of r together name that many paths?
has_told() {
	[ -s "$dir/paths" ] && [ "$(sort -u "$dir/paths" | grep -c .)" -ge "$1" ]
}

# has_omitted: has a run of r taken changes whose names it was not told?
has_omitted() {
	grep -qs '^[1-9]' "$dir/omitted"
}

# is_followed N: does the status name that match?
is_followed() {
	"$WATCHPATHD" status --json --root "$box" r | grep -q "\"path\":\"$box/n/$1\""
}

many_matches() {
	mkdir "$box/n"
	i=1000
	while [ $i -lt 2100 ]; do
		: >"$box/n/$i"
		i=$((i + 1))
	done
	rule r 'watch = /n/*' 'on = modify' 'settle = 300ms'
	printf '[daemon]\nrecheck = 1s\n' >"$conf/daemon.ini"
	# Only what follows the last slash, so that 32 KiB hold all of them.
	on_run r "echo \"\$WATCHPATHD_PATHS_OMITTED\" >>$dir/omitted
	echo \"\$WATCHPATHD_PATHS\" >>$dir/paths"
	start_daemon
	ok "1,024 of a pattern's 1,100 matches are followed" \
	    is_logged "ready: 2 rules, 1025 paths"
	i=1000
	while is_followed $i; do
		i=$((i + 1))
	done
	echo x >>"$box/n/$i"
	ok "a change of one of the others is noticed, by the next recheck" \
	    until_true 30 has_omitted
	get_run r 1
	ok "and its run is for no path" test "$path" = -
	stop_daemon
	rm -f "$dir/omitted"
	echo x >>"$box/n/$i"
	launch
	ok "one that came while no daemon was there is noticed, too" \
	    until_true 30 has_omitted
	i=1000
	while [ $i -lt 2100 ]; do
		echo x >>"$box/n/$i"
		i=$((i + 1))
	done
	ok "every change of those that are followed is noticed" \
	    until_true 30 has_told 1024
}

run_tests patterns patterns:shuffle,split patterns:merge \
    pattern_of_directories pattern_of_directories:shuffle,split,merge \
    missing_directories missing_directories:shuffle,split \
    missing_directories:merge links links:shuffle,split links:merge \
    links_on_the_way links_on_the_way:shuffle,split,merge directories \
    directories:extend,merge a_slash_at_the_end a_slash_at_the_end:shuffle,split,merge \
    hard_links hard_links:shuffle,split fifos modes \
    modes:shuffle,split,merge many_matches
