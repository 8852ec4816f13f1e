#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What an action gets from the daemon, and that it gets nothing else.
. "$(dirname "$0")/lib.sh"

# The action says what it finds about itself, in files named after the rule.
write_probe() {
	mkdir "$dir/got"
	chmod 777 "$dir/got"
	cat >"$box/probe" <<-END
	#!/bin/sh
	got=$dir/got/\$WATCHPATHD_RULE
	printf '[%s]\n' "\$@" >\$got.argv
	pwd -P >\$got.cwd
	ulimit -Sn >\$got.nofile
	umask >\$got.umask
	id -u >\$got.uid
	id -g >\$got.gid
	id -G >\$got.groups
	ps -o pid=,pgid=,sess=,ni= -p \$\$ >\$got.ps
	if [ -d /proc/self/fd ]; then
		tr '\0' '\n' </proc/\$\$/environ >\$got.env
		# No other process: a shell that starts one blocks signals meanwhile.
		while read -r name value; do
			case \$name in
			SigBlk: | SigIgn:) echo "\$name \$value" ;;
			esac
		done </proc/\$\$/status >\$got.masks
	fi
	echo >\$got.done
	END
	chmod 755 "$box/probe"
}

# probe RULE: makes its file and waits until its action has said everything.
probe() {
	put "$box/$1" 1
	until_true 30 test -s "$dir/got/$1.done" ||
	    ok "the action of $1 runs" false
}

# got RULE WHAT TEXT
got() {
	[ "$(cat "$dir/got/$1.$2")" = "$3" ] && return
	echo "# $2 of $1:"
	diag <"$dir/got/$1.$2"
	return 1
}

# What the parent of the daemon leaves behind must not reach an action.
with_a_messy_parent() {
	trap '' USR1 INT
	ulimit -Sn 222
	umask 027
	export LD_LIBRARY_PATH_X=1 SECRET=1 WATCHPATHD_PATH=/x
	exec 5</dev/null 8>"$dir/inherited"
	start_daemon
	exec 5<&- 8>&-
	trap - USR1 INT
	umask 022
	unset LD_LIBRARY_PATH_X SECRET WATCHPATHD_PATH
}

everything() {
	write_probe
	cat >"$dir/argv.ini" <<-'END'
	[r]
	watch = /r
	action = /probe one "two words" 'it''s' a\ b "" "q\"q" '$HOME' '*' \>x
	    another
	environment = GREETING=hello world
	environment = EMPTY=
	settle = 100ms
	cooldown = 0
	END
	mv "$dir/argv.ini" "$conf/r.ini"
	# More than 222 files, so that the daemon has to raise its own limit.
	mkdir "$box/wide"
	perl -e 'for (100 .. 399) { open(my $f, ">", "$ARGV[0]/$_") or die }' "$box/wide"
	rule wide 'watch = /wide/*'
	ln -s "$(command -v ls)" "$box/ls"
	rule fds 'watch = /fds' 'action = /ls -l /proc/self/fd'
	with_a_messy_parent
	probe r
	ok "argv is what the rule says, word for word" got r argv '[one]
[two words]
[its]
[a b]
[]
[q"q]
[$HOME]
[*]
[>x]
[another]'
	ok "the daemon itself has more descriptors" not is_logged 'out of file descriptors'
	ok "its directory is /" got r cwd /
	ok "its umask is the daemon's" got r umask 0027
	ok "its soft descriptor limit is the one the daemon was started with" \
	    got r nofile 222
	read -r p pgid sess ni <"$dir/got/r.ps"
	ok "it leads a process group" test "$p" = "$pgid"
	ok "it leads a session" test "$p" = "$sess"
	if [ ! -d /proc/self/fd ]; then
		skip "environment, descriptors and signals" "no /proc"
		return
	fi
	run=$(sed -n 's/.* r: .* -> running, run \([^,]*\),.*/\1/p' "$log")
	user=$(id -un)
	shell=$(getent passwd "$user" | cut -d: -f7)
	home=$(getent passwd "$user" | cut -d: -f6)
	sort "$dir/got/r.env" >"$dir/got/r.sorted"
	ok "its environment is what is documented, and nothing else" got r sorted "$(
	LC_ALL=C sort <<-END
	PATH=/usr/bin:/bin:/usr/sbin:/sbin
	HOME=$home
	USER=$user
	LOGNAME=$user
	SHELL=$shell
	GREETING=hello world
	EMPTY=
	WATCHPATHD_RULE=r
	WATCHPATHD_RUN=$run
	WATCHPATHD_REASON=change
	WATCHPATHD_PATH=$box/r
	WATCHPATHD_CHANGE=create
	WATCHPATHD_ATTEMPT=1
	WATCHPATHD_PATHS=$box/r
	WATCHPATHD_PATHS_OMITTED=0
	WATCHPATHD_CONFIG=$conf
	WATCHPATHD_ROOT=$box
	END
	)"
	# The system's own ls, as a shell opens more for itself.
	put "$box/fds" 1
	until_true 30 is_logged ' fds: running -> '
	sed -n 's/.* output: fds: .* \([0-9]* -> .*\)/\1/p' "$log" >"$dir/got/fds.fd"
	ok "its stdin is /dev/null" grep -q '^0 -> /dev/null$' "$dir/got/fds.fd"
	grep -v -e '^[012] -> ' -e '^3 -> /proc/' "$dir/got/fds.fd" >"$dir/got/fds.others"
	ok "it inherits no other descriptor" got fds others ""
	# The GNU C library keeps signals 32 and 33 to itself.
	sed 's/0000000[01][08]/ /' "$dir/got/r.masks" >"$dir/got/r.signals"
	ok "no signal is ignored or blocked" got r signals 'SigBlk:  0000000
SigIgn:  0000000'
}

