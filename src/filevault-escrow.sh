#!/bin/sh
# SPDX-License-Identifier: MIT
#
# filevault-escrow: when did macOS save a new FileVault recovery key, and when
# did it send one to the MDM server? It reads what mdmclient has logged, and of the
# key's file only the time. "Sent" is all that this Mac can know; what came of it
# the server knows.

# Root runs this: nothing is taken from the environment.
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset IFS

log_program=/usr/bin/log
client=/usr/libexec/mdmclient
key_file=/var/db/FileVaultPRK.dat
log_store=/var/db/diagnostics/Persist

usage='usage: filevault-escrow report [--last TIME] [-]
       filevault-escrow sent [--last TIME] [--within SECONDS] [--unknown-ok] [-]'

fail() {
	status=$1
	shift
	printf 'filevault-escrow: %s\n' "$*" >&2
	exit "$status"
}

misuse() {
	printf 'filevault-escrow: %s\n%s\n' "$*" "$usage" >&2
	exit 64
}

is_number() {
	case $1 in
	'' | *[!0-9]* | 0?* | ??????*) return 1 ;;
	esac
}

# 30m, 12h, 7d, as log(1) takes them.
is_time() {
	case $1 in
	boot) ;;
	*[mhd]) is_number "${1%?}" ;;
	*) return 1 ;;
	esac
}

# ask_log OPTION TIME: the log of mdmclient; the status is that of log(1). In this
# style each entry names its program's path, and no message can look like two.
ask_log() {
	"$log_program" show --style ndjson "$1" "$2" \
	    --predicate "processImagePath == \"$client\" AND
    (message CONTAINS \"PUT) [Acknowledged(SecurityInfo\" OR
    message CONTAINS \"Saved PRK escrow file\")"
}

# get_text OPTION TIME: sets text to the log, or ends.
get_text() {
	[ -x "$log_program" ] ||
	    fail 69 "$log_program is not here: a saved log of a Mac can be given to -"
	text=$(ask_log "$@" 2>/dev/null) && return
	why=$(ask_log "$@" 2>&1 | tail -n 1)
	why="the log cannot be read: ${why:-$log_program has failed}"
	case $why in
	*[Pp]ermi* | *[Pp]rivilege* | *[Rr]oot* | *[Aa]dmin*) fail 77 "$why: try sudo" ;;
	esac
	[ "$(id -u)" -eq 0 ] || fail 77 "$why: try sudo"
	fail 74 "$why"
}

