#!/bin/sh
# SPDX-License-Identifier: MIT
#
# doctor: what it learns from the daemon, whose word counts, and what it does
# where there is no answer.
. "$(dirname "$0")/doctor.sh"

a_daemon_that_does_not_run() {
	rule r 'watch = /f' 'watch = /loop/f' 'watch = /d/*'
	ln -s loop "$box/loop"
	doctor
	finds 'the daemon is not running (STATE/watchpathd.sock: ' \
	    'no rule does anything' 'sudo watchpathd run --root '
	ok "it is started with the options of doctor" \
	    grep -q "run --root '$box'\$" "$dir/finding"
	finds 'r: /loop/f: Too many levels of symbolic links' \
	    'this command cannot open it; the daemon, which is judged by itself, does not answer' \
	    'by hand: let its links lead somewhere, or name another path in CONF/r.ini:3'
	finds_only 2
	mkdir "$dir/conf" "$dir/state"
	doctor --config "$dir/conf" --state "$dir/state" --socket "$dir/s"
	ok "with all of them" prints "run --root '$box' --config '$dir/conf' --state '$dir/state' --socket '$dir/s'\$"
}

a_daemon_that_is_another_one() {
	rule r 'watch = /f'
	answer '{"version":"0.0.9","rules":[]}
'
	doctor --socket "$dir/socket"
	finds 'the daemon is version 0.0.9, and this is ' \
	    'what is installed takes effect when the daemon is started again' \
	    'by hand: end it, and start it again as it was started'
	answer '{"rules":[]}
'
	doctor --socket "$dir/socket"
	finds 'the daemon is version unknown, and this is ' 'what is installed' 'by hand: '
	answer ''
	doctor --socket "$dir/socket"
	finds "$dir/socket: the daemon gave no answer" \
	    'whether it does its work is not known, and what follows is how things look to this command' \
	    'by hand: end it, '
	answer '{"version":"0.'
	doctor --socket "$dir/socket"
	finds "the daemon's answer was cut off" 'whether it does its work is not known' 'by hand: '
	doctor --socket "$dir/$(printf %0200d 0)"
	finds "$dir/0" 'whether it does its work is not known' 'by hand: '
}

# A daemon that hangs must not make doctor hang.
a_daemon_that_is_stopped() {
	rule r 'watch = /f'
	start_daemon
	kill -STOP "$daemon"
	doctor
	kill -CONT "$daemon"
	finds 'STATE/watchpathd.sock: the daemon does not answer' \
	    'whether it does its work is not known' 'by hand: '
	finds_only 1
}

# The rule files of the daemon are looked at, wherever they are.
where_the_daemon_has_its_files() {
	mkdir "$dir/conf" "$dir/other"
	printf '[r]\nwatch = f\n' >"$dir/conf/r.ini"
	start_daemon --config "$dir/conf"
	doctor
	finds "$dir/conf/r.ini:2: " 'the file is refused' "by hand: correct line 2 of $dir/conf/r.ini"
	rm "$dir/conf/r.ini"
	until_true 10 is_repaired r.ini
	finds_nothing "and nothing is wrong with them"
	doctor --config "$dir/other"
	finds "the daemon reads its rule files from $dir/conf, not from $dir/other" \
	    'rule files that are looked at here are not in force' \
	    "sudo watchpathd doctor --root '$box' --config '$dir/conf'"
	ln -s "$dir/conf" "$dir/link"
	doctor --config "$dir/link"
	finds_nothing "another name of the directory is no other one"
}

# The same with the root, which a daemon in a sandbox names.
where_the_daemon_has_its_root() {
	rule r 'watch = /f' 'action = /no'
	answer "{\"version\":\"$("$WATCHPATHD" version | sed -n 's/^watchpathd //p')\",\"rules\":[],
	    \"root\":\"$box\",\"config\":\"$conf\"}
"
	"$WATCHPATHD" doctor --socket "$dir/socket" >"$dir/out" 2>"$dir/err"
	status=$?
	finds 'r: /no: not installed yet' 'no action can run' \
	    'by hand: install it, or name another program in CONF/r.ini:3'
}