another_user() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "the action of another user" "only root can"
		return
	fi
	write_probe
	mkdir -p "$box/work"
	chmod 755 "$dir" "$box"
	for r in u g; do
		rule $r "watch = /$r" "action = /probe $r" 'user = nobody' \
		    'umask = 077' 'directory = /work' 'nice = 7'
	done
	echo 'group = daemon' >>"$conf/g.ini"
	rule h 'watch = /h' 'action = /probe h' 'user = no-such-user-here' \
	    'retry = 0'
	rule v 'watch = /v' 'action = /ls -l /proc/self/fd' 'user = nobody'
	with_a_messy_parent
	probe u
	probe g
	ok "user: it runs as that user" got u uid "$(id -u nobody)"
	ok "user: with the user's primary group" got u gid "$(id -g nobody)"
	ok "user: and the user's groups, not root's" got u groups "$(id -G nobody)"
	ok "group: it runs with that group" got g gid \
	    "$(perl -e 'print +(getgrnam "daemon")[2]')"
	ok "umask: it has that umask" got u umask 0077
	ok "directory: it starts in that directory, below --root" \
	    got u cwd "$box/work"
	ok "the descriptor limit is still the daemon's" got u nofile 222
	read -r p pgid sess ni <"$dir/got/u.ps"
	ok "nice: it has that niceness" test "$ni" = 7
	ok "it leads its session all the same" test "$p" = "$sess"
	if [ -d /proc/self/fd ]; then
		home=$(getent passwd nobody | cut -d: -f6)
		ok "HOME and USER are that user's" test "$(
		    sed -n -e '/^HOME=/p' -e '/^USER=/p' "$dir/got/u.env" | sort)" = \
		    "HOME=$home
USER=nobody"
		ok "nothing more is in the environment" \
		    test "$(sed 's/=.*//' "$dir/got/u.env" | LC_ALL=C sort |
		    tr '\n' ' ')" = "HOME LOGNAME PATH SHELL USER \
WATCHPATHD_ATTEMPT WATCHPATHD_CHANGE WATCHPATHD_CONFIG WATCHPATHD_PATH \
WATCHPATHD_PATHS WATCHPATHD_PATHS_OMITTED WATCHPATHD_REASON WATCHPATHD_ROOT \
WATCHPATHD_RULE WATCHPATHD_RUN "
		ln -s "$(command -v ls)" "$box/ls"
		put "$box/v" 1
		until_true 30 is_logged ' v: running -> '
		sed -n 's/.* output: v: .* \([0-9]* -> .*\)/\1/p' "$log" |
		    grep -v -e '^[012] -> ' -e '^3 -> /proc/' >"$dir/got/v.others"
		ok "no descriptor comes with it" got v others ""
	fi
	put "$box/h" 1
	ok "a user that does not exist is a failed run" \
	    until_true 30 is_logged ' h: running -> failed, .*no-such-user-here'
	ok "whose action has not run" not test -e "$dir/got/h.argv"
}

