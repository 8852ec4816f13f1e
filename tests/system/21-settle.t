#!/bin/sh
# SPDX-License-Identifier: MIT
#
# When a change is answered: settle, settle-max and cooldown delay a run, and
# never drop a change. Times are compared in the action's own record.
. "$(dirname "$0")/lib.sh"

# Each change is one step: a write that comes late after its creation is one more.
a_change_during_a_run() {
	rule r 'watch = /f' 'settle = 100ms'
	fence=1500ms
	start_daemon
	hold r
	put "$box/f" 1
	wait_runs r 1
	changed=$(now)
	echo 2 >>"$box/f"
	release r
	wait_runs r 2
	get_run r 2
	ok "the run after a change during a run starts after that change" \
	    test "$time" -ge "$changed"
	hold r
	echo 3 >>"$box/f"
	wait_runs r 3
	for i in 4 5 6 7; do
		echo $i >"$box/f.new"
		mv "$box/f.new" "$box/f"
	done
	rm "$box/f"
	changed=$(now)
	put "$box/f" 8
	release r
	wait_runs r 4
	get_run r 4
	ok "so does the one after many changes during a run" \
	    test "$time" -ge "$changed"
	fence
	ok "changes during a run cause one more run" has_runs r 4
}

many_writes() {
	rule r 'watch = /f' 'settle = 1s'
	fence=2500ms
	start_daemon
	begun=$(now)
	perl -MTime::HiRes=time -e '
	my ($file, $longest) = ($ARGV[0], 0);
	open(my $f, ">", $file) or die;
	my $last = time;
	for (1 .. 2000) {
		syswrite($f, "$_\n");
		my $now = time;
		$longest = $now - $last if $now - $last > $longest;
		$last = $now;
	}
	printf "%d\n", 1000 * $longest' "$box/f" >"$dir/longest"
	changed=$(now)
	settle=1000
	case $faults in
	*echo*) settle=2000 ;;
	esac
	wait_runs r 1
	get_run r 1
	ok "a run waits until nothing changed for the length of settle" \
	    after "$begun" "$time" 1000
	within "and no longer, in ms" "$changed" "$time" $settle
	fence
	read -r longest <"$dir/longest"
	if [ "$longest" -ge 900 ]; then
		skip "2,000 writes" "the machine held the writer up for $longest ms"
	else
		ok "2,000 writes within settle are answered by one run" has_runs r 1
	fi
}

# write_often FILE PAUSE TIMES: or until there is a file $dir/enough. When is
# recorded, before and after each write. One process, so that a busy machine seldom
# stretches the pauses.
write_often() {
	perl -MTime::HiRes=time,sleep -e '
	my ($file, $record, $enough, $pause, $times) = @ARGV;
	open(my $r, ">>", $record) or die;
	$r->autoflush(1);
	while ($times-- > 0 && !-e $enough) {
		my $before = time;
		open(my $f, ">>", $file) or die;
		syswrite($f, "x\n");
		close($f);
		printf $r "%.6f %.6f\n", $before, time;
		sleep $pause;
	}' "$1" "$dir/writes" "$dir/enough" "$2" "$3"
}

# record_ends RULE: the real time of the ends of its runs, before they end.
record_ends() {
	on_run "$1" "perl -MTime::HiRes=time -e 'printf qq(%.6f\n), time' >>$dir/real_ends"
}

# runs_are_due SETTLE SETTLE_MAX COOLDOWN, in seconds: can every run of r that the
# log has have begun with a look that came after the cooldown, and when nothing had
# been written for SETTLE, or SETTLE_MAX after the first write or the cooldown?
# How long the look came before the line depends on the machine, so the earliest
# that can be is taken, and what was written after it is for the next run.
runs_are_due() {
	perl -MTime::Local -MList::Util=max,min -e '
	my ($log, $writes, $ends, $settle, $max, $cooldown) = @ARGV;
	my ($look, $free, @writes, @ends, @out) = (0, 0);
	open(my $w, "<", $writes) or die;
	push @writes, [split] while <$w>;
	open(my $e, "<", $ends) or die;
	@ends = <$e>;
	open(my $l, "<", $log) or die;
	while (<$l>) {
		my ($y, $mo, $d, $h, $m, $s) =
		    /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z info: r: \w+ -> running/
		    or next;
		my $t = timegm(0, $m, $h, $d, $mo - 1, $y) + $s + 0.002;
		# A write within a tick before the look may count again: its event can come
		# after, and the stamps of both are equal (TICK_NS in stamp.c).
		my ($first) = grep { $_->[1] > $look - 0.022 } @writes;
		my @can = max($first->[0], $free) + $max;
		for my $i (0 .. $#writes) {
			my $quiet = max($writes[$i][0] + $settle, $look, $free);
			push @can, $quiet
			    if $i == $#writes || $quiet <= $writes[$i + 1][1] + 0.002;
		}
		$look = min(@can);
		push @out, "run at $t, and not before $look" if $look > $t;
		$free = shift(@ends) + $cooldown;
	}
	print "# $_\n" for @out;
	exit(@out != 0 || !$look);' "$log" "$dir/writes" "$dir/real_ends" "$@"
}