# read_log ASKED: reads a log of any style from stdin, of log(1) itself only ndjson.
# For report it prints a line for each key. For sent it prints one: sent, waiting,
# unsaved, written (of the key only the time of its file is known) or nothing; then
# the second from which to read the next time, or -; then a sentence. Entries count
# in their order, so a clock that was set changes nothing but the length. The
# status is 65 if this is no log.
read_log() {
	awk -v mode="$command" -v asked="$1" -v client="$client" -v name="${client##*/}" \
	    -v written="$written" -v written_at="$written_at" '
	# Days since a day long ago: years begin in March, so that the leap day is
	# the last one.
	function days(y, m, d) {
		if (m < 3) {
			y--
			m += 12
		}
		return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + \
		    int((153 * (m - 3) + 2) / 5) + d
	}

	# Seconds since 1970 of a stamp, in UTC if it has no zone.
	function seconds(stamp,    day, t, zone) {
		day = days(substr(stamp, 1, 4) + 0, substr(stamp, 6, 2) + 0, \
		    substr(stamp, 9, 2) + 0) - days(1970, 1, 1)
		t = substr(stamp, 12)
		zone = 0
		if (match(t, /[+-]/)) {
			zone = substr(t, RSTART + 1, 2) * 3600 + \
			    substr(t, RSTART + 3) * 60
			if (substr(t, RSTART, 1) == "-")
				zone = -zone
			t = substr(t, 1, RSTART - 1)
		}
		return day * 86400 + substr(t, 1, 2) * 3600 + \
		    substr(t, 4, 2) * 60 + substr(t, 7) - zone
	}

	function is_stamp(date, time) {
		return date ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ && \
		    time ~ /^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]+([+-][0-9][0-9][0-9][0-9])?$/
	}

	function add(text, n, unit) {
		if (text == "" && n == 0)
			return ""
		return text n " " unit " "
	}

	# From the key to this entry, as "17 h 45 min 1.7 s later".
	function later(    tenths, text) {
		if (at < key_at)
			return "after the clock was set back"
		tenths = int((at - key_at) * 10 + 0.5)
		text = add("", int(tenths / 864000), "d")
		tenths %= 864000
		text = add(text, int(tenths / 36000), "h")
		tenths %= 36000
		text = add(text, int(tenths / 600), "min")
		tenths %= 600
		return text int(tenths / 10) "." tenths % 10 " s later"
	}

	function report(text) {
		if (mode == "report")
			print key ": key " text
	}

	function set_key(stamp, new_state) {
		state = new_state
		key = stamp
		key_at = at
		answer = "not sent so far"
		next_time = sprintf("%.0f", int(at))
	}

	function set_sent(stamp) {
		# The time of a file is known to the second.
		if (state != "waiting" && (state != "written" || at < key_at + 1))
			return
		state = "sent"
		answer = "sent to MDM at " stamp ", " later()
		report("saved; " answer)
	}

	function set_saved(stamp, result) {
		if (result ~ /^: YES/) {
			if (state == "waiting")
				report("saved; replaced by the next one before it was sent, " later())
			set_key(stamp, "waiting")
		} else if (result != substr(": YES", 1, length(result))) {
			if (state == "waiting")
				report("saved; not sent before the next one was made")
			set_key(stamp, "unsaved")
			report("could not be saved")
		}
		# Else the line was cut before it says which.
	}

	function entry(stamp, ours, message) {
		entries++
		at = seconds(stamp)
		if (ours && index(message, "PUT) [Acknowledged(SecurityInfo"))
			set_sent(stamp)
		else if (ours && index(message, saved))
			set_saved(stamp, substr(message, index(message, saved) + length(saved)))
	}

	# An entry in one of the styles default, syslog and compact.
	function is_entry() {
		if (!is_stamp($1, $2))
			return 0
		if ($2 !~ /[+-]/)
			return $3 ~ /^[A-Z][a-z]?$/ && /\[[0-9]+:[0-9a-f]+\]/
		return $3 ~ /^0x[0-9a-f]+$/ || /[^ ]\[[0-9]+\]:/
	}

	# Where the name of the process is in them.
	function of_client() {
		if ($3 ~ /^0x[0-9a-f]+$/)
			return $8 == name ":"
		return $4 ~ "^" name "\\[[0-9]+(:[0-9a-f]+)?\\]:?$"
	}

	function close_object(    part) {
		if ("finished" in member)
			header = 1 # It is the last line of ndjson.
		if (("eventMessage" in member) && ("processImagePath" in member) && \
		    split(member["timestamp"], part, " ") == 2 && is_stamp(part[1], part[2]))
			entry(member["timestamp"], member["processImagePath"] == client, \
			    member["eventMessage"])
	}

	# What is between two strings. depth is 1 in an object of the log, and more in
	# one that is a part of it.
	function follow(text,    c) {
		while (match(text, /[{}]/)) {
			c = substr(text, RSTART, 1)
			text = substr(text, RSTART + 1)
			if (c == "{" && ++depth == 1)
				split("", member)
			else if (c == "}" && depth > 0 && --depth == 0)
				close_object()
		}
	}

	# A line in one of the styles json and ndjson. No string goes on in the next
	# line. What is looked for has no escapes in it but those of / and +.
	function read_json(    part, n, i, name) {
		# An entry of ndjson is one line: the one before was cut.
		if ($1 ~ /^[{]/ && /"timestamp"/)
			depth = 0
		gsub(/\\u002[Ff]/, "/")
		gsub(/\\u002[Bb]/, "+")
		gsub("\\\\[^/]", "?")
		gsub(/\\\//, "/")
		n = split($0, part, "\"")
		for (i = 1; i <= n; i++) {
			if (i % 2)
				follow(part[i])
			else if (depth == 1 && part[i - 1] ~ /:[ \t]*$/)
				member[name] = part[i]
			else if (depth == 1) {
				name = part[i]
				member[name] = ""
			}
		}
	}

	BEGIN {
		saved = "Saved PRK escrow file"
		state = written == "" ? "nothing" : "written"
		key = written_at
		key_at = written + 0
		answer = "not sent so far"
		next_time = "-"
	}

	{
		if (index($0, "\357\273\277") == 1)
			$0 = substr($0, 4)
		sub(/\r$/, "")
	}
	/^[ \t]*(Filtering the log data|Skipping (info|debug))/ { next }
	$1 == "Timestamp" && $2 ~ /^(\(process\)\[PID\]|Thread|Ty)$/ {
		header = 1
		next
	}
	!asked && is_entry() {
		entry($1 " " $2, of_client(), $0)
		next
	}
	index($0, saved) { strange = 1 }
	NF > 0 { some = 1 }
	/[^][ \t]/ { other = 1 }
	{ read_json() }

	END {
		# Without an entry it is a log if it has a header, but not if what is
		# looked for is in lines that cannot be read, or if it is but brackets,
		# as in the style json.
		if (!entries && !(header && !strange) && (other || !some && !asked))
			exit 65
		text = "the key saved at " key ": " answer
		if (state == "unsaved")
			text = "the key made at " key ": macOS could not save it"
		else if (state == "nothing")
			text = "no key was saved in this part of the log"
		else if (state == "waiting")
			report("saved; " answer)
		if (mode == "sent")
			print state, next_time, text
		else if (state == "nothing")
			print text
	}'
}

# Sets written to the second in which the newest key was written to its file, and
# written_at to that as text. Both are empty if there is no key, if only the log
# counts, or if the clock was set back since.
find_key() {
	written='' written_at=''
	[ -z "$input$last" ] && [ -s "$key_file" ] || return 0
	time=$(stat -c '%Y %y' "$key_file" 2>/dev/null ||
	    stat -f '%m %Sm' -t '%Y-%m-%d %H:%M:%S%z' "$key_file") || return 0
	[ "${time%% *}" -le "$now" ] || return 0
	written=${time%% *}
	written_at=${time#* }
}

# Whether the log goes back to when the key was written. macOS removes the oldest
# file of it when there is too much, so all since then is there if one is older.
is_complete() {
	[ -n "$(find "$log_store" -name '*.tracev3' ! -newer "$key_file" 2>/dev/null)" ]
}

# get_answer OPTION TIME: sets answer to what read_log says.
get_answer() {
	if [ "$input" = - ]; then
		answer=$(read_log '')
	else
		get_text "$@"
		answer=$(printf '%s\n' "$text" | read_log 1)
	fi
	case $?$input in
	0*) ;;
	65-) fail 65 "this is not what \`log show\` prints: try its --style ndjson" ;;
	65) fail 74 "the log cannot be read: $log_program has printed something else" ;;
	*) fail 74 "awk has failed" ;;
	esac
}

