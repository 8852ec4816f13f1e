#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# random.pl BUILD: breaks the code at random places, one at a time: a statement is
# dropped, a condition forced, or a comparison, a sign or a number becomes another.
# It says which test notices, and fails where none does.
#
#	NUMBER=20	how many places
#	SEED=1		which, and the tests' own; printed, so that it can be repeated
#	ONLY=REGEX	of places, as they are printed: FILE:LINE:COLUMN
#
# All happens in a copy of the tree, below BUILD/mutations. Which lines a test comes
# to is found out there with gcov, once for each state of the tree. A mutant meets
# the tests that come to its line: its module's own, then the quick ones first. A
# failure must come twice. On Linux there is a leak checker, so that a free(3) that
# is missing is noticed.
#
# `equivalent` has the mutants that nobody can tell from the code as it is.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(basename dirname);
use File::Find;
use File::Path qw(make_path remove_tree);
use List::Util qw(shuffle);
use POSIX qw(WNOHANG setpgid);
use Time::HiRes qw(time sleep);

my $build = shift // die "usage: random.pl BUILD\n";
my $top = abs_path(dirname($0) . '/../..');
my $number = $ENV{NUMBER} || 20;
my $seed = $ENV{SEED} || time % 1_000_000 | 0;
my $only = $ENV{ONLY} // '';

make_path("$build/mutations");
my $work = abs_path("$build/mutations");
my $tree = "$work/tree";

sub contents {
	my ($file) = @_;
	open my $f, '<', $file or return '';
	local $/;
	return scalar <$f> // '';
}

sub put {
	my ($file, @text) = @_;
	open my $f, '>', $file or die "$file: $!\n";
	print $f @text;
	close $f or die "$file: $!\n";
}

# A mutant may kill or remove whatever it likes. As root on Linux it therefore has
# processes and a /tmp of its own: this program again, as their init.
sub isolate {
	if (!$ENV{MUTATIONS_INSIDE}) {
		my @own = qw(unshare --pid --mount --fork --mount-proc --kill-child);
		return if $> != 0 || system('unshare -pmf true 2>/dev/null') != 0;
		$ENV{MUTATIONS_INSIDE} = 1;
		exec @own, $^X, abs_path($0), $build or die "unshare: $!\n";
	}
	return if "$work/" =~ m{^/tmp/};
	system('mount -t tmpfs -o mode=1777 none /tmp') == 0 or die "no /tmp of its own\n";
}

# ---- building and testing -----------------------------------------------------

my $leak = $^O eq 'linux' ? '-fsanitize=leak' : '';

# Makes in $work/$dir; the coverage of the code as it is, or a mutant's programs.
sub make {
	my ($dir, @targets) = @_;
	my $flags = '-O1 -w' . ($dir eq 'cover' ? ' --coverage' : '');
	s{^(?=unit/|.*\.o$)}{$work/$dir/} for @targets;
	return system("cd '$tree' && make -s -j2 BUILD='$work/$dir' CFLAGS='$flags' "
		. "LDFLAGS='$leak' @targets >'$work/make.log' 2>&1") == 0;
}

sub target {
	my ($test) = @_;
	return $test =~ /^test_/ ? "unit/$test" : qw(all helpers);
}

sub start {
	my ($test, $dir) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	setpgid(0, 0);
	chdir $tree;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', "$work/test.log";
	open STDERR, '>&', \*STDOUT;
	@ENV{qw(BUILD WATCHPATHD)} = ("$work/$dir", "$work/$dir/watchpathd");
	@ENV{qw(PACE CMOCKA_MESSAGE_OUTPUT)} = ('slow', 'TAP');
	exec $test =~ /^test_/ ? "$work/$dir/unit/$test" : ('sh', "tests/system/$test.t")
		or POSIX::_exit(127);
}

# Asks a test to tidy up and go, then ends whatever it leaves.
sub stop {
	my ($pid) = @_;
	kill TERM => -$pid;
	for (1 .. 50) {
		last if waitpid($pid, WNOHANG) != 0;
		sleep 0.1;
	}
	kill KILL => $$ == 1 ? -1 : -$pid;
	1 while waitpid(-1, 0) > 0;
}

# Does it pass? The first line that says that it does not is enough.
sub passes {
	my ($test, $dir, $seconds) = @_;
	my $pid = start($test, $dir);
	my $end = time + $seconds;
	my $status;
	while (time < $end && contents("$work/test.log") !~ /^not ok/m) {
		my $ended = waitpid(-1, WNOHANG);
		$status = $? if $ended == $pid;
		last if defined $status;
		sleep 0.05 if $ended <= 0;
	}
	stop($pid);
	return defined $status && $status == 0 && contents("$work/test.log") !~ /^not ok/m;
}

# ---- the code as it is --------------------------------------------------------

sub copy_tree {
	remove_tree($tree);
	make_path($tree);
	my $name = basename(abs_path($build));
	system("cd '$top' && tar -cf - --exclude ./.git --exclude './$name' . | tar -xf - -C '$tree'")
		== 0 or die "the tree cannot be copied\n";
	unlink contents("$work/broken");
}

