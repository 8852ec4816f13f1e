#!/bin/sh
# SPDX-License-Identifier: MIT
#
# watchpathd(8) says what is so: its commands and options are those of the
# program, its rules pass `check`, its commands do what they say when they are
# typed in as they stand, and the messages that it explains exist.
. "$(dirname "$0")/lib.sh"

page=$top/man/watchpathd.8

# The blocks of the examples, one file each: $dir/block.1 and so on.
split_examples() {
	awk -v out="$dir/block." '
	/^\.Sh/ { examples = /EXAMPLES/ }
	/^\.Ed/ { inside = 0 }
	inside { gsub(/\\e/, "\\"); print >(out n) }
	examples && /^\.Bd/ { inside = 1; n++ }' "$page"
}

# The page as it is read, without its layout.
render() {
	mandoc -T ascii -O width=300 "$page" | sed "s/.$(printf '\b')//g"
}

# find_block TEXT: sets block to the file of the example that holds it.
find_block() {
	block=$(grep -lF -- "$1" "$dir"/block.*)
	[ -f "$block" ]
}

# Output goes to the log, which is shown when a test has failed.
logged() {
	"$@" >>"$log" 2>&1
}

has_command() {
	grep -q "^\.It Cm $1\$" "$page" && grep -q "^\.Cm $1\$" "$page"
}

every_command_and_option_is_described() {
	"$WATCHPATHD" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' >"$dir/commands"
	ok "help lists commands" [ -s "$dir/commands" ]
	while read -r command; do
		ok "the manual has $command" has_command "$command"
		"$WATCHPATHD" help "$command" | sed -n '1s/^usage: //p' |
		    tr -d '[].|' >"$dir/usage"
		awk -v command="$command" '
		/^\.Nm/ { mine = 0 }
		$0 == ".Cm " command { mine = 1 }
		/^\.Sh DESC/ { exit }
		mine' "$page" | grep -oE 'Fl -?[a-z]+' | sed 's/Fl /-/' |
		    LC_ALL=C sort >"$dir/described"
		tr ' ' '\n' <"$dir/usage" | grep -e '^-' | LC_ALL=C sort >"$dir/accepted"
		diff "$dir/accepted" "$dir/described" | diag
		ok "the manual's synopsis of $command has its options, and no others" \
		    cmp -s "$dir/accepted" "$dir/described"
	done <"$dir/commands"
	sed -n '/^\.Sh DESC/q; s/^\.Cm \([a-z]*\)$/\1/p' "$page" |
	    LC_ALL=C sort >"$dir/described"
	LC_ALL=C sort -u "$dir/commands" >"$dir/accepted"
	ok "the manual describes no command that is not there" \
	    cmp -s "$dir/accepted" "$dir/described"
}

the_rules_pass_check() {
	split_examples
	n=0
	for block in "$dir"/block.*; do
		case $(head -n 1 "$block") in
		'['*) ;;
		*) continue ;;
		esac
		n=$((n + 1))
		cp "$block" "$dir/example.ini"
		ok "the rule $(head -n 1 "$block") passes check" \
		    logged "$WATCHPATHD" check "$dir/example.ini"
	done
	ok "the manual has rules as examples" [ $n -gt 0 ]
}

# The sandbox, as in the manual; its last command is the daemon.
the_sandbox_works_as_shown() {
	split_examples
	ok "the manual shows a sandbox" find_block 'mkdir -p box'
	sed -n 's/^\$ //p' "$block" >"$dir/all"
	sed '$d' "$dir/all" >"$dir/first"
	ok "its last command is the daemon" \
	    [ "$(sed -n '$s/ run .*//p' "$dir/all")" = watchpathd ]
	mkdir "$dir/bin"
	ln -s "$WATCHPATHD" "$dir/bin/watchpathd"
	PATH=$dir/bin:$PATH
	export PATH
	cd "$dir" || exit 1
	ok "everything before succeeds" logged sh -e "$dir/first"
	sh -c "exec $(sed -n '$p' "$dir/all")" >>"$log" 2>&1 &
	daemon=$!
	wait_ready
	find_block 'localhost >box' && sed -n 's/^\$ //p' "$block" >"$dir/then"
	ok "the change can be made as shown" sh -e "$dir/then"
	ok "the action runs" until_true 10 is_logged 'running -> idle, run .* succeeded'
	ok "it prints its environment" \
	    is_logged 'output: hosts: WATCHPATHD_PATH=.*/box/etc/hosts'
	ok "the log has the form that is described" \
	    is_logged '^....-..-..T..:..:..\....Z info: hosts: idle -> settling, '
	for text in 'watchpathd trigger --root box' 'watchpathd doctor --root box'; do
		find_block "$text" && sed -n 's/^\$ //p' "$block"
	done >"$dir/commands"
	while read -r line; do
		ok "$line" logged sh -c "$line"
	done <"$dir/commands"
	for command in status trigger reload history doctor explain report selftest \
	    help version; do
		ok "there is an example of $command" grep -q "^watchpathd $command" "$dir/commands"
	done
	ok "the run that was asked for is in the history" logged grep -q '"reason":"manual"' \
	    "$dir/box$state_dir/history.jsonl"
}

