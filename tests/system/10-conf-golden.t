#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `check -v` says of every rule file in tests/conf: exit status, findings,
# a line of dashes, effective rules. NAME.ini and NAME.d are judged by
# NAME.expected; files with bytes that editors or git would mend are made here.
#
# UPDATE=1 sh tests/system/10-conf-golden.t writes what is there now to the
# .expected files: read the diff before you commit it.

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
root=$work/root
conf_d=$("$watchpathd" help run | sed -n 's|^  rules  */||p')
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

# The Mac that the rules are for.
make_root() {
	mkdir -p "$root/usr/local/bin" "$root/tmp/mine" "$root/etc" "$root/a;b" \
		"$root/Library/My App"
	chmod 1777 "$root/tmp"
	printf '#!/bin/sh\n' >"$root/usr/local/bin/act"
	chmod 755 "$root/usr/local/bin/act"
	: >"$root/usr/local/bin/no-program"
	: >"$root/etc/hosts"
}

good='[a]\nwatch = /a\naction = /usr/local/bin/act\n'

make_odd_files() {
	printf '\357\273\277%b' "$good" >bom.ini
	printf '[a]\r\nwatch = /a\r\n  /b\r\naction = /usr/local/bin/act\r\n' >crlf.ini
	printf '[a]\nwatch = /a\naction = /usr/local/bin/act' >no-newline.ini
	printf '\n\357\273\277%b' "$good" >error-late-bom.ini
	printf '[a]\rwatch = /a\raction = /usr/local/bin/act\r' >error-cr.ini
	printf '[a]\nwatch = /a\000b\naction = /usr/local/bin/act\n' >error-nul.ini
	printf '\377\376[\000a\000]\000\n\000x\000\n\000' >error-utf16.ini
	printf '\376\377\000[\000a\000]\000\n\000x' >error-utf16-be.ini
	printf ';\000\n\000[\000a\000]\000\n\000' >error-utf16-bare.ini
	printf '\000;\000\n\000[\000a\000]\000\n' >error-utf16-be-bare.ini
	printf '[a]\nwatch = /a\nlock = \033[31mred\naction = /usr/local/bin/act\n' \
		>error-control.ini
	printf '[a]\nwatch = /a\ndescription = f\374r\naction = /usr/local/bin/act\n' \
		>error-latin1.ini
	printf '[a]\n  \001x\nwatch = /a\naction = /usr/local/bin/act\n' \
		>error-indented-control.ini
	printf '[a]\nwatch = /\342\200\213a\nwatch = /b\357\273\277\nwatch = /\303\274\342\202\254\360\237\230\200\naction = /usr/local/bin/act\n' \
		>warning-unseen.ini
	printf '[a]\nwatch =\302\240/a\nwatch = /b\302\240c\naction = /usr/local/bin/act\n' \
		>warning-no-break-space.ini
	{
		printf '%b' "$good"
		dd if=/dev/zero bs=1024 count=1024 2>/dev/null | tr '\000' '\n'
	} >error-large.ini
	i=0
	while [ $i -lt 1100 ]; do
		echo x
		i=$((i + 1))
	done | { echo '[a]' && cat; } >error-many.ini
	mkdir odd.d odd.d/directory.ini
	ln -s /etc/hosts odd.d/link.ini
	printf '%b' "$good" >odd.d/one.ini
	ln odd.d/one.ini odd.d/two.ini
	printf '[b' >"odd.d/new
line.ini"
	mkdir no-files.d
}

# What check says of $1, the sandbox's name taken out.
look() {
	"$watchpathd" check -v --root "$root" "$1" >out 2>err
	status=$?
	{
		echo "exit $status"
		cat err
		echo "--"
		cat out
	} | sed "s|$root|ROOT|g"
}

golden() {
	name=${1%.*}
	expected=$top/tests/conf/$name.expected
	look "$1" >"$name.actual"
	if [ -n "$UPDATE" ]; then
		cp "$name.actual" "$expected"
	fi
	diff -u "$expected" "$name.actual" >difference 2>&1
	ok $? "$1 gives what $name.expected says"
	sed 's/^/# /' difference
}

# What is printed for a file without error is a rule file that prints the same.
again() {
	"$watchpathd" check -v --root "$root" "$1" >out 2>err || return 0
	cp out again.in
	"$watchpathd" check -v --root "$root" again.in >out 2>err
	ok $? "the rules of $1 as printed are rules"
	sed 's/^; .*//' again.in >in.1
	sed 's/^; .*//' out >in.2
	cmp -s in.1 in.2
	ok $? "the rules of $1 as printed print the same"
}

