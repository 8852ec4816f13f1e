#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make install and make uninstall, staged in a directory: where everything lies,
# who may read and write it, and what of an admin's is left alone.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
MAKE=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
top=$(mktemp -d /tmp/wpd.XXXXXX)
trap 'rm -rf "$top"' EXIT
trap 'exit 1' HUP INT TERM
# Spaces, because a DESTDIR may have them.
dest="$top/a stage"
printf '#!/bin/sh\n' >"$top/program"

tests=0

ok() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
	fi
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # skip $2"
}

# succeeds WHAT COMMAND...
succeeds() {
	what=$1
	shift
	if "$@"; then
		ok 0 "$what"
	else
		ok 1 "$what"
		sed 's/^/# /' "$top/output"
	fi
}

# same WHAT: are the files "expected" and "actual" the same?
same() {
	if diff "$top/expected" "$top/actual" >"$top/diff"; then
		ok 0 "$1"
	else
		ok 1 "$1"
		sed 's/^/# /' "$top/diff"
	fi
}

# As an admin with a careful umask would, who must still get readable files.
run_make() {
	(umask 077 && "$MAKE" -s -C "$root" "$@" DESTDIR="$dest" PLATFORM="$platform" \
	    PROGRAM="$top/program") >"$top/output" 2>&1
}

stage() {
	rm -rf "$dest"
	mkdir "$dest"
	run_make install
}

# "MODE PATH" of everything in the stage, . included, with no mark of an ACL.
listing() {
	(cd "$dest" && find . -exec ls -ldn {} +) |
	    awk '{ print substr($1, 1, 10), $NF }' | LC_ALL=C sort -k 2
}

foreign_files() {
	(cd "$dest" && find . -exec ls -ldn {} +) | awk '$3 != 0 || $4 != 0'
}

# One line of the expected listing; one for each directory above it.
file() {
	echo "$1 .$2"
}

directories() {
	for dir; do
		while [ "$dir" != / ]; do
			echo "drwxr-xr-x .$dir"
			dir=$(dirname "$dir")
		done
	done
}

