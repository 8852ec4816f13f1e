#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# pictures.pl timeline <RECORD; pictures.pl states: the pictures of the README, as
# SVG with light and dark by the reader's choice. RECORD is what demo.sh leaves of a
# run; it is kept in the picture, so that the same can be drawn of it again:
# pictures.pl again <PICTURE.
use strict;
use warnings;
use JSON::PP;
use Time::Local;

my $mode = shift // '';
my $input = $mode eq 'states' ? '' : do { local $/; <STDIN> };

sub escape {
	my ($text) = @_;
	my %as = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
	$text =~ s/([&<>"])/$as{$1}/g;
	return $text;
}

# Opens a picture: how large it is, what it shows, and what it was made from.
sub begin {
	my ($width, $height, $title, $from) = @_;
	my $metadata = $from eq '' ? '' : '<metadata>' . escape($from) . "</metadata>\n";
	return <<"END";
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" role="img">
<title>$title</title>
$metadata<style>
svg{--page:#fff;--ink:#1b2027;--soft:#5a6472;--line:#d4d9e1;--wash:#eef1f6;
--wait:#1f6fd6;--run:#17795a;--rest:#b7791f;--bad:#c42b3a}
\@media(prefers-color-scheme:dark){svg{--page:#181c22;--ink:#e8ebf0;--soft:#9aa4b2;
--line:#3a424d;--wash:#262c35;--wait:#6aaeff;--run:#4fc796;--rest:#e6b450;--bad:#ff7a85}}
text{font:14px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
.soft{fill:var(--soft);font-size:13px}.big{font-size:15px;font-weight:600}
.on{fill:var(--page);font-weight:600}.mid{text-anchor:middle}.end{text-anchor:end}
.axis{stroke:var(--line);fill:none}.link{stroke:var(--soft);fill:none;stroke-width:1.4}
.wash{fill:var(--wash)}.wait{fill:var(--wait)}.run{fill:var(--run)}
.rest{fill:var(--rest)}.bad{fill:var(--bad)}.dot{fill:var(--ink)}
</style>
<rect width="$width" height="$height" rx="12" fill="var(--page)"/>
END
}

# Milliseconds of "2m" and the like, as in a rule file.
sub length_of {
	my ($text) = @_;
	my %unit = (ms => 1, '' => 1000, s => 1000, m => 60_000, h => 3_600_000);
	$text =~ /^(\d+)(ms|s|m|h)?$/ or die "not a length: $text\n";
	return $1 * $unit{$2 // ''};
}

sub time_of {
	my ($text) = @_;
	$text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)Z$/ or die "no time: $text\n";
	return timegm($6, $5, $4, $3, $2 - 1, $1) + $7 / 1000;
}

sub text {
	my ($class, $x, $y, $text) = @_;
	return sprintf qq(<text class="%s" x="%.1f" y="%.1f">%s</text>\n), $class, $x, $y,
	    escape($text);
}

# One change, from the write to the end of the cooldown. The axis is cut where the
# cooldown goes on and nothing happens.
sub timeline {
	my ($record) = @_;
	my ($head, $line) = split /\n/, $record;
	my %given = $head =~ /(\w+)=(\S+)/g;
	my $run = decode_json($line);
	my ($left, $second, $cut, $right) = (40, 170, 772, 860);
	my %at = map { $_ => time_of($run->{$_}) - $given{written} }
	    qw(detected started ended);
	my ($settle, $cooldown) = map { length_of($given{$_}) / 1000 } qw(settle cooldown);
	my $x = sub { $left + $_[0] * $second };
	die "the run took too long for this picture\n" if $x->($at{ended}) > $cut - 150;
	my ($change, $start, $end) = ($left, $x->($at{started}), $x->($at{ended}));
	my ($top, $height) = (92, 44);
	my $middle = $top + 27;

	my $out = begin(900, 246, 'One change: from the write to the run, and the ' .
	    'cooldown after it', $record);
	$out .= text('big', $left, 38, 'A new FileVault key, as `make demo` runs it');
	$out .= text('soft', $left, 60, 'seconds since the key was written');
	my $bar = sub {
		my ($class, $from, $to, $text, $middle_of) = @_;
		$out .= sprintf qq(<rect class="%s" x="%.1f" y="%d" width="%.1f" ) .
		    qq(height="%d"/>\n), $class, $from, $top, $to - $from, $height;
		$out .= text('on mid', ($from + ($middle_of // $to)) / 2, $middle, $text);
	};
	$bar->('wait', $change, $start, 'settling');
	$bar->('run', $start, $end, 'running');
	$bar->('rest', $end, $right, 'idle, cooling down', $cut);
	# The cut.
	$out .= sprintf qq(<path d="M%d %dl10 %d" stroke="var(--page)" stroke-width="7"/>\n),
	    $cut, $top - 2, $height + 4;
	my $under = $top + $height;
	for my $s (0 .. 3) {
		$out .= sprintf qq(<path class="axis" d="M%.1f %dv8"/>\n), $x->($s), $under;
		$out .= text('soft mid', $x->($s), $under + 24, $s);
	}
	$out .= sprintf qq(<path class="axis" d="M%d %dv8"/>\n), $right, $under;
	$out .= text('soft mid', $right, $under + 24,
	    sprintf '%.0f', $at{ended} + $cooldown);
	my $note = sub {
		my ($at, $class, @lines) = @_;
		$out .= sprintf qq(<path class="link" d="M%.1f %dv14"/>\n), $at, $under + 34;
		my $y = $under + 64;
		for my $line (@lines) {
			$out .= text($class, $at - ($class =~ /end/ ? -4 : 4), $y, $line);
			$y += 19;
		}
	};
	$note->($change, '', 'written; noticed',
	    sprintf('after %.0f ms', 1000 * ($at{detected} > 0 ? $at{detected} : 0)));
	$note->($start, '', sprintf('quiet for %g s, so the', $settle),
	    'file is whole: it starts');
	$note->($end, '', sprintf('done after %.1f s', $at{ended} - $at{started}),
	    'else: it is repeated');
	$note->($right, 'end', 'changes wait for this,', 'and none is lost');
	return $out . "</svg>\n";
}

# The states: where each stands, how it is coloured, and what it is.
my @states = (
	[ 'idle', 30, 96, 'wash', 'nothing to do' ],
	[ 'settling', 205, 96, 'wait', 'until it is quiet' ],
	[ 'cooldown', 380, 96, 'wait', 'it ran just now' ],
	[ 'queued', 555, 96, 'wait', 'for a lock or slot' ],
	[ 'running', 730, 96, 'run', '' ],
	[ 'stopping', 905, 96, 'rest', '' ],
	[ 'disabled', 30, 256, 'wash', 'switched off' ],
	[ 'failed', 205, 256, 'bad', '' ],
	[ 'blocked', 555, 256, 'bad', '' ],
	[ 'retrying', 730, 256, 'rest', '' ],
);

# How one becomes another: a path, with an arrow at its end, and a word on why.
my @links = (
	[ 'M142 118H201', 170, 108, 'change' ],
	[ 'M317 118H376' ],
	[ 'M492 118H551' ],
	[ 'M667 118H726' ],
	[ 'M770 92V34H86V92', 430, 26, 'succeeded' ],
	[ 'M800 92V62H261V92', 530, 54, 'succeeded, but something changed meanwhile' ],
	[ 'M842 118H901', 870, 108, 'timeout' ],
	[ 'M961 144V278H846' ],
	[ 'M767 144V252', 760, 216, 'failed', 'end' ],
	[ 'M805 252V144', 813, 216, 'after a wait', 'start' ],
	[ 'M592 184V252', 585, 222, 'no program', 'end' ],
	[ 'M630 252V184', 638, 222, 'there is one', 'start' ],
	[ 'M786 304V338H261V304', 525, 330, 'no retry is left' ],
	[ 'M261 252V184', 269, 222, 'next change', 'start' ],
);

sub states {
	my $out = begin(1047, 362, 'The states of a rule, and how one becomes another', '');
	$out .= '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" ' .
	    'markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" ' .
	    qq(fill="var(--soft)"/></marker></defs>\n);
	for my $link (@links) {
		my ($path, $x, $y, $word, $anchor) = @$link;
		$out .= qq(<path class="link" d="$path" marker-end="url(#a)"/>\n);
		next unless defined $word;
		my %class = (start => 'soft', end => 'soft end');
		$out .= text($class{$anchor // ''} // 'soft mid', $x, $y, $word);
	}
	for my $state (@states) {
		my ($name, $x, $y, $class, $what) = @$state;
		$out .= qq(<rect class="$class" x="$x" y="$y" width="112" height="44" rx="8"/>\n);
		$out .= text($class eq 'wash' ? 'big mid' : 'on mid', $x + 56, $y + 27, $name);
		$out .= text('soft mid', $x + 56, $y + 64, $what) if $what ne '';
	}
	return $out . "</svg>\n";
}

if ($mode eq 'again') {
	my ($from) = $input =~ m{<metadata>(.*?)</metadata>}s;
	$from = '' unless defined $from;
	my %as = ('&amp;' => '&', '&lt;' => '<', '&gt;' => '>', '&quot;' => '"');
	$from =~ s/(&\w+;)/$as{$1}/g;
	print $from eq '' ? states() : timeline($from);
} elsif ($mode eq 'timeline') {
	print timeline($input);
} elsif ($mode eq 'states') {
	print states();
} else {
	die "usage: pictures.pl timeline | states | again\n";
}