no_leftovers() {
	for expected in "$top"/tests/conf/*.expected; do
		name=$(basename "$expected" .expected)
		[ -e "$name.ini" ] || [ -e "$name.d" ]
		ok $? "$name.expected has a rule file"
	done
}

says() {
	want=$1 pattern=$2 what=$3
	shift 3
	"$@" >out 2>err
	status=$?
	[ $status -eq "$want" ] && cat out err | grep -q -e "$pattern"
	ok $? "$what"
	[ $status -eq "$want" ] || echo "# exit $status instead of $want"
	sed 's/^/# /' out err
}

several_paths() {
	says 0 '^2 files, 2 rules: ok$' "files that are named are checked together" \
		"$watchpathd" check --root "$root" one.ini two.ini
	says 65 'two-again.ini:1: error: section \[two\] is already in two.ini:1' \
		"a section is unique over all named files" \
		"$watchpathd" check --root "$root" one.ini two.ini two-again.ini
	says 0 '^2 files, 2 rules: ok$' "each directory is a conf.d of its own" \
		"$watchpathd" check --root "$root" conf.1 conf.2
	says 0 '^0 files, 0 rules: ok$' "an empty directory is good" \
		"$watchpathd" check empty.d
	says 0 '^1 file, 1 rule: ok, 1 warning$' "one is not a plural" \
		"$watchpathd" check --root "$root" ignore.ini
	says 65 '^$' "nothing is ok where something is refused" \
		sh -c '"$1" check conf.1 bad.ini 2>/dev/null; s=$?; echo; exit $s' - \
		"$watchpathd"
	cp one.ini one.conf && cp one.ini .one.ini
	says 0 '^one.conf: warning: not read under this name' "a file under another name is not read" \
		"$watchpathd" check --root "$root" one.conf
	says 0 '^./.one.ini: warning: not read under this name' "nor is a hidden one" \
		"$watchpathd" check --root "$root" ./.one.ini
	rm one.conf .one.ini
}

make_several() {
	mkdir conf.1 conf.2
	printf '[one]\nwatch = /a\naction = /usr/local/bin/act\n' >one.ini
	printf '[two]\nwatch = /a\naction = /usr/local/bin/act\n' >two.ini
	cp one.ini conf.1
	cp one.ini conf.2
	cp two.ini two-again.ini
	printf '[bad\n' >bad.ini
	printf '[i]\nwatch = /a\naction = /usr/local/bin/act\nwhile-running = ignore\n' \
		>ignore.ini
}

usage() {
	says 64 'usage: watchpathd check' "an unknown option is a usage error" \
		"$watchpathd" check --wrong
	says 64 'usage: watchpathd check' "an unknown letter is a usage error" \
		"$watchpathd" check -x
	says 64 'usage: watchpathd check' "an option without its value is one" \
		"$watchpathd" check --root
	says 64 'nowhere: No such file' "a root that is not there is one" \
		"$watchpathd" check --root nowhere
	says 64 'without PATH' "--config and PATH exclude each other" \
		"$watchpathd" check --config conf.1 conf.2
	says 1 'No such file' "what is not there is neither good nor refused" \
		"$watchpathd" check not-there.ini
}

# Judged only where it is asked for, or where no path is given.
trust() {
	chmod 664 conf.1/one.ini
	says 0 'ok$' "a rule file with a path is not judged" \
		"$watchpathd" check --root "$root" conf.1
	says 65 'one.ini: error: writable by group' "--trust judges rule files" \
		"$watchpathd" check --trust --root "$root" conf.1
	says 65 'one.ini: error: writable by group' "the daemon's own conf.d is judged" \
		"$watchpathd" check --config conf.1 --root "$root"
	chmod 644 conf.1/one.ini
	says 0 'ok$' "a trusted directory is good" \
		"$watchpathd" check --trust --root "$root" conf.1
	ln conf.1/one.ini another-name
	says 0 'one.ini: warning: has 2 links, not one' "a second link is a warning" \
		"$watchpathd" check --trust --root "$root" conf.1
	says 0 'rule: ok$' "and is none where the file is not judged" \
		"$watchpathd" check --root "$root" conf.1
	rm another-name
	chmod 775 "$root/usr/local/bin/act"
	says 0 'one.ini:3: warning: .*act: writable by group' \
		"a program that is not trusted is a warning" \
		"$watchpathd" check --trust --root "$root" conf.1
	says 0 'one.ini:3: warning: .*act: writable by group' \
		"a program is judged without --trust, too" \
		"$watchpathd" check --root "$root" conf.1
	chmod 755 "$root/usr/local/bin/act"
	chmod 777 conf.1
	says 65 'conf.1: writable by' "the directory itself is judged" \
		"$watchpathd" check --trust --root "$root" conf.1
	chmod 755 conf.1
	mkdir open.d && chmod 777 open.d
	says 65 '^open.d: error: .*/open.d: writable by' "the directory itself is judged, even if it is empty" \
		"$watchpathd" check --trust --root "$root" open.d
}

# Wherever one stands: the options' paths are the daemon's.
relative_paths() {
	mkdir -p box/conf.d box/bin box/$conf_d
	cp "$root/usr/local/bin/act" box/bin/act
	printf '[r]\nwatch = /f\naction = /bin/act\n' >box/conf.d/r.ini
	cp box/conf.d/r.ini "box/$conf_d/s.ini"
	says 0 '^1 file, 1 rule: ok$' "a relative --root and --config are good" \
		"$watchpathd" check --root box --config box/conf.d
	says 0 '^1 file, 1 rule: ok$' "a relative --root is good for a PATH" \
		"$watchpathd" check --trust --root box box/conf.d
	says 0 '^1 file, 1 rule: ok$' "the default directory is below a relative --root" \
		"$watchpathd" check --root box/../box/
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
	chmod 600 conf.1/one.ini
	[ -n "$as" ] || chmod 0 conf.1/one.ini
	says 77 'sudo' "what may not be read suggests sudo" \
		$as "$watchpathd" check --root "$root" conf.1
	chmod 644 conf.1/one.ini
}

make_root
cp -R "$top"/tests/conf/. "$work/conf" && cd "$work/conf" || exit 1
make_odd_files
for file in *.ini *.d; do
	golden "$file"
	again "$file"
done
no_leftovers
mkdir "$work/other" && cd "$work/other" && make_several && mkdir empty.d || exit 1
several_paths
usage
trust
relative_paths
permission
echo "1..$n"
