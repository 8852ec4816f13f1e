#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The package for Macs: what `make pkg` would run and put into it, and its scripts
# in what they may meet. Apple's tools are stand-ins that write down what they were
# asked; of a script only the lines are replaced that say where the system is.
. "$(dirname "$0")/lib.sh"

package=$top/src/macos/package
golden=$top/tests/package

# The scripts' surroundings.

# stand_in NAME LINE...: a program of that name, which notes its arguments first.
stand_in() {
	_name=$1
	shift
	mkdir -p "$dir/bin"
	{
		echo '#!/bin/sh'
		echo "echo \"$_name \$*\" >>'$dir/calls'"
		echo "cd '$dir/launchd' || exit 1"
		printf '%s\n' "$@"
	} >"$dir/bin/$_name"
	chmod 755 "$dir/bin/$_name"
}

# launchd. In $dir/launchd, `there` is there while the job is, `lingers` says how
# many questions it outlives its bootout, and `fails` how many bootstraps fail.
stand_in_for_launchd() {
	mkdir -p "$dir/launchd"
	: >"$dir/calls"
	echo 0 >"$dir/launchd/lingers"
	echo 0 >"$dir/launchd/fails"
	stand_in launchctl 'n=$(cat lingers) fails=$(cat fails)' \
	    'case $1 in' \
	    'print) [ -e there ] || exit 113' \
	    '  [ ! -e leaving ] || { [ $n -gt 0 ] && echo $((n - 1)) >lingers; } ||' \
	    '      { rm -f there leaving; exit 113; } ;;' \
	    'bootout) : >leaving; [ ! -e bootout ] || exit "$(cat bootout)" ;;' \
	    'print-disabled) cat disabled 2>/dev/null ;;' \
	    'bootstrap) [ $fails -eq 0 ] || { echo $((fails - 1)) >fails; exit 5; }' \
	    '  : >there ;;' \
	    'esac'
	stand_in sleep
	stand_in pkgutil
}

# install_script FILE: as it is shipped, but for this system and these tools.
install_script() {
	sed -e "s|^PATH=.*|PATH='$dir/bin:$PATH'|" -e "s|^root=.*|root='$box'|" \
	    "$package/$1" >"$dir/scripts/$1"
	chmod 755 "$dir/scripts/$1"
}

# release TEXT...: a payload with a shipped rule of each text: a.ini, b.ini ...
release() {
	rm -rf "$library/share"
	mkdir -p "$library/share/rules" "$library/bin" "$library/conf.d"
	cp "$package/launchd.sh" "$library/share/"
	for _text; do
		printf '%s\n' "$_text" >"$library/share/rules/${_text%% *}.ini"
	done
}

# begin TEXT...: a Mac on which that release is just being installed.
begin() {
	library=$box/Library/watchpathd
	rules=$library/conf.d
	mkdir -p "$dir/scripts"
	stand_in_for_launchd
	for _script in preinstall postinstall uninstall; do
		install_script $_script
	done
	cp "$package/launchd.sh" "$package/deliver-rules" "$dir/scripts/"
	release "$@"
}

# post [VOLUME]: runs postinstall; its exit status is in $result.
post() {
	: >"$dir/calls"
	"$dir/scripts/postinstall" a.pkg "${1:-/}" "${1:-/}" / >"$dir/said" 2>&1
	result=$?
	cat "$dir/said" >>"$log"
}

said() {
	grep -q -- "$1" "$dir/said"
}

# has RULE TEXT: does the rule file hold that?
has() {
	[ "$(cat "$rules/$1.ini" 2>/dev/null)" = "$2" ]
}

# asked LINE...: was launchd asked for that, in this order, and for nothing else?
# (Questions aside.)
asked() {
	printf '%s\n' "$@" >"$dir/wanted"
	grep -v -e 'launchctl print' "$dir/calls" | diff "$dir/wanted" - >"$dir/diff" && return
	diag <"$dir/diff"
	return 1
}

plist=/Library/LaunchDaemons/org.watchpathd.plist
bootout='launchctl bootout system/org.watchpathd'
bootstrap="launchctl bootstrap system $plist"

# The scripts.

