#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# report.pl BUILD [LEAST]: of each file below src, how many lines the tests reached,
# and which they did not, from what gcov(1) knows of the objects in BUILD. Exit
# status 1: less than LEAST per cent of all of them.
use strict;
use warnings;
use JSON::PP;

my ($build, $least) = @ARGV;
my %lines;

open(my $find, '-|', 'find', $build, '-name', '*.gcno', '-path', "$build/*", '!', '-path',
    "$build/unit/*") or die;
foreach my $notes (<$find>) {
	chomp $notes;
	open(my $gcov, '-|', "gcov --json-format --stdout '$notes' 2>/dev/null") or die;
	foreach my $json (<$gcov>) {
		next if $json !~ /^\{/;
		foreach my $file (@{decode_json($json)->{files}}) {
			next if $file->{file} !~ m{^src/};
			my $of = $lines{$file->{file}} //= {};
			$of->{$_->{line_number}} += $_->{count} foreach @{$file->{lines}};
		}
	}
}

# 3 4 5 9 as 3-5 9.
sub ranges {
	my @out;

	foreach my $n (@_) {
		if (@out && $out[-1][1] == $n - 1) { $out[-1][1] = $n }
		else { push @out, [$n, $n] }
	}
	return join(' ', map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @out);
}

my ($all, $reached) = (0, 0);
foreach my $file (sort keys %lines) {
	my @not = sort { $a <=> $b } grep { $lines{$file}{$_} == 0 } keys %{$lines{$file}};
	my $n = keys %{$lines{$file}};

	$all += $n;
	$reached += $n - @not;
	printf "%5.1f %% %s%s\n", 100 * ($n - @not) / $n, $file,
	    @not ? ', not ' . ranges(@not) : '';
}
die "coverage: nothing was counted in $build\n" if $all == 0;
printf "%5.1f %% of all, %d of %d lines\n", 100 * $reached / $all, $reached, $all;
exit 1 if 100 * $reached / $all < ($least // 0);
