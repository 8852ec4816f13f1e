#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rules that come by a configuration profile: from the property list that macOS
# would put there to rules in force, and away again.
. "$(dirname "$0")/doctor.sh"

faulty=${BUILD:-$top/build}/watchpathd-faults
case $faulty in
/*) ;;
*) faulty=$PWD/$faulty ;;
esac

# The program is where a Mac has it, and the shipped rule runs it.
install_all() {
	profile="$box/Library/Managed Preferences/org.watchpathd.plist"
	managed=$conf/00-managed.ini
	mkdir -p "${profile%/*}" "$box/Library/watchpathd/bin"
	cp "$WATCHPATHD" "$box/Library/watchpathd/bin/watchpathd"
	cp "$top/conf.d/managed-rules.ini" "$conf/"
}

# one_rule NAME MEMBERS; members KEY STRING ...
one_rule() {
	echo "<key>$1</key><dict>$2</dict>"
}

members() {
	while [ $# -gt 0 ]; do
		echo "<key>$1</key><string>$2</string>"
		shift 2
	done
}

# A rule that watches /NAME and whose action records its runs.
good_rule() {
	one_rule "$1" "$(members watch "/$1" action /act settle 100ms cooldown 0)"
}

# list MEMBERS: a property list; rules TEXT: one of these rules.
list() {
	printf '<?xml version="1.0"?>\n<plist version="1.0"><dict>%s</dict></plist>\n' "$1"
}

rules() {
	list "<key>Rules</key><dict>$1</dict>"
}

# deliver TEXT: as an MDM does it.
deliver() {
	printf '%s\n' "$1" >"$dir/profile"
	mv "$dir/profile" "$profile"
}

withdraw() {
	rm "$profile"
}

is_in_force() {
	is_in_state "$1" idle
}

is_not_in_force() {
	! "$WATCHPATHD" status --root "$box" "$1" >/dev/null 2>&1
}

# What the rule said when it ran.
reports() {
	is_logged "output: managed-rules: .*org.watchpathd.plist: error: $1"
}

# names WHAT PATTERN: an error, in the log and by doctor, which ran before.
names() {
	ok "the log names $1" until_true 30 reports "$2"
	ok "doctor names $1" prints "^ *[0-9. ]*.*org.watchpathd.plist: $2"
}

three_rules_with_four_mistakes() {
	install_all
	rule mine 'watch = /mine'
	start_daemon
	deliver "$(rules "$(one_rule one "$(members wach /one action /act settle soon)")
	    $(one_rule two "$(members watch two action /act)")
	    $(one_rule three "$(members watch /three)")")"
	until_true 30 reports '\[one\]'
	doctor
	names 'a key that is none' '\[one\]: unknown key `wach`: did you mean `watch`?'
	names 'a value that is none' '\[one\]: `settle`: `soon` is not a duration'
	names 'a path that is none' '\[two\]: `watch`: `two` is not an absolute path'
	names 'a key that is missing' '\[three\]: missing `action`'
	ok "there are no other errors" \
	    [ "$(grep -c 'org.watchpathd.plist: error' "$log")" -eq 4 ]
	finds '/Library/Managed Preferences/org.watchpathd.plist: [two]: ' \
	    'the profile is refused as a whole: none of its rules is in force' \
	    'by hand: correct the profile in the MDM: it is taken by itself'
	ok "no rule of it is in force" not test -e "$managed"
	ok "the run has failed" until_true 30 is_logged \
	    'managed-rules: running -> retrying, .* exit status 65'
	deliver "$(rules "$(good_rule one)$(good_rule two)$(good_rule three)")"
	ok "repaired, it is in force" until_true 30 is_in_force three
	doctor
	ok "and doctor has nothing against it" not prints org.watchpathd
	for name in one two three; do
		put "$box/$name" 1
		ok "$name runs" has_runs $name 1
	done
	deliver "$(rules "$(good_rule one)$(one_rule two "$(members watch /x)")")"
	ok "a later mistake is named" until_true 30 reports '\[two\]: missing `action`'
	ok "and leaves what is in force" is_in_force three
	doctor
	ok "doctor says so" prints 'refused as a whole: the version before it is in force'
	withdraw
	ok "removed, its rules are gone" until_true 60 is_not_in_force one
	ok "with their file" not test -e "$managed"
	ok "and others are there" is_in_force mine
}

there_before_the_daemon() {
	install_all
	deliver "$(rules "$(good_rule one)")"
	start_daemon
	ok "a profile that was there before is in force" until_true 30 is_in_force one
	put "$box/one" 1
	ok "and its rule runs" has_runs one 1
	stop_daemon
	withdraw
	launch
	ok "one that went while the daemon was stopped is not" \
	    until_true 60 is_not_in_force one
}

a_rule_of_the_same_name() {
	install_all
	rule one 'watch = /file'
	printf '[other]\nwatch = /other\naction = /act\n' >>"$conf/one.ini"
	start_daemon
	deliver "$(rules "$(good_rule one)")"
	ok "the profile's rule replaces the file's" \
	    until_true 30 became '$r->{one}{file}' '"00-managed.ini"'
	ok "which is noted" member_is '$s->{warnings}[0]' \
	    '"one.ini:1: [one] is replaced by 00-managed.ini"'
	ok "and is no error" member_is '$s->{refused}' '[]'
	ok "the rest of its file counts" is_in_force other
	doctor
	finds_nothing "nor is it one for doctor"
	put "$box/one" 1
	ok "the profile's rule runs" has_runs one 1
	withdraw
	ok "when the profile goes, the file's is back" \
	    until_true 60 became '$r->{one}{file}' '"one.ini"'
	put "$box/file" 1
	ok "and runs" has_runs one 2
}

ran() {
	[ "$(grep -c 'managed-rules: running -> ' "$log")" -ge "$1" ]
}

# An MDM may write it in two steps, or take it away to put a new one there.
half_a_profile() {
	install_all
	deliver "$(rules "$(good_rule one)")"
	start_daemon
	until_true 30 is_in_force one || ok "the profile is in force" false
	cp -p "$managed" "$dir/before"
	inode=$(ls -i "$managed")
	head -c 100 "$profile" >"$dir/half"
	deliver "$(cat "$dir/half")"
	ok "half a profile is refused" until_true 30 reports 'line [0-9]*: '
	ok "and changes nothing" cmp -s "$managed" "$dir/before"
	n=$(grep -c 'managed-rules: running -> ' "$log")
	withdraw
	until_true 30 is_in_state managed-rules running
	deliver "$(rules "$(good_rule one)")"
	ok "one that is gone for a moment is waited for" until_true 30 ran $((n + 1))
	ok "and its rules stay" not is_logged 'reloaded: .* removed'
	ok "their file was not written again" [ "$(ls -i "$managed")" = "$inode" ]
	ok "and is what it was" cmp -s "$managed" "$dir/before"
}

# write FAULT: one life of `managed --write`.
write() {
	FAULT=$1 FAULT_DIR=$conf FAULT_LOG=$dir/calls \
	    "$faulty" managed --write --root "$box" >>"$dir/log" 2>&1
	status=$?
} 2>/dev/null

# Killed before, in and after every step, there is the old or the new, and the
# next one is not kept from its work.
killed_at_any_moment() {
	if [ ! -x "$faulty" ]; then
		skip "killed at any moment" "faults are for Linux only"
		return
	fi
	install_all
	deliver "$(rules "$(good_rule one)")"
	wp managed --write
	cp "$managed" "$dir/old"
	deliver "$(rules "$(good_rule one)$(good_rule two)")"
	wp managed
	cp "$dir/out" "$dir/new"
	write none:1:kill
	ok "without a fault it is written" cmp -s "$managed" "$dir/new"
	sort "$dir/calls" | uniq -c >"$dir/ops"
	lives=0 bad=
	while read -r count op; do
		i=0
		while [ $i -lt "$count" ]; do
			i=$((i + 1))
			for kind in kill after; do
				[ "$op $kind" != 'read after' ] || continue
				cp "$dir/old" "$managed"
				write "$op:$i:$kind"
				lives=$((lives + 1))
				cmp -s "$managed" "$dir/old" ||
				    cmp -s "$managed" "$dir/new" || bad="$bad $op:$i:$kind"
				wp managed --write
				cmp -s "$managed" "$dir/new" || bad="$bad next:$op:$i:$kind"
			done
		done
	done <"$dir/ops"
	ok "there were lives to end" [ $lives -gt 8 ]
	ok "there is the old or the new:$bad" [ -z "$bad" ]
	ok "and no draft is left" [ "$(ls -A "$conf")" = "$(ls "$conf")" ]
	for fault in open:2:ENOSPC write:1:ENOSPC write:1:short fsync:1:EIO rename:1:EIO; do
		cp "$dir/old" "$managed"
		write $fault
		ok "$fault is an error" [ $status -eq 1 ]
		ok "and leaves the old" cmp -s "$managed" "$dir/old"
	done
}

# value KEY XML: a rule with this value as well.
value() {
	rules "$(one_rule r "$(members watch /r action /act)<key>$1</key>$2")" >"$dir/v.plist"
	wp managed "$dir/v.plist"
}

# takes XML LINE; refuses KEY XML PATTERN
takes() {
	value "${2%% *}" "$1"
	ok "$1 is $2" grep -Fqx "$2" "$dir/squeezed"
	ok "without an error" [ $status -eq 0 ]
}

refuses() {
	value "$1" "$2"
	ok "$1 cannot be $2" says "v.plist: error: \[r\]: $3"
	ok "which is all that is said" count "$dir/err" eq 1
	ok "and nothing is printed" [ ! -s "$dir/out" ]
	ok "its status is 65" [ $status -eq 65 ]
}

every_kind_of_value() {
	wp() {
		"$WATCHPATHD" "$@" >"$dir/out" 2>"$dir/err"
		status=$?
		tr -s ' ' <"$dir/out" >"$dir/squeezed"
	}
	takes '<string>5m</string>' 'settle = 5m'
	takes '<integer>5</integer>' 'settle = 5s'
	takes '<real>5.00</real>' 'settle = 5s'
	takes '<real>5</real>' 'retry = 5'
	takes '<integer>-5</integer>' 'nice = -5'
	takes '<true/>' 'retry-on-network = yes'
	takes '<false/>' 'enabled = no'
	takes '<string>no</string>' 'enabled = no'
	takes '<string>022</string>' 'umask = 022'
	takes '<array><string>modify</string><string>create</string></array>' \
	    'on = create modify'
	takes '<array><integer>0</integer><string>3 4</string></array>' 'success = 0 3 4'
	takes '<array><string>A=1</string></array>' 'environment = A=1'
	takes '<string>/bin/echo "a | b" '\''c;d'\''</string>' \
	    'verify = /bin/echo "a | b" '\''c;d'\'
	refuses umask '<integer>22</integer>' '`umask`: write the octal number as a string'
	refuses settle '<real>1.5</real>' '`settle`: not a whole number'
	refuses settle '<real>1e3</real>' '`settle`: not a whole number'
	refuses settle '<true/>' '`settle`: not a string or a number, but true or false'
	refuses enabled '<integer>1</integer>' '`enabled`: unknown value `1`: write yes or no'
	refuses settle '<array><string>1s</string></array>' \
	    '`settle`: not a string or a number, but an array'
	refuses environment '<dict><key>A</key><string>1</string></dict>' \
	    '`environment`: .*, but a dictionary: write an array of strings NAME=value'
	refuses lock '<date>2026-01-01T00:00:00Z</date>' '`lock`: .*, but a date or data'
	refuses success '<array></array>' '`success`: an empty array'
	refuses lock '<string></string>' '`lock` needs a value'
	refuses description '<string>a ; b</string>' \
	    '`description`: a `;` that would begin a comment'
	refuses verify '<string>/bin/a | /bin/b</string>' '`verify`: `|`: no shell here'
	refuses recheck '<string>1h</string>' '`recheck` is a key of the section \[daemon\]'
	refuses keep-alive '<true/>' 'unknown key `keep-alive`: an action runs when'
	ok "a warning is one" value while-running '<string>ignore</string>'
	ok "and names rule and key" says 'v.plist: warning: \[r\]: `while-running = ignore`: '
	long=$(printf 'word-%s ' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 \
	    23 24 25 26 27 28 29 30)
	value verify "<string>/bin/echo $long</string>"
	ok "a command may be longer than a line" [ $status -eq 0 ]
	ok "whose words are all there" \
	    [ "$(tr -s ' \t\n' ' ' <"$dir/out" | grep -o 'word-[0-9]*' | wc -l)" -eq 30 ]
	value verify "<string>/bin/echo $long | cat</string>"
	ok "and is judged as a short one is" says '\[r\]: `verify`: `|`: no shell here'
	value verify "<string>/bin/echo a;	b
$long</string>"
	ok "a line end is none" says '\[r\]: `verify`: .*control bytes'
}

# refused WHAT PATTERN
refused() {
	wp managed "$dir/v.plist"
	ok "$1 is refused" says "v.plist: error: $2"
	ok "with status 65" [ $status -eq 65 ]
}

names_and_members() {
	wp() {
		"$WATCHPATHD" "$@" >"$dir/out" 2>"$dir/err"
		status=$?
	}
	r=$(members watch /r action /act)
	rules "$(one_rule 'My Rule' "$r")" >"$dir/v.plist"
	refused "a name with capitals" '\[My Rule\]: a rule.s name is 1 to 48 of a-z'
	rules "$(one_rule 'My Rule' "$(members watch /r settel 1s)")" >"$dir/v.plist"
	refused "a rule of such a name with more mistakes" '\[My Rule\]: unknown key `settel`'
	ok "of which each is named" says '\[My Rule\]: missing `action`'
	rules "$(one_rule daemon "$(members recheck 1h)")" >"$dir/v.plist"
	refused "the section daemon" '\[daemon\]: the daemon.s settings stand in a rule file'
	rules "$(one_rule managed-rules "$r")" >"$dir/v.plist"
	refused "the name of the rule that delivers" '\[managed-rules\]: the rule of that name'
	rules '<key>r</key><string>x</string>' >"$dir/v.plist"
	refused "a rule that is no dictionary" '\[r\]: not a dictionary of keys'
	list '<key>Rules</key><array></array>' >"$dir/v.plist"
	refused "an array of rules" '`Rules` is not a dictionary'
	list '<key>PayloadContent</key><array><dict><key>PayloadType</key>
	    <string>org.watchpathd.rules</string></dict></array>' >"$dir/v.plist"
	refused "a profile for something else" 'no payload is of the type org\.watchpathd$'
	list '<key>rules</key><dict></dict>' >"$dir/v.plist"
	refused "a profile without rules" '`Rules` is missing'
	ok "and what was not taken for them is named" \
	    says 'v.plist: warning: `rules` means nothing here: only `Rules` does'
	list "<key>PayloadUUID</key><string>x</string><key>PFC_x</key><true/>
	    <key>Rules</key><dict>$(one_rule r "$r")</dict>" >"$dir/v.plist"
	wp managed "$dir/v.plist"
	ok "members that tools leave are passed over" [ ! -s "$dir/err" ]
	{
		printf '<plist><dict><key>Rules</key><dict>'
		i=0
		while [ $i -lt 14000 ]; do
			i=$((i + 1))
			echo "<key>r$i</key><dict><key>watch</key><string>/r</string><key>action</key><string>/a</string></dict>"
		done
	} >"$dir/v.plist"
	refused "more than 1 MiB" 'larger than 1 MiB'
	echo 'nothing of the kind' >"$dir/v.plist"
	wp managed "$dir/v.plist"
	ok "what is no property list is refused" [ $status -ne 0 ]
}

the_example() {
	example=$top/src/macos/profiles/org.watchpathd.rules.mobileconfig
	wp managed "$example"
	ok "the example profile is good" [ $status -eq 0 ]
	ok "and nothing is said of it" [ ! -s "$dir/err" ]
	cp "$dir/out" "$dir/example.ini"
	ok "what it says passes check" "$WATCHPATHD" check "$dir/example.ini" >/dev/null
	ok "it has rules" grep -q '^\[' "$dir/example.ini"
	list "$(sed -n '/^<key>Rules/,/^\.Ed/p' "$top/man/watchpathd.rules.5" |
	    grep -v '^\.Ed')" >"$dir/manual.plist"
	wp managed "$dir/manual.plist"
	ok "that of the manual is good, too" prints '^\[hosts\]'
	ok "and nothing is said of it" [ ! -s "$dir/err" ]
	for tool in plutil plistutil; do
		command -v $tool >/dev/null && break
	done
	case $tool in
	plutil) plutil -convert binary1 -o "$dir/binary" "$example" ;;
	*) plistutil -f bin -i "$example" -o "$dir/binary" ;;
	esac >/dev/null 2>&1
	if [ ! -s "$dir/binary" ]; then
		skip "a binary list says the same" "no tool to make one"
		return
	fi
	wp managed "$dir/binary"
	ok "a binary list says the same" cmp -s "$dir/out" "$dir/example.ini"
}

# What is good in a rule file is good in a form, as far as a form can tell.
what_consoles_know() {
	"$WATCHPATHD" check -v "$top/tests/conf/all-keys.ini" 2>"$log" |
	    perl -MJSON::PP -e '
	open(my $f, "<", shift) or die;
	my $rules = decode_json(join "", <$f>)->{properties}{Rules};
	my $known = $rules->{additionalProperties}{properties};
	my (%seen, $in);
	while (<STDIN>) {
		$in = /^\[daemon/ ? 0 : 1 if /^\[/;
		$in && /^([a-z-]+) *= (.*)/ or next;
		my ($key, $value, $form) = ($1, $2, $known->{$1});
		print "$key is not in it\n" and next unless $form;
		$seen{$key} = 1;
		$form = $form->{items} if $form->{type} eq "array";
		for my $v ($form->{pattern} || $key eq "description" ? $value
		    : split / /, $value) {
			print "$key = $v is refused\n" unless
			    $form->{type} eq "boolean" ? $v =~ /^(yes|no)$/
			    : $form->{enum} ? grep { $_ eq $v } @{ $form->{enum} }
			    : $form->{type} eq "integer"
				? $v >= $form->{minimum} && $v <= $form->{maximum}
			    : $v =~ ($form->{pattern} || ".");
		}
	}
	$seen{$_} or print "all-keys.ini does not have $_\n" for keys %$known;
	' "$top/src/macos/profiles/org.watchpathd.schema.json" >"$dir/objections"
	diag <"$dir/objections"
	ok "the schema takes every key and value that is good" [ ! -s "$dir/objections" ]
	wp managed "$top/src/macos/profiles/org.watchpathd.manifest.plist"
	ok "the manifest is a property list" says 'error: `Rules` is missing'
	"$WATCHPATHD" help keys | sed -n '/^Keys of the section/q; s/^\([a-z][a-z-]*\)  .*/\1/p' \
	    >"$dir/keys"
	grep -A1 pfm_name "$top/src/macos/profiles/org.watchpathd.manifest.plist" |
	    sed -n 's|.*<string>\([a-z-]*\)</string>|\1|p' >"$dir/named"
	ok "which has all keys in their order" cmp -s "$dir/keys" "$dir/named"
}

