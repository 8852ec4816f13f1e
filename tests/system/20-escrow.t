#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The rule that ships: a new FileVault recovery key is escrowed at once, by the
# MDM that is installed. The rule is the shipped file but for its cooldown.
. "$(dirname "$0")/lib.sh"

key=/var/db/FileVaultPRK.dat
escrow=filevault-escrow

ship() {
	sed 's/^cooldown .*/cooldown = 0/' "$top/conf.d/$escrow.ini" \
	    >"$conf/$escrow.ini"
	fence=2500ms
}

# install_mdm PROGRAM [MODE]: in the sandbox; it records its run and its arguments.
install_mdm() {
	mkdir -p "$box${1%/*}"
	{
		sed '$d' "$box/act"
		echo "echo ${1##*/} \"\$@\" >>$dir/said"
	} >"$box$1"
	chmod "${2:-755}" "$box$1"
}

# has_escrowed N WORDS: N runs, all of this command.
has_escrowed() {
	has_runs $escrow "$1" && [ "$(uniq "$dir/said")" = "$2" ]
}

# An echo a second after the write, where the first look came within a tick of it,
# begins the settling anew.
wait_escrow() {
	settle=2000
	case $faults in
	*echo*) settle=3000 ;;
	esac
	wait_runs $escrow "$1"
	get_run $escrow "$1"
	ok "jamf recon runs when it has settled, after the key $2" \
	    after "$written" "$time" 2000
	within "and no later, in ms" "$written" "$time" $settle
}

every_way_to_write_a_key() {
	ship
	install_mdm /usr/local/jamf/bin/jamf
	start_daemon
	mkdir -p "$box/var/db"
	written=$(now)
	echo ABCD-1 >"$box$key"
	wait_escrow 1 "being written where /var/db did not exist"
	written=$(now)
	echo ABCD-2 >"$box$key"
	wait_escrow 2 "being written in place"
	written=$(now)
	echo ABCD-3 >"$box$key.new"
	mv "$box$key.new" "$box$key"
	wait_escrow 3 "being replaced by a rename"
	written=$(now)
	rm "$box$key"
	echo ABCD-4 >"$box$key"
	wait_escrow 4 "being deleted and created again"
	rm -r "$box/var"
	fence
	ok "jamf recon has run once for each" has_escrowed 4 "jamf recon"
	mkdir -p "$box/var/db"
	written=$(now)
	echo ABCD-5 >"$box$key"
	wait_escrow 5 "being created after /var was away"
	ok "a change is the reason" test "$reason $attempt $change $path" = \
	    "change 1 create $box$key"
}

an_empty_key() {
	ship
	install_mdm /usr/local/jamf/bin/jamf
	mkdir -p "$box/var/db"
	start_daemon
	: >"$box$key"
	fence
	ok "an empty key file runs nothing" has_runs $escrow 0
	written=$(now)
	echo ABCD >"$box$key"
	wait_escrow 1 "being written into the empty file"
}

a_key_before_the_first_start() {
	ship
	install_mdm /usr/local/jamf/bin/jamf
	mkdir -p "$box/var/db"
	echo ABCD >"$box$key"
	written=$(now)
	start_daemon
	wait_escrow 1 "being found at the first start"
	ok "the start is the reason" test "$reason $attempt" = "start 1"
	fence
	ok "a key that was there before is sent once" has_escrowed 1 "jamf recon"
}

only_kandji() {
	ship
	install_mdm /usr/local/bin/kandji
	mkdir -p "$box/var/db"
	start_daemon
	echo ABCD >"$box$key"
	wait_runs $escrow 1
	fence
	ok "where only Kandji is installed kandji update-mdm runs" \
	    has_escrowed 1 "kandji update-mdm"
}

# begin_blocked: a key is written, and no MDM is installed.
begin_blocked() {
	ship
	fence=200ms
	mkdir -p "$box/var/db"
	"$@"
	start_daemon
	echo ABCD >"$box$key"
	ok "without an MDM the rule is blocked" until_true 30 is_logged \
	    "$escrow: [a-z]* -> blocked"
}

# still_blocked WHAT
still_blocked() {
	fence
	ok "$1 runs nothing" has_runs $escrow 0
}

an_mdm_that_comes_later() {
	begin_blocked :
	still_blocked "a key without an MDM"
	install_mdm /usr/local/jamf/bin/jamf
	wait_runs $escrow 1
	fence
	ok "an MDM that is installed later gets the key, once" \
	    has_escrowed 1 "jamf recon"
}

an_mdm_with_a_wrong_mode() {
	begin_blocked :
	install_mdm /usr/local/bin/jamf 644
	still_blocked "an MDM that may not be executed"
	chmod 755 "$box/usr/local/bin/jamf"
	wait_runs $escrow 1
	fence
	ok "an MDM whose mode is mended gets the key, once" \
	    has_escrowed 1 "jamf recon"
}

an_mdm_in_an_open_directory() {
	begin_blocked mkdir -p -m 777 "$box/usr/local/bin"
	install_mdm /usr/local/bin/jamf
	still_blocked "an MDM in a directory that others may write"
	chmod 755 "$box/usr/local/bin"
	wait_runs $escrow 1
	fence
	ok "an MDM whose directory is mended gets the key, once" \
	    has_escrowed 1 "jamf recon"
}

# `make demo`, in a place of this test's.
the_demo() {
	mkdir "$dir/tmp"
	WATCHPATHD=$WATCHPATHD TMPDIR=$dir/tmp sh "$top/tests/demo.sh" >"$dir/demo" 2>&1
	ok "the demo goes well" [ $? -eq 0 ]
	# A line that goes on below is one.
	awk 'NR > 1 { printf /^                 / ? " " : "\n" }
	{ sub(/^  */, ""); printf "%s", $0 } END { print "" }' "$dir/demo" >"$dir/lines"
	ok "it shows the run" grep -q '^[0-9:.]* filevault-escrow: running -> idle, run .* succeeded' \
	    "$dir/lines"
	ok "its paths are those of a Mac" \
	    grep -q 'idle -> settling, /var/db/FileVaultPRK.dat create' "$dir/lines"
	ok "no line has more than 79 columns" not grep -q "$(printf '%080d' 0 | tr 0 .)" \
	    "$dir/demo"
	ok "it ends with what to try next, in three lines" \
	    [ "$(sed '1,/^What to try next:/d' "$dir/demo" | wc -l)" -eq 3 ]
	ok "that is a sandbox" grep -q '^    make sandbox ' "$dir/demo"
	ok "and none is of the place where it runs" not grep "$dir" "$dir/demo"
}

run_tests the_demo every_way_to_write_a_key every_way_to_write_a_key:shuffle,split \
    every_way_to_write_a_key:merge every_way_to_write_a_key:echo,extend \
    an_empty_key an_empty_key:shuffle,split,extend,echo \
    a_key_before_the_first_start only_kandji \
    an_mdm_that_comes_later an_mdm_that_comes_later:shuffle,split,merge \
    an_mdm_with_a_wrong_mode an_mdm_in_an_open_directory
