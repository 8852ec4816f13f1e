#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the fleet's tools are given: an extension attribute for Jamf, a condition for
# Munki, a property list and queries for osquery, and a webhook for alerts. The
# scripts are as shipped, but for the lines that say where programs are.
. "$(dirname "$0")/lib.sh"

fleet=$top/src/macos/fleet

# fleet_script FILE: $dir/FILE, in front of which the stand-ins in $dir/bin are found.
fleet_script() {
	mkdir -p "$dir/bin"
	sed -e "s|^PATH=.*|PATH='$dir/bin:$PATH'; export PATH|" \
	    -e "s|^watchpathd=.*|watchpathd='$dir/bin/watchpathd'|" "$fleet/$1" >"$dir/$1"
	chmod 755 "$dir/$1"
}

# program NAME LINE...: a stand-in, which notes its arguments, one a line.
program() {
	_name=$1
	shift
	{
		printf '%s\n' '#!/bin/sh' \
		    "{ printf '%s' $_name; printf ' [%s]' \"\$@\"; echo; } >>'$dir/calls'" "$@"
	} >"$dir/bin/$_name"
	chmod 755 "$dir/bin/$_name"
}

# says LINE STATUS: what the daemon is to answer.
says() {
	printf '%s\n' "$1" >"$dir/line"
	program watchpathd "cat '$dir/line'" "exit $2"
}

called() {
	printf '%s\n' "$@" | diff - "$dir/calls" >"$dir/diff" && return
	diag <"$dir/diff"
	return 1
}

prints_result() {
	"$dir/jamf-extension-attribute.sh" >"$dir/out" 2>&1 &&
	    [ "$(cat "$dir/out")" = "<result>$1</result>" ] && return
	diag <"$dir/out"
	return 1
}

jamf() {
	fleet_script jamf-extension-attribute.sh
	ok "Jamf: a Mac without watchpathd is told apart" prints_result 'not installed'
	says 'ok: 3 rules' 0
	ok "Jamf: a Mac on which all is well" prints_result 'ok: 3 rules'
	says 'problem: a<b>&c: "x"' 1
	ok "Jamf: a problem, in XML" prints_result 'problem: a&lt;b&gt;&amp;c: "x"'
	says 'not running: no' 69
	ok "Jamf: a daemon that is not running" prints_result 'not running: no'
	ok "Jamf: it is asked for one line" grep -qxF 'watchpathd [status] [--brief]' "$dir/calls"
}

# The daemon's own words, without a stand-in for it.
jamf_with_a_daemon() {
	fleet_script jamf-extension-attribute.sh
	start_daemon
	program watchpathd "exec '$WATCHPATHD' \"\$@\" --root '$box'"
	ok "Jamf: the daemon itself is understood" prints_result 'ok: 1 rule'
}

munki() {
	fleet_script munki-condition.sh
	program defaults "[ \"\$1\" != read ] || echo '/Users/Shared/Munki here'"
	program plutil
	says 'ok: 3 rules' 0
	: >"$dir/calls"
	ok "Munki: it succeeds" "$dir/munki-condition.sh"
	ok "Munki: what is written when all is well" called \
	    'defaults [read] [/Library/Preferences/ManagedInstalls] [ManagedInstallDir]' \
	    'watchpathd [status] [--brief]' \
	    'defaults [write] [/Users/Shared/Munki here/ConditionalItems] [watchpathd_ok] [-bool] [TRUE]' \
	    'defaults [write] [/Users/Shared/Munki here/ConditionalItems] [watchpathd_status] [-string] [ok: 3 rules]' \
	    'plutil [-convert] [xml1] [/Users/Shared/Munki here/ConditionalItems.plist]'
	program defaults '[ "$1" != read ]'
	says 'problem: x' 1
	: >"$dir/calls"
	"$dir/munki-condition.sh"
	ok "Munki: a problem is not well, in the usual place" grep -qxF \
	    'defaults [write] [/Library/Managed Installs/ConditionalItems] [watchpathd_ok] [-bool] [FALSE]' \
	    "$dir/calls"
	rm "$dir/bin/watchpathd"
	: >"$dir/calls"
	"$dir/munki-condition.sh"
	ok "Munki: nor is a Mac without watchpathd" grep -q 'watchpathd_ok\] \[-bool\] \[FALSE' \
	    "$dir/calls"
}

osquery() {
	fleet_script osquery-health.sh
	program defaults
	program date 'echo 1795653720'
	says 'problem: a "b"' 1
	: >"$dir/calls"
	ok "osquery: it succeeds, whatever the health is" "$dir/osquery-health.sh"
	grep '^defaults' "$dir/calls" >"$dir/written"
	mv "$dir/written" "$dir/calls"
	ok "osquery: the line and the time are written" called \
	    'defaults [write] [/Library/Preferences/org.watchpathd.health] [status] [-string] [problem: a "b"]' \
	    'defaults [write] [/Library/Preferences/org.watchpathd.health] [checked] [-int] [1795653720]'
}

# ask_database ROWS...: the queries on these rows of the tables of osquery.
ask_database() {
	{
		echo 'CREATE TABLE processes (path); CREATE TABLE plist (path, key, value);'
		printf '%s\n' "$@"
		cat "$fleet/osquery.sql"
	} >"$dir/sql"
	python3 - "$dir/sql" <<-'END'
	import sqlite3, sys
	base = sqlite3.connect(":memory:")
	parts = open(sys.argv[1]).read().split("-- SPDX")
	base.executescript(parts[0])
	print(*sorted(r[0] for r in base.execute("-- SPDX" + parts[1])), sep="\n", end="")
	END
}

