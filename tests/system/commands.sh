# SPDX-License-Identifier: MIT
#
# What the tests of the commands share, on top of lib.sh: running one in the
# sandbox, and what it printed.

. "$(dirname "$0")/lib.sh"

# wp COMMAND ARGUMENT...: output in $dir/out and $dir/err, exit status in $status.
wp() {
	_command=$1
	shift
	"$WATCHPATHD" "$_command" --root "$box" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

# says PATTERN: is it in the errors? prints PATTERN: in the output?
says() {
	grep -q -e "$1" "$dir/err"
}

prints() {
	grep -q -e "$1" "$dir/out"
}
