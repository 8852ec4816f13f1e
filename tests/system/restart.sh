# SPDX-License-Identifier: MIT
#
# What the tests of several lives share, on top of lib.sh: stopping, killing and
# starting anew on the same state, and what the state says.

. "$(dirname "$0")/lib.sh"

lives=1

# state: where the daemon keeps it.
state_file() {
	echo "$box$state_dir/state.jsonl"
}

# is_ready N: has the daemon been ready N times?
is_ready() {
	[ "$(grep -c 'info: ready: ' "$log")" -ge "$1" ]
}

# live_again ARGUMENT...: another life on the same state.
# shellcheck disable=SC2120
live_again() {
	lives=$((lives + 1))
	launch "$@"
	until_true 20 is_ready $lives && return
	ok "life $lives gets ready" false
	exit 1
}

kill_daemon() {
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

# restart: stops and starts, with COMMAND... in between.
restart() {
	stop_daemon
	[ $status -eq 0 ] || ok "the daemon stops with status 0, not $status" false
	"$@"
	live_again
}

# newest RULE: the line that counts.
newest() {
	grep "^{\"rule\":\"$1\"," "$(state_file)" | tail -n 1
}

# is_saved RULE PATTERN; is_settled RULE: nothing owed, nothing running.
is_saved() {
	newest "$1" | grep -q -- "$2"
}

is_settled() {
	case $(newest "$1") in
	*'"owed":'* | *'"pid":'* | '') return 1 ;;
	esac
}

# runs RULE: their number.
runs() {
	if [ -e "$dir/runs/$1" ]; then
		grep -c . "$dir/runs/$1"
	else
		echo 0
	fi
}
