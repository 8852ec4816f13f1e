#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# counts.pl [--record] PROGRAM WITH: instructions of the daemon by fixed schedules, as
# callgrind counts them in PROGRAM (counts.c), against those in the file `figures`.
# Exit status 1: one of them is over 10 % more. The figures are good for what they name,
# which is WITH, this libc and this valgrind; with others nothing is compared.
# --record writes the file.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
use File::Copy;
use File::Temp;

my $more = 1.10;
my $record = @ARGV && $ARGV[0] eq '--record' && shift;
my ($program, $with) = @ARGV;
die "usage: counts.pl [--record] PROGRAM WITH\n" unless @ARGV == 2;
my $file = dirname(abs_path($0)) . '/figures';

sub first_line {
	my ($line) = map { chomp; $_ } `@_ 2>&1`;
	return $line // '';
}

# Why it cannot be counted here, or undef.
sub obstacle {
	return 'there is no inotify here' unless -e '/proc/self';
	return 'valgrind is missing' if first_line('valgrind --version') !~ /^valgrind-/;
	my $limit = first_line("sh -c 'ulimit -Hn'");
	return "no more than $limit descriptors may be open"
	    if $limit ne 'unlimited' && $limit < 12000;
	return undef;
}

# A sandbox of the daemon, with so many rules on a file each.
sub make_box {
	my ($box, $rules) = @_;
	my ($conf) = map { /^  rules +(.*)/ } `$ENV{WATCHPATHD} help run`;
	system('mkdir', '-p', "$box/watched", "$box$conf") == 0 or die;
	copy('/bin/true', "$box/act") or die "$box/act: $!\n";
	chmod 0755, "$box/act";
	open(my $out, '>', "$box$conf/counted.ini") or die "$box$conf: $!\n";
	for my $i (0 .. $rules - 1) {
		print $out "[r$i]\nwatch = /watched/$i\naction = /act\n",
		    "settle = 0\ncooldown = 0\nretry = 0\n";
		open(my $watched, '>', "$box/watched/$i") or die;
	}
}

# What is counted of a start, of each of so many events, and of a burst.
sub count {
	my ($rules, $events, $burst) = @_;
	my $box = File::Temp->newdir('/tmp/wpd.XXXXXX');
	chmod 0755, $box;
	make_box("$box", $rules);
	my $status = system("valgrind --tool=callgrind --callgrind-out-file=$box/out " .
	    "--toggle-collect=counted --dump-after=counted " .
	    "$program $box $rules $events $burst >$box/log 2>&1");
	my @counts = map {
		open(my $in, '<', $_) or die "$_: $!\n";
		map { /^totals: (\d+)/ } <$in>;
	} map { "$box/out.$_" } 1 .. 1 + $events + ($burst > 0);
	if ($status != 0) {
		system('tail', "$box/log");
		die "counts.pl: $program fails\n";
	}
	return @counts;
}

sub median {
	return (sort { $a <=> $b } @_)[@_ / 2];
}

sub measure {
	my ($start, @events) = count(10, 10, 0);
	my %counts = ('an event with 10 rules' => median(@events));
	($start, @events) = count(10000, 10, 1000);
	$counts{'a start with 10,000 rules'} = $start;
	$counts{'a burst of 1,000 with 10,000 rules'} = pop @events;
	$counts{'an event with 10,000 rules'} = median(@events);
	return %counts;
}

sub read_figures {
	open(my $in, '<', $file) or return ('', ());
	my ($made, %figures) = ('');
	while (<$in>) {
		$made = $1 if /^with: (.*)/;
		$figures{$1} = $2 if /^(\w.*): +(\d+)$/;
	}
	return ($made, %figures);
}

sub write_figures {
	my ($made, %counts) = @_;
	open(my $out, '>', $file) or die "$file: $!\n";
	print $out "# Written by make counts-record: see counts.pl.\nwith: $made\n";
	printf $out "%-36s %12d\n", "$_:", $counts{$_} for sort keys %counts;
	close($out) or die "$file: $!\n";
}

my $obstacle = obstacle();
my $made = join '; ', $with, first_line('getconf GNU_LIBC_VERSION'),
    first_line('valgrind --version'), first_line('uname -m');
my ($made_then, %figures) = read_figures();
$obstacle //= "the figures are of $made_then, and here is $made"
    if !$record && $made_then ne $made;
if (defined $obstacle) {
	print "counts: nothing is compared: $obstacle\n";
	exit($record ? 1 : 0);
}
my %counts = measure();
write_figures($made, %counts) if $record;
my $failed = 0;
for my $what (sort keys %counts) {
	my $ratio = $counts{$what} / ($record ? $counts{$what} : $figures{$what} // 1);
	my $over = $ratio > $more;
	printf "%-36s %12d instructions, %+.1f %%%s\n", $what, $counts{$what},
	    100 * ($ratio - 1), $over ? ': more than 10 % more' : '';
	$failed ||= $over;
}
exit $failed;
