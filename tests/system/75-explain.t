#!/bin/sh
# SPDX-License-Identifier: MIT
#
# explain: who watches a path, and what would run.
. "$(dirname "$0")/commands.sh"

COLUMNS=1000
export COLUMNS

# has_field NAME TEXT: of a rule that was explained.
has_field() {
	grep -Fqx -e "$(printf '    %-13s%s' "$1:" "$2")" "$dir/out"
}

# explains WHAT RULE:LINE WATCHED COUNTS RUNS
explains() {
	ok "$1: it names rule and line" prints "^${2%%.ini:*}, .*/$2\$"
	ok "$1: it is watched by $3" has_field 'watched by' "$3"
	ok "$1: what counts is $4" has_field counts "$4"
	ok "$1: what would run is $5" has_field 'would run' "$5"
	ok "$1: its status is 0" [ $status -eq 0 ]
	ok "$1: no daemon is running, which is said" \
	    prints '^What the daemon does is not known: the daemon is not running'
}

# nothing WHAT PATTERN
nothing() {
	ok "$1: no rule watches it" prints "^no rule watches "
	[ -z "$2" ] || ok "$1: and why is said" prints "$2"
	ok "$1: its status is 1" [ $status -eq 1 ]
}

all='create modify delete'
entry='that it comes, goes or is replaced, not what is written to it: a pattern DIRECTORY/* counts that'

