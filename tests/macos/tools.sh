#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tools.sh DIR: puts tools there that know little more than POSIX asks for, as those
# of a Mac, for `make portable`: what only GNU's know must not be needed.
set -eu

tools='awk cmp cut expr find grep head mktemp od sed sort tail tr uniq wc xargs'

command -v busybox >/dev/null || {
	echo 'tools: busybox is missing: apt-get install busybox' >&2
	exit 1
}
mkdir -p "$1"
for tool in $tools; do
	ln -sf "$(command -v busybox)" "$1/$tool"
done
