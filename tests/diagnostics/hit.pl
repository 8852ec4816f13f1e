#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# hit.pl HITS EXCEPTIONS SOURCE...: has every format string that the sources
# give to the diagnostic functions been used since HITS was begun (hits.c)?
# EXCEPTIONS has those that no test can reach: a format string and, after a tab,
# why. One that is used, or is not there, is a fault too.
use strict;
use warnings;

# The diagnostic functions, and which argument is the format.
my %format_at = (
	log_at => 1, log_error => 0, log_warning => 0, log_info => 0, log_debug => 0,
	fail => undef, refuse => undef, value_refuse => undef, problem => undef,
	control_reply_error => 1, fprintf => 1, snprintf => 2, xasprintf => 0,
	buf_addf => 1, repair_command => 0, repair_by_hand => 0,
);
my $literal = qr/"(?:[^"\\]|\\.)*"/;

my ($hits, $exceptions, @sources) = @ARGV;
die "usage: hit.pl HITS EXCEPTIONS SOURCE...\n" unless @sources;

sub contents {
	my ($file) = @_;
	open(my $f, '<', $file) or die "$file: $!\n";
	local $/;
	return scalar <$f>;
}

# What stands between this position's parenthesis and the one that closes it, cut
# at the commas of the first level.
sub arguments {
	my ($text) = @_;
	my ($depth, @args) = (0, '');
	while ($$text =~ /\G($literal|'(?:[^'\\]|\\.)+'|.)/gcs) {
		my $part = $1;
		$depth++ if $part =~ /^[([{]$/;
		$depth-- if $part =~ /^[)\]}]$/;
		return @args if $depth < 0;
		if ($part eq ',' && $depth == 0) {
			push @args, '';
		} else {
			$args[-1] .= $part;
		}
	}
	return @args;
}

# The strings of an expression: those that stand side by side are one.
sub strings {
	my ($expr) = @_;
	my @out;
	while ($expr =~ /((?:$literal\s*)+)/g) {
		my $s = join '', map { substr($_, 1, -1) } $1 =~ /$literal/g;
		$s =~ s/\\(["'\\?])/$1/g;
		$s =~ s/\\n/\n/g;
		$s =~ s/\\t/\t/g;
		push @out, $s;
	}
	return @out;
}

# A message has words. What is composed of values alone is another's message.
sub is_message {
	my ($s) = @_;
	$s =~ s/%[-+ #0-9.*]*(?:hh|h|ll|l|z|j)?[a-zA-Z]/%/g;
	return $s =~ /[a-z]{3,}/ && $s =~ / /;
}

my %at;
for my $file (@sources) {
	my $text = contents($file);
	# A comment begins in no text: "/Users/*" is one.
	$text =~ s{($literal|'(?:[^'\\\n]|\\.)+')|/\*.*?\*/}{
		my $c = $&; $c =~ s/[^\n]//g unless defined $1; $c }ges;
	$text =~ s/"\s*PRI([dux])64\s*"/l$1/g;
	while ($text =~ /\b(\w+)\s*\(/g) {
		my $name = $1;
		next unless exists $format_at{$name};
		my $line = 1 + (substr($text, 0, pos $text) =~ tr/\n//);
		my $resume = pos $text;
		my @args = arguments(\$text);
		pos($text) = $resume;
		next if $name eq 'fprintf' && $args[0] !~ /stderr/;
		my $at = $format_at{$name};
		@args = defined $at ? ($args[$at] // '') : grep { /$literal/ } @args;
		for (grep { is_message($_) } map { strings($_) } splice @args, 0, 1) {
			$at{$_} //= "$file:$line";
		}
	}
}

my %hit = map { $_ => 1 } split /\0/, contents($hits);
my %why;
for (split /\n/, contents($exceptions)) {
	next if /^(?:#|$)/;
	my ($format, $reason) = split /\t+/, $_, 2;
	$format =~ s/\\n/\n/g;
	$why{$format} = $reason // die "$exceptions: no reason: $_\n";
}

sub shown {
	my ($s) = @_;
	$s =~ s/\n/\\n/g;
	return $s;
}

my @faults;
for (sort { $at{$a} cmp $at{$b} } keys %at) {
	push @faults, "$at{$_}: no test hits: " . shown($_) unless $hit{$_} || $why{$_};
}
for (sort keys %why) {
	push @faults, "$exceptions: no such format string: " . shown($_) unless $at{$_};
	push @faults, "$exceptions: a test hits: " . shown($_) if $hit{$_};
}
print "$_\n" for @faults;
printf "%d format strings, %d hit, %d excepted\n", scalar keys %at,
    scalar(grep { $hit{$_} } keys %at), scalar keys %why;
exit(@faults != 0);