# Sets state and answer. All of the log is read only the first time: start becomes
# the second before which nothing can be found any more. The log may show an entry
# some seconds late, and the clock may be set back meanwhile.
get_sent() {
	now=$(date +%s)
	find_key
	[ -n "$start" ] || start=$written
	if [ -n "$start" ]; then
		[ "$start" -lt "$now" ] || start=$now
		get_answer --start "@$((start - 60))"
	else
		get_answer --last "${last:-3d}"
	fi
	state=${answer%% *} answer=${answer#* }
	start=${answer%% *} answer=${answer#* }
	[ "$start" != - ] || start=$now
}

# Asks again until the newest key was sent or has been waited for long enough. No
# clock is read for that, since it may be set meanwhile.
wait_sent() {
	get_sent
	while [ "$state" != sent ] && [ "$within" -gt 0 ]; do
		[ "$poll" -lt "$within" ] || poll=$within
		sleep "$poll"
		within=$((within - poll))
		get_sent
	done
}

command=${1-}
[ $# -gt 0 ] && shift
input='' last='' within=0 poll=5 unknown_ok='' start='' written='' written_at=''
while [ $# -gt 0 ]; do
	case $1 in
	-) input=- ;;
	--unknown-ok) unknown_ok=yes ;;
	--last | --within | --poll | --log-program | --client | --root)
		[ $# -gt 1 ] || misuse "a value is missing after $1"
		case $1 in
		--last)
			is_time "$2" || misuse "not a time such as 30m, 12h or 7d: $2"
			last=$2
			;;
		--within) within=$2 ;;
		--poll) poll=$2 ;;
		--log-program) log_program=$2 ;;
		--client) client=$2 ;;
		--root) key_file=$2$key_file log_store=$2$log_store ;;
		esac
		shift
		;;
	*) misuse "unknown argument: $1" ;;
	esac
	shift
done

case $command in
report) [ "$within$unknown_ok" = 0 ] || misuse "report does not wait, nor does it fail" ;;
sent) ;;
help | --help | -h)
	printf '%s\n' "$usage"
	exit 0
	;;
'') misuse "what is to be done?" ;;
*) misuse "no such command: $command" ;;
esac
is_number "$within" || misuse "not a number of seconds: $within"
is_number "$poll" && [ "$poll" -gt 0 ] || misuse "not a number of seconds: $poll"
[ "$within" = 0 ] || [ "$input" != - ] || misuse "text cannot be waited for"
[ -z "$unknown_ok" ] || [ -z "$input$last" ] ||
    misuse "--unknown-ok goes by the time of the key, not with --last or text"
case $log_program in
/*) ;;
*) misuse "not an absolute path: $log_program" ;;
esac

if [ "$command" = report ]; then
	get_answer --last "${last:-7d}"
	printf '%s\n' "$answer"
	exit 0
fi
wait_sent
status=1
case $state in
sent) status=0 ;;
nothing) status=2 ;;
written)
	if ! is_complete; then
		answer="the key saved at $written_at: not known whether it was sent, \
since the log begins later"
		status=3
		[ -z "$unknown_ok" ] || status=0
	fi
	;;
esac
printf '%s\n' "$answer"
exit "$status"
