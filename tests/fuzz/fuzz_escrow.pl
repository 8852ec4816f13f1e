#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# fuzz_escrow.pl SECONDS SCRIPT LOG...: logs that are cut, mixed and spoilt at
# random, as what filevault-escrow reads. It must end with a status that its
# manual has, say nothing that drives a terminal and nothing of its own tools, and
# not take long. The seed is printed; SEED takes it again.
use strict;
use warnings;

my ($seconds, $script, @logs) = @ARGV;
my $seed = $ENV{SEED} // time ^ $$;
my %allowed = map { $_ => 1 } 0, 1, 2, 3, 65;
my @odd = ("\0", "\n", "\r\n", "\033[2J", "\xff\xfe", "\xe2\x80\xae", '"', '\\', '{', '}',
    '[', ',', '"eventMessage":', '"processImagePath":"/usr/libexec/mdmclient"',
    'Saved PRK escrow file: YES', 'PUT) [Acknowledged(SecurityInfo', '%s%n', '$(id)',
    '`id`', '-1', '99999999999999999999', '2026-02-30 25:61:61.000000+9999', "\\u0000",
    'x' x 10000, "\n" x 1000);
my @texts;

foreach my $path (@logs) {
	open(my $f, '<:raw', $path) or die "$path: $!\n";
	local $/;
	push @texts, scalar <$f>;
}
srand($seed);
print "fuzz: escrow, SEED=$seed\n";

sub place { return int(rand(length($_[0]) + 1)) }

# One change of a text: another byte, an odd string, a cut, a piece of another log.
sub change {
	my ($text) = @_;
	my $at = place($text);
	my $kind = int(rand(5));
	my $other = $texts[rand @texts];

	if ($kind == 0 && $at < length $text) {
		substr($text, $at, 1) = chr(int(rand(256)));
	} elsif ($kind == 1) {
		substr($text, $at, 0) = $odd[rand @odd];
	} elsif ($kind == 2) {
		substr($text, $at, int(rand(200))) = '';
	} elsif ($kind == 3) {
		substr($text, $at, 0) = substr($other, place($other), int(rand(2000)));
	} else {
		$text = substr($text, 0, $at);
	}
	return $text;
}

# Of a processor, by what was run: how long it took depends on who else runs.
sub spent { return (times)[2] + (times)[3] }

sub check {
	my ($text, $what) = @_;
	my $file = "/tmp/fuzz_escrow.$$";
	my ($before, $said);

	open(my $f, '>:raw', $file) or die "$file: $!\n";
	print $f $text;
	close $f;
	$before = spent();
	$said = `sh '$script' $what - <'$file' 2>&1`;
	my $status = $? & 127 ? "signal " . ($? & 127) : $? >> 8;
	my $bad = !$allowed{$status} ? "status $status"
	    : $said =~ /[\0-\x08\x0b-\x1f\x7f]/ ? 'a control byte'
	    : $said =~ /awk:|syntax error|: line \d+:/ ? 'a word of its tools'
	    : spent() - $before > 5 ? 'it took too long' : undef;
	die "$what: $bad: $file has the log\n$said" if defined $bad;
	unlink $file;
}

my ($n, $end) = (0, time + $seconds);
while (time < $end) {
	my $text = $texts[rand @texts];
	$text = change($text) foreach 0 .. int(rand(6));
	check($text, $_) foreach 'report', 'sent';
	$n += 2;
}
print "fuzz: escrow, $n logs read\n";
