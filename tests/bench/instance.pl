# SPDX-License-Identifier: MIT
#
# Instances for bench.pl: one is a system of peers.pl that runs on files, or on a
# directory, of its own. It is there when it has started an action; what it started, and
# when, is in its record; and it can be asked for the memory and CPU of its processes.
use strict;
use warnings;
use Fcntl;
use File::Copy;
use File::Path;
use POSIX ':sys_wait_h';
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime sleep time);

our ($dir, %part, $program, $conf_d, $since);
our %live; # instances by their pid

sub now {
	return clock_gettime(CLOCK_MONOTONIC);
}

# Is all the time over?
sub is_late {
	return now() > $since + $part{all};
}

sub have_patience {
	my ($since) = @_;
	return now() < $since + $part{patience} && !is_late();
}

# Starts a system on so many files, or on a directory, and waits until it has started
# an action: undef if it does not, else the instance.
sub start {
	my ($peer, $id, %how) = @_;
	my $i = { %how, peer => $peer, system => $peer->{name}, id => $id, program => $program,
	    dir => "$dir/$peer->{name}-$id", conf_d => $conf_d, bin => "$dir/bin" };
	$i->{$_} //= 0 for qw(waiting settle);
	rmtree($i->{dir});
	mkpath(["$i->{dir}/watched", "$i->{dir}/waiting", "$i->{dir}$conf_d"]);
	copy("$dir/bin/action", "$i->{dir}/action") or die "$!\n";
	chmod 0755, $i->{dir}, "$i->{dir}/action";
	$i->{record} = put("$i->{dir}/record");
	$i->{action} = ["$i->{dir}/action", $i->{record}];
	my @files = map { "$i->{dir}/watched/" . ($_ + 100) } 1 .. $how{files};
	put($_) for @files;
	$i->{paths} = $how{files} ? \@files : ["$i->{dir}/watched"];
	$i->{descriptors} = @{$i->{paths}};
	$i->{next} = 0;
	return $i if eval {
		run($i, $peer->{start}->($i));
		$peer->{started}->($i) if $peer->{started};
		probe($i);
	};
	my $why = $@;
	stop($i);
	return cannot($i->{system}, $id, $why);
}

sub run {
	my ($i, @words) = @_;
	my $list = put("$i->{dir}/list", @{$i->{paths}});
	($i->{start}, $i->{since}) = (time, now());
	defined($i->{pid} = fork) or die "fork: $!\n";
	if ($i->{pid} == 0) {
		setpgrp(0, 0);
		open(STDIN, '<', $list);
		open(STDOUT, '>', "$i->{dir}/log");
		open(STDERR, '>&', \*STDOUT);
		exec { $words[0] } @words or POSIX::_exit(127);
	}
	$live{$i->{pid}} = $i;
}

# Changes what it watches until an action comes; seldom enough for one that waits until
# nothing has changed for a time.
sub probe {
	my ($i) = @_;
	my $next = now();
	until (-s $i->{record}) {
		die "it ends: " . `tail -n 1 $i->{dir}/log` . "\n"
		    if waitpid($i->{pid}, WNOHANG) == $i->{pid};
		die "no action comes\n" unless have_patience($i->{since});
		if (now() >= $next) {
			touch($i);
			$next = now() + ($i->{settle} ? 1.5 : 0.005);
		}
		sleep 0.002;
	}
	$i->{ready} = started($i, 0) - $i->{since};
	rest($i);
	return 1;
}

# Until no more actions come, as there were several changes.
sub rest {
	my ($i) = @_;
	my ($size, $since) = (-1, now());
	while ($size != -s $i->{record} && have_patience($since)) {
		$size = -s $i->{record};
		sleep 0.2;
	}
}

# The next change: a byte more in the next file, or a file that comes and goes.
sub touch {
	my ($i) = @_;
	my $path = $i->{paths}[$i->{next}++ % @{$i->{paths}}];
	my $new = -d $path && ($path .= '/new');
	sysopen(my $file, $path, O_WRONLY | O_APPEND | ($new ? O_CREAT : 0)) or die "$path: $!\n";
	my $then = now();
	syswrite $file, 'x';
	unlink $path if $new;
	return $then;
}

# When the action started that the record has at that place; undef: none yet.
sub started {
	my ($i, $at) = @_;
	open(my $in, '<:raw', $i->{record}) or die;
	seek $in, 8 * $at, 0;
	my $length = read $in, my $bytes, 8;
	return $length == 8 ? unpack('q', $bytes) / 1e9 : undef;
}

# Waits for the next so many actions; returns how long after that the last one started.
sub wait_for {
	my ($i, $then, $at, $number) = @_;
	while (1) {
		my $last = started($i, $at + $number - 1);
		return $last - $then if defined $last && $last >= $then;
		$at++ if defined $last; # one of before
		die "an action does not come\n" unless have_patience($then);
		sleep 0.001;
	}
}

sub actions {
	my ($i) = @_;
	return int((-s $i->{record}) / 8);
}

# Processes of an instance, but for its actions.
sub processes {
	my ($i) = @_;
	my @pids = $i->{peer}{processes} ? $i->{peer}{processes}->() : ();
	for my $file (glob '/proc/[0-9]*/stat') {
		open(my $in, '<', $file) or next;
		my ($pid, $name, $group) = (readline($in) // '') =~ /^(\d+) \((.*)\) \S+ \d+ (\d+)/;
		push @pids, $pid if defined $pid && $group == $i->{pid} && $name ne 'action';
	}
	return @pids;
}

# Their sum of what that pattern has in that file, for each process or thread.
sub total {
	my ($i, $file, $pattern) = @_;
	my $sum = 0;
	for my $path (map { glob "/proc/$_/$file" } processes($i)) {
		open(my $in, '<', $path) or next;
		my ($number) = join('', <$in>) =~ $pattern or next;
		$sum += $number;
	}
	return $sum;
}

# Seconds of CPU, without its actions.
sub cpu {
	return total($_[0], 'task/*/schedstat', qr/^(\d+)/) / 1e9;
}

sub stop {
	my ($i) = @_;
	if (defined $i->{pid}) {
		kill 'TERM', -$i->{pid};
		my $end = now() + 2;
		sleep 0.01 until waitpid($i->{pid}, WNOHANG) != 0 || now() > $end;
		kill 'KILL', -$i->{pid};
		waitpid($i->{pid}, 0);
		delete $live{$i->{pid}};
	}
	$i->{peer}{stopped}->($i) if $i->{peer}{stopped};
	rmtree($i->{dir});
}

END {
	my $status = $?;
	stop($_) for values %live;
	$? = $status;
}

1;