failures() {
	cat >"$box/fails" <<-'END'
	#!/bin/sh
	exit 3
	END
	cp "$box/fails" "$box/verify"
	chmod 755 "$box/fails" "$box/verify"
	rule failed 'watch = /f' 'action = /fails' 'retry = 0'
	rule retrying 'watch = /f' 'action = /fails' 'retry = forever'
	rule manual 'watch = /g' 'action = /fails'
	rule verify 'watch = /f' 'verify = /verify' 'retry = forever'
	rule nobody 'watch = /f' 'user = no-such-user' 'retry = 0'
	rule slow 'watch = /f' 'timeout = 1' 'retry = 0' 'action = /slow'
	printf '#!/bin/sh\nexec sleep 100\n' >"$box/slow"
	chmod 755 "$box/slow"
	start_daemon
	put "$box/f" 1
	"$WATCHPATHD" trigger --root "$box" --wait manual >"$dir/out" 2>"$dir/err"
	for r in failed slow nobody; do
		wait_state $r failed
	done
	wait_state retrying retrying
	wait_state verify retrying
	doctor
	again="to run it again: sudo watchpathd trigger --wait --root '$box'"
	finds 'failed, manual and retrying: /fails has failed: exit 3' \
	    'no retry is left: only the next change or `trigger` runs it again; the next run may fail as well; it is tried again, and fails again until that is repaired' \
	    "by hand: see in the log what it printed, and repair that; $again failed"
	finds 'verify: verify after /act has failed: exit 3' 'it is tried again' \
	    "by hand: see in the log what it printed, and repair that; $again verify"
	finds 'slow: /slow has failed: took longer than its timeout' 'no retry is left' \
	    "by hand: let it wait for less, or take a longer \`timeout\`; $again slow"
	finds 'nobody: user no-such-user: no such user' 'every run of the rule fails' 'by hand: '
	finds_only 4
	on_run failed 'exit 0'
	cp "$box/act" "$box/fails"
	doctor
	has_finding 'failed, manual'
	sed -n 's/.*to run it again: //p' "$dir/finding" | sed 's/sudo //' >"$dir/again"
	mkdir "$dir/bin"
	ln -s "$WATCHPATHD" "$dir/bin/watchpathd"
	PATH=$dir/bin:$PATH
	ok "it is run again as it is said" sh -ec ". '$dir/again' >'$dir/out'"
	ok "and has failed no longer" until_true 10 is_repaired 'failed, manual'
}

# What an alert is there to say, and could not.
an_alert_that_is_not_delivered() {
	rule r 'watch = /f' 'alert = /act'
	rule s 'watch = /f' 'alert = /act'
	says_of_rules '{"name":"r","file":"r.ini","state":"retrying","problem":null,
	    "alert":{"told":false,"error":"exit status 3"}},
	    {"name":"s","file":"s.ini","state":"idle","problem":null,
	    "alert":{"told":true,"error":"took longer than its timeout"}},
	    {"name":"t","file":"t.ini","state":"idle","problem":null,
	    "alert":{"told":true,"error":null}}'
	finds 'r: its alert could not be delivered: exit status 3' \
	    'nobody knows that the rule fails' \
	    'by hand: see in the log what it printed, and repair that: it is run again'
	finds 's: its alert could not be delivered: took longer than its timeout' \
	    'nobody knows that the rule works again' 'by hand: '
	finds_only 2
}

