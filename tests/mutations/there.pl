#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# there.pl: is the code that the lists of defects break still there, just once? It is
# what the lists themselves say when they are run, which takes long; `make lint` asks
# here. Prints what is not.
use strict;
use warnings;

sub contents {
	my ($file) = @_;
	open(my $f, '<', $file) or die "$file: $!\n";
	local $/;
	return scalar <$f>;
}

# White space does not matter.
sub times_there {
	my ($code, $file) = @_;
	my $re = join "\\s*", map { quotemeta } $code =~ /\w+|[^\w\s]/g;
	return scalar(() = contents($file) =~ /(?<!\w)$re(?!\w)/g);
}

# A line "# FILE" or "FILE FUNCTION: ..." names the file of those that follow.
for my $list (map { "tests/mutations/$_" } qw(dispatch.sh selftest.sh equivalent)) {
	my ($text, $file) = (contents($list), 'src/schedule/dispatch.c');
	$text =~ s/.*^# THE LIST\n//ms;
	for (split /\n/, $text) {
		$file = "src/$1" if /^# (\w+\/\w+\.c)$/;
		$file = $1 if /^(src\/\S+\.c) /;
		next unless /^(?:# )?- (.*)/;
		my $n = times_there($1, $file);
		print "$list: $n times in $file: $1\n" if $n != 1 && !($n && $list =~ /equivalent/);
	}
}
