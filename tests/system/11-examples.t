#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is shipped and what the manual shows is good: every file of conf.d, and
# each example of watchpathd.rules(5). And the manual's list of keys is the one
# that the program prints: `make man` writes it anew; likewise what consoles know of
# the keys, with `make profiles`.

cd "$(dirname "$0")/../.." || exit 1
top=$PWD
watchpathd=${WATCHPATHD:-build/watchpathd}
case $watchpathd in /*) ;; *) watchpathd=$top/$watchpathd ;; esac
manual=$top/man/watchpathd.rules.5
LC_ALL=C
export LC_ALL

work=$(mktemp -d /tmp/wpd.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
n=0

ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

# The literal displays that begin with a section header, a file each.
extract() {
	awk -v dir="$work" '
		/^\.Ed/ { file = "" }
		literal && /^\[/ { file = dir "/" ++count ".ini" }
		{ literal = 0 }
		/^\.Bd -literal/ { literal = 1 }
		file != "" {
			gsub(/\\&/, "")
			gsub(/\\e/, "\\")
			print > file
		}' "$manual"
}

# What an example may be warned of: not every Mac has it, and it is meant so.
unexpected() {
	grep -v -e ': not installed yet' \
		-e '`while-running = ignore`' err
}

good() {
	"$watchpathd" check --root "$work/root" "$1" >out 2>err
	ok $? "$2 passes check"
	! unexpected >warnings
	ok $? "$2 is warned of nothing unexpected"
	sed 's/^/# /' err
}

keys_are_those_of_the_program() {
	"$watchpathd" help mdoc-keys >keys
	awk '/^\.\\" END KEYS/ { exit } on { print } /^\.\\" BEGIN KEYS/ { on = 1 }' \
		"$manual" >shown
	[ -s keys ] && diff -u shown keys >difference 2>&1
	ok $? "the manual's list of keys is that of the program (else: make man)"
	sed 's/^/# /' difference
}

# is_printed FILE LIST: make profiles writes it.
is_printed() {
	"$watchpathd" help "$2" >shown
	[ -s shown ] && diff -u "$top/src/macos/profiles/$1" shown >difference 2>&1
	ok $? "$1 is what the program prints (else: make profiles)"
	head -n 40 difference | sed 's/^/# /'
}

# The rule of the design, value for value.
shipped_rule_is_as_designed() {
	"$watchpathd" check -v "$top/conf.d/filevault-escrow.ini" 2>err | tr -s ' ' >out
	cat >want <<-'END'
		[filevault-escrow]
		description = Send a new FileVault recovery key to MDM within seconds
		watch = /var/db/FileVaultPRK.dat
		on = create modify
		min-size = 1
		at-start = new
		action = /usr/local/jamf/bin/jamf recon
		action = /usr/local/bin/jamf recon
		action = /usr/local/bin/kandji update-mdm
		settle = 2s
		cooldown = 1m
		timeout = 15m
		retry = forever
		retry-delay = 30s
		retry-on-network = yes
		lock = mdm
	END
	while IFS= read -r line; do
		grep -Fqx -e "$line" out || echo "missing: $line"
	done <want >missing
	[ -s out ] && [ ! -s missing ]
	ok $? "the shipped rule says what it should"
	sed 's/^/# /' missing
}

mkdir "$work/root" && cd "$work" || exit 1
sed 's/^;\([a-z-]* *=\)/\1/' "$top/conf.d/filevault-escrow.ini" >"$work/all.ini"
grep -q '^alert ' "$work/all.ini"
ok $? "the shipped rule has an alert, commented out"
good "$work/all.ini" "the shipped rule with all that is commented out"
for file in "$top"/conf.d/*.ini "$top"/conf.d/examples/*.ini; do
	good "$file" "${file#"$top/"}"
done
good "$top/conf.d" "conf.d as a whole"
extract
for file in "$work"/[0-9]*.ini; do
	good "$file" "the manual's example $(sed -n 1p "$file")"
done
count=$(ls "$work"/[0-9]*.ini | wc -l)
[ "$count" -ge 9 ]
ok $? "the manual has its examples ($((count)) found)"
shipped_rule_is_as_designed
keys_are_those_of_the_program
is_printed org.watchpathd.schema.json schema-keys
is_printed org.watchpathd.manifest.plist manifest-keys
echo "1..$n"