# What a rule is blocked by, where its file or the program is another one by now.
what_blocks_in_the_daemon_alone() {
	rule r 'watch = /f'
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"blocked\",
	    \"problem\":\"$box/act: not installed yet\"},
	    {\"name\":\"s\",\"file\":\"s.ini\",\"state\":\"blocked\",
	    \"problem\":\"$box/x: an ACL grants writing (see ls -le)\"}"
	finds 'r: /act: not installed yet' 'no action can run: the rule is blocked until one can' \
	    'by hand: install it, or name another program in CONF/r.ini:1'
	finds 's: /x: an ACL grants writing' 'no action can run: the rule is blocked until one can' \
	    'by hand: put that right, or name another program in its rule file'
	: >"$box/x"
	says_of_rules "{\"name\":\"s\",\"file\":\"s.ini\",\"state\":\"blocked\",
	    \"problem\":\"$box/x: an ACL grants writing (see ls -le)\"}"
	finds 's: /x: an ACL grants writing' 'no action can run' "sudo chmod -N '$box/x'"
}

# The daemon is judged by itself: neither what this process may see counts, nor
# what it may not.
paths_are_as_the_daemon_sees_them() {
	rule r "watch = /f" 'watch = /g' 'watch = /d/*'
	rule s 'watch = /f'
	: >"$box/f"
	path="{\"path\":\"$box/f\",\"state\":\"error\",\"error\":\"needs Full Disk Access\"}"
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"idle\",
	    \"problem\":\"$box/f: needs Full Disk Access\",\"paths\":[$path,
	    {\"path\":\"$box/g\",\"state\":\"error\",\"error\":\"needs Full Disk Access\"}]},
	    {\"name\":\"s\",\"file\":\"s.ini\",\"state\":\"idle\",
	    \"problem\":\"$box/f: needs Full Disk Access\",\"paths\":[$path]}"
	finds 'r and s: /f and /g: needs Full Disk Access' \
	    'privacy protection hides it from the daemon, whatever a Terminal may see' \
	    'by hand: allow Full Disk Access to '
	finds_only 1
	says_of_path "$box/g" 'out of file descriptors'
	finds 'r: /g: out of file descriptors' \
	    'what has none is only looked at every `recheck`: changes are noticed late' \
	    'by hand: watch fewer paths, or raise '
	finds_only 1
	says_of_path "$box/g" 'not downloaded (iCloud)'
	finds 'r: /g: not downloaded (iCloud)' 'the daemon downloads nothing, ' \
	    'by hand: have the Finder keep it downloaded, or watch something else: name another path'
	says_of_path "$box/g" 'not watched: belongs to watchpathd itself'
	finds 'r: /g: not watched: belongs to watchpathd itself' \
	    'what the daemon writes itself is never a change' \
	    'by hand: watch something else: name another path in CONF/r.ini:3'
	says_of_path "$box/g" 'Permission denied'
	finds 'r: /g: Permission denied' 'changes of it cannot be noticed' \
	    'by hand: let the daemon get at it, or name another path in CONF/r.ini:3'
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"idle\",\"paths\":[],
	    \"problem\":\"$box/d/*: 9 matches more than 1024: they are only looked at every \`recheck\`\"}"
	finds 'r: /d/*: 9 matches more than 1024: ' 'changes there are not noticed, or late' \
	    'by hand: let it match less: name another path in CONF/r.ini:4'
	says_of_rules "{\"name\":\"gone\",\"file\":\"r.ini\",\"state\":\"idle\",\"paths\":[],
	    \"problem\":\"$box/e/*: Permission denied\"}"
	finds 'gone: /e/*: Permission denied' 'changes there are not noticed, or late' \
	    'by hand: let the daemon get at it, or watch something else'
	rm "$box/f"
	ln -s f "$box/f"
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"idle\",\"problem\":null,
	    \"paths\":[{\"path\":\"$box/f\",\"state\":\"present\",\"error\":null}]}"
	finds_nothing "what the daemon can open is no finding, whatever doctor can"
}

a_path_that_cannot_be_opened() {
	rule r 'watch = /loop/f'
	ln -s loop "$box/loop"
	start_daemon
	doctor
	finds 'r: /loop/f: Too many levels of symbolic links' \
	    'changes of it cannot be noticed' 'by hand: let its links lead somewhere, '
	finds_only 1
}

# Real descriptors, of which the daemon has fewer than the paths need.
descriptors() {
	mkdir "$box/d" "$box/e"
	rule p 'watch = /d/*'
	rule r 'watch = /e/99'
	i=100
	while [ $i -lt 300 ]; do
		: >"$box/d/$i"
		: >"$box/e/$i"
		echo "	/e/$i"
		i=$((i + 1))
	done >"$dir/paths"
	sed "/^watch/r $dir/paths" "$conf/r.ini" >"$dir/r.ini"
	mv "$dir/r.ini" "$conf/r.ini"
	rule fence 'watch = /fence'
	(ulimit -n 200 && exec "$WATCHPATHD" run --root "$box") >>"$log" 2>&1 &
	daemon=$!
	wait_ready
	doctor
	ok "paths without a descriptor are one finding" \
	    prints '^r: /e/.* and [0-9]* more: out of file descriptors$'
	ok "matches of a pattern that it has none for are another" \
	    prints '^p: /d/\*: [0-9]* matches more than there are descriptors for: '
	finds_only 2
}

# A file system whose server never answers, as after the loss of a network: to
# touch it would be to wait for ever.
network_volume() {
	mkdir "$box/remote"
	rule r 'watch = /remote/f' 'directory = /remote/d'
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
	finds 'r: /remote/f: not watched: network volume' \
	    'network volumes are not watched: a dead server would stop every rule' \
	    'by hand: watch something on a local volume: name another path in CONF/r.ini:2'
	finds_only 2
}

a_rule_that_triggers_itself() {
	rule r 'watch = /f'
	problem='seems to trigger itself: /f changes in every run, see while-running'
	says_of_rules "{\"name\":\"r\",\"file\":\"r.ini\",\"state\":\"idle\",\"problem\":\"$problem\"}"
	finds "r: $problem" 'it is run at ever longer intervals, and changes wait for that' \
	    'by hand: write `while-running = ignore` below CONF/r.ini:1, or do not watch what the action writes'
	says_of_rules "{\"name\":\"s\",\"file\":\"s.ini\",\"state\":\"idle\",\"problem\":\"$problem\"}"
	finds "s: $problem" 'it is run' 'by hand: write `while-running = ignore` below its rule file'
}

what_the_daemon_has_refused() {
	rule r 'watch = /f'
	says_of_rules '' ',"refused":[{"file":"r.ini","line":0,"message":"writable by group (mode 0664)"}]'
	finds 'CONF/r.ini: the daemon has refused this: writable by group (mode 0664)' \
	    'it looks good to this command, but the daemon has not read it again' \
	    "sudo watchpathd reload --root '$box' --socket '$dir/socket'"
	says_of_rules '' ",\"refused\":[{\"file\":\"$conf\",\"line\":0,\"message\":\"No such file\"}],
	    \"warnings\":[\"the rule files cannot be read: waiting for that\"]"
	finds 'CONF: the daemon has refused this: No such file' \
	    'it looks good' 'sudo watchpathd reload'
	finds_only 1
}

what_the_daemon_warns_of() {
	: >"$dir/file"
	mkdir -m 777 "$dir/open"
	rule r 'watch = /f'
	start_daemon --log "$dir/open/log" --socket "$dir/socket"
	doctor --socket "$dir/socket"
	finds "the daemon says: cannot log to a file: $dir/open: writable by" \
	    'it goes on without that, and tries again every 10 seconds' "sudo chmod go-w '$dir/open'"
	finds_only 1
	stop_daemon
	: >"$log"
	start_daemon --log "$dir/file/log" --socket "$dir/socket"
	doctor --socket "$dir/socket"
	finds "the daemon says: cannot log to a file: $dir/file: not a directory" 'it goes on' \
	    'by hand: put that right, or start the daemon with another place for it'
	stop_daemon
	: >"$log"
	says_of_rules '' ',"warnings":["the state cannot be saved: write /s/new: No space left on device",
	    "the history cannot be written: /s/h: No space left on device",
	    "r.ini:2: what is said of a rule file"]'
	finds 'STATE: the daemon cannot write there: No space left on device' \
	    'it goes on without that' 'by hand: make room on that volume, and let it be written'
	finds_only 1
	says_of_rules '' ',"warnings":["the state cannot be saved: open /s: Permission denied"]'
	finds 'the daemon says: the state cannot be saved: open /s: Permission denied' \
	    'it goes on without that' 'by hand: put that right, '
}

# Who may not ask the daemon, and not see its files, does not hear that they are bad.
another_user() {
	if ! can_be_another; then
		skip "doctor as another user" "needs root and setpriv"
		return
	fi
	rule r 'watch = /closed/f'
	rule s 'watch = /f'
	mkdir -m 700 "$box/closed"
	chmod 600 "$conf/s.ini"
	start_daemon
	$another "$WATCHPATHD" doctor --root "$box" >"$dir/out" 2>"$dir/err"
	status=$?
	finds 'this user may not see everything, nor ask the daemon' \
	    'what follows may not be all' "sudo watchpathd doctor --root '$box'"
	finds_only 1
}

# A daemon of somebody without rights trusts what is theirs, and so does doctor,
# whoever asks; nobody needs sudo then.
the_daemon_of_another_user() {
	if ! can_be_another; then
		skip "the daemon of another user" "needs root and setpriv"
		return
	fi
	rule r 'watch = /closed/f'
	rule fence 'watch = /fence'
	mkdir -m 700 "$box/closed"
	mkdir "$box/var"
	chown -R 65534 "$conf" "$box/act" "$box/var"
	$another "$WATCHPATHD" run --root "$box" >>"$log" 2>&1 &
	daemon=$!
	wait_ready
	doctor
	finds 'r: /closed/f: Permission denied' 'changes of it cannot be noticed' \
	    'by hand: let the daemon get at it, '
	finds_only 1
	chown 0 "$box/closed" "$box/act"
	chmod 757 "$box/act"
	doctor
	finds 'fence and r: /act: writable by others (mode 0757)' 'no action can run' "chmod go-w '$box/act'"
	chown 1234 "$box/act"
	doctor
	finds 'fence and r: /act: owned by uid 1234, not by root or uid 65534' 'no action can run' \
	    "sudo chown 65534 '$box/act' && chmod go-w '$box/act'"
	chown 1234 "$box$state_dir"
	doctor
	finds 'STATE: owned by uid 1234, not by root' 'that user can change' \
	    "sudo mv '$box$state_dir' '$box$state_dir.old' && sudo install"
	finds 'STATE/watchpathd.sock: a process of uid 65534 listens there, not of root' \
	    'whether it does its work is not known' 'by hand: end it'
	chown 65534 "$box$state_dir"
}

run_tests a_daemon_that_does_not_run a_daemon_that_is_another_one a_daemon_that_is_stopped \
    where_the_daemon_has_its_files where_the_daemon_has_its_root failures \
    an_alert_that_is_not_delivered what_blocks_in_the_daemon_alone paths_are_as_the_daemon_sees_them \
    a_path_that_cannot_be_opened descriptors network_volume a_rule_that_triggers_itself \
    what_the_daemon_has_refused what_the_daemon_warns_of another_user \
    the_daemon_of_another_user
