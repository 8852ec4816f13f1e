#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each file of conf.d/examples does what it says: it passes check, the change that
# it is for runs its action, with a stand-in for the program, and another change
# does not. Times are made short, and users left out: 24-action.t has those.
. "$(dirname "$0")/restart.sh"

examples=$top/conf.d/examples

# checks NAME WARNINGS OPTION...: passes check, and that many lines say what else.
checks() {
	_name=$1 _warnings=$2
	shift 2
	"$WATCHPATHD" check --root "$box" "$@" "$conf/$_name.ini" >"$dir/out" 2>"$dir/err" &&
	    [ "$(grep -c -v -e 'while-running = ignore' -e "$expected" "$dir/err")" -eq \
	    "$_warnings" ] && return
	diag <"$dir/err"
	return 1
}

is_explained() {
	head -n 1 "$examples/$1.ini" | grep -q '^; [A-Z]' &&
	    grep -q '^; Change: ' "$examples/$1.ini"
}

# The first program of its actions, as the rule has it.
program_of() {
	sed -n 's/^action *= *\([^ ]*\).*/\1/p' "$examples/$1.ini" | head -n 1
}

put_stand_in() {
	mkdir -p "$box$(dirname "$1")"
	cat >"$box$1" <<-END
	#!/bin/sh
	echo "\${0#$box} \$*" >>$dir/argv
	exec $box/act
	END
	chmod 755 "$box$1"
}

# sample NAME COMMAND PREPARE OTHER CHANGE: COMMAND is what is to run, and the rest is
# evaluated: what is there before, the change that must not run it, and the one that
# must. $expected: a warning that is meant to be.
sample() {
	cp "$examples/$1.ini" "$conf/"
	ok "$1 says what it is for and what to change" is_explained "$1"
	eval "$3"
	ok "$1 passes check, but for the program" checks "$1" 1
	put_stand_in "$(program_of "$1")"
	ok "$1 passes check --trust with the program" checks "$1" 0 --trust
	rule "$1" "$(sed -e '/^\[/d' -e '/^;/d' -e '/^user /d' -e '/^settle/d' -e '/^splay /d' \
	    -e '/^cooldown /d' -e 's/^\([a-z-]*\)  *= /\1 = /' "$examples/$1.ini")"
	start_daemon
	eval "$4"
	fence
	ok "$1: another change does not run it" has_runs "$1" 0
	eval "$5"
	wait_runs "$1" 1
	fence
	ok "$1: the change that it is for runs it, once" has_runs "$1" 1
	ok "$1: what runs is what it says" [ "$(cat "$dir/argv")" = "$2" ]
}

expected='nothing else'

remote_trigger() {
	managed="$box/Library/Managed Preferences"
	sample remote-trigger '/usr/local/jamf/bin/jamf policy -event checkin' \
	    'mkdir -p "$managed"' \
	    'put "$managed/com.example.other.plist" 1' \
	    'put "$managed/com.example.checkin.plist" 1'
	rm "$managed/com.example.checkin.plist"
	fence
	ok "remote-trigger: taking the profile away does not run it" has_runs remote-trigger 1
}

crypt() {
	sample crypt '/Library/Crypt/checkin ' 'mkdir -p "$box/private/var/root"' \
	    ': >"$box/private/var/root/crypt_output.plist"' \
	    'put "$box/private/var/root/crypt_output.plist" key'
}

trigger_file() {
	expected='everyone may write'
	sample trigger-file '/usr/local/munki/managedsoftwareupdate --manualcheck' \
	    'mkdir -p "$box/private/tmp"; chmod 1777 "$box/private/tmp"' \
	    'put "$box/private/tmp/other" 1' \
	    'put "$box/private/tmp/.com.googlecode.munki.updatecheck.launchd" 1'
	rm "$box/private/tmp/.com.googlecode.munki.updatecheck.launchd"
	fence
	ok "trigger-file: that it is removed does not run it" has_runs trigger-file 1
}