a_first_installation() {
	begin 'a 1' 'b 1'
	post
	ok "a first installation succeeds" [ $result -eq 0 ]
	ok "a first installation delivers the rules" has a 'a 1'
	ok "a first installation delivers every rule" has b 'b 1'
	ok "a first installation starts the daemon, once" asked "$bootstrap"
}

an_upgrade() {
	begin 'a 1'
	post
	echo 3 >"$dir/launchd/lingers"
	release 'a 2'
	post
	ok "an upgrade succeeds" [ $result -eq 0 ]
	ok "an upgrade replaces a rule that was not changed" has a 'a 2'
	ok "an upgrade waits until the old job is gone, then starts the new one" \
	    asked "$bootout" 'sleep 1' 'sleep 1' 'sleep 1' "$bootstrap"
}

a_downgrade() {
	begin 'a 2'
	post
	release 'a 1'
	post
	ok "a downgrade succeeds" [ $result -eq 0 ]
	ok "a downgrade puts the older rule back" has a 'a 1'
	ok "a downgrade starts the older daemon" asked "$bootout" "$bootstrap"
}

another_volume() {
	begin 'a 1'
	: >"$dir/launchd/there"
	post "$box"
	ok "another volume: it succeeds" [ $result -eq 0 ]
	ok "another volume: the rules are delivered" has a 'a 1'
	ok "another volume: launchd is not asked for anything" [ ! -s "$dir/calls" ]
}

a_job_that_does_not_end() {
	begin 'a 1'
	: >"$dir/launchd/there"
	echo 1000 >"$dir/launchd/lingers"
	post
	ok "a job that does not end is waited for 30 s, no longer" \
	    [ "$(grep -c '^sleep 1$' "$dir/calls")" -eq 30 ]
	ok "a job that does not end: the installation fails" [ $result -eq 1 ]
	ok "a job that does not end is no job to start anew" \
	    not grep -q bootstrap "$dir/calls"
	ok "a job that does not end: it says when the new one starts" \
	    said 'the new one starts when the Mac does'
}

a_bootout_that_fails() {
	begin 'a 1'
	: >"$dir/launchd/there"
	echo 36 >"$dir/launchd/bootout"
	post
	ok "a bootout that says it failed, and worked, is none" [ $result -eq 0 ]
	ok "a bootout that fails is said" said 'launchctl bootout failed, with status 36'
	ok "a bootout that fails: the daemon is started" asked "$bootout" "$bootstrap"
}

a_bootstrap_that_fails_twice() {
	begin 'a 1'
	echo 2 >"$dir/launchd/fails"
	post
	ok "a bootstrap that fails twice is tried a third time" \
	    asked "$bootstrap" 'sleep 2' "$bootstrap" 'sleep 2' "$bootstrap"
	ok "a bootstrap that fails twice: the installation succeeds" [ $result -eq 0 ]
}

a_bootstrap_that_fails() {
	begin 'a 1'
	echo 9 >"$dir/launchd/fails"
	post
	ok "a bootstrap that fails is tried three times" \
	    [ "$(grep -c bootstrap "$dir/calls")" -eq 3 ]
	ok "a bootstrap that fails: the installation fails" [ $result -eq 1 ]
	ok "a bootstrap that fails: it says so" said 'the daemon is not running'
	ok "a bootstrap that fails: the rules are there" has a 'a 1'
}

a_bootstrap_that_fails_and_works() {
	begin 'a 1'
	stand_in launchctl 'case $1 in bootstrap) : >there; exit 37 ;;' \
	    'print) [ -e there ] ;; esac'
	post
	ok "a bootstrap that fails while the job is there has worked" [ $result -eq 0 ]
	ok "a bootstrap that has worked is not tried again" asked "$bootstrap"
}

a_job_that_is_disabled() {
	for _word in true disabled; do
		begin 'a 1'
		printf '\t"org.watchpathd" => %s\n' $_word >"$dir/launchd/disabled"
		post
		ok "a job that is switched off ($_word) stays off" \
		    not grep -q bootstrap "$dir/calls"
		ok "a job that is switched off ($_word): it says how to start it" \
		    said 'sudo launchctl enable system/org.watchpathd'
		ok "a job that is switched off ($_word) is no failure" [ $result -eq 0 ]
	done
}

