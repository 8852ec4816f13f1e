#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A release: the tarball, which is the same however often it is made, the list of
# what is linked in, the formula and the recipe, and the forms for issues.
. "$(dirname "$0")/lib.sh"

# The tree as it is, in a repository of its own, with one commit.
make_clone() {
	mkdir -p "$dir/tree"
	(cd "$top" && tar -cf - --exclude=./build --exclude=./.git .) | tar -xf - -C "$dir/tree"
	(
		cd "$dir/tree" || exit 1
		GIT_AUTHOR_DATE='2026-11-24T10:00:00Z' GIT_COMMITTER_DATE='2026-11-24T10:00:00Z'
		export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
		git init -q . && git add -A && git -c user.name=x -c user.email=x@example.com \
		    -c commit.gpgsign=false commit -q -m x
	) >>"$log" 2>&1
}

# has_git WHAT: a clone is there; else it is said that WHAT is not tested.
has_git() {
	if ! command -v git >/dev/null; then
		skip "$1" "no git"
		return 1
	fi
	make_clone || ok "the tree becomes a clone" false
}

# dist BUILD: make dist there.
dist() {
	(
		unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
		"${MAKE:-make}" -s -C "$dir/tree" dist BUILD="$1"
	) >>"$log" 2>&1
}

version() {
	sed -n 's/^VERSION = //p' "$top/Makefile"
}

# same_files A B
same_files() {
	diff -r "$1" "$2" >"$dir/diff" 2>&1 && return
	head -n 20 "$dir/diff" | diag
	return 1
}

the_tarball() {
	has_git "the same tarball is made again" || return
	ok "make dist succeeds" dist "$dir/one"
	# Another time, umask, zone, language and configuration of git.
	find "$dir/tree" -type f ! -path '*/.git/*' -exec touch -t 203001010000 {} +
	(
		umask 077
		TZ=Asia/Tokyo LC_ALL=C
		export TZ LC_ALL
		git -C "$dir/tree" config tar.umask 0
		dist "$dir/two"
	)
	ok "the same commit gives the same bytes" same_files "$dir/one/dist" "$dir/two/dist"
	name=watchpathd-$(version)
	mkdir "$dir/unpacked"
	tar -xzf "$dir/one/dist/$name.tar.gz" -C "$dir/unpacked"
	rm -rf "$dir/tree/.git"
	ok "the tarball has every file of the tree, and no other" \
	    same_files "$dir/tree" "$dir/unpacked/$name"
	ok "it is unpacked below one directory" [ "$(ls "$dir/unpacked")" = "$name" ]
	(cd "$dir/one/dist" && if command -v sha256sum >/dev/null; then
		sha256sum -c SHA256SUMS
	else
		shasum -a 256 -c SHA256SUMS
	fi) >>"$log" 2>&1
	ok "the checksums are right" [ $? -eq 0 ]
	ok "there are checksums of all three" [ "$(wc -l <"$dir/one/dist/SHA256SUMS")" -eq 3 ]
}

what_dist_refuses() {
	has_git "a release without news is refused" || return
	sed -i.orig 's/^## .*/## 9.9.9/' "$dir/tree/NEWS.md"
	ok "a release without news is refused" not dist "$dir/one"
	ok "and it says why" is_logged 'dist: NEWS.md does not begin with'
	rm -rf "$dir/tree/.git"
	ok "without git there is no release" not dist "$dir/one"
	ok "and it says so" is_logged 'dist: a release is made in a clone'
}

# names KIND: of the packages, or of what they are linked with.
names() {
	perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>);
	    print "$_\n" for sort map { $ARGV[0] eq "packages" ? $_->{name}
	        : $_->{relationshipType} eq "STATIC_LINK" ? substr($_->{relatedSpdxElement}, 8)
	        : () } @{ $o->{$ARGV[0]} }' "$1" <"$dir/sbom"
}

