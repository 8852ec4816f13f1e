# SPDX-License-Identifier: MIT
#
# What bench.pl has measured, in figures, and as a table in Markdown.
use strict;
use warnings;

our @rows;
our %values; # what was measured: of a row and a system
our %why;    # it could not be

sub rank {
	my ($part, @sorted) = (shift, sort { $a <=> $b } @_);
	my $n = int(@sorted * $part + 0.5);
	return $sorted[$n < 1 ? 0 : $n - 1];
}

sub keep {
	my ($id, $i, $value) = @_;
	push @{$values{$id}{$i->{system}}}, $value;
}

# A thing that an instance cannot do is said once.
sub cannot {
	my ($system, $id, $why) = @_;
	$why =~ s/\s+$//;
	$why{$system}{$id} //= $why;
	return undef;
}

# The median and the 99th percentile of a row, as what is compared: a ratio, or a value.
sub figures {
	my ($row, $system) = @_;
	my ($id, $base) = $row->{of} ? @{$row->{of}} : ($row->{id}, $row->{floor} // $row->{id});
	my $mine = $values{$id}{$system} or return;
	return map { rank($_, @$mine) * $row->{scale} } 0.5 if $row->{unit};
	my $from = $values{$base}{$row->{of} ? $system : 'floor'} or return;
	return map { rank($_, @$mine) / rank($_, @$from) } @$mine < 20 ? 0.5 : (0.5, 0.99);
}

sub cell {
	my ($row, $system) = @_;
	my @figures = figures($row, $system) or return '-';
	return sprintf '%.3g %s', $figures[0], $row->{unit} if $row->{unit};
	my $text = join ' / ', map { sprintf '%.2f', $_ } @figures;
	return $text if $row->{of} || $system ne 'floor' || $row->{floor};
	return join ' / ', map { sprintf '%.2f ms', 1000 * rank($_, @{$values{$row->{id}}{floor}}) }
	    @figures > 1 ? (0.5, 0.99) : 0.5;
}

sub table {
	my @systems = @_;
	my @lines = (['', @systems], [map { '---' } '', @systems]);
	push @lines, [$_->{title}, do { my $row = $_; map { cell($row, $_) } @systems }] for @rows;
	my @width = map { my $c = $_; (sort { $b <=> $a } map { length $_->[$c] } @lines)[0] }
	    0 .. @systems;
	my $text = join '', map {
		my $line = $_;
		'| ' . join(' | ', map { sprintf "%-$width[$_]s", $line->[$_] } 0 .. @systems) . " |\n";
	} @lines;
	$text .= "\nTimes are the floor's in ms, those of others their ratio to it: the median, " .
	    "then the\n99th percentile where there are at least 20.\n";
	for my $system (grep { $why{$_} } @systems) {
		$text .= "\n$system: " . join('; ', map { "$_: $why{$system}{$_}" }
		    sort keys %{$why{$system}}) . "\n";
	}
	return $text;
}

1;
