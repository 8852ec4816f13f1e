#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Somebody is told of a rule that fails, once, and of its recovery. When that is due
# after ten minutes or an hour, test_alert.c tests.
. "$(dirname "$0")/commands.sh"

# The alert says what it was told; then it waits while it is held, and ends with what
# stands in $dir/tell.
write_tell() {
	cat >"$box/tell" <<-END
	#!/bin/sh
	dir=$dir
	echo "\$WATCHPATHD_STATE \$WATCHPATHD_FAILURES \$WATCHPATHD_ERROR" \
	    >>\$dir/told.\$WATCHPATHD_RULE
	env >\$dir/env.\$WATCHPATHD_RULE
	while [ -e \$dir/hold/tell ]; do
		sleep 0.05
	done
	read -r status <\$dir/tell
	exit \$status
	END
	chmod 755 "$box/tell"
	echo 0 >"$dir/tell"
}

# told RULE N: that often; is_told RULE N PATTERN: and the Nth time this.
told() {
	count "$dir/told.$1" ge "$2"
}

is_told() {
	until_true 30 told "$1" "$2"
	sed -n "$2p" "$dir/told.$1" | grep -q -e "^$3\$" && return
	echo "# told: $(sed -n "$2p" "$dir/told.$1")"
	return 1
}

# fails RULE N: a change, and its Nth run has ended.
fails() {
	put "$box/$1" "$2"
	until_true 30 has_ended "$1" "$2" || ok "$1 runs $2 times" false
}

has_alerts() {
	[ "$("$WATCHPATHD" history --root "$box" --json "$1" | grep -c '"alert":')" -eq "$2" ]
}

once_each() {
	write_tell
	rule r 'watch = /r' 'alert = /tell' 'retry = 1' 'retry-delay = 50ms'
	rule none 'watch = /none'
	on_run r 'status=3'
	start_daemon
	ok "of a rule without an alert nothing is said" member_is '$r->{none}{alert}' null
	ok "nobody has been told yet" member_is '$r->{r}{alert}{told}' false
	put "$box/r" 1
	ok "when no retry is left somebody is told" is_told r 1 \
	    'failing 2 failed 2 times in a row, the last time: exit status 3'
	ok "which the status says" until_true 10 became '$r->{r}{alert}{told}' true
	wp status r
	ok "in words, too" prints 'alert .*somebody was alerted that it fails'
	ok "the log says that it runs" is_logged 'r: alert: failing, pid [0-9]*, .*/tell'
	ok "and how that went" is_logged 'r: alert: failing, delivered after .*: exit status 0'
	ok "the alert has the environment of the run" \
	    grep -qx "WATCHPATHD_PATHS=$box/r" "$dir/env.r"
	get_run r 2
	ok "and the run's id" grep -qx "WATCHPATHD_RUN=$run" "$dir/env.r"
	put "$box/r" 2
	has_runs r 4
	until_true 30 is_in r failed
	on_run r 'status=0'
	put "$box/r" 3
	ok "of more failures nothing more is said, but of a success" \
	    is_told r 2 'recovered 0 '
	ok "nobody needs to know any more" until_true 10 became '$r->{r}{alert}{told}' false
	put "$box/r" 4
	has_runs r 6
	fence
	ok "of more successes nothing is said" count "$dir/told.r" eq 2
	ok "both stand in the history" until_true 10 has_alerts r 2
	wp history r
	ok "which shows them" prints ' alert .*ok'
	ok "and what they were" prints 'that it is recovered'
	wp history --summary r
	ok "but counts them as no runs" prints '^ *6 *4 '
	ok "the runs are not counted with them" member_is '$r->{r}{runs}' 6
}

is_in() {
	became "\$r->{$1}{state}" "\"$2\""
}

after_so_many() {
	write_tell
	rule r 'watch = /r' 'alert = /tell' 'alert-after = 2' 'retry = forever' \
	    'retry-delay = 1h'
	rule five 'watch = /five' 'alert = /tell' 'retry = forever' 'retry-delay = 10ms'
	on_run r 'status=1'
	on_run five 'status=1'
	start_daemon
	fails r 1
	fence
	ok "one failure is not enough" not told r 1
	fails r 2
	ok "the second is" is_told r 1 'failing 2 .*'
	put "$box/five" 1
	ok "with retry = forever it is the fifth" is_told five 1 'failing 5 .*'
}

