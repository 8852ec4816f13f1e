#!/bin/sh
# SPDX-License-Identifier: MIT
#
# selftest: what it prints, also of the shim's faults; that it leaves nothing; what
# it keeps, and what doctor makes of that; and that the results of other machines
# are what the shim does, too.
. "$(dirname "$0")/doctor.sh"

# selftest ARGUMENT...
selftest() {
	mkdir -p "$dir/place"
	wp selftest "$@"
}

# Its last argument is a directory of the test, so that nothing is kept.
selftest_here() {
	selftest "$@" "$dir/place"
}

left_nothing() {
	[ -z "$(ls -A "$dir/place")" ]
}

# summary WHAT: the number that stands before it.
summary() {
	sed -n "s/^# .*[ ,]\([0-9]*\) $1.*/\1/p" "$dir/out"
}

all_that_is_relied_on_holds() {
	selftest_here
	ok "its status is 0" [ $status -eq 0 ]
	ok "nothing has failed" not prints '^not ok'
	ok "and nothing differs" not prints '^# differs'
	grep -e '^not ok' -e '^# differs' "$dir/out" | diag
	ok "it says so, too" [ "$(summary 'differ')" = 0 ]
	ok "there are 60 probes and more" [ "$(summary 'probes')" -ge 60 ]
	ok "it plans for as many as there are" \
	    [ "$(sed -n '1s/^1\.\.//p' "$dir/out")" = "$(grep -c '^ok' "$dir/out")" ]
	ok "it leaves nothing behind" left_nothing
}

# launchd starts its jobs with 256 descriptors, and more can be had.
it_holds_with_the_limit_of_launchd() {
	mkdir -p "$dir/place"
	(ulimit -Sn 256 && exec "$WATCHPATHD" selftest "$dir/place") >"$dir/out" 2>&1
	ok "its status is 0" [ $? -eq 0 ]
	grep -e '^not ok' -e '^# differs' "$dir/out" | diag
	ok "children have that limit" grep -q '^ok .* - limit: [^#]*$' "$dir/out"
}

# What is only noted may be another each time; all else may not.
the_result_is_json() {
	selftest_here --json
	ok "its status is 0" [ $status -eq 0 ]
	ok "standard error is empty" [ ! -s "$dir/err" ]
	perl -MJSON::PP -e '
	my $r = decode_json(join "", <STDIN>);
	my ($n, %seen) = 0;
	for (@{ $r->{probes} }) {
		die "$_->{id} is there twice\n" if $seen{ $_->{id} }++;
		die "$_->{id}: no number\n" unless $_->{fact} =~ /^\d[\d. ]*$/;
		die "$_->{id}: $_->{level}\n"
		    unless $_->{level} =~ /^(required|expected|record)$/;
		die "$_->{id}: $_->{result}: $_->{note}\n"
		    unless $_->{result} =~ /^(ok|skipped)$/;
		die "$_->{id}: skipped without a reason\n"
		    if $_->{result} eq "skipped" && $_->{note} eq "";
		$n++;
	}
	die "the sums are wrong\n"
	    if $r->{held} + $r->{skipped} + $r->{odd} + $r->{failed} != $n;
	die "no $_\n" for grep { !length $r->{$_} } qw(version system kqueue arch volume);
	' <"$dir/out" >"$dir/wrong" 2>&1
	ok "all of it has the right form" [ ! -s "$dir/wrong" ]
	diag <"$dir/wrong"
}

# The manual says by number what it is that was not verified on a Mac.
the_manual_names_facts_that_are_tried() {
	selftest_here --json
	sed -n '/^\.Sh UPDATES AND PRIVACY/,/^\.Sh WHEN/s/.*[,;] \([0-9]*\.[0-9]*\)).*/\1/p' \
	    "$top/man/watchpathd.8" >"$dir/numbers"
	ok "there are some" [ "$(wc -l <"$dir/numbers")" -ge 9 ]
	while read -r number; do
		ok "fact $number has a probe" \
		    grep -q "\"fact\":\"\([0-9. ]* \)*${number}[ \"]" "$dir/out"
	done <"$dir/numbers"
	for page in "$top"/man/*.[578]; do
		ok "${page##*/} says that it was not verified" \
		    grep -q 'not verified on a Mac\|not been run on a Mac' "$page"
	done
}

# Results of Macs, and of the shim when its file was made.
the_shim_does_what_is_in_evidence() {
	selftest_here --json
	for file in "$top"/tests/evidence/*.json; do
		ok "${file##*/} says the same" agrees "$file"
		diag <"$dir/differs"
	done
	ok "there is evidence" [ -s "$file" ]
	ok "each file has the name of its machine" not evidence_is_misnamed
}

evidence_is_misnamed() {
	for file in "$top"/tests/evidence/*.json; do
		name=$(perl -MJSON::PP -e '
		my $r = decode_json(join "", <STDIN>);
		my $system = $r->{kqueue} eq "shim" ? "shim" : lc $r->{system};
		$system =~ s/ \(.*//;
		$system =~ s/ /-/g;
		print "$system-$r->{volume}-$r->{arch}.json"' <"$file")
		[ "${file##*/}" = "$name" ] && continue
		echo "# ${file##*/}: not $name"
		return
	done
	return 1
}

# agrees FILE: with what was printed last.
agrees() {
	perl "$top/tests/evidence/compare.pl" "$1" "$dir/out" >"$dir/differs" 2>&1
}

