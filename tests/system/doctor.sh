# SPDX-License-Identifier: MIT
#
# What the tests of doctor share, on top of commands.sh: what it finds, doing what
# it says, and daemons that say what is asked of them.

. "$(dirname "$0")/commands.sh"

# Lines are not broken, but where a test is about that.
COLUMNS=1000
export COLUMNS

# Who has a daemon of their own needs no sudo.
sudo='sudo '
[ "$(id -u)" -eq 0 ] || sudo=

# doctor ARGUMENT...
doctor() {
	doctor_arguments=$*
	wp doctor "$@"
}

# A command as it is printed for who runs the tests.
for_me() {
	sed "s/sudo /$sudo/g"
}

# CONF and STATE stand for where the program has its rules and its state.
expand() {
	printf '%s' "$1" | sed "s|CONF|$conf_d|g; s|STATE|$state_dir|g"
}

# A finding that begins with this text: its three lines are in $dir/finding.
has_finding() {
	grep -F -A2 -e "$(expand "$1")" "$dir/out" | for_me >"$dir/finding"
	[ -s "$dir/finding" ]
}

# finds WHAT WHY REPAIR: the text that each line begins with.
finds() {
	ok "doctor finds: $1" has_finding "$1"
	ok "it says why that matters: $2" \
	    grep -qF -e "    why it matters: $(expand "$2")" "$dir/finding"
	ok "it says how to repair it: $3" \
	    grep -qF -e "    to repair it:   $(expand "$3" | for_me)" "$dir/finding"
	ok "its status is 1" [ $status -eq 1 ]
}

# What is noted besides is no finding, and depends on the system.
finds_nothing() {
	ok "$1" [ "$(grep -v '^note: ' "$dir/out")" = 'nothing is wrong' ]
	[ $failed = no ] || diag <"$dir/out"
	ok "its status is 0" [ $status -eq 0 ]
}

# finds_only N
finds_only() {
	case $1 in
	1) _n='1 finding' ;;
	*) _n="$1 findings" ;;
	esac
	ok "and nothing else" [ "$(grep -v '^note: ' "$dir/out" | tail -n 1)" = "$_n" ]
	[ $failed = no ] || diag <"$dir/out"
}

is_repaired() {
	# shellcheck disable=SC2086
	wp doctor $doctor_arguments
	! has_finding "$1"
}

# repairs WHAT: does what the last finding says, as root without sudo, and it is
# found no longer, once the daemon knows.
repairs() {
	sed -n 's/^    to repair it:   //p' "$dir/finding" | sed 's/sudo //g' >"$dir/repair"
	ok "the command can be run" sh -e "$dir/repair"
	ok "and that is repaired: $1" until_true 10 is_repaired "$1"
}

# says_of_rules RULES [MEMBERS]: doctor asks a daemon of this version, which has
# these rules, as JSON, and these members more.
says_of_rules() {
	answer "{\"version\":\"$("$WATCHPATHD" version | sed -n '1s/.* //p')\",\"rules\":[$1]${2:-}}
"
	doctor --socket "$dir/socket"
}

# path_error PATH ERROR: a rule r that watches it.
says_of_path() {
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"idle\",
	    \"problem\":\"$1: $2\",\"paths\":[{\"path\":\"$1\",\"state\":\"error\",
	    \"error\":\"$2\"}]}"
}

is_in_state() {
	"$WATCHPATHD" status --json --root "$box" "$1" | grep -q "\"state\":\"$2\""
}

# wait_state RULE STATE
wait_state() {
	until_true 30 is_in_state "$1" "$2" || ok "$1 is $2" false
}
