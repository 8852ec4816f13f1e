#!/bin/sh
# SPDX-License-Identifier: MIT
#
# With nothing to do the daemon does nothing: no wakeup in 20 seconds, with
# 1,000 rules. The only test that lets time pass.
. "$(dirname "$0")/lib.sh"

# switches: how often the daemon has given up the processor to wait
switches() {
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$daemon/status"
}

# is_asleep: has it waited for longer than it puts off a save?
is_asleep() {
	_before=$(switches)
	sleep 1.5
	[ "$(switches)" -eq "$_before" ]
}

# What it watches because it lies above the sandbox, and may wake it: others come
# and go there.
surroundings() {
	_above=$tests_dir
	while [ "$_above" != / ]; do
		_above=$(dirname "$_above")
		stat -c '%n %y %z' "$_above"
	done
	cat /proc/self/mountinfo
}

# watch_it: 20 seconds, and whether anybody disturbed it.
watch_it() {
	until_true 20 is_asleep
	surroundings >"$dir/surroundings"
	before=$(switches)
	sleep 20
	after=$(switches)
	surroundings | cmp -s - "$dir/surroundings"
}

idle() {
	mkdir "$box/watched"
	i=1000
	while [ $i -lt 2000 ]; do
		printf '[r%d]\nwatch = /watched/%d\naction = /act\n\n' $i $i
		[ $((i % 2)) -eq 0 ] && echo x >"$box/watched/$i"
		i=$((i + 1))
	done >"$conf/many.ini"
	start_daemon
	ok "1,000 rules are in force" is_logged 'ready: 1001 rules'
	# Also after it has had something to do.
	fence
	fence
	until_true 30 is_logged 'fence: running -> idle'
	watch_it || watch_it || watch_it
	if [ $? -ne 0 ]; then
		skip "an idle daemon does not wake up" "something goes on in $tests_dir/.."
		return
	fi
	ok "an idle daemon does not wake up in 20 seconds" \
	    test "$before" -eq "$after"
	echo "# 1,000 rules on 1,000 paths of one directory, half of which exist:"
	echo "# resident $(sed -n 's/^VmRSS:[^0-9]*//p' "/proc/$daemon/status")," \
	    "descriptors $(ls "/proc/$daemon/fd" | grep -c .)," \
	    "wakeups $((after - before))"
	# There is nothing else that could wake it.
	rule late 'watch = /late'
	ok "a rule file that comes then is read all the same" \
	    until_true 60 is_logged 'late: action: '
}

# Not in /tmp, which is never quiet.
if [ -d /proc/self ]; then
	[ ! -w /dev/shm ] || sandboxes=/dev/shm
	run_tests idle
else
	echo "1..0 # skip no /proc"
fi