# A difference of evidence has to be noticed, or it is none.
comparing_notices() {
	selftest_here --json
	sed 's/"id":"write",\(.*\)"file":"WRITE"/"id":"write",\1"file":"ATTRIB"/' \
	    "$dir/out" >"$dir/other"
	ok "other events differ" not agrees "$dir/other"
	ok "it says which" grep -q '^write: they have ok, file: ATTRIB; here' "$dir/differs"
	sed '/"id":"bits"/s/"result":"ok"/"result":"failed"/' "$dir/out" >"$dir/other"
	ok "so does another result" not agrees "$dir/other"
	sed '/"id":"swap"/s/"events":{[^}]*}/"events":{"file":"RENAME","other":"DELETE"}/' \
	    "$dir/out" >"$dir/other"
	ok "what is known to differ does not" agrees "$dir/other"
	echo '{"probes":[]}' >"$dir/other"
	ok "a file without probes is no evidence" not agrees "$dir/other"
}

# Its children must not be able to write files.
a_system_that_does_not_do_it() {
	mkdir -p "$dir/place"
	(ulimit -f 0 && exec "$WATCHPATHD" selftest "$dir/place") 2>&1 | cat >"$dir/out"
	(ulimit -f 0 && exec "$WATCHPATHD" selftest "$dir/place") >/dev/null 2>&1
	ok "its status is 1" [ $? -eq 1 ]
	ok "it says what failed" prints '^not ok .* - write: '
	ok "and why" prints '^# ended by signal '
	ok "it leaves nothing behind" left_nothing
}

# interrupt SIGNAL: sets status; 0 if it was through before.
interrupt() {
	: >"$dir/out"
	"$WATCHPATHD" selftest "$dir/place" >>"$dir/out" 2>&1 &
	pid=$!
	until_true 30 grep -q '^ok' "$dir/out"
	kill -"$1" $pid
	wait $pid
	status=$?
}

it_leaves_nothing_when_interrupted() {
	mkdir -p "$dir/place"
	for signal in INT TERM HUP; do
		for try in 1 2 3 4 5 6 7 8 9; do
			interrupt $signal
			[ $status -eq 0 ] || break
		done
		ok "its status is 1 after $signal" [ $status -eq 1 ]
		ok "and nothing is left" left_nothing
	done
}

usage_is_checked() {
	selftest a b
	ok "two directories are a usage error" [ $status -eq 64 ]
	ok "which it says" says '^usage: watchpathd selftest '
	selftest "$dir/missing"
	ok "a directory that is not there is an error" [ $status -eq 1 ]
	ok "which it names" says "$dir/missing: No such file"
}

# The machine's own /tmp: nothing of it is left there either.
a_result_is_kept_for_doctor() {
	rule r 'watch = /f'
	start_daemon
	state=$box$state_dir
	selftest
	ok "it says that it keeps its result" prints 'the result is kept'
	ok "it is in the state directory" [ -s "$state/selftest.json" ]
	ok "and nobody else's to read" \
	    [ -z "$(find "$state/selftest.json" -perm -044)" ]
	doctor
	finds_nothing "doctor has nothing to say of it"
	ok "and no note" not prints '^note: '
	sed 's/"system":"[^"]*"/"system":"Plan 9"/' "$state/selftest.json" >"$dir/other"
	cat "$dir/other" >"$state/selftest.json"
	doctor
	finds_nothing "of another version it has no finding"
	ok "but a note" prints '^note: watchpathd was tried on Plan 9, and this is .*: sudo watchpathd selftest'
	doctor --json
	ok "also as JSON" prints '"notes":\["watchpathd was tried on Plan 9'
	selftest
	sed '/"id":"write"/s/"result":"ok"/"result":"failed"/' "$state/selftest.json" >"$dir/other"
	cat "$dir/other" >"$state/selftest.json"
	doctor
	finds 'this system does not behave as watchpathd relies on: write' \
	    'changes can be missed' 'by hand: report what'
	selftest_here
	ok "of another directory nothing is kept" not prints 'result is kept'
}

it_needs_no_root() {
	if ! can_be_another; then
		skip "it needs no root" "the tests do not run as root, or without setpriv"
		return
	fi
	mkdir "$dir/place"
	chmod 777 "$dir/place"
	# The tree may be where nobody else comes to.
	cp "$WATCHPATHD" "$dir/copy"
	$another nice -n 10 "$dir/copy" selftest --clock "$dir/place" >"$dir/out" 2>&1
	ok "its status is 0, also where it has a low priority" [ $? -eq 0 ]
	grep -e '^not ok' -e '^# differs' "$dir/out" | diag
	ok "nor does it set the clock without" \
	    prints ' clock-set: .* # skip only root may set the clock'
	ok "it says what root would learn" prints '^# root would learn: that actions'
	$another "$dir/copy" selftest --root "$box" >"$dir/out" 2>&1
	ok "and that doctor will not know of it" prints 'is not kept for doctor: '
	ok "it leaves nothing behind" left_nothing
}

run_tests all_that_is_relied_on_holds all_that_is_relied_on_holds:shuffle \
    all_that_is_relied_on_holds:split all_that_is_relied_on_holds:merge \
    all_that_is_relied_on_holds:echo all_that_is_relied_on_holds:extend \
    all_that_is_relied_on_holds:shuffle,split,merge,echo,extend \
    it_holds_with_the_limit_of_launchd the_result_is_json \
    the_manual_names_facts_that_are_tried \
    the_shim_does_what_is_in_evidence comparing_notices a_system_that_does_not_do_it \
    it_leaves_nothing_when_interrupted usage_is_checked a_result_is_kept_for_doctor \
    it_needs_no_root
