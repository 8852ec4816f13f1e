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

# is_asleep: has it waited for a tenth of a second already?
is_asleep() {
	_before=$(switches)
	sleep 0.1
	[ "$(switches)" -eq "$_before" ]
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
	until_true 30 is_asleep
	before=$(switches)
	sleep 20
	after=$(switches)
	ok "an idle daemon does not wake up in 20 seconds" \
	    test "$before" -eq "$after"
	echo "# 1,000 rules on 1,000 paths of one directory, half of which exist:"
	echo "# resident $(sed -n 's/^VmRSS:[^0-9]*//p' "/proc/$daemon/status")," \
	    "descriptors $(ls "/proc/$daemon/fd" | grep -c .)," \
	    "wakeups $((after - before))"
}

# The directories above the sandbox are watched too: in a quiet place, as others
# come and go in /tmp.
if [ -d /proc/self ]; then
	[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
	run_tests idle
else
	echo "1..0 # skip no /proc"
fi