who_may_say_it() {
	install_all
	deliver "$(rules "$(good_rule one)")"
	chmod 664 "$profile"
	wp managed --write
	ok "a profile that others may write is refused" \
	    says 'org.watchpathd.plist: error: writable by group'
	ok "with status 65" [ $status -eq 65 ]
	ok "and nothing is written" not test -e "$managed"
	doctor
	finds '/Library/Managed Preferences/org.watchpathd.plist: writable by group' \
	    'the profile is refused as a whole: none of its rules is in force' \
	    "sudo chmod go-w '$profile'"
	repairs 'org.watchpathd.plist: writable'
	doctor
	finds 'CONF/00-managed.ini: does not have the rules of' \
	    'they are not in force, which the rule managed-rules is there for' \
	    "sudo watchpathd managed --write --root '$box'"
	wp managed --write
	ok "a trusted one is written" [ $status -eq 0 ]
	ok "which is said" prints '00-managed.ini: now has the 1 rule of the profile'
	wp managed --write
	ok "once" prints '00-managed.ini: has the 1 rule of the profile'
	echo '; mine' >>"$managed"
	wp managed --write
	ok "what others changed in it is not kept" not grep -q mine "$managed"
	chmod 666 "$managed"
	wp managed --write
	ok "nor who may write it" [ "$(ls -l "$managed" | cut -c 1-10)" = -rw-r--r-- ]
	deliver "$(rules '')"
	wp managed --write
	ok "a profile without a rule takes the file away at once" \
	    prints '00-managed.ini: removed: the profile has no rules'
	wp managed --write
	ok "where there is none nothing is said" [ ! -s "$dir/out" ]
	chmod 777 "$conf"
	wp managed --write
	ok "a directory that others may write is refused" \
	    says 'watchpathd: managed: .*conf.d: writable by'
	ok "with status 1" [ $status -eq 1 ]
}