admin_rights() {
	groups=$box/private/var/db/dslocal/nodes/Default/groups
	sample admin-rights '/Library/Example/bin/demote --except itadmin' \
	    'mkdir -p "$groups"; put "$groups/admin.plist" 1' \
	    'put "$groups/staff.plist" 1' \
	    'put "$groups/admin.plist" 2'
}

new_user() {
	users=$box/private/var/db/dslocal/nodes/Default/users
	sample new-user '/Library/Example/bin/check-accounts ' \
	    'mkdir -p "$users"; put "$users/old.plist" 1' \
	    'echo 2 >>"$users/old.plist"' \
	    'put "$users/new.plist" 1'
}

applications() {
	apps=$box/Applications
	sample applications '/usr/local/jamf/bin/jamf recon' \
	    'mkdir -p "$apps/A.app/Contents"; put "$apps/A.app/Contents/Info.plist" 1' \
	    'put "$apps/A.app/Contents/other" 1' \
	    'put "$apps/A.app/Contents/Info.plist" 2'
	mkdir "$apps/B.app"
	wait_runs applications 2
	ok "applications: a new one runs it, too" has_runs applications 2
}

hosts_guard() {
	sample hosts-guard '/Library/Example/bin/put-back /Library/Example/hosts /etc/hosts' \
	    'mkdir -p "$box/etc"; put "$box/etc/hosts" 1' \
	    'put "$box/etc/hosts.equiv" 1' \
	    'put "$box/etc/hosts" 2'
	chmod 600 "$box/etc/hosts"
	wait_runs hosts-guard 2
	ok "hosts-guard: another mode runs it, too" has_runs hosts-guard 2
}

persistence() {
	jobs=$box/Library/LaunchDaemons
	sample persistence '/Library/Example/bin/report-persistence ' \
	    'mkdir -p "$jobs" "$box/Library/LaunchAgents"; put "$jobs/note" 1' \
	    'echo 2 >>"$jobs/note"' \
	    'put "$jobs/com.example.plist" 1'
	echo 2 >>"$jobs/com.example.plist"
	wait_runs persistence 2
	ok "persistence: a job that is changed in place runs it, too" has_runs persistence 2
}

sudoers() {
	sample sudoers '/usr/sbin/visudo -c' \
	    'mkdir -p "$box/etc/sudoers.d" "$box/etc/pam.d"; put "$box/etc/sudoers" 1' \
	    'put "$box/etc/pam.d/sudo" 1' \
	    'put "$box/etc/sudoers" 2'
	on_run sudoers 'status=1'
	put "$box/etc/sudoers.d/example" 1
	wait_runs sudoers 2
	ok "sudoers: a file with an error is a rule that has failed" \
	    until_true 10 is_logged ' sudoers: running -> failed'
}

network_change() {
	settings=$box/Library/Preferences/SystemConfiguration
	sample network-change '/Library/Example/bin/network-changed ' \
	    'mkdir -p "$settings" "$box/private/var/run"' \
	    'put "$settings/com.apple.Boot.plist" 1' \
	    'put "$box/private/var/run/resolv.conf" 1'
}

point_localtime() {
	ln -s "$1" "$dir/link"
	mv "$dir/link" "$box/etc/localtime"
}

time_zone() {
	sample time-zone '/usr/local/jamf/bin/jamf recon' \
	    'mkdir -p "$box/etc/zones"; put "$box/etc/zones/a" 1; put "$box/etc/zones/b" 1
	    point_localtime zones/a' \
	    'put "$box/etc/other" 1' \
	    'point_localtime zones/b'
}

printers() {
	sample printers '/Library/Example/bin/printer-defaults ' \
	    'mkdir -p "$box/etc/cups"; put "$box/etc/cups/printers.conf" 1' \
	    'chmod 600 "$box/etc/cups/printers.conf"' \
	    'put "$box/etc/cups/printers.conf" 2'
}

certificate() {
	tls=$box/Library/Example/tls
	sample certificate '/bin/launchctl kickstart -k system/com.example.service' \
	    'mkdir -p "$tls"; put "$tls/a.pem" 1' \
	    'put "$tls/a.csr" 1; : >"$tls/b.pem"' \
	    'put "$tls/a.pem" 2'
}

