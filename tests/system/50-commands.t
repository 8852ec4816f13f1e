#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The commands that ask the daemon: what they print, and how they exit.
. "$(dirname "$0")/commands.sh"

# exits STATUS WHAT COMMAND ARGUMENT...
exits() {
	_want=$1 _sentence=$2
	shift 2
	wp "$@"
	ok "$_sentence" [ $status -eq "$_want" ]
	[ $status -eq "$_want" ] || diag <"$dir/err"
}

is_state() {
	wp status "$1" && prints "^state  *$2"
}

# fits COLUMNS: in characters, which awk need not know.
fits() {
	! perl -CS -lne 'BEGIN { $most = shift } print "# $_" if length > $most' \
	    "$1" <"$dir/out" | grep .
}

# In all the states that can be had at once.
many_states() {
	# 48 bytes are the longest that a name can be.
	rule a-rule-whose-name-has-the-most-bytes-there-can-b 'watch = /idle'
	rule failing 'watch = /failing' 'retry = 0'
	rule retrying 'watch = /retrying' 'retry-delay = 3h'
	rule cool 'watch = /cool' 'cooldown = 30m'
	rule blocked 'watch = /blocked' 'action = /no/such/program'
	rule off 'watch = /off' 'enabled = no'
	rule running 'watch = /running'
	on_run failing 'status=3'
	on_run retrying 'status=3'
	hold running
	printf '[broken]\nwatch = nowhere\n' >"$conf/broken.ini"
	start_daemon
	for rule in failing retrying blocked running cool; do
		put "$box/$rule" 1
	done
	until_true 30 has_ended cool 1
	put "$box/cool" 2
}

the_status_is_as_the_schema_says() {
	many_states
	for state in failing:failed retrying:retrying blocked:blocked running:running \
	    cool:cooldown; do
		ok "$state is shown" until_true 30 is_state "${state%:*}" "${state#*:}"
	done
	ok "off:disabled is shown" is_state off disabled
	wp status --json
	ok "the JSON is what the schema says" \
	    perl "$top/tests/schema.pl" "$top/tests/status.schema.json" <"$dir/out"
	sed 's/"pending":[a-z]*,//' "$dir/out" >"$dir/less"
	ok "and would not be without a member" \
	    not perl "$top/tests/schema.pl" "$top/tests/status.schema.json" <"$dir/less"
	for columns in 40 200; do
		COLUMNS=$columns wp status
		ok "the table fits $columns columns" fits $columns
		COLUMNS=$columns wp status failing
		ok "and what is said of a rule" fits $columns
	done
	wp status
	ok "and 80 without being asked to" fits 80
	ok "on top it says how many rules there are, and how they are" prints \
	    '^watchpathd [^ ]*, up since ..:..Z  Rules 8  Failed 1  Blocked 1  Running 1$'
	ok "it says how long a rule still waits" prints '^retrying  *retrying  *[23] h [0-9]* min '
	ok "in minutes, too" prints '^cool  *cooldown  *[23][09] min '
	ok "it names why a rule is blocked" prints '/no.*: not installed yet'
	ok "it names the file that was refused" prints 'refused: broken.ini'
	ok "it has no colours where it is no terminal" not prints "$(printf '\033')"
	exits 1 "a rule that is not there is an error" status falling
	ok "with the rule that was meant" says \
	    '^watchpathd: there is no rule falling: did you mean `failing`?$'
	release running
}

