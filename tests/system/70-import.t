#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `import` makes of launchd plists. NAME.plist in tests/plist is judged by
# NAME.expected: exit status, what it says, a line of dashes, the rules. Plists
# with bytes that editors or git would mend are made here.
#
# UPDATE=1 sh tests/system/70-import.t writes what is there now to the .expected
# files: read the diff before you commit it.

cd "$(dirname "$0")/../.." || exit 1
top=$PWD
watchpathd=${WATCHPATHD:-build/watchpathd}
case $watchpathd in /*) ;; *) watchpathd=$top/$watchpathd ;; esac
umask 022
LC_ALL=C
export LC_ALL

work=$(mktemp -d /tmp/wpd.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# Nothing needs a directory for temporary files.
TMPDIR=$work/none
export TMPDIR
n=0

ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# run COMMAND...: its output in out and err.
run() {
	"$@" >out 2>err
	status=$?
}

# says STATUS PATTERN WHAT COMMAND...: all of it, and where it is refused no rule.
says() {
	want=$1 pattern=$2 what=$3
	shift 3
	run "$@"
	[ $status -eq "$want" ] && cat out err | grep -q -e "$pattern" &&
	    { [ "$want" -eq 0 ] || [ ! -s out ]; }
	ok $? "$what"
	[ $status -eq "$want" ] || echo "# exit $status instead of $want"
	sed 's/^/# /' out err
}

# plist NAME MEMBERS: a job that is good but for what MEMBERS adds (printf %b).
plist() {
	{
		echo '<?xml version="1.0" encoding="UTF-8"?>'
		echo '<plist version="1.0"><dict>'
		printf '%b\n' "$2"
		echo '</dict></plist>'
	} >"$1.plist"
}

watches='<key>WatchPaths</key><array><string>/a</string></array>'
command='<key>ProgramArguments</key><array><string>/bin/act</string></array>'
label='<key>Label</key><string>job</string>'
good=$label$watches$command

# Another command than the good one, with one more argument.
job_with_argument() {
	plist "$1" "$label$watches<key>ProgramArguments</key><array>
<string>/bin/act</string><string>$2</string></array>"
}

golden() {
	name=${1%.plist}
	expected=$top/tests/plist/$name.expected
	run "$watchpathd" import "$1"
	cp out "$name.ini"
	{
		echo "exit $status"
		cat err
		echo "--"
		cat out
	} >"$name.actual"
	if [ -n "$UPDATE" ]; then
		cp "$name.actual" "$expected"
	fi
	diff -u "$expected" "$name.actual" >difference 2>&1
	ok $? "$1 gives what $name.expected says"
	sed 's/^/# /' difference
	[ "$status" -eq 0 ] || return
	says 0 '1 rule: ok' "what $1 gives passes check" "$watchpathd" check "$name.ini"
}

# A binary list and one of XML are the same to the reader.
binary() {
	name=${1%.plist}
	if ! plistutil -f bin -i "$1" -o "binary/$1" 2>/dev/null; then
		skip "binary $1 gives the same" "there is no plistutil that makes one"
		return
	fi
	(cd binary && "$watchpathd" import "$1") >out 2>err
	cmp -s out "$name.ini"
	ok $? "binary $1 gives the same"
	diff -u "$name.ini" out | sed 's/^/# /'
	sed 's/^/# /' err
}

# The words of the action, as a shell reads what was printed; no parser of ours.
words() {
	"$watchpathd" check -v words.ini 2>/dev/null | awk '
	/^action / { sub(/^action *= /, ""); print; on = 1; next }
	/^\t/ && on { print; next }
	{ on = 0 }' | tr '\n' ' ' >words.action
	eval "set -- $(cat words.action)"
	for word; do
		printf '<%s>\n' "$word"
	done >words.got
	cmp -s words.got "$top/tests/plist/words.list"
	ok $? "check -v shows the plist's arguments word for word"
	diff "$top/tests/plist/words.list" words.got | sed 's/^/# /'
}

# What no line of a rule file can hold.
refused_arguments() {
	control='ProgramArguments: the argument 1 has a line end or another control byte'
	job_with_argument newline 'a\nb'
	says 65 "newline.plist: $control" "a line end in an argument is refused" \
		"$watchpathd" import newline.plist
	job_with_argument injected 'a\n[evil]\nwatch = /b\naction = /bin/evil'
	says 65 "$control" "an argument cannot become a section" \
		"$watchpathd" import injected.plist
	for mask in '<integer>512</integer>' '<integer>-1</integer>' '<string>1000</string>' \
	    '<string>x</string>'; do
		plist mask "$good<key>Umask</key>$mask"
		says 65 'Umask: not a file mode creation mask' "no mask: $mask" \
		    "$watchpathd" import mask.plist
	done
	job_with_argument return 'a\rb'
	says 65 "$control" "a carriage return is refused" "$watchpathd" import return.plist
	job_with_argument reference 'a&#10;b'
	says 65 "$control" "a line end by its number is refused" \
		"$watchpathd" import reference.plist
	job_with_argument delete 'a&#x7f;b'
	says 65 "$control" "a control character is refused" "$watchpathd" import delete.plist
	job_with_argument c1 'a&#x9b;b'
	says 65 "$control" "a control character beyond ASCII is refused" \
		"$watchpathd" import c1.plist
	job_with_argument escape '\033[31m'
	says 65 'line 4: not well-formed' "an escape is refused" \
		"$watchpathd" import escape.plist
	job_with_argument latin 'f\0374r'
	says 65 'line 4: not well-formed' "what is not UTF-8 is refused" \
		"$watchpathd" import latin.plist
	job_with_argument long "$(printf '%0200d' 0)"
	says 65 'ProgramArguments: .*longer than a line' "a word that is too long is refused" \
		"$watchpathd" import long.plist
	job_with_argument zero 'a&#0;b'
	says 65 'line 4: a reference to a character' "a NUL by its number is refused" \
		"$watchpathd" import zero.plist
}

refused_values() {
	plist path "$label$command<key>WatchPaths</key><array><string>/a\n/b</string></array>"
	says 65 'path.plist: WatchPaths: .*control bytes' \
		"a line end in a path is refused" "$watchpathd" import path.plist
	plist relative "$label$command<key>WatchPaths</key><array><string>~/a</string></array>"
	says 65 'WatchPaths: .*`~/a` is not an absolute path' \
		"a relative path is refused" "$watchpathd" import relative.plist
	plist program "$label$watches<key>ProgramArguments</key><array><string>jamf</string></array>"
	says 65 '`jamf` is not an absolute path' "a program that nobody finds is refused" \
		"$watchpathd" import program.plist
	for name in ./env bin/sh '' 'sh '; do
		plist program "$label$watches<key>ProgramArguments</key><array><string>$name</string></array>"
		says 65 'is not an absolute path' "... and so is one of the name '$name'" \
			"$watchpathd" import program.plist
	done
	plist program "$label$watches<key>Program</key><string>sh</string>"
	says 65 '`sh` is not an absolute path' "Program is a path even for launchd" \
		"$watchpathd" import program.plist
	plist nothing "$label$watches"
	says 65 'nothing to run' "a job without a program is refused" \
		"$watchpathd" import nothing.plist
	plist unwatched "$label$command"
	says 65 'no WatchPaths' "a job that watches nothing is refused" \
		"$watchpathd" import unwatched.plist
	for state in '<true/>' '<dict/>' '<dict><key>PathState</key><true/></dict>' \
	    '<dict><key>PathState</key><dict><key>/a</key><false/></dict></dict>'; do
		plist unwatched "$label$command<key>KeepAlive</key>$state"
		says 65 'no WatchPaths.* PathState' "... and so is one with KeepAlive $state" \
			"$watchpathd" import unwatched.plist
	done
	plist user "$good<key>UserName</key><string>nobody\nuser = root</string>"
	says 65 'UserName: `user`: control bytes' "a user cannot become two keys" \
		"$watchpathd" import user.plist
	plist comment "$good<key>WorkingDirectory</key><string>/a ;b</string>"
	says 65 'WorkingDirectory: .*begin a comment' \
		"what would become a comment is refused" "$watchpathd" import comment.plist
	plist name "$good<key>EnvironmentVariables</key><dict><key>A=B\n</key><string/></dict>"
	says 65 'EnvironmentVariables: A=B.012: not a name' \
		"a variable with another name is refused" "$watchpathd" import name.plist
	plist space "$good<key>EnvironmentVariables</key><dict><key>A</key><string>b </string></dict>"
	says 65 'EnvironmentVariables: .*white space at the' \
		"a value that would lose its end is refused" "$watchpathd" import space.plist
	plist chroot "$good<key>RootDirectory</key><string>/jail</string>"
	says 65 'RootDirectory: ' "a job in another root directory is refused" \
		"$watchpathd" import chroot.plist
	plist many "$label<key>Nice</key><integer>99</integer><key>Umask</key><string>rw</string>"
	says 65 'nothing to run' "every problem of a plist is said" \
		"$watchpathd" import many.plist
	grep -q 'Nice: ' err && grep -q 'Umask: ' err
	ok $? "... the later ones too"
}

# By name, as launchd finds them: a Mac's are known everywhere.
programs() {
	for path in /bin/sh /bin/launchctl /sbin/ping /usr/bin/env; do
		plist program "$label$watches<key>ProgramArguments</key><array>
<string>${path##*/}</string><string>x</string></array>"
		says 0 "^action  *= $path x\$" "${path##*/} is $path" \
			"$watchpathd" import program.plist
		tr -d ';\n' <out | tr -s ' ' | grep -q "launchd finds the first in its PATH: here it is $path"
		ok $? "... which is said"
	done
}

