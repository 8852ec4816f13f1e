#!/bin/sh
# SPDX-License-Identifier: MIT
#
# verify, also over restarts, and retries that a network change makes due.
. "$(dirname "$0")/restart.sh"

# The program of verify: as /act for a rule of the name RULE.verify.
write_verify() {
	sed "s/^rule=.WATCHPATHD_RULE/&.verify/" "$box/act" >"$box/verify"
	chmod 755 "$box/verify"
}

# A fence that does not ask for a record of every run: a retry may be one of
# verify alone.
is_recorded() {
	:
}

# Runs are held while what they are to do is changed, never raced.
verified() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 300ms'
	fence=1s
	start_daemon
	on_run r.verify status=1
	hold r.verify
	put "$box/f" 1
	wait_runs r.verify 1
	on_run r.verify status=0
	release r.verify
	wait_runs r.verify 2
	fence
	ok "verify fails: the retry starts with verify, which is enough" \
	    test "$(runs r) $(runs r.verify)" = '1 2'
	ok "as a retry" is_run r.verify 2 retry 2 create
	until_true 10 is_settled r
	on_run r.verify status=1
	hold r.verify
	put "$box/f" 2
	wait_runs r.verify 3
	hold r
	release r.verify
	wait_runs r 3
	on_run r.verify status=0
	release r
	wait_runs r.verify 5
	fence
	ok "verify fails twice: the action runs again, then verify" \
	    test "$(runs r) $(runs r.verify)" = '3 5'
	ok "within one run" is_run r.verify 5 retry 2 create
	until_true 10 is_settled r
	on_run r status=1
	hold r
	put "$box/f" 3
	wait_runs r 4
	on_run r status=0
	release r
	wait_runs r.verify 6
	fence
	ok "the action fails: verify does not run" \
	    test "$(runs r) $(runs r.verify)" = '5 6'
}

# A run is held while what the next one is to do is changed.
verify_and_the_action_fail() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 100ms' 'retry = 9'
	start_daemon
	on_run r.verify status=1
	hold r.verify
	put "$box/f" 1
	wait_runs r.verify 1
	on_run r status=1
	hold r
	release r.verify
	wait_runs r 2
	on_run r status=0
	on_run r.verify status=0
	release r
	wait_runs r.verify 3
	ok "after verify and then the action have failed the action runs again" \
	    until_true 30 has_run_times r 3
	ok "as a retry" is_run r 3 retry 3 create
	until_true 30 is_settled r
	ok "and verify after it, once" has_runs r.verify 3
}

# The rule gets another action while the verify of a retry goes first: the first
# one sees to it that the next is held.
a_change_of_the_rule_meanwhile() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 100ms'
	start_daemon
	on_run r.verify ": >$dir/hold/r.verify; status=1"
	put "$box/f" 1
	wait_runs r.verify 2
	cp "$box/act" "$box/other"
	rule r 'watch = /f' 'retry-delay = 100ms' 'action = /other'
	"$WATCHPATHD" reload --root "$box"
	release r.verify
	ok "a rule that is changed while verify goes first runs its new action" \
	    until_true 30 has_run_times r 2
	ok "in a run of its own, as the change is a cause" is_run r 2 change 1 create
	fence
	ok "once" has_runs r 2
}

verified_over_a_restart() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 5s'
	start_daemon
	on_run r.verify status=1
	put "$box/f" 1
	wait_runs r.verify 1
	until_true 10 is_saved r '"verify_first":true'
	on_run r.verify status=0
	kill_daemon
	live_again
	wait_runs r.verify 2
	fence
	ok "after a restart, too, the retry starts with verify" \
	    test "$(runs r) $(runs r.verify)" = '1 2'
	ok "as a retry" is_run r.verify 2 retry 2 create
}

a_change_meanwhile() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'retry-delay = 20s'
	start_daemon
	on_run r.verify status=1
	put "$box/f" 1
	wait_runs r.verify 1
	until_true 10 is_saved r '"verify_first":true'
	on_run r.verify status=0
	put "$box/f" 2
	ok "a change makes the action run again, before verify" \
	    until_true 10 has_run_times r 2
	ok "as a first attempt" is_run r 2 change 1 create
}

verify_takes_too_long() {
	write_verify
	rule r 'watch = /f' 'verify = /verify' 'timeout = 2s' 'retry = 0'
	start_daemon
	hold r.verify
	put "$box/f" 1
	wait_runs r.verify 1
	get_run r 1
	ok "timeout ends verify" until_true 15 is_logged 'verify: took longer than its timeout'
	ok "not before" after "$time" "$(now)" 1900
}

verify_is_missing() {
	rule r 'watch = /f' 'verify = /missing' 'retry = 0'
	start_daemon
	put "$box/f" 1
	ok "without its program verify fails" \
	    until_true 10 is_logged ' r: running -> failed'
	ok "and says why" is_logged 'failed after .*: verify: .*/missing'
	cp "$box/act" "$box/missing"
	chmod 777 "$box/missing"
	put "$box/f" 2
	ok "nor is one run that others can write" until_true 10 is_logged \
	    'verify: .*missing: .*writable'
	ok "the action ran both times" has_runs r 2
}

# In a network namespace of its own, where addresses can be changed.
network() {
	if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null ||
	    ! command -v nsenter >/dev/null ||
	    ! unshare -n ip addr add 192.0.2.1/24 dev lo 2>/dev/null; then
		skip "a network change makes a retry due" 'no network can be changed here'
		return
	fi
	rule yes 'watch = /f' 'retry-delay = 1h' 'retry-on-network = yes'
	rule no 'watch = /f' 'retry-delay = 1h'
	rule fence 'watch = /fence' "settle = $fence"
	unshare -n "$WATCHPATHD" run --root "$box" >>"$dir/log" 2>&1 &
	daemon=$!
	wait_ready
	on_run yes status=1
	on_run no status=1
	put "$box/f" 1
	wait_runs yes 1
	wait_runs no 1
	until_true 10 is_logged ' yes: running -> retrying'
	on_run yes status=0
	nsenter -t "$daemon" -n ip addr add 192.0.2.1/24 dev lo
	ok "a network change makes a waiting retry due" until_true 10 has_run_times yes 2
	fence
	ok "where it was asked for" has_runs no 1
}

run_tests verified verify_and_the_action_fail a_change_of_the_rule_meanwhile \
    verified_over_a_restart a_change_meanwhile \
    verify_takes_too_long verify_is_missing network