# As rules have them, so that no layout depends on where the sandbox lies.
paths_of_a_sandbox() {
	rule r 'watch = /d/*'
	rule blocked 'watch = /blocked' 'action = /no/such/program'
	mkdir "$box/d"
	chmod 777 "$box/d"
	start_daemon
	put "$box/d/f" 1
	put "$box/blocked" 1
	wait_runs r 1
	ok "a rule is blocked" until_true 30 is_state blocked blocked
	ok "a run has ended" until_true 30 is_state r idle
	COLUMNS=1000 wp status r
	ok "a rule is shown without the sandbox" not prints "$box"
	ok "with its paths as they are in it" prints ' /d/f: present$'
	COLUMNS=1000 wp status
	ok "so are all" not prints "$box"
	ok "with their problems" prints '^    /no/such/program: not installed yet: there is no /no$'
	ok "and the warnings" prints '^warning: r.ini:[0-9]*: `/d/\*`: everyone may write to /d/$'
	wp history
	ok "and the history" prints '^    create /d/f$'
	wp status --json
	ok "the JSON says which it is" prints "\"root\":\"$box\""
	ok "and has real paths" prints "\"path\":\"$box/d/f\""
	ok "so has the log" is_logged "r: idle -> settling, $box/d/f create"
	stop_daemon
	launch --root / --config "$conf" --state "$dir/state"
	ok "there is another daemon" until_true 30 [ -S "$dir/state/watchpathd.sock" ]
	wp status --state "$dir/state" --json
	ok "without a sandbox there is no root" prints '"root":null'
}

on_a_terminal() {
	rule r 'watch = /r' 'lock = l'
	rule other 'watch = /other' 'lock = l'
	rule blocked 'watch = /blocked' 'action = /a/program/whose/name/is/long/indeed'
	start_daemon
	hold other
	hold r
	put "$box/other" 1
	put "$box/blocked" 1
	wait_runs other 1
	until_true 30 is_state blocked blocked
	for columns in 44 120; do
		NO_COLOR=1 on_terminal $columns status
		ok "the status fits a terminal of $columns columns" fits $columns
	done
	ok "and uses it" prints 'watchpathd .*  Rules 4  Failed 0  Blocked 1  Running 1$'
	ok "without colours, if they are not wanted" not prints "$(printf '\033')"
	NO_COLOR='' on_terminal 80 status
	ok "else with them" prints "$(printf '\033\\[31mblocked\033\\[0m')"
	on_terminal 80 trigger --wait r &
	waiting=$!
	ok "trigger --wait says what it waits for" \
	    until_true 30 prints '^watchpathd: r: waits for the lock l, held by other$'
	release other
	wait_runs r 1
	get_run r 1
	ok "and that the run is going on" \
	    until_true 30 prints "^watchpathd: r: run $run is going on$"
	ok "each is said once" [ "$(sort "$dir/out" | uniq -d)" = '' ]
	mv "$dir/out" "$dir/first"
	on_terminal 80 trigger --wait r &
	waiting="$waiting $!"
	ok "or that there is one before it" \
	    until_true 30 prints '^watchpathd: r: waits for the run before it to end$'
	mv "$dir/out" "$dir/second"
	wp trigger --wait r &
	waiting="$waiting $!"
	until_true 30 [ -s "$dir/out" ]
	release r
	wait_runs r 2
	# Several are meant.
	# shellcheck disable=SC2086
	wait $waiting
	ok "nothing is said where nobody sits" [ ! -s "$dir/err" ]
}

