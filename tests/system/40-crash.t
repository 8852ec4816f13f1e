#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The daemon is killed with SIGKILL again and again while files change and actions
# run: nothing is lost, and nothing runs beside what it excludes. ROUNDS (100) is
# how often, WATCHPATHD_SEED repeats a failure, as far as time lets it.
. "$(dirname "$0")/lib.sh"

crash=${BUILD:-$top/build}/crash/crash
seed=${WATCHPATHD_SEED:-$(date +%s)}
[ "${PACE:-}" != slow ] || : "${ROUNDS:=20}"
rounds=${ROUNDS:-100}
if [ ! -x "$crash" ]; then
	echo "Bail out! $crash is not there: make helpers builds it"
	exit 1
fi

# drive WHAT: what it prints is TAP. It says itself what fails; the log is only
# shown then.
drive() {
	cp "$crash" "$box/act"
	if ! "$crash" "$1" "$WATCHPATHD" "$dir" "$rounds" "$seed"; then
		failed=yes
	fi
}

at_any_moment() {
	drive kill
}

while_actions_run() {
	drive locks
}

run_tests at_any_moment at_any_moment:shuffle,split,merge while_actions_run