what_an_admin_did_to_rules() {
	begin 'changed 1' 'renamed 1' 'removed 1' 'linked 1' 'touched 1'
	post
	echo mine >>"$rules/changed.ini"
	mv "$rules/renamed.ini" "$rules/renamed.ini.off"
	rm "$rules/removed.ini" "$rules/linked.ini"
	echo other >"$dir/other"
	ln -s "$dir/other" "$rules/linked.ini"
	touch -t 202001010000 "$rules/touched.ini"
	for _n in 2 1 3; do
		release "changed $_n" "renamed $_n" "removed $_n" "linked $_n" "touched $_n" \
		    "new $_n"
		post
	done
	ok "a rule that was changed stays so" has changed 'changed 1
mine'
	ok "a rule that was renamed stays switched off" [ ! -e "$rules/renamed.ini" ]
	ok "a rule that was renamed stays as it was" \
	    [ "$(cat "$rules/renamed.ini.off")" = 'renamed 1' ]
	ok "a rule that was removed stays away" [ ! -e "$rules/removed.ini" ]
	ok "a rule that was replaced by a link stays one" [ -h "$rules/linked.ini" ]
	ok "nothing is written through the link" [ "$(cat "$dir/other")" = other ]
	ok "a rule whose time alone has changed is replaced" has touched 'touched 3'
	ok "a rule that came with a later release is delivered" has new 'new 3'
	ok "it says what is kept" said 'kept: .*/removed.ini'
}

# As `make install` of a release before left them, without a note of what came.
rules_that_were_there_before() {
	begin 'same 1' 'other 1' 'off 1'
	echo 'same 1' >"$rules/same.ini"
	echo 'mine' >"$rules/other.ini"
	echo 'mine' >"$rules/off.ini.off"
	post
	ok "a rule file of an admin's own is not overwritten" has other mine
	ok "a rule that was switched off before stays off" [ ! -e "$rules/off.ini" ]
	release 'same 2' 'other 2' 'off 2'
	post
	ok "a rule that was as it is shipped counts as delivered" has same 'same 2'
}

examples_are_delivered_like_rules() {
	begin 'a 1'
	mkdir "$library/share/rules/examples"
	echo 1 >"$library/share/rules/examples/x.ini"
	echo 1 >"$library/share/rules/examples/y.ini"
	post
	echo mine >"$rules/examples/x.ini"
	release 'a 1'
	mkdir "$library/share/rules/examples"
	echo 2 >"$library/share/rules/examples/x.ini"
	echo 2 >"$library/share/rules/examples/y.ini"
	post
	ok "an example that was changed stays so" has examples/x mine
	ok "an example that was not is replaced" has examples/y 2
}

# cp writes half of it, as on a volume that is full then.
a_full_volume() {
	begin 'a 1' 'b 1'
	post
	release 'a 2' 'b 2' 'c 2'
	stand_in cp 'cd / && head -c 2 "$1" >"$2"; exit 1'
	post
	ok "a full volume: the rules are whole, as they were" has a 'a 1'
	ok "a full volume: no half of a new rule is there" [ ! -e "$rules/c.ini" ]
	ok "a full volume: nothing is left over" \
	    [ -z "$(find "$rules" -name '*.new')" ]
	ok "a full volume: the new daemon is started all the same" \
	    grep -qF "$bootstrap" "$dir/calls"
	ok "a full volume: the installation fails, and says where" \
	    said 'cannot write .*/conf.d/a.ini'
	ok "a full volume: the installation fails" [ $result -eq 1 ]
	rm "$dir/bin/cp"
	post
	ok "a full volume: with room again the rules come" has a 'a 2'
	ok "a full volume: with room again the new one comes" has c 'c 2'
}

# refuses WHY: preinstall, and changes nothing.
refuses() {
	(cd "$box" && find . | LC_ALL=C sort) >"$dir/before"
	"$dir/scripts/preinstall" a.pkg / / / >"$dir/said" 2>&1
	[ $? -eq 1 ] && said "$1: nothing is installed" &&
	    (cd "$box" && find . | LC_ALL=C sort) | cmp -s - "$dir/before" && return
	diag <"$dir/said"
	return 1
}