# All that the status says of rules in several states is compared with what the
# test knows.
every_member_of_the_status_is_true() {
	mkdir "$box/d"
	: >"$box/d/there"
	rule good 'watch = /d/*' 'watch = /missing' 'description = Some text' \
	    'action = /act one "two words"'
	rule bad 'watch = /bad' 'retry = 0'
	rule again 'watch = /again' 'retry-delay = 1h' 'verify = /verify'
	rule none 'watch = /none' 'action = /no/such/program'
	rule off 'watch = /off' 'enabled = no'
	printf '#!/bin/sh\nexit 7\n' >"$box/verify"
	chmod 755 "$box/verify"
	on_run bad 'kill -SEGV $$'
	printf '\n[broken]\nwatch = nowhere\naction = /act\n' >"$conf/broken.ini"
	start_daemon
	ok "its version is the program's" \
	    member_is '$s->{version}' "\"$("$WATCHPATHD" version | sed -n '1s/.* //p')\""
	ok "its pid is the daemon's" member_is '$s->{pid}' "$daemon"
	ok "the directory of rule files" member_is '$s->{config}' "\"$conf\""
	ok "what was refused: the file" member_is '$s->{refused}[0]{file}' '"broken.ini"'
	ok "the line" member_is '$s->{refused}[0]{line}' 3
	ok "the message" member_is_like '$s->{refused}[0]{message}' 'not an absolute path'
	ok "and nothing else" member_is 'scalar @{$s->{refused}}' 1
	ok "a rule's file" member_is '$r->{good}{file}' '"good.ini"'
	ok "its line" member_is '$r->{again}{line}' 1
	ok "its description" member_is '$r->{good}{description}' '"Some text"'
	ok "or none" member_is '$r->{bad}{description}' null
	ok "the action, word for word" \
	    member_is '$r->{good}{action}' '["/act","one","two words"]'
	ok "its paths" member_is '$r->{good}{paths}' "[{\"error\":null,\
\"path\":\"$box/d/there\",\"state\":\"present\"},{\"error\":null,\
\"path\":\"$box/missing\",\"state\":\"absent\"}]"
	for m in state:'"idle"' pending:false attempt:0 due:null problem:null runs:0 \
	    failures:0 last_run:null; do
		ok "$m of a rule that waits for nothing" \
		    member_is "\$r->{good}{${m%%:*}}" "${m#*:}"
	done
	ok "off:disabled" member_is '$r->{off}{state}' '"disabled"'
	put "$box/d/new" 1
	put "$box/bad" 1
	put "$box/again" 1
	put "$box/none" 1
	until_true 30 became '$r->{good}{state} . $r->{good}{runs}' '"idle1"'
	until_true 30 became '$r->{bad}{state}' '"failed"'
	until_true 30 became '$r->{again}{state}' '"retrying"'
	until_true 30 became '$r->{none}{state}' '"blocked"'
	get_run good 1
	for m in run:"\"$run\"" reason:'"change"' attempt:1 path:"\"$box/d/new\"" \
	    change:'"create"' exit:0 signal:null verify:null error:null ok:true; do
		ok "$m of a run that went well" \
		    member_is "\$r->{good}{last_run}{${m%%:*}}" "${m#*:}"
	done
	ok "its times are in order" member_is 'my $l = $r->{good}{last_run};
	    JSON::PP::true if $s->{started} le $l->{detected} &&
	    $l->{detected} lt $l->{started} && $l->{started} le $l->{ended}' true
	for m in pending:true attempt:1 runs:1 failures:1 action:'["/act"]'; do
		ok "$m of one that has failed" member_is "\$r->{bad}{${m%%:*}}" "${m#*:}"
	done
	for m in exit:null signal:11 ok:false; do
		ok "$m of its run" member_is "\$r->{bad}{last_run}{${m%%:*}}" "${m#*:}"
	done
	ok "what is wrong with it" member_is_like '$r->{bad}{problem}' 'gave up after attempt 1:'
	for m in pending:true attempt:2 runs:1 failures:1 problem:null; do
		ok "$m of one that is tried again" \
		    member_is "\$r->{again}{${m%%:*}}" "${m#*:}"
	done
	ok "when: in an hour, about" \
	    member_is_like '$r->{again}{due}' '^"20..-..-..T..:..:..\....Z"$'
	for m in exit:0 verify:7 ok:false; do
		ok "$m of its run" member_is "\$r->{again}{last_run}{${m%%:*}}" "${m#*:}"
	done
	for m in pending:true attempt:1 runs:0 last_run:null due:null; do
		ok "$m of one that is blocked" \
		    member_is "\$r->{none}{${m%%:*}}" "${m#*:}"
	done
	ok "and by what" \
	    member_is_like '$r->{none}{problem}' '/no.*: not installed yet'
	ok "the history has the same of a run" [ "$("$WATCHPATHD" history --json \
	    --root "$box" good | perl -MJSON::PP -e '
	    my $o = decode_json(join "", <STDIN>);
	    print delete $o->{rule}, JSON::PP->new->canonical->encode($o)')" = \
	    "good$(member '$r->{good}{last_run}'; echo "$value")" ]
}

# Of several programs that cannot run the first that is there and not trusted says
# why, or the first that is missing.
why_no_program_runs() {
	for program in open wide; do
		cp "$box/act" "$box/$program"
		chmod 777 "$box/$program"
	done
	rule missing 'watch = /f' 'action = /one' 'action = /two'
	rule later 'watch = /f' 'action = /one' 'action = /open'
	rule sooner 'watch = /f' 'action = /open' 'action = /one'
	rule two 'watch = /f' 'action = /one' 'action = /wide' 'action = /open'
	start_daemon
	put "$box/f" 1
	for r in missing:/one later:/open sooner:/open two:/wide; do
		until_true 30 became "\$r->{${r%%:*}}{state}" '"blocked"'
		ok "${r%%:*}: the reason is of ${r#*:}" \
		    member_is_like "\$r->{${r%%:*}}{problem}" "${r#*:}: "
	done
}

what_trigger_causes() {
	rule r 'watch = /r' 'settle = 20s' 'cooldown = 1h'
	rule bad 'watch = /bad' 'retry = 0'
	rule off 'watch = /off' 'enabled = no'
	rule blocked 'watch = /blocked' 'action = /no/such/program'
	on_run bad 'status=3'
	start_daemon
	exits 0 "trigger --wait exits with 0 when the run went well" trigger --wait r
	get_run r 1
	ok "it is run past settle" [ "$reason" = manual ]
	ok "it prints the id of the run" [ "$(cat "$dir/out")" = "$run" ]
	exits 0 "and past the cooldown" trigger --wait r
	wait_runs r 2
	exits 1 "trigger --wait exits with 1 when the run failed" trigger --wait bad
	ok "and says how" says 'the run failed: exit 3'
	exits 1 "a disabled rule is refused" trigger off
	ok "with the reason" says 'disabled'
	echo 1 >"$box/blocked"
	ok "a rule becomes blocked" until_true 30 is_state blocked blocked
	exits 1 "a blocked rule is refused" trigger blocked
	ok "with the reason, too" says '/no.*: not installed yet'
	exits 1 "a rule that is not there cannot be run" trigger nowhere
	ok "and where rules are listed is said" says \
	    '^watchpathd: there is no rule nowhere (`watchpathd status` lists them)$'
	exits 1 "a slip is no rule" trigger blocekd
	ok "but it is known what was meant" says \
	    '^watchpathd: there is no rule blocekd: did you mean `blocked`?$'
	exits 1 "of what cannot be a name" status "$(printf '%05000d' 1)"
	ok "nothing is offered" says '^watchpathd: a request is one line of at most 4096 bytes$'
	hold r
	exits 0 "a rule can be triggered" trigger r
	wait_runs r 3
	exits 0 "while it runs, too" trigger r
	first=$(cat "$dir/out")
	exits 0 "and once more" trigger r
	ok "which is the same run for all who asked" [ "$(cat "$dir/out")" = "$first" ]
	release r
	wait_runs r 4
	get_run r 4
	ok "the promised run comes" [ "$run" = "$first" ]
}

exit_statuses() {
	printf '[broken]\nwatch = nowhere\n' >"$dir/broken.ini"
	for command in run check status trigger reload history doctor; do
		exits 64 "$command: an unknown option is 64" $command --nonsense
	done
	for command in reload run doctor; do
		exits 64 "$command: an argument too many is 64" $command nonsense
	done
	exits 64 "trigger without a rule is 64" trigger
	exits 65 "check of a broken rule is 65" check "$dir/broken.ini"
	exits 69 "status without a daemon is 69" status
	ok "and says so, with the socket that was tried" says \
	    "^watchpathd: the daemon is not running ($box$state_dir/watchpathd.sock: No"
	ok "how to start it, and how to name another socket" says \
	    '^watchpathd: to start it: sudo .*; if it runs .* --socket, --state or --root$'
	exits 1 "status of a socket that there cannot be is 1" status \
	    --socket "$(printf '/%0200d' 0)"
	ok "and says why" says "0: a socket's path may have [0-9]* bytes at most (see --socket)"
	exits 69 "trigger without a daemon is 69" trigger r
	exits 69 "reload without a daemon is 69" reload
	exits 1 "doctor without a daemon is 1" doctor
	exits 0 "history without a daemon is 0" history
	"$WATCHPATHD" version >"$dir/out"
	ok "version is 0" [ $? -eq 0 ]
	ok "and names the libraries" prints '^with cJSON 1[.0-9]*, expat 2[.0-9]*$'
	rule r 'watch = /r'
	start_daemon
	exits 0 "reload of good rules is 0" reload
	ok "and says how many there are" prints '^2 rules in force: nothing changed$'
	exits 0 "doctor is 0 where nothing is wrong" doctor
	diag <"$dir/out"
	cp "$dir/broken.ini" "$conf/"
	exits 65 "reload of a broken rule is 65" reload
	ok "and prints what was refused" says 'broken.ini:2: error: '
	ok "and what is in force" prints '^2 rules in force: nothing changed$'
	exits 1 "doctor is 1 where something is" doctor
	ok "and says how to repair it" prints 'to repair it:'
	exits 1 "a second daemon on the same state is 1" run
	ok "and says so" says 'another watchpathd is running on this state'
	if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
		chmod 755 "$dir"
		setpriv --reuid=65534 --regid=65534 --clear-groups \
		    "$WATCHPATHD" status --root "$box" >"$dir/out" 2>"$dir/err"
		ok "status as another user is 77" [ $? -eq 77 ]
		ok "and suggests sudo" says 'try sudo'
	else
		skip "status as another user is 77" "needs root and setpriv"
	fi
}

# all NAME...: a rule file with these, as one step; NAME+ is not as it was before.
all() {
	for _rule; do
		printf '[%s]\nwatch = /%s\naction = /act\n' "${_rule%+}" "$_rule"
	done >"$dir/all"
	mv "$dir/all" "$conf/all.ini"
}

# says_as_logged CHANGES: what reload prints is what one reload has done; by itself
# the daemon may have been faster.
says_as_logged() {
	wp reload
	until_true 10 is_logged "info: reloaded: .*: $1\$" &&
	    is_logged "info: reloaded: .*: $(sed 's/^.* in force: //' "$dir/out")\$"
}

what_reload_did() {
	all a b c
	start_daemon
	all a+ c d e
	ok "reload says what is new, changed and gone" \
	    says_as_logged '2 added, 1 changed, 1 removed'
	ok "and how many there are" prints '^5 rules in force: '
	wp reload
	ok "or that nothing changed" prints '^5 rules in force: nothing changed$'
	printf '[a]\nwatch = nowhere\n' >"$dir/all"
	mv "$dir/all" "$conf/all.ini"
	wp reload
	ok "what is refused changes nothing" prints '^5 rules in force: nothing changed$'
	printf '[a]\nwatch = /a+\naction = /act\nenabled = no\n' >"$dir/all"
	mv "$dir/all" "$conf/all.ini"
	ok "a rule that is switched off has changed" says_as_logged '1 changed, 3 removed'
	mv "$conf" "$conf.not"
	wp reload
	ok "rule files that cannot be read are no change" \
	    prints '^2 rules in force: the rule files cannot be read$'
	ok "but an error" [ $status -eq 65 ]
	mv "$conf.not" "$conf"
}

is_json_lines() {
	perl -MJSON::PP -ne 'decode_json($_)' <"$dir/out"
}

lines_are() {
	[ "$(wc -l <"$dir/out")" -eq "$1" ]
}

the_history() {
	rule r 'watch = /r'
	rule bad 'watch = /bad' 'retry = 0'
	on_run bad 'status=3'
	start_daemon
	for n in 1 2 3; do
		wp trigger --wait r
	done
	wp trigger --wait bad
	stop_daemon
	wp history
	ok "the table fits 80 columns" fits 80
	COLUMNS=40 wp history
	ok "and 40" fits 40
	COLUMNS=40 wp history --summary
	ok "so does the summary" fits 40
	wp history
	ok "it has every run" [ "$(grep -c ' manual ' "$dir/out")" -eq 4 ]
	ok "the newest last" [ "$(tail -n 1 "$dir/out" | sed 's/.* //')" = bad ]
	ok "a failed run says how" prints 'exit 3'
	wp history -n 2 --json
	ok "-n and --json give that many lines" lines_are 2
	ok "which are JSON" is_json_lines
	wp history --json r
	ok "a rule has only its own" lines_are 3
	wp history --summary
	ok "the summary counts runs and failures" prints '^ *1  *1  *-  *-  *x$'
	exits 64 "--json and --summary exclude each other" history --json --summary
}

# Nothing to show is one thing, and a rule or a place that never was another.
a_history_of_nothing() {
	exits 1 "a rule that never was has no history" history r
	ok "and is not known" says '^watchpathd: no rule r is known, nor a run of it$'
	exits 0 "before the first start there is none" history
	ok "which is said" prints '^no runs yet$'
	rule off 'watch = /f' 'enabled = no'
	rule gone 'watch = /f'
	rule idle 'watch = /g'
	exits 0 "a rule of a file that was never loaded has no runs yet" history off
	start_daemon
	wp trigger --wait gone
	rm "$conf/gone.ini"
	wp reload
	exits 0 "a rule that has not run has no runs yet" history idle
	ok "which is said, too" prints '^no runs yet$'
	exits 0 "nor has one that is disabled" history --summary off
	ok "also as a summary" prints '^no runs yet$'
	exits 0 "in JSON that is nothing" history --json off
	ok "at all" [ ! -s "$dir/out" ]
	exits 0 "a rule that is gone still has its runs" history gone
	ok "as a table" prints ' gone$'
	for option in '' --summary --json; do
		# None is meant where there is none.
		# shellcheck disable=SC2086
		exits 1 "a slip $option is no rule" history $option idel
		ok "but it is known what was meant" says \
		    '^watchpathd: no rule idel is known, nor a run of it: did you mean `idle`?$'
	done
	exits 1 "also of a rule that is gone" history goen
	ok "it is known what was meant" says 'did you mean `gone`?$'
	stop_daemon
	exits 0 "without a daemon its state says which rules there are" history idle
	exits 0 "and the rule files say the others" history off
	rm "$box$state_dir/state.jsonl"
	exits 1 "a rule that only its runs are left of is known by them" history goen
	ok "it is known what was meant, too" says 'did you mean `gone`?$'
	exits 1 "a state directory that is not there is an error" history --state "$dir/typo"
	ok "and says so" says "^watchpathd: $dir/typo: no daemon has kept its state there$"
	exits 1 "so is a directory that is no state" history --state "$dir"
	rm "$box$state_dir/"*.jsonl
	exits 0 "a state without a history is none" \
	    history --state "$box$state_dir"
}

# are_ended N: has the daemon had enough of that many?
are_ended() {
	count "$dir/ended" ge "$1"
}

# Clients of the worst kinds, eight at once and more that wait. (How little they
# delay is measured by tests/bench/clients.sh.)
hostile_clients() {
	rule r 'watch = /r' 'settle = 0'
	start_daemon
	perl "$top/tests/bench/hostile.pl" "$box$state_dir/watchpathd.sock" \
	    "$dir/ended" &
	hostile=$!
	for n in 1 2 3 4 5; do
		until_true 30 are_ended $((4 * n))
		written=$(now)
		put "$box/r" $n
		wait_runs r $n
		get_run r $n
		within "run $n beside these clients, in ms" "$written" "$time" 200
	done
	exits 0 "others are answered meanwhile" status
	ok "with the rule" prints '^r '
	for kind in 0 1 2 3 4 6; do
		ok "a client of kind $kind is got rid of" \
		    until_true 30 grep -q $kind "$dir/ended"
	done
	kill $hostile
	ok "the daemon lives" is_alive "$daemon"
	exits 0 "and answers, when they are gone" status
}

run_tests the_status_is_as_the_schema_says every_member_of_the_status_is_true \
    paths_of_a_sandbox on_a_terminal why_no_program_runs what_trigger_causes \
    exit_statuses the_history a_history_of_nothing what_reload_did hostile_clients
