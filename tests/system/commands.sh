# SPDX-License-Identifier: MIT
#
# What the tests of the commands share, on top of lib.sh: running one in the
# sandbox, and what it printed.

. "$(dirname "$0")/lib.sh"

# wp COMMAND ARGUMENT...: output in $dir/out and $dir/err, exit status in $status.
wp() {
	_command=$1
	shift
	"$WATCHPATHD" "$_command" --root "$box" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

# says PATTERN: is it in the errors? prints PATTERN: in the output?
says() {
	grep -q -e "$1" "$dir/err"
}

prints() {
	grep -q -e "$1" "$dir/out"
}

# answer REPLY: a daemon that says this to whoever asks first.
answer() {
	rm -f "$dir/answers"
	perl -MIO::Socket::UNIX -e '
	my ($path, $ready, $reply) = @ARGV;
	unlink $path;
	my $l = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die;
	open(my $f, ">", $ready) or die;
	my $s = $l->accept;
	<$s>;
	print $s $reply;
	' "$dir/socket" "$dir/answers" "$1" &
	until_true 10 [ -e "$dir/answers" ]
}
