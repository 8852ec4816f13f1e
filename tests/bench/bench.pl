#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# bench.pl [--quick]: how watchpathd compares with the least that Linux needs (bare.c)
# and with those of the others that are installed (peers.pl): how soon an action starts,
# what a burst costs, and what is used. Everything is measured by turns, so that a noisy
# minute meets all. Leaves table.md and chart.svg in $BUILD/bench and prints the table.
# Takes at most 6 minutes, with --quick 2. Exit status 1: a limit of ours is missed.
use strict;
use warnings;
use Cwd 'abs_path';
use Fcntl;
use File::Basename;
use File::Path;
use File::Temp;
use Time::HiRes 'sleep';

my $here = dirname(abs_path($0));
require "$here/$_.pl" for qw(instance table chart);
my @peers = do "$here/peers.pl" or die $@;

$ENV{PATH} .= ':/usr/sbin';
my $quick = @ARGV == 1 && $ARGV[0] eq '--quick';
die "usage: bench.pl [--quick]\n" if @ARGV && !$quick;
die "bench.pl: needs inotify\n" unless -e '/proc/self';
our $program = abs_path($ENV{WATCHPATHD} // 'build/watchpathd');
my $out = ($ENV{BUILD} // 'build') . '/bench';
our ($conf_d) = map { /^  rules +(.*)/ } `$program help run`;

# Seconds for each part, for one action and for all; and how often at most.
our %part = $quick
    ? (start => 25, event => 20, burst => 20, use => 45, patience => 8, all => 112)
    : (start => 60, event => 80, burst => 90, use => 110, patience => 20, all => 350);
my %times = $quick ? (event => 40, burst => 1, use => 1)
    : (event => 200, burst => 5, use => 5);

# What the table has: a title, how a value is shown, what is compared, our limit.
our @rows = (
	{ id => 'few', title => 'event to action, 10 rules, 0.3 s apart', limit => 1.5 },
	{ id => 'waiting', title => '... and 10,000 more that wait for files', limit => 1.5,
	    floor => 'few' },
	{ id => 'growth', title => '1,000 rules / 10 rules', of => ['thousand', 'few'] },
	{ id => 'many', title => '10,000 rules; the floor has 10,000 descriptors' },
	{ id => 'burst of thousand', title => 'burst of 1,000 files, 1,000 rules' },
	{ id => 'burst of many', title => 'burst of 1,000 files, 10,000 rules' },
	{ id => 'ready', title => 'first action with 10,000 rules', unit => 's', scale => 1 },
	{ id => 'resident', title => 'resident with 10,000 rules', unit => 'MB', scale => 1 / 1024 },
	{ id => 'share', title => 'proportional set with 1 rule, idle', unit => 'kB', scale => 1 },
	{ id => 'storm', title => 'CPU of 100,000 writes to one file', unit => 'ms',
	    scale => 1e3 },
	{ id => 'churn', title => 'create and delete as fast as possible', unit => '%',
	    scale => 100 },
);

our $dir = File::Temp->newdir('/tmp/wpd.XXXXXX');
our $since = now();

sub compile {
	mkdir "$dir/bin";
	for my $name (qw(action bare)) {
		system(split(' ', $ENV{CC} // 'cc'), qw(-std=c11 -D_GNU_SOURCE -O2 -static -o),
		    "$dir/bin/$name", "$here/$name.c") == 0 or die "$name.c\n";
	}
}

sub is_there {
	my ($peer) = @_;
	my $needs = $peer->{needs} // return 1;
	return 0 unless grep { -x "$_/$needs" } split(/:/, $ENV{PATH});
	return !$peer->{there} || $peer->{there}->();
}

sub event {
	my ($i) = @_;
	my $at = actions($i);
	sleep 0.3 - (now() - $i->{last}) if defined $i->{last} && now() < $i->{last} + 0.3;
	my $then = $i->{last} = touch($i);
	keep($i->{id}, $i, wait_for($i, $then, $at, 1));
	# What the run still has to do must not be in the next one's time.
	sleep 0.01;
}

sub burst {
	my ($i) = @_;
	my $at = actions($i);
	my $then = touch($i);
	touch($i) for 2 .. 1000;
	keep("burst of $i->{id}", $i, wait_for($i, $then, $at, 1000));
	rest($i);
}

# CPU from before the changes until there is no more of it.
sub cpu_of {
	my ($i, $changes) = @_;
	my ($before, $since, $last) = (cpu($i), now(), -1);
	$changes->();
	until (cpu($i) - $last < 0.002 || !have_patience($since)) {
		$last = cpu($i);
		sleep 1.2;
	}
	return cpu($i) - $before;
}

sub storm {
	my ($i) = @_;
	sysopen(my $file, $i->{paths}[0], O_WRONLY) or die;
	return cpu_of($i, sub { syswrite $file, 'x' for 1 .. 100_000 });
}

# The part of a core that is used meanwhile.
sub churn {
	my ($i) = @_;
	my ($before, $since) = (cpu($i), now());
	my $end = $since + ($quick ? 1 : 2);
	touch($i) while now() < $end;
	return (cpu($i) - $before) / (now() - $since);
}

# Runs that for each, by turns, until there were so many rounds or the part's time is
# up; what fails is left out from then on.
sub by_turns {
	my ($part, $each, @all) = @_;
	my $end = now() + $part{$part};
	for my $round (1 .. $times{$part}) {
		for my $one (@all) {
			next if $one->{failed}{$part};
			my $over = now() > $end || is_late();
			return if $over && $round > 1;
			next if eval {
				die "no time is left\n" if $over;
				$each->($one);
				1;
			};
			$one->{failed}{$part} = 1;
			cannot($one->{system} // $one->{name}, $one->{id} // $part, $@);
		}
	}
}

sub may {
	my ($peer, $what) = @_;
	my $why = $peer->{cannot}{$what} or return 1;
	cannot($peer->{name}, $what, $why);
	return 0;
}

# What the times are measured of: all of it waits while one is changed. What is asked
# first comes first, as a slow machine may have no time for all.
sub begin_all {
	my ($floor, $ours, @others) = @_;
	my ($end, @instances) = now() + $part{start};
	my $begin = sub {
		my ($id, $files, $waiting, @systems) = @_;
		for my $peer (@systems) {
			my $i = now() < $end
			    ? begin($peer, $id, files => $files, waiting => $waiting)
			    : cannot($peer->{name}, $id, 'no time is left to start it');
			push @instances, $i if $i;
		}
	};
	$begin->('few', 10, 0, $floor, $ours, @others);
	$begin->('waiting', 10, 10000, $ours);
	$begin->('thousand', 1000, 0, $floor, $ours);
	$begin->('many', 10000, 0, $floor, $ours);
	$begin->('thousand', 1000, 0, @others);
	$begin->('many', 10000, 0, @others);
	return @instances;
}

# Starts it, and keeps what is only known then.
sub begin {
	my ($peer, $id, @how) = @_;
	my $i = start($peer, $id, @how) or return undef;
	if ($id eq 'many') {
		keep('ready', $i, $i->{ready});
		keep('resident', $i, total($i, 'status', qr/VmRSS:\s+(\d+)/));
	}
	return $i;
}

sub measure {
	my @systems = @_;
	my @instances = begin_all(@systems);
	progress('events');
	by_turns('event', \&event, @instances);
	progress('bursts');
	by_turns('burst', \&burst, grep { may($_->{peer}, 'burst') }
	    grep { $_->{id} =~ /^(thousand|many)$/ } @instances);
	stop($_) for @instances;
	progress('memory and CPU');
	by_turns('use', \&use_of, @systems);
}

# What one rule uses, and a directory; and another start, where there is time.
sub use_of {
	my ($peer) = @_;
	if (my $i = begin($peer, 'one', files => 1, settle => '1s')) {
		sleep 1;
		keep('share', $i, total($i, 'smaps_rollup', qr/^Pss:\s+(\d+)/m));
		keep('storm', $i, storm($i));
		stop($i);
	}
	if (may($peer, 'churn') && (my $i = begin($peer, 'churn', files => 0, settle => '1s'))) {
		keep('churn', $i, churn($i));
		stop($i);
	}
	if (!$quick && (my $i = begin($peer, 'many', files => 10000))) {
		stop($i);
	}
}

sub progress {
	printf STDERR "bench: %3d s: %s\n", now() - $since, $_[0];
}

# Is one of our limits missed?
sub missed {
	my $missed = 0;
	for my $row (grep { $_->{limit} } @rows) {
		my ($median) = figures($row, 'watchpathd');
		next if defined $median && $median <= $row->{limit};
		print "\nwatchpathd: $row->{title}: ",
		    defined $median ? "the ratio is over $row->{limit}\n" : "not measured\n";
		$missed = 1;
	}
	return $missed;
}

$SIG{$_} = sub { exit 1 } for qw(HUP INT TERM);
compile();
mkpath($out);
my @systems = grep { is_there($_) } @peers;
measure(@systems);
my @names = map { $_->{name} } @systems;
my $table = table(@names);
put("$out/table.md", $table);
put("$out/chart.svg", chart(\@names, [map {
	my $row = $_;
	{ title => $row->{title}, figures => { map { $_ => [figures($row, $_)] } @names } }
} grep { !$_->{unit} } @rows]));
print $table, "\n$out/table.md, $out/chart.svg\n";
exit missed();