# Of all that decides which test comes where.
sub digest {
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if -f } }, "$tree/src",
		"$tree/tests/unit", "$tree/tests/system");
	return md5_hex(map { $_, contents($_) } sort @files);
}

# Each line of code that gcov knows, FILE:LINE, and whether it was come to.
sub coverage {
	my %lines;
	my $file;
	open my $f, '-|', "cd '$tree' && find '$work/cover' -name '*.gcno' -exec gcov -t {} + 2>/dev/null";
	while (<$f>) {
		$file = m{^(src/\S+\.c)$} ? $1 : undef if s/^ *-: *0:Source://;
		next unless $file && /^ *([0-9#=]+)\*?: *(\d+):/;
		$lines{"$file:$2"} ||= $1 =~ /^\d/ ? 1 : 0;
	}
	return %lines;
}

sub forget_coverage {
	find(sub { unlink if /\.gcda$/ }, "$work/cover");
}

# Runs a test and keeps its time and the lines that it comes to. What gcov writes may
# disturb it: then it has to pass without.
sub learn {
	my ($test, $to) = @_;
	forget_coverage();
	my $begin = time;
	my $passes = passes($test, 'cover', 1200);
	my $seconds = time - $begin;
	my %lines = coverage();
	$passes ||= make('mutant', target($test)) && passes($test, 'mutant', 1200);
	put("$to/$test", $passes ? "$seconds\n" : '',
		map { "$_\n" } grep { $passes && $lines{$_} } sort keys %lines);
}

my (%seconds, %reaching, %code);

sub learn_tests {
	my $to = "$work/seen." . digest();
	my @tests = map { basename($_) =~ s/\.[ct]$//r } glob
		"$tree/tests/unit/test_*.c $tree/tests/system/*.t";
	make_path($to);
	if (!-e "$to/code") {
		make('cover', qw(all helpers units)) or die "see $work/make.log\n";
		forget_coverage();
		my %lines = coverage();
		put("$to/code", map { "$_\n" } keys %lines);
	}
	$code{$_} = 1 for split /\n/, contents("$to/code");
	for my $test (@tests) {
		learn($test, $to) unless -e "$to/$test";
		my ($seconds, @lines) = split /\n/, contents("$to/$test");
		print "# $test does not pass, and judges nothing\n" unless defined $seconds;
		$seconds{$test} = $seconds;
		push @{ $reaching{$_} }, $test for @lines;
	}
}

# ---- places to break ----------------------------------------------------------

# The text with all that is no code blanked out, byte for byte.
sub mask {
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|
		^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)}{ (my $m = $1) =~ s/[^\n]/ /g; $m }gesmx;
	return $text;
}

my %flip = (
	'==' => ['!='], '!=' => ['=='], '<' => ['<=', '>='], '>' => ['>=', '<='],
	'<=' => ['<', '>'], '>=' => ['>', '<'], '&&' => ['||'], '||' => ['&&'],
	'+' => ['-'], '-' => ['+'], '&' => ['|'], '|' => ['&'], '+=' => ['-='],
	'-=' => ['+='], '|=' => ['&='], '&=' => ['|='], '!' => [''],
	'true' => ['false'], 'false' => ['true'],
);
my $operator = qr/(?<=\s)(?:==|!=|<=|>=|&&|\|\||[-+|&]=|[<>+\-&|])(?=\s)|!(?=[\w(])|
	\b(?:true|false)\b/x;
my $condition = qr/\b(if|while) (\((?:[^()]++|(?2))*\))/;

# Not the size of an array.
my $number_in_code = qr/^(?!\s*(?:\w+\s+)+[\w\[\], *+]*\[\d).*?\K(?<![\w.])\d+(?![\w.])/m;

# A statement that can be dropped: no declaration, and no beginning of a block.
my $statement = qr/(?:[;{}:)]|\belse|\bdo)\s*?\n\s+\K(?=[\w*(])
	(?!(?:case|default|else|do|if|for|while|switch|static|const|struct|enum|union|unsigned|
	    int|long|char|double|bool|va_list|size_t|TAILQ_\w+)\b)
	(?!\(void\)\w+;|\w+\s*:|(?!return|goto)\w+\s+\*?\s*\w+\s*[=;,\[]|\w+\s\*+\w)[^;{}]*(?=;)/x;

# All the mutants of a function's body: [offset, length, what stands there then].
sub mutants_of {
	my ($body) = @_;
	my @out;
	while ($body =~ /$operator/g) {
		push @out, map { [$-[0], $+[0] - $-[0], $_] } @{ $flip{$&} };
	}
	while ($body =~ /$number_in_code/g) {
		push @out, [$-[0], $+[0] - $-[0], $& + 1];
	}
	while ($body =~ /$condition/g) {
		push @out, map { [$-[2], $+[2] - $-[2], "($_)"] } $1 eq 'if' ? (0, 1) : 0;
	}
	while ($body =~ /$statement/g) {
		push @out, [$-[0], $+[0] - $-[0], ''];
	}
	return @out;
}

# Whole lines, white space made one space, as they are and as they become.
sub change {
	my ($text, $at, $length, $new) = @_;
	my $from = rindex($text, "\n", $at - 1) + 1;
	my $to = index($text, "\n", $at + $length);
	my $old = substr $text, $from, $to - $from;
	my $broken = $old;
	substr $broken, $at - $from, $length, $new;
	s/\s+/ /g, s/^ | $//g for $old, $broken;
	return "- $old\n+ $broken\n";
}

sub places_of {
	my ($file) = @_;
	my $text = contents("$tree/$file");
	my $code = mask($text);
	my @places;
	while ($code =~ /^(\w+)\([^;{]*?\)\s*?\n\{\n(.*?)^\}/gms) {
		my ($function, $from, $body) = ($1, $-[2], $2);
		for (mutants_of($body)) {
			my ($at, $length, $new) = ($from + $_->[0], @$_[1, 2]);
			my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
			my $column = $at - rindex($text, "\n", $at - 1);
			push @places, { file => $file, line => $line, at => $at, length => $length,
				new => $new, place => "$file:$line:$column", function => $function,
				change => change($text, $at, $length, $new) };
		}
	}
	return @places;
}

# ---- mutants ------------------------------------------------------------------

# Each entry: FILE FUNCTION: REASON, the line as it is, and as it becomes.
sub equivalents {
	my ($reason, $where, %known);
	for my $entry (split /\n(?=src)/, contents("$top/tests/mutations/equivalent")) {
		my ($at, $why, $change) = $entry =~ /^(src\S+ \w+): (.*)\n(- .*\n\+ .*)/ or next;
		$known{"$at\n$change\n"} = $why;
	}
	return %known;
}

# The line itself need not be one that gcov counts: a statement may have many.
sub tests_for {
	my ($m) = @_;
	my $line = $m->{line};
	$line-- while $line > 1 && !$code{"$m->{file}:$line"};
	my $own = 'test_' . basename($m->{file}, '.c');
	return sort { ($b eq $own) <=> ($a eq $own) || $seconds{$a} <=> $seconds{$b} }
		@{ $reaching{"$m->{file}:$line"} || [] };
}

# Time is no reason to fail on a machine that has other things to do.
sub fails {
	my ($test) = @_;
	make('mutant', target($test)) or die "see $work/make.log\n";
	my $patience = 60 + 10 * $seconds{$test};
	return !passes($test, 'mutant', $patience) && !passes($test, 'mutant', $patience);
}

sub judge {
	my ($m, $object, $was) = @_;
	return 'does not compile' unless make('mutant', $object);
	return 'changes nothing' if contents("$work/mutant/$object") eq $was;
	my @tests = tests_for($m) or return 'missed: no test comes there';
	fails($_) and return "caught by $_" for @tests;
	return 'missed by ' . @tests . ' tests: ' . join ' ', @tests;
}

sub try {
	my ($m) = @_;
	my $source = "$tree/$m->{file}";
	my $object = $m->{file} =~ s{^src/(.*)c$}{$1o}r;
	make('mutant', $object) or die "see $work/make.log\n";
	my $text = contents($source);
	my $was = contents("$work/mutant/$object");
	my $broken = $text;
	substr $broken, $m->{at}, $m->{length}, $m->{new};
	put("$work/broken", "$work/mutant/$object");
	put($source, $broken);
	my $result = judge($m, $object, $was);
	put($source, $text);
	put("$work/mutant/$object", $was);
	unlink "$work/broken";
	return $result;
}

isolate();
$| = 1;
umask 022;
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
delete @ENV{qw(TMPDIR KQUEUE_FAULTS MAKEFLAGS MFLAGS MAKELEVEL)};
$ENV{SEED} = $seed;
copy_tree();
learn_tests();
my %files = map { s/:.*//r => 1 } keys %code;
my @places = map { places_of($_) } sort keys %files;
my %known = equivalents();
my %there = map { ("$_->{file} $_->{function}\n$_->{change}" => 1) } @places;
print map { "# in equivalent, but not in the code: $_" } grep { !$there{$_} } sort keys %known;
srand $seed;
@places = shuffle(grep { $_->{place} =~ $only } @places);
printf "# %d places, SEED=%d\n", scalar @places, $seed;
my %count;
for my $m (splice @places, 0, $number) {
	my $why = $known{"$m->{file} $m->{function}\n$m->{change}"};
	my $begin = time;
	my $result = $why ? "changes nothing: $why" : try($m);
	$count{ $result =~ s/( by|:).*//r }++;
	printf "%s %s: %s (%.0f s)\n%s", $m->{place}, $m->{function}, $result, time - $begin,
		$m->{change};
}
print '# ', join(', ', map { "$count{$_} $_" } sort keys %count), "\n";
exit($count{missed} ? 1 : 0);