what_preinstall_refuses() {
	begin
	rm -rf "$library"
	ok "preinstall is content with nothing" "$dir/scripts/preinstall" a.pkg / / /
	release
	ok "preinstall is content with what is root's alone" \
	    "$dir/scripts/preinstall" a.pkg / / /
	chmod 775 "$rules"
	ok "preinstall refuses a directory that a group may write" \
	    refuses 'conf.d may be written by others than root'
	ok "preinstall says how to repair that" said "; .*: sudo chmod go-w '.*/conf.d'"
	chmod 757 "$rules"
	ok "preinstall refuses a directory that everyone may write" \
	    refuses 'conf.d may be written by others than root'
	chmod 755 "$rules"
	mv "$library" "$box/elsewhere"
	ln -s "$box/elsewhere" "$library"
	ok "preinstall refuses a link" refuses '/Library/watchpathd is a link'
	rm "$library"
	: >"$library"
	ok "preinstall refuses a file" refuses '/Library/watchpathd is no directory'
	if [ "$(id -u)" -ne 0 ]; then
		skip "preinstall refuses a user's directory" "not root"
	else
		rm "$library"
		mkdir "$library"
		chown 1 "$library"
		ok "preinstall refuses a user's directory" \
		    refuses '/Library/watchpathd does not belong to root'
		ok "preinstall says how to repair that, too" said ": sudo chown root '"
	fi
	ok "preinstall leaves launchd alone" [ ! -s "$dir/calls" ]
}

# installed: with the files that the package and then the daemon brings.
installed() {
	begin 'a 1'
	mkdir -p "$box/Library/LaunchDaemons" "$box/etc/paths.d" "$box/var/log" \
	    "$box/var/db/watchpathd" "$library/share/man"
	for _file in "$library/bin/watchpathd" "$library/bin/filevault-escrow" \
	    "$library/bin/uninstall" "$box$plist" "$box/etc/paths.d/watchpathd" \
	    "$box/var/db/watchpathd/history.jsonl" "$box/var/log/watchpathd.log" \
	    "$box/var/log/watchpathd.log.1" "$box/Library/LaunchDaemons/other.plist"; do
		: >"$_file"
	done
	stand_in id 'echo 0'
	post
	: >"$dir/calls"
}

# remove [--all]
remove() {
	"$dir/scripts/uninstall" "$@" >"$dir/said" 2>&1
	result=$?
	cat "$dir/said" >>"$log"
}

left() {
	(cd "$box" && find Library etc/paths.d var ! -type d) | LC_ALL=C sort >"$dir/left"
	printf '%s\n' "$@" | diff - "$dir/left" >"$dir/diff" && return
	diag <"$dir/diff"
	return 1
}

uninstalling() {
	installed
	echo 2 >"$dir/launchd/lingers"
	remove
	ok "uninstall succeeds" [ $result -eq 0 ]
	ok "uninstall stops the daemon, and forgets the receipt" asked 'id -u' "$bootout" \
	    'sleep 1' 'sleep 1' 'pkgutil --forget org.watchpathd'
	ok "uninstall keeps rules, history and log, and nothing else of ours" left \
	    Library/LaunchDaemons/other.plist Library/watchpathd/conf.d/.shipped/a.ini \
	    Library/watchpathd/conf.d/a.ini var/db/watchpathd/history.jsonl \
	    var/log/watchpathd.log var/log/watchpathd.log.1
	ok "uninstall says what it keeps" said "^kept: .*/conf.d\$"
	rm "$rules/a.ini"
	release 'a 2'
	post
	ok "a rule that was removed stays away after the next installation" \
	    [ ! -e "$rules/a.ini" ]
}

uninstalling_all() {
	installed
	remove --all
	ok "uninstall --all succeeds" [ $result -eq 0 ]
	ok "uninstall --all keeps only what is others'" left Library/LaunchDaemons/other.plist
	ok "uninstall --all leaves no directory of ours" [ ! -e "$library" ]
}

uninstalling_what_are_links() {
	installed
	mkdir "$dir/elsewhere"
	echo keep >"$dir/elsewhere/a.ini"
	for _place in "$rules" "$box/var/db/watchpathd" "$box/var/log/watchpathd.log" \
	    "$library/share/man" "$box/etc/paths.d/watchpathd"; do
		rm -rf "$_place"
		ln -s "$dir/elsewhere" "$_place"
	done
	remove --all
	ok "uninstall --all succeeds where links are" [ $result -eq 0 ]
	ok "uninstall --all removes the links" \
	    left Library/LaunchDaemons/other.plist
	ok "uninstall --all leaves what they lead to" \
	    [ "$(cat "$dir/elsewhere/a.ini")" = keep ]
}