by_itself_and_by_others() {
	mkdir -p "$box/d/sub" "$box/real"
	: >"$box/real/file"
	ln -s /nowhere "$box/dangling"
	ln -s real "$box/link"
	rule plain 'watch = /a' 'verify = /act --check' 'user = nobody'
	wp explain /a
	explains 'a path' 'plain.ini:2' 'watch = /a' "$all" '/act, as nobody, then /act --check'
	wp explain "$box/a/"
	explains 'a path with the root' 'plain.ini:2' 'watch = /a' "$all" \
	    '/act, as nobody, then /act --check'
	(cd "$box" && "$WATCHPATHD" explain --root "$box" ././/a >"$dir/out" 2>"$dir/err")
	ok "a relative path" has_field 'watched by' 'watch = /a'
	rule pattern 'watch = /x' 'watch = /p/*.plist' 'on = attributes modify'
	wp explain /p/y.plist
	explains 'a pattern' 'pattern.ini:3' 'watch = /p/*.plist' 'modify attributes' '/act'
	rule dir 'watch = /d/'
	wp explain /d/f
	explains 'a directory' 'dir.ini:2' 'watch = /d/, the directory that it is in' \
	    "$entry" '/act'
	wp explain /d
	explains 'a directory itself' 'dir.ini:2' 'watch = /d/' "$all" '/act'
	rule link 'watch = /link/file'
	wp explain /real/file
	explains 'what a link leads to' 'link.ini:2' 'watch = /link/file, by a link' "$all" \
	    '/act'
	rule target 'watch = /real/file'
	wp explain /link/file
	ok "what leads to a watched file" has_field 'watched by' 'watch = /real/file, by a link'
	ok "two rules are two" [ "$(grep -c 'watched by' "$dir/out")" -eq 2 ]
	rule top 'watch = /'
	wp explain /new
	explains 'the root' 'top.ini:2' 'watch = /, the directory that it is in' "$entry" '/act'
	wp explain /
	explains 'the root itself' 'top.ini:2' 'watch = /' "$all" '/act'
}

by_none() {
	mkdir -p "$box/d/sub"
	rule dir 'watch = /d'
	rule dots 'watch = /e/*'
	wp explain /nothing
	nothing 'a path of nobody' ''
	wp explain /d/sub/file
	nothing 'deeper in a directory' \
	    '^dir, .*dir.ini:2: `watch = /d` is a directory: what is deeper in it is not'
	wp explain /e/.hidden
	nothing 'a dot' \
	    '^dots, .*dots.ini:2: `watch = /e/\*` does not match names that begin with a dot'
	rule entries 'watch = /g/sub/*'
	for above in /g/sub /g; do
		wp explain $above
		nothing "what is below $above" \
		    '^entries, .*entries.ini:2: `watch = /g/sub/\*` watches what is below it, and not the path itself'
	done
	COLUMNS=50
	wp explain /g
	COLUMNS=1000
	ok "long lines are folded" not prints "^.\{51\}[^ ]* "
	mkdir "$box/g"
	ln -s g "$box/to"
	wp explain /to
	nothing 'what is below where a link leads' '^entries, .*: `watch = /g/sub/\*` watches what is below'
	wp explain /g/su
	nothing 'a name that is the beginning of another' ''
	ok "nothing is below it" not prints '^entries'
	wp explain /ee
	nothing 'a name that begins alike' ''
	wp explain /d/../d
	ok "two dots are not guessed at" says 'watchpathd: explain: write the path without `..`'
	ok "with status 64" [ $status -eq 64 ]
	wp explain
	ok "a path is needed" [ $status -eq 64 ]
	wp explain "/a
b"
	ok "a hostile name is harmless" prints 'no rule watches /a.012b$'
	wp explain --config "$dir/missing" /a
	nothing 'no rules at all' "^No rule file is read: $dir/missing: No such file"
	rule bad 'watch = bad'
	wp explain /bad
	nothing 'a refused file' "^$conf_d/bad.ini is refused"
}

why_nothing_runs() {
	rule off 'watch = /f' 'enabled = no'
	wp explain /f
	explains 'a rule that is off' 'off.ini:2' 'watch = /f' "$all" \
	    'nothing: the rule is switched off, by `enabled = no`'
	rule off 'watch = /f' 'action = /none' 'action = /loose'
	printf '#!/bin/sh\n' >"$box/loose"
	chmod 775 "$box/loose"
	wp explain /f
	explains 'no program' 'off.ini:2' 'watch = /f' "$all" \
	    "nothing: /loose: writable by group (mode 0775)"
	chmod 755 "$box/loose"
	wp explain /f
	explains 'the second program' 'off.ini:2' 'watch = /f' "$all" '/loose'
	rule off 'watch = /d' 'on = create'
	wp explain /d/f
	explains 'entries that are not asked for' 'off.ini:2' \
	    'watch = /d, the directory that it is in' "$entry" \
	    'nothing: a change of its entries is a directory'\''s `modify`, which `on` does not have'
	echo x >"$box/f"
	rule off 'watch = /f' 'min-size = 4k'
	wp explain /f
	explains 'a small file' 'off.ini:2' 'watch = /f' \
	    "$all, but it is smaller than \`min-size = 4k\`: it counts as absent" '/act'
	rule off "watch = $state_dir/*"
	wp explain "$state_dir/state.jsonl"
	explains 'the daemon'\''s own' 'off.ini:2' "watch = $state_dir/*" "$all" \
	    'nothing: what watchpathd writes itself is never a change'
	mount=$(sed -n 's/^[^ ]* \([^ ]*\) \(nfs\|nfs4\|cifs\|autofs\) .*/\1/p' /proc/mounts 2>/dev/null |
	    head -n 1)
	if [ -z "$mount" ]; then
		skip "a network volume" "there is none"
		return
	fi
	printf '[r]\nwatch = %s/f\naction = /bin/true\n' "$mount" >"$dir/r.ini"
	mkdir "$dir/conf.d" && mv "$dir/r.ini" "$dir/conf.d"
	"$WATCHPATHD" explain --config "$dir/conf.d" "$mount/f" >"$dir/out" 2>"$dir/err"
	ok "a network volume" has_field 'would run' 'nothing: not watched: network volume'
}

with_a_daemon() {
	rule r 'watch = /f'
	rule b 'watch = /f' 'action = /none'
	rule old 'watch = /old'
	start_daemon
	wp explain /f
	ok "a rule's state is shown" has_field now idle
	ok "of a daemon that answers nothing is unknown" not prints 'is not known'
	put "$box/f" 1
	has_runs r 1
	until_true 30 became '$r->{b}{state}' '"blocked"'
	wp explain /f
	ok "and its problem" has_field now "blocked: /none: not installed yet"
	hold r
	put "$box/f" 2
	until_true 30 became '$r->{r}{state}' '"running"'
	wp explain /f
	ok "a run is seen" has_field now running
	release r
	rule old 'watch = old'
	until_true 30 became '$s->{refused}[0]{file}' '"old.ini"'
	wp explain /old
	ok "a rule is explained as it was before its file was refused" \
	    prints '^old, old.ini as it was before'
	ok "by its line" has_field 'watched by' /old
	ok "and its state" has_field now idle
	ok "and the file is named" prints 'conf.d/old.ini is refused'
	ok "its status is 0" [ $status -eq 0 ]
	wp explain /f
	ok "for no other path" not prints 'as it was before'
}

a_daemon_that_knows_other_rules() {
	rule r 'watch = /f'
	answer '{"version":"0","rules":[]}
'
	wp explain --socket "$dir/socket" /f
	ok "a rule that it has not taken is not in force" \
	    has_field now 'not in force: the daemon has not taken it'
	answer "{\"version\":\"0\",\"rules\":[{\"name\":\"r\",\"state\":\"queued\",
	    \"waits_for\":\"its turn\",\"paths\":[{\"path\":\"$box/f\",\"error\":\"odd\"}]}]}
"
	wp explain --socket "$dir/socket" /f
	ok "what it waits for, and what is wrong with the path, is said" \
	    has_field now 'queued, waits for its turn; the path: odd'
}

run_tests by_itself_and_by_others by_none why_nothing_runs with_a_daemon \
    a_daemon_that_knows_other_rules