the_list_of_what_is_linked_in() {
	sum=$(printf '%064d' 1)
	sh "$top/src/release/sbom.sh" 1.2.3 2026-11-24T10:00:00Z "$sum" >"$dir/sbom"
	ok "it is SPDX, as far as we use it" \
	    perl "$top/tests/schema.pl" "$top/tests/spdx.schema.json" <"$dir/sbom"
	sed -n 's/^PKGS = //p' "$top/Makefile" | sed 's/libcjson/cjson/' | tr ' ' '\n' |
	    LC_ALL=C sort >"$dir/linked"
	names relationships >"$dir/listed"
	ok "it has the libraries that are linked in, and no others" \
	    same_files "$dir/linked" "$dir/listed"
	{ cat "$dir/linked" && echo watchpathd; } >"$dir/all"
	names packages >"$dir/listed"
	ok "each is a package, and so is the program" same_files "$dir/all" "$dir/listed"
	ok "it has the version and the checksum it was given" \
	    [ "$(grep -c -e '"1\.2\.3"' -e "\"$sum\"" "$dir/sbom")" -eq 2 ]
	for _sum in $(sh "$top/tests/macos/fetch-deps.sh" --list | cut -d ' ' -f 5); do
		ok "it has the checksum that is asked of the tarball" grep -q "\"$_sum\"" "$dir/sbom"
	done
}

# Tests have versions of their own making, and README a screen, whose numbers may be
# old.
the_version_is_in_one_place() {
	(cd "$top" && find . -type f ! -path './build/*' ! -path './.git/*' \
	    ! -path './tests/*' ! -name NEWS.md ! -name README.md \
	    -exec grep -lwF "$(version)" {} +) >"$dir/places"
	ok "the version is in the Makefile, and nowhere else" \
	    [ "$(cat "$dir/places")" = ./Makefile ]
	diag <"$dir/places"
	grep -wF "$(version)" "$top/README.md" | grep -v ', up since ' >"$dir/lines"
	ok "README has it in its screen alone" [ ! -s "$dir/lines" ]
	ok "NEWS.md begins with it" \
	    [ "$(sed -n 's/^## //p' "$top/NEWS.md" | head -n 1)" = "$(version)" ]
	ok "the program says it" [ "$("$WATCHPATHD" version | head -n 1)" = \
	    "watchpathd $(version)" ]
}

# What the formula asks of us: targets, files and a command.
the_formula() {
	sed -e 's/@VERSION@/1.2.3/' -e "s/@SHA256@/$(printf '%064d' 1)/" \
	    "$top/src/macos/fleet/watchpathd.rb" >"$dir/watchpathd.rb"
	if command -v ruby >/dev/null; then
		cat >"$dir/run.rb" <<-'END'
		# What Homebrew gives a formula, which writes down what it is asked.
		class Formula
		  class << self
		    attr_reader :asked, :checks
		    %w[desc homepage url sha256 license depends_on].each do |word|
		      define_method(word) { |*a, **k| (@asked ||= []) << [word, a, k] }
		    end
		    def test(&block) = @checks = block
		  end
		  Place = Struct.new(:name) do
		    def install(what) = puts("#{name}: #{[what].flatten.join(' ')}")
		    def /(other) = "#{name}/#{other}"
		  end
		  def system(*words) = puts(words.join(' '))
		  %w[bin man5 man8 pkgshare].each { |n| define_method(n) { Place.new(n) } }
		end
		load ARGV[0]
		Dir.chdir(ARGV[1])
		Watchpathd.asked.each { |word, a, k| puts([word, *a, *k.keys].join(' ')) }
		formula = Watchpathd.new
		formula.install
		formula.instance_eval(&Watchpathd.checks)
		abort 'caveats' unless formula.caveats.include?('takes the package')
		END
		ruby "$dir/run.rb" "$dir/watchpathd.rb" "$top" >"$dir/asked" 2>>"$log"
		ok "the formula is Ruby, and runs" [ $? -eq 0 ]
		ok "the formula builds and installs what is there" installs_what_is_there
	else
		skip "the formula is Ruby, and runs" "no ruby"
		skip "the formula builds and installs what is there" "no ruby"
	fi
	ok "the formula has a checksum and an address to put in" \
	    [ "$(grep -c -e '@SHA256@' -e '@VERSION@' "$top/src/macos/fleet/watchpathd.rb")" -eq 2 ]
}

installs_what_is_there() {
	cat "$dir/asked" >>"$log"
	for _library in $(sed -n 's/^PKGS = //p' "$top/Makefile" | sed 's/libcjson/cjson/'); do
		grep -qx "depends_on $_library" "$dir/asked" || return 1
	done
	grep -qx 'make all' "$dir/asked" && grep -qx 'bin: build/watchpathd' "$dir/asked" &&
	    grep -q '^man5: man/watchpathd.rules.5' "$dir/asked" &&
	    grep -q '^man8: .*man/watchpathd.8' "$dir/asked" &&
	    grep -qx 'bin/watchpathd check pkgshare/conf.d' "$dir/asked"
}

