# SPDX-License-Identifier: MIT
#
# The ratios of bench.pl as SVG, with light and dark by the reader's choice: a line a
# row, on a logarithmic axis; of each system a dot at its median, and a line from there
# to its 99th percentile.
use strict;
use warnings;

my ($left, $right, $top, $step) = (330, 960, 84, 46);
my @colours = map { "#$_" } qw(5a6472 1f6fd6 17795a b7791f 8a4fc4 c42b3a 0f8a9c b03a8c
    7a6a1e);

sub escaped {
	my ($text) = @_;
	my %as = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
	return $text =~ s/([&<>"])/$as{$1}/gr;
}

sub words {
	my ($class, $x, $y, $text) = @_;
	return sprintf qq(<text class="%s" x="%.1f" y="%.1f">%s</text>\n), $class, $x, $y,
	    escaped($text);
}

# The names with their colours, in a line.
sub legend {
	my ($names) = @_;
	my ($x, $nr, $out) = (40, 0, '');
	for my $name (@$names) {
		$out .= sprintf qq(<circle class="c%d" cx="%d" cy="45" r="6"/>\n), $nr++, $x;
		$out .= words('', $x + 12, 50, $name);
		$x += 40 + 8 * length $name;
	}
	return $out;
}

sub axis {
	my ($x, $bottom, $low, $high) = @_;
	my $out = '';
	for my $ratio (grep { $_ >= $low && $_ <= $high } map { ($_, 2 * $_, 5 * $_) }
	    0.1, 1, 10, 100, 1000) {
		$out .= sprintf qq(<path class="%s" d="M%.1f %dV%d"/>\n),
		    $ratio == 1 ? 'one' : 'axis', $x->($ratio), $top - 12, $bottom;
		$out .= words('soft mid', $x->($ratio), $bottom + 18, $ratio);
	}
	return $out;
}

# Dots of one row beside each other do not hide each other: each is a little lower.
sub row {
	my ($x, $y, $names, $row) = @_;
	my $out = words('end', $left - 16, $y + 5, $row->{title});
	for my $nr (0 .. $#$names) {
		my ($median, $late) = @{$row->{figures}{$names->[$nr]}} or next;
		my $at = $y + 3 * ($nr - $#$names / 2);
		$out .= sprintf qq(<path class="late s%d" d="M%.1f %.1fH%.1f"/>\n), $nr,
		    $x->($median), $at, $x->($late) if defined $late;
		$out .= sprintf qq(<circle class="c%d" cx="%.1f" cy="%.1f" r="%d">) .
		    qq(<title>%s: %.2f</title></circle>\n), $nr, $x->($median), $at,
		    $names->[$nr] eq 'watchpathd' ? 6 : 4, escaped($names->[$nr]), $median;
	}
	return $out;
}

# chart(NAMES, ROWS): a row has a title, and figures: of a name the median and the rest.
sub chart {
	my ($names, $rows) = @_;
	my @all = map { map { @$_ } values %{$_->{figures}} } @$rows;
	my ($low, $high) = (sort { $a <=> $b } @all, 1)[0, -1];
	$_ = $_ > 0 ? $_ : 0.1 for $low;
	my $x = sub {
		$left + ($right - $left) * log($_[0] / $low) / log(1.05 * $high / $low);
	};
	my ($width, $bottom) = (1000, $top + $step * @$rows);
	my $height = $bottom + 34;
	my $colours = join '', map { ".c$_\{fill:$colours[$_]}.s$_\{stroke:$colours[$_]}" }
	    0 .. $#colours;
	my ($y, $lines) = ($top + $step / 2, '');
	for my $row (@$rows) {
		$lines .= row($x, $y, $names, $row);
		$y += $step;
	}
	return <<"END" . legend($names) . axis($x, $bottom, $low, $high) . $lines . '</svg>';
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" role="img">
<title>From a change to its action, as ratios to the least that Linux needs</title>
<style>
svg{--page:#fff;--ink:#1b2027;--soft:#5a6472;--line:#d4d9e1}
\@media(prefers-color-scheme:dark){svg{--page:#181c22;--ink:#e8ebf0;--soft:#9aa4b2;
--line:#3a424d}}
text{font:14px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
.soft{fill:var(--soft);font-size:13px}.mid{text-anchor:middle}.end{text-anchor:end}
.axis{stroke:var(--line)}.one{stroke:var(--soft);stroke-width:2}
.late{stroke-width:2;opacity:.6}$colours
</style>
<rect width="$width" height="$height" rx="12" fill="var(--page)"/>
END
}

1;