uninstalling_what_does_not_end() {
	installed
	(cd "$box" && find . | LC_ALL=C sort) >"$dir/before"
	echo 1000 >"$dir/launchd/lingers"
	remove --all
	ok "uninstall fails where the daemon does not end" [ $result -eq 1 ]
	ok "uninstall says so" said 'nothing is removed'
	(cd "$box" && find . | LC_ALL=C sort) >"$dir/after"
	ok "uninstall removes nothing then" cmp -s "$dir/before" "$dir/after"
	echo 0 >"$dir/launchd/lingers"
	remove --all
	ok "uninstall can be tried again" [ $result -eq 0 ]
}

uninstalling_in_a_wrong_way() {
	installed
	for _words in '--purge' '--all --all' '--all x'; do
		# shellcheck disable=SC2086
		remove $_words
		ok "uninstall $_words is refused" [ $result -eq 64 ]
	done
	stand_in id 'echo 501'
	remove
	ok "uninstall is root's" [ $result -eq 77 ]
	ok "uninstall says how" said 'sudo .*/bin/uninstall'
	ok "uninstall has done nothing" not grep -q launchctl "$dir/calls"
}

# make pkg.

# A stand-in for one of Apple's tools; it makes what it is asked to make.
tool() {
	{
		echo '#!/bin/sh'
		printf '%s\n' "$2"
		echo "{ printf '%s' '$1'"
		echo 'for word; do case $word in *[\ \(\)]*) word="\"$word\"" ;; esac'
		echo 'printf " %s" "$word"; done; echo; } |'
		echo "sed \"s|$dir/build|BUILD|g; s|$dir|DIR|g\" >>'$dir/calls'"
	} >"$dir/bin/$1"
	chmod 755 "$dir/bin/$1"
}

# make_package WORD...: `make pkg` with stand-ins and these variables; status in
# $result, calls as in the golden files.
make_package() {
	mkdir -p "$dir/bin"
	: >"$dir/calls"
	printf '#!/bin/sh\n' >"$dir/program"
	for _tool in codesign pkgutil xcrun; do
		tool $_tool ':'
	done
	for _tool in pkgbuild productbuild; do
		tool $_tool 'for last; do :; done; : >"$last"'
	done
	(
		unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
		umask 077
		"${MAKE:-make}" -s -C "$top" pkg BUILD="$dir/build" PLATFORM=macos VERSION=9.8.7 \
		    PROGRAM="$dir/program" CODESIGN="$dir/bin/codesign" \
		    PKGBUILD="$dir/bin/pkgbuild" PRODUCTBUILD="$dir/bin/productbuild" \
		    PKGUTIL="$dir/bin/pkgutil" XCRUN="$dir/bin/xcrun" "$@"
	) >"$dir/said" 2>&1
	result=$?
	cat "$dir/said" >>"$log"
}

# as_golden NAME FILE
as_golden() {
	diff "$golden/$1" "$2" >"$dir/diff" && return
	diag <"$dir/diff"
	return 1
}

same_rules() {
	(cd "$top/conf.d" && find . -name '*.ini' | LC_ALL=C sort) >"$dir/tree"
	(cd "$dir/build/pkg/stage/Library/watchpathd/share/rules" && find . -type f |
	    LC_ALL=C sort) | diff "$dir/tree" - >"$dir/diff" && return
	diag <"$dir/diff"
	return 1
}

a_plain_package() {
	make_package
	ok "a plain package is made" [ $result -eq 0 ]
	ok "a plain package: what is run is as in tests/package/plain" \
	    as_golden plain "$dir/calls"
	# What there is in these directories, 60-install.t looks at.
	(cd "$dir/build/pkg" && find stage scripts ! -type l -exec ls -ld {} +) |
	    awk '{ print substr($1, 1, 10), $NF }' | grep -v '/share/[a-z]*/' |
	    LC_ALL=C sort -k 2 >"$dir/payload"
	ok "every rule is in the payload" same_rules
	ok "the payload is as in tests/package/payload" as_golden payload "$dir/payload"
	ok "the package is where it says" [ -e "$dir/build/pkg/watchpathd-9.8.7.pkg" ]
	if command -v xmllint >/dev/null; then
		ok "the distribution is XML" xmllint --noout "$dir/build/pkg/distribution.xml"
	fi
	ok "the distribution has the version, twice and in the title" \
	    [ "$(grep -o '9\.8\.7' "$dir/build/pkg/distribution.xml" | wc -l)" -eq 3 ]
	ok "the distribution names no other package than was made" \
	    grep -q ">component.pkg<" "$dir/build/pkg/distribution.xml"
}