privacy_consent() {
	tcc="$box/Library/Application Support/com.apple.TCC"
	sample privacy-consent '/bin/launchctl kickstart -k system/com.example.agent' \
	    'mkdir -p "$tcc"; put "$tcc/TCC.db" 1' \
	    'put "$tcc/other" 1' \
	    'echo 2 >>"$tcc/TCC.db"'
}

volumes() {
	sample volumes '/Library/Example/bin/backup-to Backup' \
	    'mkdir -p "$box/Volumes/Data"' \
	    'put "$box/Volumes/Data/x" 1' \
	    'mkdir "$box/Volumes/Backup"'
}

# The daemon is not running while the system is updated.
update_macos() {
	restart put "$system/SystemVersion.plist" 2
}

os_update() {
	system=$box/System/Library/CoreServices
	sample os-update '/usr/local/jamf/bin/jamf recon' \
	    'mkdir -p "$system"; put "$system/SystemVersion.plist" 1' \
	    'put "$system/SystemVersionCompat.plist" 1' \
	    'update_macos'
}

login_window() {
	settings=$box/Library/Preferences
	sample login-window "/usr/bin/defaults write \
/Library/Preferences/com.apple.loginwindow LoginwindowText Property of Example" \
	    'mkdir -p "$settings"; put "$settings/com.apple.loginwindow.plist" 1' \
	    'put "$settings/com.apple.other.plist" 1' \
	    'put "$settings/com.apple.loginwindow.plist" 2'
}

service_config() {
	etc=$box/Library/Example/etc
	sample service-config '/bin/launchctl kickstart -k system/com.example.service' \
	    'mkdir -p "$etc/service.d"' \
	    'put "$etc/service.d/old.bak" 1' \
	    'put "$etc/service.d/a.conf" 1'
}

wallpaper() {
	sample wallpaper '/usr/local/bin/desktoppr /Library/Example/desktop.png' \
	    'mkdir -p "$box/Library/Example"' \
	    ': >"$box/Library/Example/desktop.png"; put "$box/Library/Example/b.png" 1' \
	    'put "$box/Library/Example/desktop.png" 1'
}

health() {
	rules=$box/Library/watchpathd/conf.d
	sample health '/Library/watchpathd/share/fleet/osquery-health.sh ' \
	    'mkdir -p "$rules"; put "$rules/a.ini" 1' \
	    'echo 2 >>"$rules/a.ini"' \
	    'put "$rules/b.ini" 1'
}

# An hour is made a second, after what is not to depend on it.
silent_agent() {
	agent_log=$box/var/log/example-agent.log
	sample silent-agent \
	    '/Library/Example/bin/restart-if-silent system/com.example.agent' \
	    'mkdir -p "$box/var/log"; put "$agent_log" 1' \
	    'put "$box/var/log/other.log" 1' \
	    'echo 2 >>"$agent_log"'
	ok "silent-agent: what is logged is not silence" is_run silent-agent 1 change 1 modify
	sed 's/^every .*/every = 1s/' "$conf/silent-agent.ini" >"$dir/new"
	mv "$dir/new" "$conf/silent-agent.ini"
	ok "silent-agent: silence is told by the reason" \
	    until_true 30 grep -q ' timer 1 ' "$dir/runs/silent-agent"
}

# Each has a function here, by its name.
every_example_is_tried() {
	for _file in "$examples"/*.ini; do
		basename "$_file" .ini
	done >"$dir/examples"
	sed -n 's/^	sample \([a-z-]*\) .*/\1/p' "$0" | LC_ALL=C sort | diff "$dir/examples" - |
	    diag >"$dir/missing"
	cat "$dir/missing"
	ok "every example is tried, and there is no other" [ ! -s "$dir/missing" ]
	ok "there are at least 14" [ "$(wc -l <"$dir/examples")" -ge 14 ]
}

run_tests remote_trigger crypt trigger_file admin_rights new_user applications \
    hosts_guard persistence sudoers network_change time_zone printers certificate \
    privacy_consent volumes os_update login_window service_config wallpaper health silent_agent \
    every_example_is_tried