odd_names() {
	mkdir "$box/odd"
	rule r 'watch = /odd/*' 'settle = 700ms'
	on_run r "printf '%s\n' \"\$WATCHPATHD_PATHS\" >$dir/paths
	echo \"\$WATCHPATHD_PATHS_OMITTED\" >$dir/omitted"
	start_daemon
	: >"$box/odd/new
line"
	: >"$box/odd/back\\slash"
	: >"$box/odd/$(printf 'latin-\351')"
	: >"$box/odd/$(printf 'e-\303\251')"
	: >"$box/odd/tab	and space"
	until_true 30 has_ended r 1
	LC_ALL=C sort "$dir/paths" >"$dir/sorted"
	printf "$box/odd/%s\n" 'back\134slash' "$(printf 'e-\303\251')" \
	    'latin-\351' 'new\012line' 'tab\011and space' |
	    LC_ALL=C sort >"$dir/expected"
	ok "WATCHPATHD_PATHS has one path a line, odd bytes as octal" \
	    diff "$dir/expected" "$dir/sorted"
}

# On a busy machine there may be two runs, which share the names.
has_told() {
	[ -s "$dir/omitted" ] && [ $(($(paste -s -d + "$dir/omitted") +
	    $(grep -c . "$dir/paths"))) -ge "$1" ]
}

many_names() {
	mkdir "$box/many"
	rule r 'watch = /many/*' 'settle = 2s'
	on_run r "printf '%s\n' \"\$WATCHPATHD_PATHS\" >>$dir/paths
	printf '%s' \"\$WATCHPATHD_PATHS\" | wc -c >>$dir/size
	echo \"\$WATCHPATHD_PATHS_OMITTED\" >>$dir/omitted"
	start_daemon
	# At once: while a shell makes them a busy machine may settle in between.
	perl -e 'my $name = "$ARGV[0]/many/" . "0" x 200;
	open(my $f, ">", "$name.$_") or die for 1000 .. 1399' "$box"
	until_true 30 has_told 400
	ok "WATCHPATHD_PATHS and WATCHPATHD_PATHS_OMITTED tell of every path" \
	    test $(($(paste -s -d + "$dir/omitted") + $(grep -c . "$dir/paths"))) -eq 400
	read -r size <"$dir/size"
	ok "WATCHPATHD_PATHS holds at most 32 KiB" test "$size" -le 32768
	ok "and nearly that, if there is more" test "$size" -gt 32000
	ok "no path is cut" not grep -v -q '\.1[0-9][0-9][0-9]$' "$dir/paths"
}

output() {
	rule lines 'watch = /lines'
	rule long 'watch = /long'
	rule quiet 'watch = /quiet' 'log-output = no'
	rule odd 'watch = /odd'
	on_run lines "perl -e 'print \"a\" x 1023, \"\n\" for 1 .. 200'"
	on_run long "perl -e 'print \"b\" x 10000'; echo; echo next"
	on_run quiet "echo a secret; echo another secret >&2"
	on_run odd "printf 'tab\tesc\033[1m latin-\351 e-\303\251\n' >&2"
	fence=600ms
	start_daemon
	for r in lines long quiet odd; do
		put "$box/$r" 1
	done
	fence
	for r in lines long quiet odd; do
		until_true 30 is_logged " $r: running -> idle"
	done
	# 1064 bytes a line, with the time and the rule's name.
	ok "64 KiB of a run's output are logged" test \
	    "$(grep -c 'output: lines: aaa' "$log")" -eq 61
	ok "the rest is counted in one line" test "$(grep -c \
	    "output: lines: .* $((139 * 1024)) bytes of output not logged" "$log")" -eq 1
	ok "4 KiB of a line are logged" test \
	    "$(grep 'output: long: bbb' "$log" | tr -cd b | wc -c)" -eq 4096
	ok "the rest of the line is counted" \
	    is_logged "output: long: .* 5904 bytes of output not logged"
	ok "the next line is logged" is_logged "output: long: next"
	ok "log-output = no: nothing is logged" not is_logged secret
	ok "control bytes and what is not UTF-8 are octal in the log" is_logged \
	    "output: odd: tab.*esc\\\\033\[1m latin-\\\\351 e-$(printf '\303\251')"
}

run_tests everything another_user odd_names odd_names:shuffle,split,merge \
    many_names many_names:merge,echo output