an_alert_that_fails() {
	write_tell
	echo 7 >"$dir/tell"
	rule r 'watch = /r' 'alert = /tell' 'alert-after = 1' 'retry = forever' \
	    'retry-delay = 1h'
	rule loose 'watch = /loose' 'alert = /loosely' 'alert-after = 1'
	printf '#!/bin/sh\n' >"$box/loosely"
	chmod 775 "$box/loosely"
	on_run r 'status=1'
	on_run loose 'status=1'
	start_daemon
	fails r 1
	ok "its failure is a warning" until_true 30 is_logged \
	    'warning: r: alert: failing, not delivered after .*: exit status 7'
	ok "the status says so" until_true 10 became '$r->{r}{alert}{error}' '"exit status 7"'
	ok "and that nobody was told" member_is '$r->{r}{alert}{told}' false
	wp status r
	ok "in words" prints 'alert .*could not be delivered: exit status 7'
	echo 0 >"$dir/tell"
	fails r 2
	ok "after the next failure it is tried again" is_told r 2 'failing 2 .*'
	ok "and then somebody knows" until_true 10 became '$r->{r}{alert}{told}' true
	ok "both stand in the history" until_true 10 has_alerts r 2
	wp check
	ok "check warns of one that may not run" says 'loosely: writable by group'
	put "$box/loose" 1
	ok "and it does not run" until_true 30 is_logged \
	    'loose: alert: failing, not delivered after .*loosely: writable by group'
}

between_restarts() {
	write_tell
	rule r 'watch = /r' 'alert = /tell' 'alert-after = 3' 'retry = 0'
	on_run r 'status=1'
	start_daemon
	fails r 1
	fails r 2
	stop_daemon
	start_daemon
	fails r 3
	ok "failures of an earlier daemon count" is_told r 1 'failing 3 .*'
	until_true 10 became '$r->{r}{alert}{told}' true
	stop_daemon
	start_daemon
	fails r 4
	fence
	ok "what it has told is not told again" count "$dir/told.r" eq 1
	stop_daemon
	on_run r 'status=0'
	start_daemon
	put "$box/r" 5
	ok "and the recovery is" is_told r 2 'recovered 0 '
}

# Of two runs one ends when there is one slot left.
slots() {
	write_tell
	rule r 'watch = /r' 'alert = /tell' 'alert-after = 1' 'retry = 0'
	rule other 'watch = /other'
	on_run r 'status=1'
	hold other
	hold r
	hold tell
	start_daemon
	put "$box/r" 1
	put "$box/other" 1
	has_runs other 1
	has_runs r 1
	printf '[daemon]\nmax-running = 1\n' >"$conf/daemon.ini"
	wp reload
	release r
	until_true 30 is_in r failed
	ok "an alert waits for a slot" not told r 1
	release other
	ok "and runs when there is one" until_true 30 told r 1
	put "$box/other" 2
	until_true 30 is_in other queued
	ok "which it holds" member_is '$r->{other}{waits_for}' '"a run to end: max-running = 1"'
	release tell
	ok "then others run" has_runs other 2
}

# A run that fails makes an alert that failed be tried again.
is_delivered_again() {
	is_logged ' r: alert: failing, delivered' && return
	put "$box/r" "$((again += 1))"
	return 1
}

that_hangs() {
	again=1

	write_tell
	hold tell
	rule r 'watch = /r' 'alert = /tell' 'alert-after = 1' 'retry = 0' 'timeout = 300ms'
	rule gone 'watch = /gone' 'alert = /tell' 'alert-after = 1' 'retry = 0'
	on_run r 'status=1'
	on_run gone 'status=1'
	start_daemon
	put "$box/gone" 1
	until_true 30 told gone 1
	rm "$conf/gone.ini"
	until_true 30 is_logged 'reloaded: .* 1 removed'
	put "$box/r" 1
	ok "a hung alert is ended by the rule's timeout" until_true 60 is_logged \
	    'r: alert: failing, not delivered after .*: took longer than its timeout'
	release tell
	ok "the next one is delivered" until_true 60 is_delivered_again
	ok "that of a rule that is gone comes to its end" until_true 30 is_logged \
	    'gone: alert: failing, delivered'
	ok "and stands in the history" until_true 10 has_alerts gone 1
}

run_tests once_each after_so_many an_alert_that_fails between_restarts slots that_hangs
