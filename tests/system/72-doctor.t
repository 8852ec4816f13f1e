#!/bin/sh
# SPDX-License-Identifier: MIT
#
# doctor: every finding that a Linux machine can have, with its reason and, where
# there is one, the command that mends it. Where that can be done here, it is, and
# the finding is gone.
. "$(dirname "$0")/commands.sh"

# A finding that begins with this text: its three lines are in $dir/finding.
has_finding() {
	grep -F -A2 -e "$1" "$dir/out" >"$dir/finding"
}

# finds WHAT WHY MEND: MEND - is no command, for what no command mends.
finds() {
	ok "doctor finds: $1" has_finding "$1"
	ok "it says why that matters: $2" \
	    grep -qF -e "    why it matters: $2" "$dir/finding"
	case $3 in
	-) ;;
	*) ok "it says how to mend it: $3" \
		grep -qF -e "    to mend it:     $3" "$dir/finding" ;;
	esac
	ok "its status is 1" [ $status -eq 1 ]
}

# mends: does what the last finding says, as root without sudo.
mends() {
	sed -n 's/^    to mend it:     //p' "$dir/finding" | sed 's/^sudo //' >"$dir/mend"
	ok "the command that mends it can be run" sh -e "$dir/mend"
	wp doctor
	ok "and it is mended" not has_finding "$1"
}

nothing_wrong() {
	rule r 'watch = /f'
	start_daemon
	wp doctor
	ok "where nothing is wrong doctor says so" [ "$(cat "$dir/out")" = 'nothing is wrong' ]
	ok "and its status is 0" [ $status -eq 0 ]
	wp doctor --json
	ok "as JSON, too" [ "$(cat "$dir/out")" = '{"findings":[]}' ]
}

rule_files() {
	rule r 'watch = /f'
	start_daemon
	rule bad 'watch = f'
	wp doctor
	finds 'bad.ini:2: `watch`: `f` is not an absolute path' \
	    'the file is refused as a whole' 'watchpathd check'
	rm "$conf/bad.ini"
	rule loose 'watch = /f'
	chmod 666 "$conf/loose.ini"
	wp doctor
	finds 'loose.ini: writable by' 'the file is refused as a whole' 'watchpathd check'
	rm "$conf/loose.ini"
	mkdir -m 1777 "$box/open"
	rule open 'watch = /open/f'
	wp doctor
	finds 'open.ini:2: ' 'the rule is in force, and may not do what is wanted' -
	ok "it is a watched path where everybody may write" \
	    grep -qF '`/open/f`: everyone may write to /open/' "$dir/finding"
}

no_rule_files() {
	rule r 'watch = /f'
	start_daemon
	rm -r "$conf"
	wp doctor
	finds "$conf cannot be read" 'no rule is in force until it can' \
	    "sudo install -d -m 0755 '$conf'"
	mends "$conf cannot be read"
}