usage_and_places() {
	install_all
	wp managed
	ok "without a profile that is said" prints '^; There is no profile: .*org.watchpathd.plist'
	ok "and is no failure" [ $status -eq 0 ]
	wp managed "$dir/none"
	ok "a file that is not there is one" says 'none: error: No such file'
	ok "with status 1" [ $status -eq 1 ]
	wp managed --write "$dir/none"
	ok "--write takes no file" says 'managed: --write takes no FILE'
	ok "with status 64" [ $status -eq 64 ]
	deliver "$(rules "$(good_rule one)")"
	mkdir "$managed"
	wp managed --write
	ok "a directory in its place is an error" says '00-managed.ini: error: '
	ok "with status 1" [ $status -eq 1 ]
	rmdir "$managed"
	mkdir "$box/other"
	wp managed --write --config "$box/other"
	ok "--config says where" [ -f "$box/other/00-managed.ini" ]
	rm "$box/other/00-managed.ini"
	WATCHPATHD_ROOT=$box WATCHPATHD_CONFIG=$box/other "$WATCHPATHD" managed --write \
	    >"$dir/out" 2>"$dir/err"
	ok "and what the daemon says to its actions does" [ -f "$box/other/00-managed.ini" ]
	WATCHPATHD_ROOT=/none WATCHPATHD_CONFIG=/none wp managed --write
	ok "but for what is said on the command line" [ -f "$managed" ]
}

run_tests three_rules_with_four_mistakes there_before_the_daemon a_rule_of_the_same_name \
    half_a_profile killed_at_any_moment every_kind_of_value names_and_members the_example \
    what_consoles_know who_may_say_it usage_and_places
