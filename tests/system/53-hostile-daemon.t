#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A daemon that says whatever it likes, to every command that asks one: each of
# them ends by itself, with a status of its own, and sends nothing to the terminal
# that could drive it.
. "$(dirname "$0")/commands.sh"

# The answers, one a file. What is odd is a value, a type, a length or a form.
write_answers() {
	mkdir -p "$dir/answers.d"
	perl -e '
	use strict;
	my ($n, $dir) = (100, $ARGV[0]);
	sub answer { $n++; open(my $f, ">", "$dir/$n") or die; print $f $_[0]; close $f }
	my @odd = ("null", "true", "7", "-1e308", "1e308", "1e99999", "\"\"", "[]", "{}",
	    "[[],{},null,7,\"x\"]", "{\"a\":{\"b\":[7]}}", "\"x\\u001b[2J\\u009b1m\"",
	    "\"" . "x" x 100000 . "\"", "\"\xff\xfe\"", "\"\\ud800\"",
	    "\"9999-99-99T99:99:99.999Z\"", "\"0001-01-01T00:00:00.000Z\"", "\"%s%n%n\"");
	answer($_) for "", "\n", "x", "{", "{}", "[]\n", "{}\n{}\n", "{\"a\":1}\0\n",
	    "\xef\xbb\xbf{}\n", "\n" x 100000, "{\"error\":\"" . "e" x 300000 . "\"}\n",
	    "{\"rules\":" x 5000, "[" x 100000 . "\n", "\0" x 70000;
	for my $o (@odd) {
		my @run = map { "\"$_\":$o" } qw(run reason attempt path change detected started
		    ended exit signal verify error ok pid left_over);
		my $run = "{" . join(",", @run) . "}";
		my @rule = map { "\"$_\":$o" } qw(name file line description state pending attempt
		    due problem action paths watch runs failures last_run current_run settle
		    cooldown every next_every waits_for);
		my $rule = "{" . join(",", @rule) . "}";
		my $sound = "{\"name\":\"r\",\"state\":\"running\",\"last_run\":$run," .
		    "\"current_run\":$run,\"paths\":[$o,{\"path\":$o,\"state\":$o,\"error\":$o}]," .
		    "\"watch\":[$o,{\"entry\":$o,\"matches\":$o,\"problem\":$o}],\"action\":[$o]}";
		my $finding = "{\"file\":$o,\"line\":$o,\"message\":$o}";
		answer("{\"" . join("\":$o,\"", qw(version pid started config root rules refused
		    warnings error)) . "\":$o}\n");
		answer("{\"version\":$o,\"root\":$o,\"config\":$o,\"started\":$o,\"rules\":" .
		    "[$rule,$sound,$o],\"refused\":[$finding,$o],\"warnings\":[$o]}\n");
		answer("{\"rules\":[$sound],\"refused\":$o,\"warnings\":$o}\n");
		answer("{\"run\":$o,\"state\":\"ended\",\"last_run\":$run,\"done\":$o," .
		    "\"refused\":[$finding,$o]}\n");
		answer("{\"run\":\"1-1\",\"state\":$o,\"last_run\":$o,\"problem\":$o}\n");
	}
	answer("{\"rules\":[" . join(",", ("{\"name\":\"r\"}") x 20000) . "]}\n");
	' "$dir/answers.d"
}

# start_liar DIR [PREFIX...]: answers everybody with what is in DIR/say, from
# DIR/socket, and keeps what it was asked.
start_liar() {
	_dir=$1
	shift
	"$@" perl -MIO::Socket::UNIX -e '
	my ($dir) = @ARGV;
	$SIG{PIPE} = "IGNORE";
	my $l = IO::Socket::UNIX->new(Local => "$dir/socket", Listen => 5) or die;
	open(my $ready, ">", "$dir/ready") or die;
	while (my $s = $l->accept) {
		my $request = <$s> // "";
		open(my $asked, ">>", "$dir/asked") or die;
		print $asked $request;
		close $asked;
		open(my $say, "<", "$dir/say") or die;
		print $s (<$say>);
		close $s;
	}' "$_dir" &
	liar=$!
	until_true 10 [ -e "$_dir/ready" ]
}

# Is there nothing in it that a terminal would obey? (C1 controls are two bytes of
# UTF-8.)
is_harmless() {
	perl -e 'local $/; $_ = <STDIN>;
	exit(/[\0-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xff/ ? 1 : 0)'
}

# meets WORDS: the command, on every answer. What went wrong is said in $dir/wrong.
meets() {
	: >"$dir/wrong"
	for say in "$dir"/answers.d/*; do
		cp "$say" "$dir/say.new"
		mv "$dir/say.new" "$dir/say"
		# Words are meant.
		# shellcheck disable=SC2086
		COLUMNS=100 wp $1 --socket "$dir/socket"
		[ $status -lt 126 ] || echo "${say##*/}: status $status" >>"$dir/wrong"
		cat "$dir/out" "$dir/err" | is_harmless ||
		    echo "${say##*/}: controls" >>"$dir/wrong"
	done
	[ ! -s "$dir/wrong" ] && return
	diag <"$dir/wrong"
	return 1
}

every_answer() {
	write_answers
	start_liar "$dir"
	for command in status 'status r' 'status --json' 'status --brief' 'trigger r' \
	    'trigger --wait r' reload doctor 'doctor --json' report; do
		ok "$command survives every answer" meets "$command"
	done
	kill "$liar"
}

an_answer_without_end() {
	perl -MIO::Socket::UNIX -e '
	$SIG{PIPE} = "IGNORE";
	my $l = IO::Socket::UNIX->new(Local => "$ARGV[0]/socket", Listen => 5) or die;
	open(my $ready, ">", "$ARGV[0]/ready") or die;
	my $s = $l->accept;
	<$s>;
	1 while print $s "x" x 65536;' "$dir" &
	until_true 10 [ -e "$dir/ready" ]
	wp status --socket "$dir/socket"
	ok "an answer without end is given up" [ $status -eq 1 ]
	ok "with a sentence" says ': the answer has no end$'
}

an_answer_of_another_user() {
	if ! can_be_another; then
		skip "an answer of another user" "needs root and setpriv"
		return
	fi
	mkdir "$dir/theirs"
	chown 65534 "$dir/theirs"
	echo '{"rules":[],"version":"theirs","run":"theirs","done":"theirs"}' >"$dir/theirs/say"
	# Words are meant.
	# shellcheck disable=SC2086
	start_liar "$dir/theirs" $another
	for command in status 'status --json' 'trigger r' reload; do
		# shellcheck disable=SC2086
		wp $command --socket "$dir/theirs/socket"
		ok "$command does not take another user's word for root's" [ $status -eq 1 ]
		ok "and says whose it is" says 'a process of uid 65534 listens there, not of root'
		ok "and shows nothing of it" not grep -q theirs "$dir/out"
	done
	ok "it was not even asked" not grep -q -s command "$dir/theirs/asked"
	kill "$liar"
}

run_tests every_answer an_answer_without_end an_answer_of_another_user
