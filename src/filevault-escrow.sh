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
predicate='process == "mdmclient" AND
    (message CONTAINS "PUT) [Acknowledged(SecurityInfo" OR
    message CONTAINS "Saved PRK escrow file")'

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

# The log of mdmclient as text; its status is that of log(1).
ask_log() {
	"$log_program" show --style syslog --last "$last" --predicate "$predicate" 2>&1
}

# Sets text to the log, or ends.
get_text() {
	[ -x "$log_program" ] ||
	    fail 69 "$log_program is not here: a saved log of a Mac can be given to -"
	text=$(ask_log) && return
	why=$(printf '%s\n' "$text" | tail -n 1)
	why="the log cannot be read: ${why:-$log_program has failed}"
	case $why in
	*[Pp]ermi* | *[Pp]rivilege* | *[Rr]oot* | *[Aa]dmin*) fail 77 "$why: try sudo" ;;
	esac
	[ "$(id -u)" -eq 0 ] || fail 77 "$why: try sudo"
	fail 74 "$why"
}

# Reads log text of any of the styles syslog, default and compact from stdin. With
# mode=report it prints a line for each key; with mode=sent one line, which
# begins with sent, waiting, unsaved or nothing. Lines count in their order, so
# a clock that was set changes nothing but the length.
read_log() {
	awk -v mode="$1" '
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

	# Seconds of HH:MM:SS.fraction, with or without +HHMM at its end, in UTC.
	function seconds(t,    zone, sign) {
		zone = 0
		if (match(t, /[+-][0-9][0-9][0-9][0-9]$/)) {
			sign = substr(t, RSTART, 1) == "-" ? -1 : 1
			zone = sign * (substr(t, RSTART + 1, 2) * 3600 + \
			    substr(t, RSTART + 3, 2) * 60)
			t = substr(t, 1, RSTART - 1)
		}
		return substr(t, 1, 2) * 3600 + substr(t, 4, 2) * 60 + \
		    substr(t, 7) - zone
	}

	function add(text, n, unit) {
		if (text == "" && n == 0)
			return ""
		return text n " " unit " "
	}

	# From the key to this line, as "17 h 45 min 1.7 s".
	function since(    tenths, text) {
		tenths = (day - key_day) * 864000 + (second - key_second) * 10
		if (tenths < 0)
			return ""
		tenths = int(tenths + 0.5)
		text = add("", int(tenths / 864000), "d")
		tenths %= 864000
		text = add(text, int(tenths / 36000), "h")
		tenths %= 36000
		text = add(text, int(tenths / 600), "min")
		tenths %= 600
		return text int(tenths / 10) "." tenths % 10 " s"
	}

	function later(    text) {
		text = since()
		return text == "" ? "after the clock was set back" : text " later"
	}

	function report(text) {
		if (mode == "report")
			print key ": key saved; " text
	}

	# Where the name of the process is, in each style.
	function of_mdmclient() {
		if ($3 ~ /^0x[0-9a-f]+$/)
			return $8 == "mdmclient:"
		return $4 ~ /^mdmclient\[[0-9]+(:[0-9a-f]+)?\]:?$/
	}

	$1 !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ { next }
	$2 !~ /^[0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]+)?([+-][0-9][0-9][0-9][0-9])?$/ {
		next
	}
	!of_mdmclient() { next }
	{
		day = days(substr($1, 1, 4) + 0, substr($1, 6, 2) + 0, \
		    substr($1, 9, 2) + 0)
		second = seconds($2)
		stamp = $1 " " $2
	}

	index($0, "Saved PRK escrow file: YES") {
		if (state == "waiting")
			report("replaced by the next one before it was sent, " later())
		state = "waiting"
		key = stamp
		key_day = day
		key_second = second
		next
	}
	index($0, "Saved PRK escrow file") {
		if (state == "waiting")
			report("not sent before the next one was made")
		state = "unsaved"
		key = stamp
		if (mode == "report")
			print key ": key could not be saved"
		next
	}
	index($0, "PUT) [Acknowledged(SecurityInfo") {
		if (state == "waiting") {
			state = "sent"
			answer = "sent to MDM at " stamp ", " later()
			report(answer)
		}
	}

	END {
		if (state == "waiting")
			report("not sent so far")
		if (mode == "report" && state == "")
			print "no key was saved in this part of the log"
		if (mode != "sent")
			exit
		if (state == "sent")
			print "sent the key saved at " key ": " answer
		else if (state == "waiting")
			print "waiting the key saved at " key ": not sent so far"
		else if (state == "unsaved")
			print "unsaved the key made at " key ": macOS could not save it"
		else
			print "nothing no key was saved in this part of the log"
	}'
}

# Sets answer to what read_log says.
get_answer() {
	if [ "$input" = - ]; then
		answer=$(read_log "$1") || fail 74 "awk has failed"
	else
		get_text
		answer=$(printf '%s\n' "$text" | read_log "$1") || fail 74 "awk has failed"
	fi
}

# Asks again until the newest key was sent or the time is over. The clock may be
# set meanwhile, so the number of questions is bounded too.
wait_sent() {
	end=$(($(date +%s) + within))
	left=$(((within + poll - 1) / poll))
	while get_answer sent && [ "${answer%% *}" != sent ]; do
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
	get_answer report
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
