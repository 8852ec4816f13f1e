#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# compare.pl EVIDENCE MINE: does the shim, whose result MINE is, do what another
# machine did? Compares results and events of each probe that both have tried. What
# differs and is to, stands in `differences` beside this script, with the reason.
use strict;
use warnings;
use File::Basename;
use JSON::PP;

die "usage: compare.pl EVIDENCE MINE\n" unless @ARGV == 2;

sub probes {
	my ($file) = @_;
	open(my $f, '<', $file) or die "$file: $!\n";
	local $/;
	return { map { $_->{id} => $_ } @{ decode_json(scalar <$f>)->{probes} } };
}

# Lines of "ID reason"; # begins a comment.
sub differences {
	my %why;
	open(my $f, '<', dirname($0) . '/differences') or die "differences: $!\n";
	while (<$f>) {
		next if /^(#|$)/;
		my ($id, $reason) = /^([a-z-]+)\s+(\S.*)$/ or die "differences:$.: no reason\n";
		$why{$id} = $reason;
	}
	return \%why;
}

# EXTEND comes where a file system likes, and nothing depends on it.
sub without_extend {
	my ($bits) = @_;
	my $others = join ' ', grep { $_ ne 'EXTEND' } split / /, $bits;
	return $others eq '' ? 'nothing' : $others;
}

# What was seen of each file, one step after the other.
sub events {
	my ($probe) = @_;
	my $seen = $probe->{events} || {};
	return join '; ', map {
		"$_: " . join ', ', map { without_extend($_) } split /, /, $seen->{$_}
	} sort keys %$seen;
}

my ($theirs, $mine, $known) = (probes($ARGV[0]), probes($ARGV[1]), differences());
my ($bad, $compared) = (0, 0);
for my $id (sort keys %$theirs) {
	my ($a, $b) = ($theirs->{$id}, $mine->{$id});
	if (!$b) {
		print "$id: there is no such probe\n";
		$bad = 1;
		next;
	}
	next if $a->{level} eq 'record' || grep { $_->{result} eq 'skipped' } $a, $b;
	$compared++;
	next if $known->{$id};
	my ($x, $y) = map { "$_->{result}, " . events($_) } $a, $b;
	next if $x eq $y;
	print "$id: they have $x; here it is $y\n";
	$bad = 1;
}
print "nothing can be compared\n" unless $compared;
exit($bad || !$compared);
