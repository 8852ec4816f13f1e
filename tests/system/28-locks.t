#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Many runs: locks and max-running with real processes.
. "$(dirname "$0")/lib.sh"

# most_at_once RULE...: how many runs of these, by their own record, there were
# at a time. An end counts before a start at the same time.
most_at_once() {
	for _rule; do
		printf '%s\n' "$dir/runs/$_rule" "$dir/ends/$_rule"
	done | perl -e '
	my ($now, $most) = (0, 0);
	chomp(@ARGV = <STDIN>);
	my @all = map { /^(\d+)( )?/; [$1, $2 ? 1 : -1] } <>;
	for (sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @all) {
		$now += $_->[1];
		$most = $now if $now > $most;
	}
	print "$most\n"'
}

one_lock() {
	rule a 'watch = /a' 'lock = l' 'settle = 20ms'
	rule b 'watch = /b' 'lock = l' 'settle = 20ms'
	rule c 'watch = /c' 'settle = 20ms'
	start_daemon
	on_run a 'sleep 0.03'
	on_run b 'sleep 0.03'
	hold a
	put "$box/a" 1
	wait_runs a 1
	put "$box/b" 1
	put "$box/c" 1
	fence
	ok "a rule does not run while another one has its lock" has_runs b 0
	ok "a rule without that lock does" has_runs c 1
	release a
	ok "it runs when the lock is free" until_true 30 has_run_times b 1
	i=0
	while [ $i -lt 40 ]; do
		put "$box/a" $i
		put "$box/b" $i
		i=$((i + 1))
	done
	ok "one of them runs after that" until_true 30 has_run_times a 2
	ok "and the other one" until_true 30 has_run_times b 2
	fence
	until_true 30 is_quiet
	ok "rules with one lock never run at the same time" \
	    test "$(most_at_once a b)" -eq 1
}

# is_quiet: has every run ended?
is_quiet() {
	[ "$(cat "$dir"/ends/* | wc -l)" -eq "$(cat "$dir"/runs/* | wc -l)" ]
}

have_started() {
	[ "$(ls "$dir/runs" | grep -c '^r')" -eq "$1" ]
}

have_all_run() {
	have_started "$1" && is_quiet
}

a_thousand_rules() {
	n=1000
	[ "${PACE:-}" != slow ] || n=200
	mkdir "$box/many"
	rules=
	i=1000
	while [ $i -lt $((1000 + n)) ]; do
		rules="$rules r$i"
		printf '[r%d]\nwatch = /many/%d\naction = /act\n' $i $i
		printf 'settle = 500ms\ncooldown = 0\n\n'
		i=$((i + 1))
	done >"$conf/many.ini"
	printf '[daemon]\nmax-running = 6\n' >"$conf/daemon.ini"
	fence=1s
	for r in $rules; do
		echo 'sleep 0.02' >"$dir/do/$r"
	done
	start_daemon
	perl -e 'for (1000 .. 999 + $ARGV[2]) {
		open(my $f, ">", "$ARGV[0]/r$_") or die;
		open($f, ">", "$ARGV[1]/$_") or die;
	}' "$dir/hold" "$box/many" $n
	ok "as many as max-running run at a time" until_true 30 have_started 6
	rm -r "$dir/hold"
	ok "the rules of all of them run" until_true 120 have_all_run $n
	fence
	ok "none of them twice" test "$(cat "$dir"/runs/r* | grep -c .)" -eq $n
	ok "and no more than that" test "$(most_at_once $rules)" -eq 6
	ok "every run has an id of its own" test "$(cat "$dir"/runs/* |
	    cut -d' ' -f5 | sort -u | grep -c .)" -eq $((n + 1))
}

run_tests one_lock one_lock:shuffle,split,merge a_thousand_rules
