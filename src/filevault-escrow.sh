#!/bin/sh
# SPDX-License-Identifier: MIT
#
# filevault-escrow: when did macOS save a new FileVault recovery key, and when
# did it send one to the MDM server? It reads what mdmclient has logged, never a
# key. "Sent" is all that this Mac can know; what came of it the server knows.

# Root runs this: nothing is taken from the environment.
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset IFS

log_program=/usr/bin/log
client=/usr/libexec/mdmclient
predicate="processImagePath == \"$client\" AND
    (message CONTAINS \"PUT) [Acknowledged(SecurityInfo\" OR
    message CONTAINS \"Saved PRK escrow file\")"

usage='usage: filevault-escrow report [--last TIME] [-]
       filevault-escrow sent [--last TIME] [--within SECONDS] [-]'

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

# The log of mdmclient; its status is that of log(1). In this style each entry names
# its program's path, and no message can look like two.
ask_log() {
	"$log_program" show --style ndjson --last "$last" --predicate "$predicate"
}

# Sets text to the log, or ends.
get_text() {
	[ -x "$log_program" ] ||
	    fail 69 "$log_program is not here: a saved log of a Mac can be given to -"
	text=$(ask_log 2>/dev/null) && return
	why=$(ask_log 2>&1 | tail -n 1)
	why="the log cannot be read: ${why:-$log_program has failed}"
	case $why in
	*[Pp]ermi* | *[Pp]rivilege* | *[Rr]oot* | *[Aa]dmin*) fail 77 "$why: try sudo" ;;
	esac
	[ "$(id -u)" -eq 0 ] || fail 77 "$why: try sudo"
	fail 74 "$why"
}

# read_log ASKED: reads a log of any style from stdin, of log(1) itself only ndjson.
# For report it prints a line for each key; for sent one line, which begins with
# sent, waiting, unsaved or nothing. Entries count in their order, so a clock that
# was set changes nothing but the length. The status is 65 if this is no log.
read_log() {
	awk -v mode="$command" -v asked="$1" -v client="$client" '
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
	}

	function set_sent(stamp) {
		if (state != "waiting")
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
	function of_mdmclient() {
		if ($3 ~ /^0x[0-9a-f]+$/)
			return $8 == "mdmclient:"
		return $4 ~ /^mdmclient\[[0-9]+(:[0-9a-f]+)?\]:?$/
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
		state = "nothing"
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
		entry($1 " " $2, of_mdmclient(), $0)
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
			print state, text
		else if (state == "nothing")
			print text
	}'
}

# Sets answer to what read_log says.
get_answer() {
	if [ "$input" = - ]; then
		answer=$(read_log '')
	else
		get_text
		answer=$(printf '%s\n' "$text" | read_log 1)
	fi
	case $?$input in
	0*) ;;
	65-) fail 65 "this is not what \`log show\` prints: try its --style ndjson" ;;
	65) fail 74 "the log cannot be read: $log_program has printed something else" ;;
	*) fail 74 "awk has failed" ;;
	esac
}

# Asks again until the newest key was sent or the time is over. The clock may be
# set meanwhile, so the number of questions is bounded too.
wait_sent() {
	end=$(($(date +%s) + within))
	left=$(((within + poll - 1) / poll))
	while get_answer && [ "${answer%% *}" != sent ]; do
		rest=$((end - $(date +%s)))
		[ "$left" -gt 0 ] && [ "$rest" -gt 0 ] || break
		[ "$rest" -lt "$poll" ] || rest=$poll
		sleep "$rest"
		left=$((left - 1))
	done
}

command=${1-}
[ $# -gt 0 ] && shift
input='' last=default within=0 poll=5
while [ $# -gt 0 ]; do
	case $1 in
	-) input=- ;;
	--last | --within | --poll | --log-program)
		[ $# -gt 1 ] || misuse "a value is missing after $1"
		case $1 in
		--last) last=$2 ;;
		--within) within=$2 ;;
		--poll) poll=$2 ;;
		--log-program) log_program=$2 ;;
		esac
		shift
		;;
	*) misuse "unknown argument: $1" ;;
	esac
	shift
done

case $command in
report)
	[ "$within" = 0 ] || misuse "report does not wait"
	[ "$last" != default ] || last=7d
	;;
sent) [ "$last" != default ] || last=3d ;;
help | --help | -h)
	printf '%s\n' "$usage"
	exit 0
	;;
'') misuse "what is to be done?" ;;
*) misuse "no such command: $command" ;;
esac
is_time "$last" || misuse "not a time such as 30m, 12h or 7d: $last"
is_number "$within" || misuse "not a number of seconds: $within"
is_number "$poll" && [ "$poll" -gt 0 ] || misuse "not a number of seconds: $poll"
[ "$within" = 0 ] || [ "$input" != - ] || misuse "text cannot be waited for"
case $log_program in
/*) ;;
*) misuse "not an absolute path: $log_program" ;;
esac

if [ "$command" = report ]; then
	get_answer
	printf '%s\n' "$answer"
	exit 0
fi
wait_sent
printf '%s\n' "${answer#* }"
case ${answer%% *} in
sent) exit 0 ;;
nothing) exit 2 ;;
*) exit 1 ;;
esac
