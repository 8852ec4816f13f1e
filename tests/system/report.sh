# SPDX-License-Identifier: MIT
#
# What the tests of the page share, on top of commands.sh: making one, and what it
# says.

. "$(dirname "$0")/commands.sh"

# It stands beside the program, and so elsewhere where the rules do.
case $conf_d in
/Library/*) escrow_program=/Library/watchpathd/bin/filevault-escrow ;;
*) escrow_program=/usr/local/sbin/filevault-escrow ;;
esac

# make_page ARGUMENT...: the page in $dir/page.html.
make_page() {
	wp report -o "$dir/page.html" --log "$log" "$@"
	diag <"$dir/err"
}

# has TEXT: a line of the page has it, as it stands there.
has() {
	grep -qF -e "$1" "$dir/page.html"
}

# past RULE N [TEXT]: N runs of it, one in ten failed, an hour apart, the last one
# at the end of 2026. TEXT is a path, as the history has it.
past() {
	perl -MPOSIX -e 'my ($rule, $n, $path) = @ARGV;
	sub at { strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime $_[0]) }
	for my $i (1 .. $n) {
		my $t = 1798700000 - ($n - $i) * 3600;
		my $ok = $i % 10 ? "true" : "false";
		printf q({"rule":"%s","run":"1a-%d","reason":"change","attempt":1,) .
		    q("path":"%s","change":"modify","detected":"%s","started":"%s",) .
		    q("ended":"%s","exit":%d,"signal":null,"verify":null,"error":null,) .
		    qq("ok":%s}\n), $rule, $i, $path, at($t), at($t + 2),
		    at($t + 3 + $i % 7), $ok eq "false", $ok;
	}' "$1" "$2" "${3:-/f}" >>"$state/history.jsonl"
}

# keep_state: the directory of the state, before a daemon.
keep_state() {
	state=$box$state_dir
	mkdir -p "$state"
	chmod 700 "$state"
}