constant_writing() {
	rule r 'watch = /f' 'settle = 800ms' 'settle-max = 1500ms'
	fence=1800ms
	record_ends r
	start_daemon
	write_often "$box/f" 0.05 2000 &
	until_true 30 test -s "$dir/writes"
	begun=$(now)
	ok "constant writing gets runs, by settle-max" until_true 30 has_run_times r 2
	get_run r 1
	last=$end
	within "the first, in ms" "$begun" "$time" 1500
	get_run r 2
	within "the next, in ms" "$last" "$time" 1500
	: >"$dir/enough"
	wait $!
	fence
	ok "no run interrupts a writer before settle-max" runs_are_due 0.8 1.5 0
}

a_change_during_the_cooldown() {
	rule r 'watch = /f' 'cooldown = 1500ms'
	fence=1700ms
	start_daemon
	put "$box/f" 1
	until_true 30 has_ended r 1
	put "$box/f" 2
	wait_runs r 2
	get_run r 1
	last=$end
	get_run r 2
	ok "a change during the cooldown is answered after it" \
	    after "$last" "$time" 1500
	within "at its end, in ms" "$last" "$time" 1500
	until_true 30 has_ended r 2
	get_run r 2
	until_true 30 passed $((end + 1600000000))
	changed=$(now)
	put "$box/f" 3
	wait_runs r 3
	get_run r 3
	ok "a change after the cooldown is answered when it has settled" \
	    after "$changed" "$time" 100
	within "at once, in ms" "$changed" "$time" 100
	fence
	ok "the cooldown makes no run of its own" has_runs r 3
}

# The writer goes on for longer than settle-max after its first write, and for
# less than that after the cooldown.
a_slow_writer_during_the_cooldown() {
	rule r 'watch = /f' 'settle = 600ms' 'settle-max = 2s' 'cooldown = 2s'
	fence=2s
	record_ends r
	start_daemon
	write_often "$box/f" 0 1
	until_true 30 has_ended r 1
	write_often "$box/f" 0.2 15
	wait_runs r 2
	fence
	ok "no run interrupts a writer during the cooldown, or settling after it" \
	    runs_are_due 0.6 2 2
}

# make_a: makes the file what it was at first, but for its ctime.
make_a() {
	echo A >"$box/f"
	touch -t 202001010000 "$box/f"
}

there_and_back_while_settling() {
	rule r 'watch = /f' 'on = modify' 'settle = 1s'
	fence=1500ms
	make_a
	start_daemon
	echo BBBB >"$box/f"
	until_true 30 is_logged ' r: idle -> settling'
	make_a
	fence
	ok "from A to B and back to A while a run waits is answered" \
	    has_run_times r 1
}

there_and_back_while_failing() {
	rule r 'watch = /f' 'on = modify' 'retry = 1' 'retry-delay = 1s'
	make_a
	start_daemon
	on_run r status=1
	hold r
	echo BBBB >"$box/f"
	wait_runs r 1
	on_run r status=0
	changed=$(now)
	make_a
	release r
	wait_runs r 2
	get_run r 2
	ok "back to A while the run that saw B fails is answered" \
	    test "$time" -ge "$changed"
	fence
	ok "by one run" has_runs r 2
}

create_delete_create() {
	rule r 'watch = /f' 'on = create'
	fence=1500ms
	start_daemon
	put "$box/f" 1
	wait_runs r 1
	rm "$box/f"
	changed=$(now)
	put "$box/f" 1
	wait_runs r 2
	get_run r 2
	ok "a second creation is answered" test "$time" -ge "$changed"
	ok "as a creation" test "$reason $change" = "change create"
	rm "$box/f"
	fence
	ok "on = create: create, delete, create are two runs, delete is none" \
	    has_runs r 2
}

# A directory in which 20,000 names are waited for takes long to look at, and is
# then left alone for ten times as long. What comes into it meanwhile is found by
# the look before the start. The rule is loaded first, so that the long look has
# passed its paths when they change.
a_look_before_the_start() {
	mkdir "$box/d"
	put "$box/d/there" 1
	i=10000
	while [ $i -lt 30000 ]; do
		[ $((i % 1000)) -ne 0 ] || printf '[many%d]\naction = /act\n' $i
		echo "watch = /d/$i"
		i=$((i + 1))
	done >"$conf/many.ini"
	rule a 'watch = /d/there' 'watch = /d/new'
	on_run a "echo \"\$WATCHPATHD_PATHS\" >>$dir/paths"
	fence=1s
	start_daemon
	perl -e '
	open(my $f, ">", "$ARGV[0]/other") or die;
	select(undef, undef, undef, 0.06);
	open($f, ">>", "$ARGV[0]/there") or die;
	syswrite($f, "x");
	open($f, ">", "$ARGV[0]/new") or die;' "$box/d"
	until_true 30 has_ended a 1
	ok "the look before the start finds what no event has told yet" \
	    test "$(head -n 2 "$dir/paths" | sort)" = "$box/d/new
$box/d/there"
	fence
	ok "and there is one run" has_runs a 1
}

run_tests a_look_before_the_start a_change_during_a_run a_change_during_a_run:shuffle,split \
    a_change_during_a_run:merge a_change_during_a_run:echo,extend \
    many_writes many_writes:shuffle,split many_writes:merge \
    many_writes:echo,extend \
    constant_writing constant_writing:merge,extend a_change_during_the_cooldown \
    a_slow_writer_during_the_cooldown \
    a_slow_writer_during_the_cooldown:shuffle,split,merge \
    there_and_back_while_settling there_and_back_while_failing \
    create_delete_create create_delete_create:shuffle,split \
    create_delete_create:merge