wrong_types() {
	for member in 'Label <integer>1</integer>' 'WatchPaths <string>/a</string>' \
	    'WatchPaths <array><true/></array>' 'WatchPaths <array><string/></array>' 'StartInterval <string>60</string>' \
	    'StartInterval <real>1.5</real>' 'RunAtLoad <integer>1</integer>' \
	    'UserName <integer>0</integer>' 'Umask <integer>512</integer>' \
	    'EnvironmentVariables <array/>' 'Program <array/>' \
	    'StartInterval <integer>-1</integer>' 'Nice <integer>0x</integer>' \
	    'EnvironmentVariables <dict><key>A</key><integer>1</integer></dict>' \
	    'ProgramArguments <array><integer>1</integer></array>'; do
		key=${member%% *}
		# The good one's member of that name must not be there twice.
		rest=$(echo "$good" | sed "s|<key>$key</key><string>[^<]*</string>||
			s|<key>$key</key><array><string>[^<]*</string></array>||")
		plist type "$rest<key>$key</key>${member#* }"
		says 65 "$key: " "$key as ${member#* } is refused" \
			"$watchpathd" import type.plist
	done
}

# A path that keeps a job alive is a trigger; beside others it changes no `on`.
present() {
	state='<key>KeepAlive</key><dict><key>PathState</key><dict><key>/t</key><true/><key>/u</key><false/></dict></dict>'
	plist present "$state$good"
	says 0 '^watch  *= /t$' "a path that keeps a job alive is watched" \
		"$watchpathd" import present.plist
	grep -q '/a$' out && ! grep -q '^on ' out && ! grep -q '/u$' out
	ok $? "... beside the others, whose removal counts"
	plist relative "$(echo "$state" | sed s,/t,t,)$good"
	says 65 'KeepAlive: .*`t` is not an absolute path' "... and has to be absolute" \
		"$watchpathd" import relative.plist
}

# What comes from the plist stays within its comment.
comments() {
	plist hostile "<key>Label</key><string>Evil\n[evil]\nwatch = /b</string>$watches$command
<key>Comment</key><string>x\n[evil]\nwatch = /b\naction = /bin/evil\n</string>
<key>An\n[evil]</key><string>&#x9b;2J&#x7f;</string>
<key>LongOne</key><string>$(printf '%01000d' 0)</string>"
	says 0 '^; Comment x.012\[evil]' "text from a plist stays a comment" \
		"$watchpathd" import hostile.plist
	cp out hostile.ini
	says 0 '1 rule: ok' "... and no rule" "$watchpathd" check hostile.ini
	[ "$(grep -c '^[^;]' hostile.ini)" -eq 3 ] && ! tr -d '\n' <hostile.ini | grep -q '[[:cntrl:]]'
	ok $? "... and is harmless to a terminal"
	sed 's/^/# /' hostile.ini
}

# XML that says what it is written in.
encodings() {
	job_with_argument utf8 '/caf\0303\0251'
	job_with_argument latin1 '/caf\0351'
	sed 's/UTF-8/ISO-8859-1/' latin1.plist >declared.plist
	perl -pe 's/UTF-8/UTF-16/; $_ = pack "n*", unpack "C*", $_' latin1.plist >utf16.plist
	"$watchpathd" import utf8.plist >utf8.ini
	for encoding in declared utf16; do
		says 0 "^action .*/caf" "$encoding.plist is read" \
			"$watchpathd" import $encoding.plist
		sed 's/utf8\.plist/'$encoding.plist/ utf8.ini | cmp -s - out
		ok $? "... as its encoding says"
	done
}

names() {
	plist one "$good"
	cp one.plist two.plist
	plist daemon "<key>Label</key><string>Daemon</string>$watches$command"
	plist unnamed "$watches$command"
	plist long-1 "<key>Label</key><string>$(printf '%060d' 0)</string>$watches$command"
	cp long-1.plist long-2.plist
	says 0 '^\[job-2]$' "a label that comes twice gets a number" \
		"$watchpathd" import one.plist two.plist daemon.plist unnamed.plist \
		long-1.plist long-2.plist
	cp out names.ini
	grep -q '^\[daemon-2]$' names.ini
	ok $? "no rule takes the name of the daemon's own section"
	grep -q '^\[unnamed]$' names.ini
	ok $? "a job without a label is called as its file is"
	says 0 '6 rules: ok' "several plists give one file" "$watchpathd" check names.ini
	run "$watchpathd" import one.plist unwatched.plist not-there.plist two.plist
	[ $status -eq 65 ] && grep -q 'unwatched.plist: no WatchPaths' err &&
	    grep -q 'not-there.plist: No such file' err
	ok $? "each one that is refused is reported"
	cp out rest.ini
	says 0 '2 rules: ok' "... and the others are printed" "$watchpathd" check rest.ini
	mkdir -p LaunchAgents
	cp one.plist LaunchAgents
	agent='; A LaunchAgent runs as the user'
	says 0 "$agent" "an agent gets a warning that it was one" \
		"$watchpathd" import "$work/plist/LaunchAgents/one.plist"
	says 0 "$agent" "... by a relative path, too" \
		"$watchpathd" import LaunchAgents/one.plist
	(cd LaunchAgents && "$watchpathd" import one.plist) >out 2>err
	grep -q "$agent" out
	ok $? "... and by its name alone"
}

# bad WHAT PATTERN TEXT: no property list.
bad() {
	printf '%b' "$3" >bad.plist
	says 65 "bad.plist: .*$2" "$1 is refused" "$watchpathd" import bad.plist
}

no_plists() {
	head='<?xml version="1.0"?>\n<plist version="1.0">'
	bad "an empty file" 'not a property list' ''
	bad "text" 'not a property list' 'this is no property list, whatever reads it'
	bad "a configuration profile" 'watchpathd managed. shows its rules' \
		"$head<dict><key>PayloadContent</key><array/></dict></plist>"
	bad "a list that ends too early" 'line 2: it ends too early' "$head<dict>"
	bad "a key that is there twice" 'line 2: the key A is there twice' \
		"$head<dict><key>A</key><true/><key>A</key><false/></dict></plist>"
	bad "an entity" 'unknown entity' "$head<dict><key>A</key><string>&e;</string></dict></plist>"
	bad "a document type of its own" 'document type' \
		'<!DOCTYPE plist [ <!ENTITY e "x"> ]>\n<plist><string>&e;</string></plist>'
	bad "text after the end" 'line 2: text after' "$head<dict/></plist>x"
	bad "a list that is nested without end" 'nested deeper' \
		"$head$(printf '%0100d' 0 | sed 's/0/<array>/g')"
	bad "a key without value" 'is no value' "$head<dict><key>A</key></dict></plist>"
	bad "a wrong end" 'instead of </string>' "$head<string>a</key></plist>"
	bad "an array" 'not the property list of a launchd job' "$head<array/></plist>"
	bad "a byte that is zero" 'a NUL byte' "$head<string>\\0000</string></plist>"
	dd if=/dev/zero bs=1024 count=1025 2>/dev/null | tr '\000' ' ' >large.plist
	says 65 'larger than 1 MiB' "a file that is too large is refused" \
		"$watchpathd" import large.plist
}

# with_bin DIR COMMAND...: where DIR is /usr/bin. It has nothing but what a
# converter there needs itself.
with_bin() {
	dir=$1
	shift
	# The other shell expands these.
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$1" /usr/bin && shift && exec "$@"' - "$dir" "$@"
}

# no converter, a strange one, and one of two.
converters() {
	mkdir none loud fails theirs
	printf 'bplist00 and so on' >binary.plist
	printf '#!/bin/sh\n: >ran\n' >theirs/plutil
	cp theirs/plutil theirs/plistutil
	chmod 755 theirs/*
	run env PATH="$work/plist/theirs:$PATH" "$watchpathd" import binary.plist
	[ ! -e ran ]
	ok $? "no program of the caller's PATH is run"
	if ! with_bin none "$watchpathd" version >out 2>&1; then
		skip "converters" "no mount namespace can be had"
		return
	fi
	says 1 'libplist-utils' "without a converter a binary list is no guess" \
		with_bin none "$watchpathd" import binary.plist
	says 0 '^\[job]$' "XML needs no converter" \
		with_bin none "$watchpathd" import one.plist
	cp /bin/sh /usr/bin/yes loud
	cp /bin/sh /bin/cat /usr/bin/env fails
	printf '#!/bin/sh\nexec /usr/bin/yes "<!-- -->"\n' >loud/plutil
	printf '#!/bin/sh\nexit 1\n' >fails/plutil
	printf '#!/bin/sh\necho "$@" >asked\n/usr/bin/env >environment\n/bin/cat one.plist\n' \
		>fails/plistutil
	chmod 755 loud/plutil fails/plutil fails/plistutil
	says 65 'larger than 1 MiB' "what a converter writes has an end" \
		with_bin loud "$watchpathd" import binary.plist
	says 0 '^\[job]$' "where plutil fails plistutil is asked" \
		with_bin fails env LEAKED=yes "$watchpathd" import binary.plist
	[ "$(cat asked)" = "-f xml -i - -o -" ]
	ok $? "a converter never sees the name of the file"
	[ -e environment ] && ! grep -q LEAKED environment
	ok $? "nor what is in the environment"
	cp one.plist "./-x;rm -rf *.plist"
	says 0 '^; ./-x;rm -rf' "a file may have any name" \
		"$watchpathd" import "./-x;rm -rf *.plist"
}

files() {
	says 64 'usage: watchpathd import PLIST' "without a plist it says how" \
		"$watchpathd" import
	says 64 'usage: watchpathd import PLIST' "an unknown option is a usage error" \
		"$watchpathd" import --wrong one.plist
	says 1 'not-there.plist: No such file' "what is not there is said" \
		"$watchpathd" import not-there.plist
	mkfifo fifo.plist
	says 1 'fifo.plist: not a regular file' "nothing waits for a FIFO" \
		"$watchpathd" import fifo.plist
	says 1 'not a regular file' "a directory is no plist" "$watchpathd" import none
	if [ -c /dev/full ]; then
		says 1 'import: .*No space' "what cannot be written is said" \
			sh -c '"$1" import one.plist >/dev/full' - "$watchpathd"
	else
		skip "what cannot be written is said" "there is no /dev/full"
	fi
}

# More than a rule file may hold, in plists that are good by themselves.
too_much() {
	perl -e 'printf "<string>/%s%04d</string>\n", "a" x 170, $_ for 1 .. 1000' >paths
	for name in w1 w2 w3 w4 w5 w6; do
		plist $name "<key>Label</key><string>$name</string>$command<key>WatchPaths</key><array>"
		sed -i.bak -e '/<array>$/r paths' -e 's|^</dict>|</array>&|' $name.plist
	done
	says 0 "^\\[w1\\]" "1,000 long paths make a rule" "$watchpathd" import w1.plist
	says 65 'larger than 1 MiB' "what one rule file cannot hold is refused" \
		"$watchpathd" import w[1-6].plist
}

# Reading what one may not: as somebody else if this is root.
permission() {
	as=
	if [ "$(id -u)" -eq 0 ]; then
		as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	fi
	chmod 755 "$work"
	if ! $as "$watchpathd" help >out 2>&1; then
		skip "what may not be read suggests sudo" "nobody cannot run this program"
		return
	fi
	cp one.plist secret.plist
	chmod 600 secret.plist
	[ -n "$as" ] || chmod 0 secret.plist
	says 77 'sudo' "what may not be read suggests sudo" \
		$as "$watchpathd" import secret.plist
}

mkdir "$work/plist" "$work/plist/binary" && cd "$work/plist" || exit 1
cp "$top"/tests/plist/*.plist . || exit 1
for file in *.plist; do
	golden "$file"
	binary "$file"
done
words
refused_arguments
refused_values
programs
wrong_types
present
comments
encodings
names
no_plists
converters
files
too_much
permission
echo "1..$n"
