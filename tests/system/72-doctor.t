#!/bin/sh
# SPDX-License-Identifier: MIT
#
# doctor: what it finds in files, with the reason and what repairs it. Where that
# is a command it is done here, and the finding is gone.
. "$(dirname "$0")/doctor.sh"

nothing_wrong() {
	rule r 'watch = /f'
	start_daemon
	doctor
	finds_nothing "where nothing is wrong doctor says so"
	doctor --json
	ok "as JSON, too" prints '{"findings":\[\],"notes":\['
}

# What the manual advises, with stand-ins for all that its examples name.
the_manual_is_followed() {
	awk '/^\.Sh/ { on = /EXAMPLES/ } /^\.Ed/ { in_rule = 0 }
	in_rule { gsub(/\\e/, "\\"); print } on && /^\.Bd/ { in_rule = 1 }' \
	    "$top/man/watchpathd.rules.5" | sed "s|/sh /Library|/sh $dir/Library|" \
	    >"$conf/manual.ini"
	cp "$top"/conf.d/*.ini "$conf/"
	ok "the manual has examples" grep -q '^while-running = ignore' "$conf/manual.ini"
	mkdir -p "$dir/Library/Example" "$box/bin"
	cp "$box/act" "$dir/Library/Example/restore-network-files.sh"
	sed -n 's/^action *= *\([^ ]*\).*/\1/p' "$conf"/*.ini | sort -u |
	    while read -r program; do
		mkdir -p "$box${program%/*}"
		cp "$box/act" "$box$program"
	done
	start_daemon
	doctor
	finds_nothing "a rule as the manual has it is no finding"
}