programs() {
	rule r 'watch = /f' 'action = /no/such/program'
	rule v 'watch = /f' 'verify = /plain'
	: >"$box/plain"
	start_daemon
	wp doctor
	finds 'r: no action can run: ' 'the rule stays blocked until one can' "ls -l"
	finds 'v: verify cannot run: ' 'every run of the rule fails' "ls -l"
	ok "with the reason" grep -q 'not executable (mode 0644)' "$dir/out"
	wp doctor --json
	ok "--json has both" [ "$(perl -MJSON::PP -e '
	    $f = decode_json(join "", <STDIN>)->{findings};
	    print scalar grep { $_->{what} && $_->{why} && $_->{mend} } @$f' <"$dir/out")" -eq 2 ]
}

a_path_that_cannot_be_opened() {
	rule r 'watch = /[l]oop/f'
	ln -s loop "$box/loop"
	start_daemon
	wp doctor
	finds "r: $box/loop/f: Too many levels of symbolic links" \
	    'changes of the path cannot be noticed' "ls -l"
}

# A file system whose server never answers, as after the loss of a network: to
# touch it would be to wait for ever.
network_volume() {
	mkdir "$box/remote"
	rule r 'watch = /remote/f'
	start_daemon
	cat >"$dir/mount" <<-'END'
	use Fcntl;
	$^F = 99;
	sysopen(my $f, "/dev/fuse", O_RDWR) or exit 99;
	my ($dir, @command) = @ARGV;
	system("mount", "-i", "-t", "fuse.test", "-o", "fd=" . fileno($f) .
	    ",rootmode=40000,user_id=0,group_id=0", "none", $dir) == 0 or exit 99;
	system(@command);
	my $status = $? >> 8;
	system("umount", "-l", $dir);
	exit $status;
	END
	unshare -m perl "$dir/mount" "$box/remote" \
	    "$WATCHPATHD" doctor --root "$box" >"$dir/out" 2>"$dir/err"
	status=$?
	if [ $status -eq 99 ] || [ "$(id -u)" -ne 0 ]; then
		skip 'a network volume' 'nothing can be mounted here'
		return
	fi
	finds "r: $box/remote/f is on the network volume $box/remote" \
	    'network volumes are not watched' -
}

descriptors() {
	i=100
	{
		echo '[r]'
		while [ $i -lt 400 ]; do
			echo "watch = /$i"
			i=$((i + 1))
		done
		echo 'action = /act'
	} >"$conf/r.ini"
	start_daemon
	(
		ulimit -n 300
		wp doctor
		echo $status >"$dir/status"
	)
	status=$(cat "$dir/status")
	finds 'the rules may need 730 descriptors, and a process may open 300' \
	    'paths that no descriptor is left for' 'ulimit -Hn unlimited'
}

the_state_directory() {
	state=$box/var/lib/watchpathd
	rule r 'watch = /f'
	start_daemon --state "$dir/state"
	mkdir -p "${state%/*}"
	: >"$state"
	wp doctor
	finds "$state is no directory" 'what rules owe and wait for does not survive' "sudo rm '$state'"
	mends "$state is no directory"
	mkdir -m 755 "$state"
	wp doctor
	finds "$state can be entered by others (mode 0755)" \
	    "it is the daemon's own" "sudo chmod 0700 '$state'"
	mends "$state can be entered by others"
}

the_daemon() {
	rule r 'watch = /f'
	wp doctor
	finds 'the daemon is not running' 'no rule does anything' 'sudo '
	answer '{"version":"0.0.9","rules":[]}
'
	wp doctor --socket "$dir/socket"
	finds 'the daemon is version 0.0.9, and this is ' \
	    'what is installed takes effect when the daemon is started anew' 'sudo '
	answer ''
	wp doctor --socket "$dir/socket"
	finds "$dir/socket: the daemon gave no answer" 'nothing can be said of the daemon' -
	answer '{"version":"0.'
	wp doctor --socket "$dir/socket"
	finds "the daemon's answer was cut off" 'nothing can be said of the daemon' -
}

what_the_daemon_says() {
	: >"$dir/file"
	rule r 'watch = /f'
	start_daemon --log "$dir/file/log" --socket "$dir/socket"
	wp doctor --socket "$dir/socket"
	finds 'the daemon says: cannot log to a file: ' 'it tries again by itself' -
}

another_job() {
	mkdir -p "$box/Library/LaunchDaemons"
	rule r 'watch = /private//[k]ey'
	start_daemon
	job=$box/Library/LaunchDaemons/com.example.key.plist
	cat >"$job" <<-'END'
	<?xml version="1.0" encoding="UTF-8"?>
	<plist version="1.0"><dict><key>Label</key><string>com.example.key</string>
	<key>WatchPaths</key><array><string>/other</string><string>/private/key</string></array>
	</dict></plist>
	END
	echo 'no plist' >"$box/Library/LaunchDaemons/other.plist"
	echo '<plist version="1.0"><array><true/></array></plist>' \
	    >"$box/Library/LaunchDaemons/array.plist"
	wp doctor
	finds "r: $job watches /private/key too" 'both act on every change' \
	    "sudo launchctl bootout system '$job'"
	ok "and nothing else" grep -q '^1 finding$' "$dir/out"
}

run_tests nothing_wrong rule_files no_rule_files programs a_path_that_cannot_be_opened \
    network_volume descriptors the_state_directory the_daemon what_the_daemon_says \
    another_job