queries() {
	if ! python3 -c 'import sqlite3' 2>/dev/null; then
		skip "osquery: the queries find what is wrong" "no python3 with SQLite"
		return
	fi
	runs="INSERT INTO processes VALUES ('/Library/watchpathd/bin/watchpathd');"
	list=/Library/Preferences/org.watchpathd.health.plist
	now=$(date +%s)
	checked="INSERT INTO plist VALUES ('$list', 'checked', '$now');"
	well="INSERT INTO plist VALUES ('$list', 'status', 'ok: 3 rules');"
	ill="INSERT INTO plist VALUES ('$list', 'status', 'problem: x');"
	ok "osquery: no row where all is well" [ -z "$(ask_database "$runs" "$checked" "$well")" ]
	ok "osquery: a problem is a row" \
	    [ "$(ask_database "$runs" "$checked" "$ill")" = 'problem: x' ]
	ok "osquery: a daemon that does not run is a row" \
	    [ "$(ask_database "$checked" "$well")" = 'not running' ]
	old="INSERT INTO plist VALUES ('$list', 'checked', '$((now - 4000))');"
	ok "osquery: a health that is old is a row" \
	    [ "$(ask_database "$runs" "$old" "$well")" = 'not checked for an hour' ]
}

# alert STATE FAILURES ERROR: as the daemon would. Body in $dir/body.
alert() {
	WATCHPATHD_RULE=filevault-escrow WATCHPATHD_STATE=$1 WATCHPATHD_FAILURES=$2 \
	    WATCHPATHD_ERROR=$3 "$dir/webhook.sh" "$dir/webhook.conf" >"$dir/out" 2>&1
}

# body MEMBER TEXT: does the JSON say that?
body() {
	perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>);
	    print $o->{$ARGV[0]}, "\n"' "$1" <"$dir/body" >"$dir/member" 2>&1
	[ "$(cat "$dir/member")" = "$2" ] && return
	diag <"$dir/member"
	return 1
}

webhook() {
	fleet_script webhook.sh
	program hostname 'echo mac-1'
	program curl "cat >'$dir/body'"
	echo 'url = "https://hooks.example.com/secret"' >"$dir/webhook.conf"
	: >"$dir/calls"
	ok "webhook: it succeeds" alert failing 5 'exit status 1: "x" \012 end'
	ok "webhook: a text for people" body text \
	    'mac-1: rule filevault-escrow has failed (5 in a row): exit status 1: "x" \012 end'
	ok "webhook: the rule" body rule filevault-escrow
	ok "webhook: the error, as it is" body error 'exit status 1: "x" \012 end'
	ok "webhook: curl has a time limit" grep -q '\[--max-time\] \[30\]' "$dir/calls"
	ok "webhook: the address is not in the list of processes" \
	    not grep -q example.com "$dir/calls"
	alert recovered 0 ''
	ok "webhook: that it works again" body text 'mac-1: rule filevault-escrow works again'
	rm "$dir/webhook.conf"
	ok "webhook: without an address it fails" not alert failing 1 x
	ok "webhook: and says what is missing" grep -q '^usage: .*url = ' "$dir/out"
}

# answer STATUS: a server for one request, whose body lands in $dir/body; 0: it never
# answers. Its port is in $dir/port.
answer_requests() {
	cat >"$dir/server.pl" <<-'END'
	use strict; use warnings; use IO::Socket::INET;
	my ($dir, $status) = @ARGV;
	my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die;
	open my $port, '>', "$dir/port.new" or die;
	print $port $s->sockport; close $port; rename "$dir/port.new", "$dir/port";
	my $c = $s->accept or die;
	sleep 600 unless $status;
	my ($line, $length) = ('', 0);
	while (defined($line = <$c>) && $line =~ /\S/) { $length = $1 if $line =~ /^content-length: (\d+)/i }
	read $c, my $body, $length;
	open my $out, '>', "$dir/body" or die; print $out $body; close $out;
	print $c "HTTP/1.1 $status X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	END
	rm -f "$dir/port"
	perl "$dir/server.pl" "$dir" "$1" >>"$log" 2>&1 &
	server=$!
	until_true 30 test -s "$dir/port"
	echo "url = \"http://127.0.0.1:$(cat "$dir/port")/\"" >"$dir/webhook.conf"
}

webhook_with_curl() {
	if ! command -v curl >/dev/null; then
		skip "webhook: curl itself sends it" "no curl"
		return
	fi
	unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
	fleet_script webhook.sh
	answer_requests 200
	ok "webhook: curl sends it" alert failing 5 'it says "no"'
	ok "webhook: the server gets JSON" body error 'it says "no"'
	answer_requests 500
	ok "webhook: what the server refuses is a failure" not alert failing 5 x
	sed -i.orig 's/^seconds=.*/seconds=1/' "$dir/webhook.sh"
	answer_requests 0
	ok "webhook: a server that never answers is a failure, in time" not alert failing 5 x
	ok "webhook: and it is the time that ended it" grep -q 'timed out' "$dir/out"
	kill "$server"
	wait "$server" 2>/dev/null
}

run_tests jamf jamf_with_a_daemon munki osquery queries webhook webhook_with_curl