a_rule_file_with_an_error() {
	rule r 'watch = /f'
	start_daemon
	rule bad 'watch = f'
	rule r 'watch = f'
	doctor
	finds 'CONF/bad.ini:2: `watch`: `f` is not an absolute path' \
	    'the file is refused as a whole: none of its rules is in force' \
	    'by hand: correct line 2 of CONF/bad.ini: it is read again by itself'
	finds 'CONF/r.ini:2: ' \
	    'the file is refused as a whole: the version before it is in force' 'by hand: '
	finds_only 2
	ok "paths are shown without the root" not prints "$box"
	rm "$conf"/*.ini
	until_true 10 is_repaired bad.ini
	stop_daemon
	rule bad 'watch = f'
	doctor
	finds 'bad.ini:2: ' 'the file is refused as a whole' 'by hand: '
	ok "without a daemon nothing is said of what is in force" \
	    not grep -q 'in force' "$dir/finding"
}

a_rule_file_that_is_not_trusted() {
	rule r 'watch = /f'
	start_daemon
	rule loose 'watch = /f'
	chmod 666 "$conf/loose.ini"
	doctor
	finds 'CONF/loose.ini: writable by group and others (mode 0666)' \
	    'the file is refused as a whole: none of its rules is in force; others could change it so far: look at it first' \
	    "sudo chmod go-w '$conf/loose.ini'"
	repairs loose.ini
	ln "$conf/loose.ini" "$box/second"
	doctor
	finds 'loose.ini: has 2 links, not one' 'the file is in force as it is' \
	    "sudo cp '$conf/loose.ini' '$conf/loose.ini.new' && sudo mv '$conf/loose.ini.new' '$conf/loose.ini'"
	repairs loose.ini
	ok "and the file is there" [ -f "$conf/loose.ini" ]
	mv "$conf/loose.ini" "$box/second"
	ln -s "$box/second" "$conf/loose.ini"
	doctor
	finds 'loose.ini: a symbolic link' 'the file is refused' "sudo cp "
	repairs loose.ini
	mkdir "$conf/it's a directory.ini"
	doctor
	finds "it's a directory.ini: not a regular file" 'the file is refused' \
	    "sudo mv '$conf/it'\\''s a directory.ini' '$conf/it'\\''s a directory.ini.off'"
	repairs 'directory.ini'
	head -c 1100000 /dev/zero >"$conf/large.ini"
	doctor
	finds 'large.ini: larger than 1 MiB' 'the file is refused' \
	    'by hand: put that right, or take the file out of the directory'
	rm "$conf/large.ini"
	if [ "$(id -u)" -ne 0 ]; then
		skip 'a rule file of somebody else' 'only root can make one'
		return
	fi
	chown 1234 "$conf/loose.ini"
	chmod 664 "$conf/loose.ini"
	doctor
	finds 'loose.ini: owned by uid 1234, not by root' 'the file is refused' \
	    "sudo chown root '$conf/loose.ini' && sudo chmod go-w '$conf/loose.ini'"
	repairs loose.ini
}

the_directory_of_rule_files() {
	rule r 'watch = /f'
	start_daemon
	mv "$conf" "$box/kept"
	doctor
	finds 'CONF: No such file or directory' \
	    'rule files cannot be read: only rules that were in force before are' \
	    "sudo install -d -m 0755 '$conf'"
	finds_only 1
	repairs conf.d
	rmdir "$conf"
	: >"$conf"
	doctor
	finds 'CONF: ' 'rule files cannot be read' \
	    "sudo mv '$conf' '$conf.old' && sudo install -d -m 0755 '$conf'"
	repairs conf.d
	above=${conf_d%/watchpathd/*}
	chmod 775 "$box$above"
	doctor
	finds "$above: writable by group (mode 0775)" 'rule files cannot be read' \
	    "sudo chmod go-w '$box$above'"
	repairs "$above:"
	chmod 1777 "$conf"
	doctor
	finds 'CONF: writable by group and others (mode 1777)' \
	    'rule files cannot be read' \
	    'by hand: others need that directory as it is: move what lies in it to one that only root may write, and give the daemon another one with --config'
}

what_is_only_to_be_noted() {
	rule r 'watch = /f\x' 'while-running = ignore'
	start_daemon
	doctor
	finds 'CONF/r.ini:2: ' \
	    'the file is in force, and may not say what is meant' \
	    'by hand: write it in another way in CONF/r.ini:2'
	finds_only 1
	rule r 'watch = /open/f' 'watch = /open/g'
	mkdir -m 777 "$box/open"
	until_true 10 is_repaired r.ini
	finds 'r: /open/f and /open/g: everyone may write to /open/' \
	    'anybody can make the rule run, whenever they want' \
	    "sudo chmod o-w '$box/open'"
	chmod 1777 "$box/open"
	doctor
	finds 'r: /open/f and /open/g: everyone may write to /open/' 'anybody' \
	    'by hand: see that the action does no harm however often it runs, or name another path in CONF/r.ini:2'
	chmod 777 "$box/open"
	doctor
	has_finding 'everyone may write'
	repairs 'everyone may write'
}

a_file_that_is_not_read() {
	rule r 'watch = /f'
	: >"$conf/s.conf"
	start_daemon
	doctor
	finds 'CONF/s.conf: not read: the name of a rule file ends in .ini' \
	    'no rule in it is in force' \
	    'by hand: rename it if it is a rule file, or move it elsewhere'
	finds_only 1
}

a_program_that_is_missing() {
	rule one 'watch = /f' 'action = /no/program'
	rule several 'watch = /f' 'action = /no/a' 'action = /no/b'
	rule there 'watch = /f' 'action = /no/a' 'action = /act'
	rule verify 'watch = /f' 'verify = /no/program'
	rule quotes 'watch = /f' 'action = "/act now"'
	rule alert 'watch = /f' 'alert = /no/alert'
	start_daemon
	doctor
	finds 'one and verify: /no/program: not installed yet: there is no /no' \
	    'no action can run: the rule is blocked as soon as it should run; verify cannot run: every run of the rule fails' \
	    'by hand: install it, or name another program in CONF/one.ini:3'
	finds 'alert: /no/alert: not installed yet' \
	    'the alert cannot run: nobody is alerted when the rule fails' \
	    'by hand: install it, or name another program in CONF/alert.ini:3'
	finds 'several: none of these is installed: /no/a, /no/b' 'no action can run' \
	    'by hand: install one of them, or name another program in CONF/several.ini:3'
	finds 'quotes: /act now: not installed yet: the quotes make this one word' \
	    'no action can run' 'by hand: take away the quotes, or name another program in '
	finds_only 4
	put "$box/f" 1
	for r in one several quotes; do
		wait_state $r blocked
	done
	doctor
	finds 'one and verify: ' 'no action can run: the rule is blocked until one can' 'by hand: '
	finds 'several: ' 'no action can run: the rule is blocked until one can' 'by hand: '
	ok "what blocks a rule is said once" \
	    [ "$(grep -c '^[^ ].*\(not installed\|none of these\)' "$dir/out")" -eq 4 ]
}

a_program_that_may_not_run() {
	mkdir "$box/bin"
	cp "$box/act" "$box/bin/it's"
	chmod 666 "$box/bin/it's"
	i=1
	while [ $i -le 8 ]; do
		rule r$i 'watch = /f' "action = \"/bin/it's\""
		i=$((i + 1))
	done
	start_daemon
	doctor
	what="r1, r2, r3, r4, r5 and 3 more: /bin/it's: writable by group and others (mode 0666)"
	finds "$what" \
	    'no action can run: the rule is blocked as soon as it should run; others could change it so far: look at it first' \
	    "sudo chmod go-w '$box/bin/it'\\''s'"
	finds_only 1
	repairs "$what"
	finds "/bin/it's: not executable (mode 0644)" 'no action can run' \
	    "sudo chmod a+x '$box/bin/it'\\''s'"
	repairs 'not executable'
	printf '#!/bin/sh\r\nexit 0\r\n' >"$box/bin/it's"
	doctor
	finds "/bin/it's: its #! line ends in a carriage return" 'no action can run' \
	    "sudo perl -pi -e 's/\\r\$//' '$box/bin/it'\\''s'"
	repairs 'carriage return'
	ok "then nothing is left of it" grep -q '^nothing is wrong$' "$dir/out"
	echo 'exit 0' >"$box/bin/it's"
	doctor
	finds "/bin/it's: neither a program for this machine nor a script" 'no action can run' \
	    'by hand: if it is a script, give it a first line such as #!/bin/sh, or name another'
	rule only 'watch = /f' "action = \"/bin/it's\"" 'action = /act'
	doctor
	finds 'r1, r2, ' 'another action of the rule runs in its place; no action can run' 'by hand: '
	rm "$conf"/*.ini
	chmod 1777 "$box/bin"
	rule r 'watch = /f' 'action = /bin/a'
	cp "$box/act" "$box/bin/a"
	doctor
	finds 'r: /bin: writable by group and others (mode 1777)' 'no action can run' \
	    'by hand: others need that directory as it is: move what lies in it to one that only root may write, and name another program in CONF/r.ini:3'
	if [ "$(id -u)" -ne 0 ]; then
		skip 'a program of somebody else' 'only root can make one'
		return
	fi
	chmod 755 "$box/bin"
	chown 1234 "$box/bin"
	doctor
	finds 'r: /bin: owned by uid 1234, not by root' 'no action can run' "sudo chown root '$box/bin'"
	repairs 'owned by'
}

# Directories that others have made theirs are left to them. Homebrew for Intel
# has /usr/local/bin, and here it is a mount point.
a_directory_of_others() {
	rule r 'watch = /f' "action = /bin/sh /usr/local/s.sh"
	mkdir "$box/bin" "$dir/local"
	printf '#!/bin/sh\nexec /bin/sh "$@"\n' >"$box/bin/sh"
	chmod 755 "$box/bin/sh"
	start_daemon
	unshare -m true 2>/dev/null || {
		skip 'a directory of others' 'nothing can be mounted here'
		return
	}
	cp "$box/act" "$dir/local/s.sh"
	chown 1234 "$dir/local"
	unshare -m sh -c 'mount --bind "$1" /usr/local && shift && exec "$@"' sh "$dir/local" \
	    "$WATCHPATHD" doctor --root "$box" >"$dir/out" 2>"$dir/err"
	status=$?
	finds 'r: /usr/local: owned by uid 1234, not by root' 'no action can run' \
	    'by hand: others need that directory as it is'
}

accounts() {
	rule r 'watch = /f' 'user = no-such-user' 'group = no-such-group' 'directory = /no/dir'
	rule s 'watch = /f' 'user = no-such-user'
	rule t 'watch = /f' 'directory = /act' 'user = 3999999999'
	rule u 'watch = /f' 'user = root' 'group = 12345' 'directory = /'
	rule v 'watch = /f' 'user = console'
	start_daemon
	doctor
	why='every run of the rule fails'
	finds 'r and s: user no-such-user: no such user' "$why" \
	    'by hand: make the user, or name another user in CONF/r.ini:3'
	finds 'r: group no-such-group: no such group' "$why" \
	    'by hand: make the group, or name another group in CONF/r.ini:4'
	finds 't: user 3999999999: no such user' "$why" 'by hand: make the user'
	finds 't: directory /act: Not a directory' "$why" \
	    'by hand: make the directory, or name another directory in '
	finds 'r: directory /no/dir: No such file or directory' "$why" "sudo install -d -m 0755 '$box/no/dir'"
	finds_only 5
	has_finding 'r: directory /no/dir'
	repairs 'directory /no/dir'
}

a_disabled_rule() {
	rule r 'watch = /loop' 'action = /no' 'user = no-such-user' 'enabled = no'
	ln -s loop "$box/loop"
	start_daemon
	doctor
	finds_nothing "what a disabled rule names is no finding"
	stop_daemon
	doctor
	finds_only 1
}

the_state_directory() {
	state=$box$state_dir
	rule r 'watch = /f'
	start_daemon --state "$dir/state" --socket "$dir/socket"
	doctor --socket "$dir/socket"
	finds_nothing "a state directory that nobody has made is none"
	mkdir -p "${state%/*}"
	: >"$state"
	doctor --socket "$dir/socket"
	finds 'STATE: not a directory' \
	    'what rules owe and wait for does not survive a restart' \
	    "sudo mv '$state' '$state.old' && sudo install -d -m 0700 '$state'"
	repairs 'STATE'
	rmdir "$state"
	ln -s "$dir/elsewhere" "$state"
	doctor --socket "$dir/socket"
	finds 'STATE: a symbolic link, not a directory' 'what rules owe' "sudo mv '$state' "
	repairs 'STATE'
	chmod 777 "$state"
	doctor --socket "$dir/socket"
	finds 'STATE: mode 0777, not 0700' \
	    "it is the daemon's own, and its socket obeys who can reach it" \
	    "sudo chmod 0700 '$state'"
	repairs 'STATE'
	chmod 500 "$state"
	doctor --socket "$dir/socket"
	finds 'STATE: mode 0500, not 0700' \
	    'what rules owe and wait for does not survive' "sudo chmod 0700 '$state'"
	repairs 'STATE'
	chmod 775 "$box/var"
	doctor --socket "$dir/socket"
	finds '/var: writable by group (mode 0775)' \
	    "whoever may write there can put another state in place of the daemon's" \
	    "sudo chmod go-w '$box/var'"
	repairs '/var: '
	doctor --socket "$dir/socket" --state "$state/$(printf %0300d 0)"
	finds '0000: File name too long' 'what rules owe and wait for does not survive' \
	    'by hand: give the daemon another one with --state'
	if [ "$(id -u)" -ne 0 ]; then
		skip 'a state directory of somebody else' 'only root can make one'
		return
	fi
	chown 1234 "$state"
	rm -rf "$state.old"
	doctor --socket "$dir/socket"
	finds 'STATE: owned by uid 1234, not by root' \
	    'that user can change what rules owe, and can stand in for the daemon' \
	    "sudo mv '$state' '$state.old' && sudo install -d -m 0700 -o root '$state'"
	repairs 'owned by uid'
}

# job DIRECTORY NAME KEY PATHS [MORE]
job() {
	mkdir -p "$box/Library/$1"
	cat >"$box/Library/$1/$2.plist" <<-END
	<?xml version="1.0" encoding="UTF-8"?>
	<plist version="1.0"><dict><key>Label</key><string>$2</string>${5:-}
	<key>$3</key><array><string>/other</string><string>$4</string></array>
	</dict></plist>
	END
}

another_job() {
	mkdir -p "$box/private/var/db" "$box/queue"
	ln -s private/var "$box/var"
	rule key 'watch = /var/db/key'
	rule queue 'watch = /queue'
	rule pattern 'watch = /queue/*.txt'
	rule off 'watch = /queue/a.log' 'enabled = no'
	start_daemon
	job LaunchDaemons link WatchPaths /private/var/db/key/
	job LaunchAgents queue QueueDirectories /queue/
	job LaunchDaemons text WatchPaths /queue/a.txt
	job LaunchDaemons hidden WatchPaths /queue/.txt
	job LaunchDaemons off WatchPaths /queue/a.log
	job LaunchDaemons disabled WatchPaths /queue '<key>Disabled</key><true/>'
	job LaunchDaemons relative WatchPaths queue
	echo 'no plist' >"$box/Library/LaunchDaemons/other.plist"
	echo '<plist version="1.0"><array><true/></array></plist>' \
	    >"$box/Library/LaunchDaemons/array.plist"
	cp "$box/Library/LaunchDaemons/text.plist" "$box/Library/LaunchDaemons/text.off"
	doctor
	daemons=$box/Library/LaunchDaemons agents=$box/Library/LaunchAgents
	finds 'key: /Library/LaunchDaemons/link.plist acts on /private/var/db/key/, too' \
	    'both act on every change' \
	    "sudo launchctl bootout system '$daemons/link.plist'; sudo mv '$daemons/link.plist' '$daemons/link.plist.off'"
	finds 'pattern: /Library/LaunchDaemons/text.plist acts on /queue/a.txt, too' 'both act' 'sudo '
	finds 'queue: /Library/LaunchAgents/queue.plist acts on /queue/, too' 'both act' \
	    "launchctl bootout gui/\$(id -u) '$agents/queue.plist'; sudo mv '$agents/queue.plist' '$agents/queue.plist.off'"
	finds_only 3
	# launchd ends it, and it does not come back.
	mkdir "$dir/bin"
	printf '#!/bin/sh\necho "$@" >>"%s/told"\n' "$dir" >"$dir/bin/launchctl"
	chmod 755 "$dir/bin/launchctl"
	PATH=$dir/bin:$PATH
	has_finding queue.plist
	repairs queue.plist
	ok "launchd is asked to end it" grep -q "^bootout gui/[0-9]* $agents/queue.plist\$" "$dir/told"
}

# As worst first: a daemon that does not run, refused, refused again, and so on.
the_worst_comes_first() {
	mkdir -p "$box/bin" "$box$state_dir" "$box/Library/LaunchDaemons"
	rule note 'watch = /f\x'
	rule job 'watch = /f'
	job LaunchDaemons x WatchPaths /f
	chmod 755 "$box$state_dir"
	ln -s loop "$box/loop"
	rule path 'watch = /loop'
	rule missing 'watch = /f' 'action = /no'
	cp "$box/act" "$box/bin/"
	chmod 666 "$box/bin/act"
	rule trust 'watch = /f' 'action = /bin/act'
	rule bad 'watch = f'
	doctor --json
	cp "$dir/out" "$dir/json"
	ok "the worst comes first" [ "$(perl -MJSON::PP -e '
	    print join " ", map { $_->{kind} } @{decode_json(join "", <STDIN>)->{findings}}
	    ' <"$dir/json")" = 'daemon files trust rules paths state jobs notes' ]
	ok "each has all members" [ "$(perl -MJSON::PP -e '
	    print scalar grep { $_->{what} && $_->{why} && $_->{repair} &&
		defined $_->{command} && ref $_->{rules} } @{decode_json(join "",
		<STDIN>)->{findings}}' <"$dir/json")" -eq 8 ]
	ok "a command and its rules stand there" grep -qF \
	    "{\"kind\":\"trust\",\"rules\":[\"trust\"],\"what\":\"trust: /bin/act: writable by group and others (mode 0666)\"," \
	    "$dir/json"
	ok "it is the one that can be run" grep -qF \
	    "\"repair\":\"${sudo}chmod go-w '$box/bin/act'\",\"command\":true}" "$dir/json"
	ok "a sentence is none" grep -qF \
	    "\"repair\":\"install it, or name another program in $conf_d/missing.ini:3\",\"command\":false}" \
	    "$dir/json"
	doctor
	ok "and the text has all of them" grep -q '^8 findings$' "$dir/out"
}

lines_are_as_wide_as_the_terminal() {
	rule r 'watch = /f' 'action = /no/日本x' 'action = /no/b'
	start_daemon
	COLUMNS=40 doctor
	cat >"$dir/expected" <<-END
	r: none of these is installed:
	/no/日本x, /no/b
	    why it matters: no action can run:
	                    the rule is blocked
	                    as soon as it should
	                    run
	    to repair it:   by hand: install one
	                    of them, or name
	                    another program in
	                    ${conf_d%conf.d}
	                    conf.d/r.ini:3

	1 finding
	END
	diff "$dir/expected" "$dir/out" | diag
	ok "lines are broken between words" cmp -s "$dir/expected" "$dir/out"
	COLUMNS=1 doctor
	ok "there is a least width" prints '^r: none of these is$'
	COLUMNS=x doctor
	ok "what is no width is none" prints '^r: none of these is installed: /no/日本x, /no/b$'
	chmod 666 "$box/act"
	COLUMNS=20 doctor
	ok "a command is one line" \
	    prints "^    to repair it:   ${sudo}chmod go-w '$box/act'\$"
}

run_tests nothing_wrong the_manual_is_followed a_rule_file_with_an_error \
    a_rule_file_that_is_not_trusted the_directory_of_rule_files what_is_only_to_be_noted a_file_that_is_not_read \
    a_program_that_is_missing a_program_that_may_not_run a_directory_of_others accounts \
    a_disabled_rule the_state_directory another_job the_worst_comes_first \
    lines_are_as_wide_as_the_terminal