a_signed_package() {
	make_package SIGN_PROGRAM='Developer ID Application: Example (ABCDE12345)' \
	    SIGN_PACKAGE='Developer ID Installer: Example (ABCDE12345)' NOTARY_PROFILE=example
	ok "a signed package is made" [ $result -eq 0 ]
	ok "a signed package: what is run is as in tests/package/signed" \
	    as_golden signed "$dir/calls"
	make_package NOTARY_PROFILE=example
	ok "what is not signed is not notarised" \
	    said 'NOTARY_PROFILE needs SIGN_PROGRAM and SIGN_PACKAGE'
	ok "what is not signed: nothing is made" [ ! -s "$dir/calls" ]
}

# As the Installer would: the payload, and its scripts around it; then its uninstall.
# On a Mac /etc is a link.
the_package_as_it_is() {
	make_package
	begin
	rm -rf "$box/etc"
	mkdir -p "$box/private/etc"
	ln -s private/etc "$box/etc"
	"$dir/build/pkg/scripts/preinstall" a.pkg / "$box" / >>"$log" 2>&1
	ok "the payload: preinstall is content" [ $? -eq 0 ]
	rm -rf "$library"
	cp -R "$dir/build/pkg/stage/." "$box/"
	for _script in preinstall postinstall; do
		cmp -s "$package/$_script" "$dir/build/pkg/scripts/$_script"
		ok "the payload: $_script is the one that is tested" [ $? -eq 0 ]
	done
	post
	ok "the payload: postinstall succeeds" [ $result -eq 0 ]
	"$WATCHPATHD" check --root "$box" --config "$rules" >"$dir/checked" 2>&1
	ok "the payload: its rules are read, and trusted" [ $? -eq 0 ]
	grep -v -e ': not installed yet' "$dir/checked" >"$dir/warnings"
	ok "the payload: examples and notes are no files that are passed over" \
	    [ "$(grep -c warning: "$dir/warnings")" -eq 0 ]
	cat "$dir/checked" >>"$log"
	stand_in id 'echo 0'
	ok "the payload: it brings uninstall" \
	    cmp -s "$package/uninstall" "$library/bin/uninstall"
	remove --all
	ok "the payload: uninstall --all succeeds" [ $result -eq 0 ]
	(cd "$box" && find . -name '*watchpathd*') >"$dir/left"
	diag <"$dir/left"
	ok "the payload: nothing of it is left" [ ! -s "$dir/left" ]
}

a_tool_that_fails() {
	for _word in CODESIGN PKGBUILD PRODUCTBUILD PKGUTIL XCRUN; do
		make_package SIGN_PROGRAM=a SIGN_PACKAGE=b NOTARY_PROFILE=c $_word=false
		ok "$_word fails: no package is said to be ready" [ $result -ne 0 ]
		ok "$_word fails: nothing is said to be ready" not said 'is ready'
	done
	make_package XCRUN=/none
	ok "a tool that is not here is named before anything is made" \
	    said 'pkg: /none is not here: a package is made on a Mac'
	ok "a tool that is not here: nothing is made" [ ! -s "$dir/calls" ]
}

run_tests a_first_installation an_upgrade a_downgrade another_volume \
    a_job_that_does_not_end a_bootout_that_fails a_bootstrap_that_fails_twice \
    a_bootstrap_that_fails a_bootstrap_that_fails_and_works a_job_that_is_disabled \
    what_an_admin_did_to_rules rules_that_were_there_before \
    examples_are_delivered_like_rules a_full_volume what_preinstall_refuses \
    uninstalling uninstalling_all uninstalling_what_are_links uninstalling_what_does_not_end \
    uninstalling_in_a_wrong_way a_plain_package a_signed_package \
    the_package_as_it_is a_tool_that_fails
