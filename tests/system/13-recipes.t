#!/bin/sh
# SPDX-License-Identifier: MIT
#
# watchpathd-recipes(7) says what is so: its rules pass `check`, its commands are
# there, its states are the program's, and about the MDMs it agrees with the shipped
# rule.
. "$(dirname "$0")/lib.sh"

page=$top/man/watchpathd-recipes.7
shipped=$top/conf.d/filevault-escrow.ini

# logged COMMAND...: output goes to the log, which is shown when a test has failed.
logged() {
	"$@" >>"$log" 2>&1
}

# The literal blocks, one file each: $dir/block.1 and so on.
split_blocks() {
	awk -v out="$dir/block." '
	/^\.Ed/ { inside = 0 }
	inside { gsub(/\\e/, "\\"); print >(out n) }
	/^\.Bd/ { inside = 1; n++ }' "$page"
}

the_rules_pass_check() {
	split_blocks
	n=0
	for block in "$dir"/block.*; do
		case $(head -n 1 "$block") in
		'['*)
			n=$((n + 1))
			cp "$block" "$dir/rule.ini"
			;;
		verify*) cat "$shipped" "$block" >"$dir/rule.ini" ;;
		*) continue ;;
		esac
		ok "this passes check: $(head -n 1 "$block")" \
		    logged "$WATCHPATHD" check "$dir/rule.ini"
	done
	ok "there are rules" [ $n -ge 2 ]
}

the_commands_are_there() {
	"$WATCHPATHD" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' >"$dir/commands"
	grep -oE '(sudo|Ql) watchpathd [a-z]+' "$page" | sed 's/.*watchpathd //' |
	    sort -u >"$dir/named"
	ok "commands are named" [ -s "$dir/named" ]
	while read -r command; do
		ok "there is a command $command" grep -qx "$command" "$dir/commands"
	done <"$dir/named"
	for command in report sent; do
		ok "filevault-escrow has $command" \
		    grep -q "filevault-escrow $command" "$top/src/filevault-escrow.sh"
		ok "the page has it" grep -q "filevault-escrow $command" "$page"
	done
}

every_state_is_there() {
	sed -n 's/^.*\[STATE_[A-Z]*\] = "\([a-z]*\)".*/\1/p' "$top/src/schedule/dispatch.c" |
	    sort >"$dir/states"
	sed -n '/^\.Sh STATES/,/^\.El/s/^\.It \([a-z]*\) Ta .*/\1/p' "$page" |
	    sort >"$dir/described"
	diff "$dir/states" "$dir/described" | diag
	ok "the states are the program's" cmp -s "$dir/states" "$dir/described"
}

the_mdms_are_those_of_the_shipped_rule() {
	sed -n 's/^action *= *//p' "$shipped" | grep -v '^/usr/local/bin/jamf' >"$dir/actions"
	while read -r action; do
		ok "the page has $action" grep -qF "$action" "$page"
	done <"$dir/actions"
	for mdm in Addigy Fleet Hexnode Intune Iru 'Jamf Now' 'Jamf Pro' 'Jamf School' \
	    JumpCloud Kandji Meraki MicroMDM Mosyle NanoMDM SimpleMDM 'Workspace ONE' \
	    Zentral; do
		ok "both know $mdm" eval 'grep -qF "$mdm" "$page" && grep -qF "$mdm" "$shipped"'
	done
}

the_files_are_installed() {
	grep -oE '[a-z.-]+\.(mobileconfig|json|plist|sh|sql)' "$page" | grep -v -e fleet-refetch -e launchd.plist |
	    sort -u >"$dir/named"
	ok "files are named" [ -s "$dir/named" ]
	while read -r name; do
		ok "there is $name" [ -e "$top/src/macos/profiles/$name" -o \
		    -e "$top/src/macos/fleet/$name" ]
	done <"$dir/named"
	ok "health begins as it is said" grep -rqF '"ok: ' "$top/src/cmd"
}

every_page_refers_to_the_others() {
	for file in "$top"/man/*.[0-9]; do
		name=${file##*/}
		for other in "$top"/man/*.[0-9]; do
			section=${other##*.} to=${other##*/}
			[ "$to" = "$name" ] || [ "$name" = watchpathd.rules.5 ] ||
			    ok "$name refers to $to" \
			    grep -q "^\.Xr ${to%.*} $section" "$file"
		done
	done
}

run_tests the_rules_pass_check the_commands_are_there every_state_is_there \
    the_mdms_are_those_of_the_shipped_rule \
    the_files_are_installed every_page_refers_to_the_others
