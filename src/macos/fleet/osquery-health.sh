#!/bin/sh
# SPDX-License-Identifier: MIT
#
# osquery starts no programs, but reads property lists: this writes the health of
# watchpathd into one, with the time. The rule in conf.d/examples/health.ini runs it
# every 15 minutes, and osquery.sql has the queries. In one line, for a shell:
#
#	sudo defaults write /Library/Preferences/org.watchpathd.health status -string "$(sudo watchpathd status --brief)"
PATH=/usr/bin:/bin:/usr/sbin:/sbin
watchpathd=/Library/watchpathd/bin/watchpathd
health=/Library/Preferences/org.watchpathd.health

defaults write $health status -string "$("$watchpathd" status --brief 2>&1)"
defaults write $health checked -int "$(date +%s)"
