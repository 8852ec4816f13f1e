#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What filevault-escrow reads out of logs. tests/escrow/NAME.log is judged by
# NAME.expected: the report, then what `sent` says and its exit status; by every
# awk that is here, and in the shapes that mail and editors give it. A stand-in
# for log(1) shows how it asks and waits.
#
# UPDATE=1 sh tests/system/71-filevault-escrow.t writes what is there now to the
# .expected files: read the diff before you commit it.

cd "$(dirname "$0")/../.." || exit 1
top=$PWD
umask 022
LC_ALL=C TZ=UTC0
export LC_ALL TZ

work=$(mktemp -d /tmp/wpd.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
script=$top/src/filevault-escrow.sh
n=0

ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

escrow() {
	sh "$script" "$@"
}

# says STATUS PATTERN WHAT COMMAND...
says() {
	want=$1 pattern=$2 what=$3
	shift 3
	"$@" >out 2>err </dev/null
	status=$?
	[ $status -eq "$want" ] && cat out err | grep -q -e "$pattern"
	ok $? "$what"
	[ $status -eq "$want" ] || echo "# exit $status instead of $want"
	sed 's/^/# /' out err
}

# golden LOG WHOSE: by the awk that $script finds.
golden() {
	log=$1
	set -- "$(basename "$1" .log)" "$2"
	expected=$top/tests/escrow/$1.expected
	{
		escrow report - <"$log" 2>&1
		echo "exit $?"
		echo "--"
		escrow sent - <"$log" 2>&1
		echo "exit $?"
	} >"$1.actual"
	if [ -n "$UPDATE" ]; then
		cp "$1.actual" "$expected"
	fi
	diff -u "$expected" "$1.actual" >difference 2>&1
	ok $? "$1.log gives what $1.expected says$2"
	sed 's/^/# /' difference
}

goldens() {
	for log in "$top"/tests/escrow/*.log; do
		golden "$log" "$1"
	done
}

# shaped HOW PROGRAM: the same logs, each changed by an awk program.
shaped() {
	mkdir -p shaped
	for log in "$top"/tests/escrow/*.log; do
		awk "$2" "$log" >"shaped/$(basename "$log")"
		golden "shaped/$(basename "$log")" " $1"
	done
}

shapes() {
	shaped "with a byte order mark and ends of line of Windows" \
		'NR == 1 { printf "\357\273\277" } { printf "%s\r\n", $0 }'
	shaped "with both kinds of ends of line" '{ print $0 (NR % 2 ? "\r" : "") }'
	shaped "indented" '{ print "    " $0 }'
	shaped "indented with tabs, with a byte order mark" \
		'NR == 1 { printf "\357\273\277" } { print "\t" $0 }'
}

# selftest has it look for its own lines, which shows that their columns are known.
another_client() {
	for style in default syslog compact ndjson json; do
		sed -e 's,/usr/libexec/mdmclient,/opt/bin/act,g' -e 's/mdmclient/act/g' \
		    -e 's,\\/usr\\/libexec\\/act,\\/opt\\/bin\\/act,g' \
		    "$top/tests/escrow/$style.log" >text
		escrow report - <"$top/tests/escrow/$style.log" >want
		sh "$script" report --client /opt/bin/act - <text >have 2>&1
		cmp -s want have
		ok $? "the lines of another program are read in the style $style"
		diff want have | sed 's/^/# /'
		says 2 'no key was saved' "... and are not mdmclient's" of_text sent
	done
}

# of_text COMMAND: what the escrow says to the file text.
of_text() {
	sh "$script" "$1" - <text
}

# empty TEXT WHAT, no_log TEXT WHAT
empty() {
	printf "$1" >text
	says 2 'no key was saved' "$2 holds no key" of_text sent
}

no_log() {
	printf "$1" >text
	says 65 'this is not what `log show` prints' "$2 is no log" of_text sent
	says 65 'this is not what `log show` prints' "... for the report either" \
		of_text report
}

empties() {
	empty 'Timestamp                       (process)[PID]    \n' "the style syslog's header"
	empty '\357\273\277Timestamp               Ty Process[PID:TID]\r\n' "compact's"
	empty '  Timestamp      Thread     Type        Activity             PID    TTL\n' "default's"
	empty 'Filtering the log data using "x CONTAINS "Saved PRK escrow file""\nTimestamp  Ty Process[PID:TID]\n' \
		"a header below what was asked for"
	empty '{"count":0,"finished":1}\n' "ndjson's last line"
	empty '[]' "an array of nothing"
	empty '[\n\n]\r\n' "one on several lines"
	empty '2023-09-23 10:00:00.000000-0700  localhost kernel[0]: (x) y\n' "a syslog line"
	empty '2023-09-23 10:00:00.000 E  a program[1:b0c] x\n' "a compact line"
	empty '2023-09-23 10:00:00.000000-0700 0x1 Default 0x0 0 0 kernel: x\n' "a default line"
	no_log '' "an empty file"
	no_log '\357\273\277\r\n\n' "an empty line"
	no_log 'Sat Sep 23 10:00:00 mac jamf[1]: Saved PRK escrow file: YES\n' "another program's log"
	no_log '2023-09-23 10:00:00.000 [1] INFO mdmclient: x\n' "one with such times"
	no_log '2023-09-23 10:00:00.000+0000 [1] INFO mdmclient: x\n' "... with zones"
	no_log '2023-09-23 10:00:00.000 E x\n' "... with types"
	no_log '{"a":{"finished":1},"eventMessage":"x"}\n' "another JSON object"
	no_log '[\n{"timestamp":"2023-09-23","eventMessage":"","processImagePath":""}\n]' "another array"
	no_log 'log: Could not open local log store: Operation not permitted\n' "an error of log(1)"
	no_log '{"timestamp":"2023-09-23 10:00:00.000000-0700","eventMessage":"x"}' \
		"JSON that names no program"
	no_log '{"timestamp":"9:00 a","eventMessage":"x","processImagePath":"/x"}' \
		"JSON with other times"
	no_log '[filevault]\nwatch = /x\n' "a rule file"
	no_log 'Timestamp      (process)[PID]\n99.5 localhost mdmclient[1]: Saved PRK escrow file: YES\n' \
		"a header above lines with other times"
	no_log '\036\0\377"{\n' "something binary"
}

# with_commands DIR: the script takes nothing from its environment, so a copy of it
# finds other commands.
with_commands() {
	script=$work/$1/script
	sed "s|^PATH=|&$work/$1:|" "$top/src/filevault-escrow.sh" >"$script"
}

with_awk() {
	program=$(command -v "$1") && "$program" $2 'BEGIN { exit 0 }' 2>/dev/null || {
		skip "the logs are read the same with $*" "$1 is not here"
		return
	}
	mkdir -p "awk.$1"
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$program" "$2" >"awk.$1/awk"
	chmod 755 "awk.$1/awk"
	with_commands "awk.$1"
	goldens " with $*"
	script=$top/src/filevault-escrow.sh
}

# stand_in SHELL: a log(1) that notes how it was asked, and from when. $asked is how
# often.
stand_in() {
	cat >log <<-END
		#!/bin/sh
		printf '<%s>\n' "\$@" >>'$work/arguments'
		echo "\$4 \$5" >>'$work/asked'
		asked=\$(wc -l <'$work/asked')
		$1
	END
	chmod 755 log
	rm -f asked arguments
}

# with_key TIME LOG-TIME: the file of a key, last written at that time; and a file
# of the log that ended at the other.
with_key() {
	mkdir -p box/var/db/diagnostics/Persist
	echo key >box/var/db/FileVaultPRK.dat
	touch -t "$1" box/var/db/FileVaultPRK.dat
	touch -t "$2" box/var/db/diagnostics/Persist/0000000000000001.tracev3
}

ask() {
	escrow "$@" --log-program "$work/log" --root "$work/box"
}

# asked N: what the N-th question was about.
asked() {
	sed -n "$1p" asked
}

# lines N...: those of a log that has a header, a key, its being sent and a key.
lines() {
	for line in "$@"; do
		sed -n "${line}p" "$top/tests/escrow/ndjson.log"
	done
}

asking() {
	stand_in "cat '$top/tests/escrow/ndjson.log'"
	says 0 '17 h 45 min 1.7 s later' "the log is asked for its report" ask report
	{
		printf '<%s>\n' show --style ndjson --last 7d --predicate
		echo '<processImagePath == "/usr/libexec/mdmclient" AND'
		echo '    (message CONTAINS "PUT) [Acknowledged(SecurityInfo" OR'
		echo '    message CONTAINS "Saved PRK escrow file")>'
	} >want
	cmp -s want arguments
	ok $? "... for 7 days of mdmclient's two messages, by its path"
	diff want arguments | sed 's/^/# /'
	says 1 'not sent so far' "the time to ask for can be given" ask sent --last 12h
	grep -q '^<12h>$' arguments
	ok $? "... and is passed on"
	stand_in "cat '$top/tests/escrow/ndjson-others.log'"
	says 2 'no key was saved' "other programs' messages do not count" ask sent
	stand_in "cat '$top/tests/escrow/syslog.log'"
	says 74 'has printed something else' \
		"an answer without paths is none" ask sent
	lines 2 >saved
	stand_in "head -c 99 '$work/saved'; echo log: warning >&2; tail -c +100 '$work/saved'"
	says 1 '2023-09-06 16:05:19.137000-0700: not sent' \
		"what log(1) warns of does not get between" ask sent
	stand_in :
	says 2 'no key was saved' "an empty answer is one" ask sent
}

waiting() {
	lines 1 2 >saved
	lines 1 2 3 >sent
	stand_in "if [ \$asked -lt 3 ]; then cat '$work/saved'; else cat '$work/sent'; fi"
	says 0 '17 h 45 min 1.7 s later' "sent waits until the key was sent" \
		ask sent --within 60 --poll 1
	[ "$(wc -l <asked)" -eq 3 ]
	ok $? "... and no longer"
	[ "$(asked 1)" = '--last 3d' ] && [ "$(asked 2)" = '--start @1694041459' ] &&
		[ "$(asked 3)" = "$(asked 2)" ]
	ok $? "... and only at first asks for more than what is new since the key"
	sed 's/^/# /' asked
	stand_in "cat '$work/saved'"
	says 1 'not sent so far' "sent ends when the time is over" \
		ask sent --within 6 --poll 2
	[ "$(wc -l <asked)" -ge 2 ] && [ "$(wc -l <asked)" -le 4 ]
	ok $? "... and has asked again meanwhile"
	stand_in "cat '$work/saved'"
	says 1 'not sent so far' "without --within it asks once" ask sent
	[ "$(wc -l <asked)" -eq 1 ]
	ok $? "... and never again"
	before=$(date +%s)
	stand_in "if [ \$asked -lt 2 ]; then echo; else cat '$work/sent'; fi"
	says 0 'sent to MDM' "a key that is not in the log yet is waited for" \
		ask sent --within 60 --poll 1
	after=$(date +%s)
	start=$(asked 2)
	start=${start#--start @}
	[ "$start" -ge $((before - 60)) ] && [ "$start" -le $((after - 60)) ]
	ok $? "... where the log was not read before, but for a minute"
	sed 's/^/# /' asked
}

# Between two questions.
set_back() {
	mkdir clock
	printf '#!/bin/sh\n[ -e %s ] && echo 1999990000 || echo 2000000000\n' \
		"$work/asked" >clock/date
	printf '#!/bin/sh\necho "$@" >>%s\n' "$work/slept" >clock/sleep
	chmod 755 clock/date clock/sleep
	with_commands clock
	stand_in :
	says 2 'no key was saved' "a clock that is set back does no harm" \
		ask sent --within 6
	[ "$(cat slept)" = "$(printf '5\n1\n')" ]
	ok $? "... nor does it change for how long the key is waited for"
	[ "$(asked 2)" = '--start @1999989940' ]
	ok $? "... the log is asked from before the new time on"
	sed 's/^/# /' asked
	script=$top/src/filevault-escrow.sh
}

# The log says what was sent, the file when the key was saved.
by_file() {
	lines 1 3 >sent
	with_key 202309062305.19 202309062305.18
	stand_in "cat '$work/sent'"
	says 0 'saved at 2023-09-06 23:05:19.*: sent to MDM at 2023-09-07 09:50:20.810000-0700, 17 h 45 min' \
		"a key that only its file tells of was sent" ask sent
	[ "$(asked 1)" = '--start @1694041459' ]
	ok $? "... and the log is asked since then"
	sed 's/^/# /' asked
	with_key 202309071650.19 202309071650.18
	says 0 'sent to MDM' "... a second later too" ask sent
	with_key 202309071650.20 202309071650.19
	says 1 'saved at 2023-09-07 16:50:20.*: not sent so far' \
		"what was sent in the second of the file need not be it" ask sent
	says 1 'not sent so far' "... and that is known: --unknown-ok changes nothing" \
		ask sent --unknown-ok
	with_key 202309071650.21 202309071650.21
	says 1 'saved at 2023-09-07 16:50:21.*: not sent so far' \
		"what was sent before is not it" ask sent
	with_key 202309062305.19 202309062305.18
	stand_in "cat '$top/tests/escrow/ndjson.log'"
	says 1 'saved at 2023-09-23 10:54:42.597000-0700: not sent' \
		"a newer key in the log counts for more than the file" ask sent
	stand_in "cat '$work/sent'"
	says 2 'no key was saved' "with --last only the log counts" ask sent --last 12h
	[ "$(asked 1)" = '--last 12h' ]
	ok $? "... of that time"
	says 2 'no key was saved' "text has nothing to do with this Mac's file" \
		sh -c 'sh "$1" sent --root "$2" - <sent' - "$script" "$work/box"
	: >box/var/db/FileVaultPRK.dat
	says 2 'no key was saved' "an empty file is no key" ask sent
	[ "$(asked 2)" = '--last 3d' ]
	ok $? "... and the log of three days is read"
	with_key 209902010000 209901010000
	says 2 'no key was saved' "a file of the future is no key" ask sent
	rm box/var/db/FileVaultPRK.dat
	says 2 'no key was saved' "no file is none" ask sent --unknown-ok
}

# macOS has another stat(1).
by_file_of_a_mac() {
	mkdir mac
	cat >mac/stat <<-END
		#!/bin/sh
		[ "\$*" = "-f %m %Sm -t %Y-%m-%d %H:%M:%S%z $work/box/var/db/FileVaultPRK.dat" ] &&
			echo '1694041519 2023-09-06 23:05:19+0000'
	END
	chmod 755 mac/stat
	with_key 202311010000 202311010000
	stand_in "cat '$work/sent'"
	with_commands mac
	says 0 'saved at 2023-09-06 23:05:19+0000: sent to MDM' \
		"the time of the file is found on a Mac" ask sent
	script=$top/src/filevault-escrow.sh
}

# The log begins after the key was saved.
rolled() {
	with_key 202309071650.21 202309071650.22
	touch -t 202001010000 box/var/db/diagnostics/Persist/.other
	stand_in "cat '$work/sent'"
	says 3 'saved at 2023-09-07 16:50:21.*: not known .* the log begins later' \
		"a log that begins later does not say what was sent" ask sent
	says 0 'not known .* the log begins later' "--unknown-ok takes that for good" \
		ask sent --unknown-ok
	rm box/var/db/diagnostics/Persist/* box/var/db/diagnostics/Persist/.other
	says 3 'not known' "a log without files does not say it" ask sent
	rmdir box/var/db/diagnostics/Persist
	says 3 'not known' "... nor one that is not there" ask sent
	stand_in "cat '$work/saved'"
	says 1 'not sent so far' "what is in the log is known all the same" \
		ask sent --unknown-ok
	verify=$(sed -n 's|^verify = .*/filevault-escrow ||p' "$top/man/filevault-escrow.8")
	verify=$(echo "$verify" | sed 's/120/1/')
	stand_in :
	says 0 'not known' "the manual's verify succeeds on a busy Mac: $verify" \
		ask $verify
	with_key 202309062305.19 202311010000
	stand_in "if [ \$asked -gt 1 ]; then cat '$work/sent'; fi"
	says 0 'sent to MDM' "... and says so if the key is sent now" ask $verify
}

failures() {
	says 69 'not here' "without log(1) it says what can be done" \
		escrow report --log-program "$work/no-log"
	stand_in 'echo "log: Could not open local log store: Operation not permitted" >&2; exit 64'
	says 77 'Operation not permitted: try sudo' "a log that may not be read hints at sudo" \
		escrow report --log-program "$work/log"
	says 77 'try sudo' "... for sent too" \
		escrow sent --within 60 --log-program "$work/log"
	stand_in 'exit 1'
	want=77
	[ "$(id -u)" -ne 0 ] || want=74
	says $want 'the log cannot be read: .* has failed' "a log that fails is no answer" \
		escrow sent --log-program "$work/log"
}

usage() {
	says 64 'usage: filevault-escrow' "without a command it says how" escrow
	says 64 'no such command: x' "an unknown command is a usage error" escrow x
	says 64 'unknown argument: --x' "an unknown option is one" escrow sent --x
	says 64 'missing after --last' "an option without its value is one" escrow sent --last
	says 64 'report does not wait' "a report does not wait" escrow report --within 5
	says 64 'nor does it fail' "... nor takes it anything for good" \
		escrow report --unknown-ok
	says 64 'cannot be waited for' "text cannot be waited for" escrow sent --within 5 -
	says 64 '--unknown-ok goes by' "text says nothing of what is unknown" \
		escrow sent --unknown-ok -
	says 64 '--unknown-ok goes by' "... nor does the log of some time" \
		escrow sent --unknown-ok --last 1d
	says 64 'not an absolute path' "a program has an absolute path" \
		escrow sent --log-program log
	for time in 7 d 7w -1d '1 d' "1d'" ''; do
		says 64 'not a time' "'$time' is no time" escrow sent --last "$time"
	done
	for number in x -1 1.5 08 999999; do
		says 64 'not a number' "'$number' is no number" escrow sent --within "$number"
	done
	says 64 'not a number' "to poll without a pause is none" escrow sent --poll 0
	says 0 'usage: filevault-escrow' "help is no error" escrow --help
}

# Root runs it: what is in the environment has no say.
environment() {
	mkdir planted
	printf '#!/bin/sh\ntouch %s\n' "$work/was-run" >planted/awk
	cp planted/awk planted/log
	chmod 755 planted/awk planted/log
	says 0 '20.7 s later' "PATH and IFS of the caller have no say" \
		env PATH="$work/planted:$PATH" IFS=s LC_ALL=xx log_program="$work/planted/log" \
		input=x predicate=x sh -c 'sh "$1" report - <"$2"' - "$script" \
		"$top/tests/escrow/default.log"
	[ ! -e was-run ]
	ok $? "... and run nothing"
}

goldens ""
with_awk mawk
with_awk gawk --traditional
with_awk original-awk
with_awk busybox awk
shapes
empties
asking
another_client
waiting
set_back
by_file
by_file_of_a_mac
rolled
failures
usage
environment
# What another program knows, this one does not claim.
! cat "$top"/tests/escrow/*.expected | grep -q escrowed
ok $? "it never says that a key was escrowed"
echo "1..$n"