# The plist is made here, and the rule file lands in this test's directory.
import_works_as_shown() {
	split_examples
	ok "the manual shows import" find_block 'watchpathd import'
	sed -n 's/^# watchpathd import \([^ ]*\) >.*/\1/p' "$block" >"$dir/plist"
	read -r plist <"$dir/plist"
	cat >"$dir/$plist" <<-'END'
	<plist version="1.0"><dict><key>Label</key><string>com.example.hosts</string>
	<key>ProgramArguments</key><array><string>/bin/act</string></array>
	<key>WatchPaths</key><array><string>/etc/hosts</string></array></dict></plist>
	END
	mkdir "$dir/bin"
	ln -s "$WATCHPATHD" "$dir/bin/watchpathd"
	PATH=$dir/bin:$PATH
	export PATH
	cd "$dir" || exit 1
	line=$(sed -n 's/^# \(watchpathd import\)/\1/p' "$block" |
	    sed 's|/Library/watchpathd/conf.d/||')
	ok "$line" logged sh -c "$line"
	ok "what it makes passes check" logged "$WATCHPATHD" check "$dir/hosts.ini"
}

checks_of_the_tree_work_as_shown() {
	split_examples
	mkdir "$dir/bin"
	ln -s "$WATCHPATHD" "$dir/bin/watchpathd"
	PATH=$dir/bin:$PATH
	export PATH
	cd "$top" || exit 1
	cat "$dir"/block.* | sed -n 's/^\$ \(watchpathd check .*conf\.d\)/\1/p' |
	    grep -v box >"$dir/commands"
	ok "the manual shows check" [ -s "$dir/commands" ]
	while read -r line; do
		ok "$line" logged sh -c "$line"
	done <"$dir/commands"
}

the_launchd_commands_name_what_is_installed() {
	split_examples
	find_block 'launchctl kickstart'
	grep -o '/Library/[^ ]*\.plist' "$block" >"$dir/plist"
	ok "the plist is the one that is installed" \
	    grep -qF "$(cat "$dir/plist")" "$top/Makefile"
	ok "the label is the one in it" \
	    grep -qF "<string>$(sed -n 's|^.* system/||p' "$block")</string>" \
	    "$top/src/macos/org.watchpathd.plist"
	ok "the log is the one in it" \
	    grep -qF "<string>$(sed -n 's/^.*tail -f //p' "$block")</string>" \
	    "$top/src/macos/org.watchpathd.plist"
}

# What stands in capitals is a value: the text between must be in the program's
# strings, as they are in the source, where they may be of several pieces.
the_messages_exist() {
	if ! command -v mandoc >/dev/null; then
		skip "the messages that are explained exist" "no mandoc"
		return
	fi
	cat "$top"/src/*.c "$top"/src/*/*.c | tr -d '\n' | sed 's/"[ 	]*"//g' >"$dir/text"
	render | awk '/^DIAGNOSTICS/ { on = 1; next } /^[A-Z]/ { on = 0 }
	on && /^     [^ ]/' | sed 's/^ *//' >"$dir/messages"
	ok "messages are explained" [ -s "$dir/messages" ]
	while read -r message; do
		echo "$message" | sed 's/ \.\.\.//; s/[A-Z][A-Z][A-Z]*/\
/g; s/running -> retrying, //' | sed 's/^[ :]*//; s/[ :]*$//' | grep '...' >"$dir/parts"
		while read -r part; do
			grep -qF -- "$part" "$dir/text" || echo "$part"
		done <"$dir/parts" >"$dir/unknown"
		diag <"$dir/unknown"
		ok "there is a message: $message" [ ! -s "$dir/unknown" ]
	done <"$dir/messages"
}

exits_with() {
	_wanted=$1
	shift
	"$@" >>"$log" 2>&1
	[ $? -eq "$_wanted" ]
}

exit_statuses_are_as_described() {
	printf '[x]\n' >"$dir/bad.ini"
	ok "0 for a good file" exits_with 0 "$WATCHPATHD" check "$top/conf.d"
	ok "1 for a file that is not there" exits_with 1 "$WATCHPATHD" check "$dir/none"
	ok "64 for a wrong command line" exits_with 64 "$WATCHPATHD" check --none
	ok "64 for a wrong command" exits_with 64 "$WATCHPATHD" none
	ok "65 for a file with an error" exits_with 65 "$WATCHPATHD" check "$dir/bad.ini"
	if [ "$(id -u)" -eq 0 ]; then
		skip "77 for a file that may not be read" "root may read all"
	else
		chmod 000 "$dir/bad.ini"
		ok "77 for a file that may not be read" \
		    exits_with 77 "$WATCHPATHD" check "$dir/bad.ini"
	fi
	for status in 0 1 64 65 77; do
		ok "the manual has $status" grep -q "^\.It $status\$" "$page"
	done
}

every_state_is_described() {
	sed -n 's/^.*\[STATE_[A-Z]*\] = "\([a-z]*\)".*/\1/p' "$top/src/schedule/dispatch.c" \
	    >"$dir/states"
	ok "there are states" [ -s "$dir/states" ]
	while read -r state; do
		ok "the state $state is explained" grep -q "^\.It Sy $state\$" "$page"
	done <"$dir/states"
}

run_tests every_command_and_option_is_described the_rules_pass_check \
    the_sandbox_works_as_shown import_works_as_shown checks_of_the_tree_work_as_shown \
    the_launchd_commands_name_what_is_installed the_messages_exist \
    exit_statuses_are_as_described every_state_is_described