pages() {
	for page in "$root"/man/*.[578]; do
		[ -e "$page" ] || continue
		file -rw-r--r-- "$1/man${page##*.}/$(basename "$page")"
	done
}

# Each as it was shipped too, so that a later installation knows what was changed.
rules() {
	for rule in "$root"/conf.d/*.ini "$root"/conf.d/*/*.ini; do
		[ -e "$rule" ] || continue
		for to in "$1" "$1/.shipped"; do
			rule=${rule#"$root/conf.d/"}
			file -rw-r--r-- "$to/$rule"
			directories "$(dirname "$to/$rule")"
		done
	done
}

# What admins get beside the program: scripts may be run, and nothing else.
shared() {
	for name in "$root"/src/macos/fleet/*.sh "$root"/src/macos/fleet/*.sql \
	    "$root"/src/macos/profiles/*; do
		[ -e "$name" ] || continue
		case $name in
		*.sh) mode=-rwxr-xr-x ;;
		*) mode=-rw-r--r-- ;;
		esac
		file $mode "$1/${name#"$root/src/macos/"}"
		directories "$(dirname "$1/${name#"$root/src/macos/"}")"
	done
}

expected_macos() {
	directories /Library/watchpathd/bin /Library/watchpathd/conf.d /Library/LaunchDaemons \
	    /Library/watchpathd/share/man/man5 /Library/watchpathd/share/man/man7 \
	    /Library/watchpathd/share/man/man8 /etc/paths.d /var/db
	file -rwxr-xr-x /Library/watchpathd/bin/filevault-escrow
	file -rwxr-xr-x /Library/watchpathd/bin/uninstall
	file -rwxr-xr-x /Library/watchpathd/bin/watchpathd
	file -rw-r--r-- /Library/watchpathd/share/launchd.sh
	shared /Library/watchpathd/share
	file -rw-r--r-- /Library/LaunchDaemons/org.watchpathd.plist
	file -rw-r--r-- /etc/paths.d/watchpathd
	file drwx------ /var/db/watchpathd
	pages /Library/watchpathd/share/man
	rules /Library/watchpathd/conf.d
}

expected_linux() {
	directories /usr/local/sbin /usr/local/share/man/man5 /usr/local/share/man/man7 \
	    /usr/local/share/man/man8 /etc/watchpathd/conf.d /var/lib
	file -rwxr-xr-x /usr/local/sbin/filevault-escrow
	file -rwxr-xr-x /usr/local/sbin/watchpathd
	file drwx------ /var/lib/watchpathd
	pages /usr/local/share/man
	rules /etc/watchpathd/conf.d
}

test_layout() {
	succeeds "$platform: installs" stage
	(cd "$dest" && file "$(ls -ldn . | cut -c 1-10)" "") >"$top/here"
	{ cat "$top/here" && "expected_$platform"; } | LC_ALL=C sort -u -k 2 >"$top/expected"
	listing >"$top/actual"
	same "$platform: every path and mode is as designed, and nothing else is there"
	if [ "$(id -u)" -ne 0 ]; then
		skip "$platform: everything belongs to uid 0 and gid 0" "not root"
		return
	fi
	: >"$top/expected"
	foreign_files >"$top/actual"
	same "$platform: everything belongs to uid 0 and gid 0"
}

# A rule that ships, or nothing.
shipped_rule() {
	for rule in "$root"/conf.d/*.ini; do
		[ ! -e "$rule" ] || basename "$rule"
	done | head -n 1
}

test_upgrade() {
	first=$(shipped_rule)
	if [ -z "$first" ]; then
		skip "$platform: a rule file that was changed is not overwritten" "no rule ships"
		skip "$platform: a rule that was switched off stays off" "no rule ships"
		skip "$platform: a rule that was removed stays away" "no rule ships"
		return
	fi
	echo "; mine" >"$dest$conf/$first"
	cp "$dest$conf/$first" "$top/expected"
	run_make install || :
	cp "$dest$conf/$first" "$top/actual"
	same "$platform: a rule file that was changed is not overwritten"
	mv "$dest$conf/$first" "$dest$conf/$first.off"
	run_make install || :
	(cd "$dest$conf" && ls "$first"*) >"$top/actual" || :
	echo "$first.off" >"$top/expected"
	same "$platform: a rule that was switched off stays off"
	rm "$dest$conf/$first.off"
	run_make install || :
	(cd "$dest$conf" && ls "$first"*) >"$top/actual" 2>/dev/null || :
	: >"$top/expected"
	same "$platform: a rule that was removed stays away"
}

test_uninstall() {
	stage
	succeeds "$platform: uninstalls" run_make uninstall
	(cd "$dest" && find . ! -type d -o -name '*watchpathd*') >"$top/actual"
	: >"$top/expected"
	same "$platform: uninstall leaves nothing of what install made"
	stage
	mkdir -p "$dest/var/log"
	for mine in "$conf/mine.ini" "$state/state.jsonl" /var/log/watchpathd.log; do
		echo mine >"$dest$mine"
		echo ".$mine"
	done | LC_ALL=C sort >"$top/expected"
	run_make uninstall || :
	(cd "$dest" && find . ! -type d) | LC_ALL=C sort >"$top/actual"
	same "$platform: uninstall keeps an admin's rules, the state and the log"
	printf "kept: $dest%s\n" "$conf" "$state" /var/log/watchpathd.log >"$top/expected"
	grep kept: "$top/output" >"$top/actual" || :
	same "$platform: uninstall says what it keeps"
}

test_edited_rule_is_kept() {
	stage
	first=$(shipped_rule)
	if [ -z "$first" ]; then
		skip "$platform: uninstall keeps a shipped rule that was changed" "no rule ships"
		return
	fi
	echo "; mine" >>"$dest$conf/$first"
	cp "$dest$conf/$first" "$top/expected"
	run_make uninstall || :
	cp "$dest$conf/$first" "$top/actual" || : >"$top/actual"
	same "$platform: uninstall keeps a shipped rule that was changed"
}

# The plist without comments and white space: all of its keys and values.
plain_plist() {
	if command -v plutil >/dev/null; then
		plutil -convert xml1 -o "$top/plain" "$1"
	else
		plistutil -i "$1" -o "$top/binary" && plistutil -i "$top/binary" -o "$top/plain"
	fi && sed -n '/<dict>/,$p' "$top/plain" | tr -d '\n\t ' | sed 's/<key>/\
&/g' && echo
}

test_launchd() {
	plist=$dest/Library/LaunchDaemons/org.watchpathd.plist
	stage
	if ! command -v plutil >/dev/null && ! command -v plistutil >/dev/null; then
		skip "the plist says what launchd is to do" "neither plutil nor plistutil"
	else
		plain_plist "$plist" >"$top/actual" 2>&1 || :
		cat >"$top/expected" <<-'EOF'
		<dict>
		<key>AbandonProcessGroup</key><true/>
		<key>ExitTimeOut</key><integer>20</integer>
		<key>KeepAlive</key><true/>
		<key>Label</key><string>org.watchpathd</string>
		<key>ProcessType</key><string>Interactive</string>
		<key>ProgramArguments</key><array><string>/Library/watchpathd/bin/watchpathd</string><string>run</string><string>--log</string><string>/var/log/watchpathd.log</string></array>
		<key>RunAtLoad</key><true/></dict></plist>
		EOF
		same "the plist says what launchd is to do"
	fi
	sed 's/<!--//; s/-->//; /<key>/d; /<string>/d; /DOCTYPE/d' "$plist" |
	    grep -e -- >"$top/actual" || :
	: >"$top/expected"
	same "the plist's comments are XML: no -- inside them"
	echo /Library/watchpathd/bin >"$top/expected"
	cp "$dest/etc/paths.d/watchpathd" "$top/actual"
	same "paths.d puts the program on the PATH"
	grep launchctl "$top/output" >"$top/actual" || :
	: >"$top/expected"
	same "staging does not talk of starting anything"
}

platform=macos conf=/Library/watchpathd/conf.d state=/var/db/watchpathd
test_layout
test_upgrade
test_uninstall
test_edited_rule_is_kept
test_launchd
platform=linux conf=/etc/watchpathd/conf.d state=/var/lib/watchpathd
test_layout
test_upgrade
test_uninstall
test_edited_rule_is_kept
echo "1..$tests"
