#!/bin/sh
# SPDX-License-Identifier: MIT
#
# user = console: an action runs as whoever is logged in at the screen, in his
# session, and waits while nobody is. /dev/console and launchctl are stand-ins below
# the root; who may not become another user logs in himself.
. "$(dirname "$0")/commands.sh"

someone=$(id -u)
[ "$someone" -ne 0 ] || someone=$(id -u nobody)

# A launchctl that says what it was asked and does it. No shell: that would leave out
# the names in the environment that are none.
make_screen() {
	mkdir "$box/dev" "$box/bin" "$dir/got"
	chmod 777 "$dir/got"
	cat >"$box/bin/launchctl" <<-END
	#!/usr/bin/perl
	open(my \$f, ">>", "$dir/asuser") or die;
	print \$f "@ARGV[0, 1]\n";
	close(\$f);
	exec(@ARGV[2 .. \$#ARGV]) or die;
	END
	cat >"$box/who" <<-END
	#!/bin/sh
	echo "\$(id -u) \$USER \$WATCHPATHD_REASON \$*" >>$dir/got/\$WATCHPATHD_RULE
	while [ -e $dir/hold/who ]; do
		sleep 0.05
	done
	[ ! -e $dir/got/fail ]
	END
	chmod 755 "$box/bin/launchctl" "$box/who"
}

# log_in [UID]: the window server gives him the console.
log_in() {
	: >"$dir/console"
	[ "$(id -u)" -ne 0 ] || chown "${1:-$someone}" "$dir/console"
	mv "$dir/console" "$box/dev/console"
}

log_out() {
	rm -f "$box/dev/console"
	[ "$(id -u)" -ne 0 ] || log_in 0
}

# ran RULE N LINE: did it, for the Nth time, as that?
ran() {
	until_true 60 count "$dir/got/$1" ge "$2"
	sed -n "$2p" "$dir/got/$1" | grep -q -e "$3" && return
	echo "# $1 ran: $(sed -n "$2p" "$dir/got/$1")"
	return 1
}

is_queued() {
	became '$r->{r}{state}' '"queued"' 2>/dev/null
}

waits="\"somebody to log in at the screen: user = console\""
login=$(id -un "$someone")

logging_in_and_out() {
	make_screen
	rule r 'watch = /r' 'user = console' 'action = /who one'
	start_daemon
	put "$box/r" 1
	ok "while nobody is logged in the rule is queued" until_true 30 is_queued
	ok "which it says" member_is '$r->{r}{waits_for}' "$waits"
	ok "in the log, too" is_logged 'r: settling -> queued, nobody is logged in at the screen'
	ok "that is no problem" member_is '$r->{r}{problem}' null
	wp trigger r
	ok "it can be asked for" [ $status -eq 0 ]
	log_in
	ok "it runs when somebody is" ran r 1 "^$someone $login manual one$"
	ok "in his session" grep -qx "asuser $someone" "$dir/asuser"
	put "$box/r" 2
	ok "then it runs as any other" ran r 2 "^$someone $login change one$"
	until_true 30 became '$r->{r}{state}' '"idle"'
	log_out
	put "$box/r" 3
	ok "when he has logged out it waits again" until_true 30 is_queued
	stop_daemon
	start_daemon
	ok "as it does after a restart" until_true 30 is_queued
	log_in
	ok "and nothing is lost" ran r 3 "^$someone $login change one$"
	if [ "$(id -u)" -ne 0 ]; then
		skip "who has a uid below 500 is nobody" "only root can be others"
		return
	fi
	log_in 499
	put "$box/r" 4
	ok "who has a uid below 500 is nobody" until_true 30 is_queued
	log_in
	ran r 4 change || ok "the last change is answered" false
}

# Somebody else is at the screen when the wait is over, or during the run.
switching() {
	make_screen
	rule r 'watch = /r' 'user = console' 'action = /who one' 'verify = /who two'
	start_daemon
	put "$box/r" 1
	until_true 30 is_queued
	if [ "$(id -u)" -eq 0 ]; then
		log_in "$(id -u nobody)"
	fi
	log_in
	ok "who is there when it starts counts" ran r 1 "^$someone $login change one$"
	ran r 2 'change two' || ok "verify runs" false
	hold who
	put "$box/r" 2
	ran r 3 'change one' || ok "it runs again" false
	log_out
	release who
	ok "verify runs as the same, whoever is there by then" \
	    ran r 4 "^$someone $login change two$"
	log_in
	until_true 30 became '$r->{r}{state}' '"idle"'
	ok "and the run has succeeded" member_is '$r->{r}{last_run}{ok}' true
}

an_alert() {
	make_screen
	rule r 'watch = /r' 'user = console' 'action = /who run' 'alert = /who alert' \
	    'retry = 0' 'alert-after = 1'
	hold who
	: >"$dir/got/fail"
	chmod 666 "$dir/got/fail"
	log_in
	start_daemon
	put "$box/r" 1
	ran r 1 'change run' || ok "it runs" false
	log_out
	release who
	until_true 30 became '$r->{r}{state}' '"failed"'
	ok "an alert waits for somebody, too" count "$dir/got/r" eq 1
	rm "$dir/got/fail"
	log_in
	ok "and is his" ran r 2 "^$someone $login change alert$"
}

what_it_needs() {
	mkdir "$box/dev"
	rule r 'watch = /r' 'user = console'
	wp check
	ok "check has nothing against it" [ ! -s "$dir/err" ]
	log_in
	start_daemon
	put "$box/r" 1
	ok "without launchctl it is blocked" until_true 30 became '$r->{r}{state}' '"blocked"'
	ok "and says why" member_is_like '$r->{r}{problem}' '/bin/launchctl: not installed yet'
	wp explain /r
	ok "explain knows whom it would run as" \
	    prints 'would run: .*/act, as whoever is logged in at the screen'
}

without_a_screen() {
	if [ "$(uname -s)" = Darwin ]; then
		skip "a system without a screen" "a Mac has one"
		return
	fi
	mkdir "$dir/conf.d" "$dir/state"
	chmod 700 "$dir/state"
	printf '[r]\nwatch = %s/r\naction = /bin/true\nuser = console\nsettle = 0\n' "$dir" \
	    >"$dir/conf.d/r.ini"
	"$WATCHPATHD" run --config "$dir/conf.d" --state "$dir/state" >>"$log" 2>&1 &
	daemon=$!
	wait_ready
	: >"$dir/r"
	ok "where nobody can log in at a screen it is blocked" until_true 30 is_logged \
	    'r: .* -> blocked, user = console: nobody can log in at a screen of this system'
}

run_tests logging_in_and_out switching an_alert what_it_needs without_a_screen