# string_after KEY: in the recipe.
string_after() {
	sed -n "/<key>$1</{n;s/.*<string>\(.*\)<.*/\1/p;}" "$top/src/macos/fleet/watchpathd.download.recipe"
}

the_recipe() {
	recipe=$top/src/macos/fleet/watchpathd.download.recipe
	if command -v plutil >/dev/null; then
		ok "the recipe is a property list" plutil -lint -s "$recipe"
	else
		ok "the recipe is a property list" plistutil -i "$recipe" -o "$dir/binary"
	fi
	ok "its processors are AutoPkg's, in order" [ "$(string_after Processor | tr '\n' ' ')" = \
	    'GitHubReleasesInfoProvider URLDownloader EndOfCheckPhase CodeSignatureVerifier ' ]
	built=$(sed -n 's|^final=$out/||p' "$top/src/macos/package/build.sh" |
	    sed "s/\$VERSION/$(version)/")
	ok "it finds the package as make pkg names it" \
	    sh -c 'echo "$1" | grep -Eq "$2"' sh "$built" "$(string_after asset_regex)"
	ok "it does not find the tarball" \
	    not sh -c 'echo "$1" | grep -Eq "$2"' sh "${built%.pkg}.tar.gz" \
	    "$(string_after asset_regex)"
}

# is_form FILE
is_form() {
	perl "$top/tests/form.pl" "$1" >"$dir/wrong" 2>&1 && return
	diag <"$dir/wrong"
	return 1
}

the_forms() {
	for _form in "$top"/.github/ISSUE_TEMPLATE/*.yml; do
		_name=${_form##*/}
		[ "$_name" != config.yml ] || continue
		ok "$_name is a form" is_form "$_form"
		for _words in 'doctor --json' 'selftest --json' 'watchpathd version'; do
			ok "$_name asks for $_words" grep -qF "$_words" "$_form"
		done
	done
	sed 's/type: input/type: inputs/' "$top/.github/ISSUE_TEMPLATE/problem.yml" >"$dir/a.yml"
	ok "another type is noticed" not is_form "$dir/a.yml"
	sed 's/id: mdm/id: what/' "$top/.github/ISSUE_TEMPLATE/problem.yml" >"$dir/a.yml"
	ok "an id that is there twice is noticed" not is_form "$dir/a.yml"
}

# Each command that a form names, and its option, is one of the program's.
the_forms_ask_for_what_is_there() {
	grep -oh '`[^`]*`' "$top"/.github/ISSUE_TEMPLATE/*.yml |
	    grep -oE 'watchpathd [a-z]+( --[a-z]+)?' | cut -d ' ' -f 2- |
	    LC_ALL=C sort -u >"$dir/commands"
	ok "the forms name commands" [ "$(wc -l <"$dir/commands")" -ge 3 ]
	while read -r _command _option; do
		"$WATCHPATHD" help "$_command" >"$dir/usage" 2>&1
		ok "there is watchpathd $_command $_option" \
		    grep -qe "^usage: watchpathd $_command.*$_option" "$dir/usage"
	done <"$dir/commands"
}

# What CONTRIBUTING refers to is there.
contributing() {
	grep -oE '`(src|tests|man|conf\.d)/[^` ]*`' "$top/.github/CONTRIBUTING.md" | tr -d '`' |
	    grep -v NAME >"$dir/named"
	ok "CONTRIBUTING.md names files" [ -s "$dir/named" ]
	while read -r _file; do
		ok "there is $_file" [ -e "$top/$_file" ]
	done <"$dir/named"
	grep -oE '`make [a-z]*`' "$top/.github/CONTRIBUTING.md" | tr -d '`' | sort -u |
	    while read -r _ _target; do
		ok "there is make $_target" grep -q "^$_target:" "$top/Makefile"
	done
}

run_tests the_tarball what_dist_refuses the_list_of_what_is_linked_in \
    the_version_is_in_one_place the_formula the_recipe the_forms \
    the_forms_ask_for_what_is_there contributing
