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

# Before a command: as a user who may do nothing.
another='setpriv --reuid=65534 --regid=65534 --clear-groups'

can_be_another() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && chmod 755 "$dir" "$box"
}

# answer REPLY: a daemon that says this to whoever asks first, on $dir/socket.
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

# member EXPRESSION: its value in the status, where $r is a rule by its name. It is
# in $value as JSON.
member() {
	value=$("$WATCHPATHD" status --json --root "$box" | perl -MJSON::PP -e '
	my $s = decode_json(join "", <STDIN>);
	my $r = { map { $_->{name} => $_ } @{$s->{rules}} };
	print JSON::PP->new->allow_nonref->canonical->encode(eval $ARGV[0])' "$1")
}

# member_is EXPRESSION VALUE; member_is_like EXPRESSION PATTERN
member_is() {
	member "$1"
	[ "$value" = "$2" ] && return
	echo "# $1 is $value, not $2"
	return 1
}

member_is_like() {
	member "$1"
	echo "$value" | grep -q -e "$2" && return
	echo "# $1 is $value"
	return 1
}

# became EXPRESSION VALUE: as member_is, but says nothing.
became() {
	member_is "$@" >/dev/null
}
