#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An alert for a webhook, as Slack, Teams and others have them. In a rule:
#
#	alert = /Library/watchpathd/share/fleet/webhook.sh /Library/watchpathd/webhook.conf
#
# The file has the address, which is a secret, in the form of curl's configuration:
#
#	url = "https://hooks.example.com/services/..."
#
# and belongs to root alone: chmod 600. It gets a text, and the same in parts; nothing
# of a watched file is in it.
set -u
PATH=/usr/bin:/bin:/usr/sbin:/sbin
seconds=30

if [ $# -ne 1 ] || [ ! -r "$1" ]; then
	echo "usage: webhook.sh FILE, a file that has a line url = \"https://...\"" >&2
	exit 64
fi

# A JSON string. The daemon has written control characters as \ooo already.
string() {
	printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/	/ /g')"
}

host=$(hostname)
rule=${WATCHPATHD_RULE:-}
state=${WATCHPATHD_STATE:-}
failures=${WATCHPATHD_FAILURES:-0}
error=${WATCHPATHD_ERROR:-}
if [ "$state" = recovered ]; then
	text="$host: rule $rule works again"
else
	text="$host: rule $rule has failed ($failures in a row): $error"
fi
# The address stays out of the list of processes, and the body too.
{
	printf '{"text":%s,"host":%s,' "$(string "$text")" "$(string "$host")"
	printf '"rule":%s,"state":%s,' "$(string "$rule")" "$(string "$state")"
	printf '"failures":%s,"error":%s}' "$(string "$failures")" "$(string "$error")"
} | curl --config "$1" --silent --show-error --fail --max-time "$seconds" \
    --header 'Content-Type: application/json' --data-binary @- --output /dev/null
