# SPDX-License-Identifier: MIT
#
# What the tests of the commands share, on top of lib.sh: running one in the
# sandbox, and what it printed.

. "$(dirname "$0")/lib.sh"

terminal=${BUILD:-$top/build}/terminal/terminal
case $terminal in
/*) ;;
*) terminal=$PWD/$terminal ;;
esac

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

# on_terminal COLUMNS COMMAND ARGUMENT...: the same on a terminal of that width, which
# is output and errors in one.
on_terminal() {
	_columns=$1 _command=$2
	shift 2
	"$terminal" "$_columns" "$WATCHPATHD" "$_command" --root "$box" "$@" >"$dir/out"
	status=$?
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
