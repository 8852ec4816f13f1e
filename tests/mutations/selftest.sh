#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Breaks the shim and the product on purpose, and expects the probes of `selftest`
# to notice: each that is required and can be made on Linux has a defect that makes
# it fail. TAP on stdout; run it alone or with prove(1), after make.
# In the list at the end each defect is a line of the probes that must fail, a colon
# and a sentence; then, once or more, the file and two lines, the code as it is and
# as it becomes. White space does not matter, but the code must be there exactly once.

set -u
cd "$(dirname "$0")/../.." || exit 1

if [ "$(uname)" != Linux ]; then
	echo '1..0 # skip what is broken is the kqueue of Linux'
	exit 0
fi
BUILD=${BUILD:-build}
flags="-std=c11 -O1 -w -D_GNU_SOURCE -iquote src -Isrc/linux
    -DTRIAL_PATIENCE_NS=(2*MONO_SEC) -DPROBE_SEC=20 $(pkg-config --cflags libcjson)"
libs="$(pkg-config --libs inih libcjson) $(pkg-config --variable=libdir expat)/libexpat.a"
dir=$(mktemp -d /tmp/wpd.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# compile OBJECT SOURCE [DIRECTORY]: the directory is where its own headers are.
compile() {
	# shellcheck disable=SC2086
	${CC:-cc} $flags ${3:+-iquote "$3"} -c -o "$1" "$2"
}

# replace FILE FROM TO: rewrites it in place; fails unless FROM is there once.
replace() {
	FROM=$2 TO=$3 perl -0777 -pi -e '
		my $re = join "\\s*", map { quotemeta } $ENV{FROM} =~ /\w+|[^\w\s]/g;
		my $n = s/(?<!\w)$re(?!\w)/$ENV{TO}/g;
		die "found ", $n || 0, " times: $ENV{FROM}\n" if $n != 1;' "$1"
}

# As launchd starts its jobs, so that the limit can be raised.
probes() {
	(
		cd "$dir" || exit 1
		# shellcheck disable=SC3045
		ulimit -Sn 256
		exec ./probes "$@"
	)
}

n=0
status=0
report() {
	n=$((n + 1))
	if [ "$1" = ok ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		status=1
	fi
}

# Takes the pairs of one defect from stdin; leaves what is changed in $dir/src.
break_code() {
	rm -rf "$dir/src" "$dir/broken"
	mkdir "$dir/broken"
	while read -r file && [ -n "$file" ]; do
		read -r from && read -r to || return 1
		file=${file#\# }
		mkdir -p "$dir/src/${file%/*}"
		[ -e "$dir/src/$file" ] || cp "src/$file" "$dir/src/$file"
		replace "$dir/src/$file" "${from#\# - }" "${to#\# + }" || return 1
		object=$(echo "$file" | tr / .).o
		compile "$dir/broken/$object" "$dir/src/$file" "src/${file%/*}" || return 1
	done
	# shellcheck disable=SC2086,SC2046
	${CC:-cc} -o "$dir/probes" "$dir"/own/*.o $(find "$dir/broken" -name '*.o') \
	    "$BUILD/libwatchpathd.a" $libs
}

# mutate IDS SENTENCE: each of them has to fail.
mutate() {
	if ! break_code; then
		report failed "\"$2\" can be built"
		return
	fi
	for id in $1; do
		if ! grep -qx "$id" "$dir/required"; then
			report ok "$id notices: $2 # skip not made by this user"
		elif probes "$id" >"$dir/log" 2>&1; then
			report failed "$id notices: $2"
			sed 's/^/# /' "$dir/log"
		else
			report ok "$id notices: $2"
		fi
		echo "$id" >>"$dir/noticed"
	done
}

mkdir "$dir/own" "$dir/broken"
for source in src/cmd/trial*.c src/cmd/selftest.c src/cmd/selftest_*.c \
    tests/mutations/probes.c; do
	name=${source##*/}
	compile "$dir/own/${name%.c}.o" "$source" src/cmd || exit 1
done
break_code </dev/null || exit 1
probes >"$dir/required"
# shellcheck disable=SC2046
if probes $(cat "$dir/required") >"$dir/log" 2>&1; then
	report ok 'the code as it is passes'
else
	sed 's/^/# /' "$dir/log"
	echo 'Bail out! The code as it is does not pass.'
	exit 1
fi

sed '1,/^# THE LIST$/d' "$0" >"$dir/list"
while read -r line; do
	[ -n "$line" ] || continue
	line=${line#\# }
	[ $# -gt 0 ] && case " $* " in *" ${line%%[ :]*} "*) ;; *)
		while read -r line && [ -n "$line" ]; do :; done
		continue
		;;
	esac
	mutate "${line%%:*}" "${line#*: }"
done <"$dir/list"
if [ $# -eq 0 ]; then
	sort -u "$dir/required" >"$dir/a"
	sort -u "$dir/noticed" >"$dir/b"
	comm -23 "$dir/a" "$dir/b" >"$dir/missing"
	sed 's/^/# nothing breaks /' "$dir/missing"
	[ -s "$dir/missing" ] && result=failed || result=ok
	report $result 'every probe that is required has a defect that it notices'
fi
echo "1..$n"
exit $status

# THE LIST

# write look-equal: a write that leaves the size is no event
# linux/vnode.c
# - NOTE_WRITE | NOTE_EXTEND; return NOTE_WRITE;
# + NOTE_WRITE | NOTE_EXTEND; return st->st_size != n->was.size ? NOTE_WRITE : 0;

# append open-writer event-after truncate-up rewrite look-write: a file that grows is no event
# linux/vnode.c
# - if (st->st_size > n->was.size && q->faults.extend)
# + if (n->was.size > 2 && st->st_size > n->was.size) return 0; if (q->faults.extend)

# truncate open-trunc look-empty: a file that is cut short is no event
# linux/vnode.c
# - ? NOTE_ATTRIB | NOTE_WRITE : NOTE_ATTRIB;
# + ? NOTE_ATTRIB | NOTE_WRITE : 0;

# chmod look-mode bits: a change of attributes is no event
# linux/vnode.c
# - notes |= NOTE_ATTRIB; return notes;
# + return notes;

# utimes: a change of the time is no event
# linux/vnode.c
# - if (n->changed > delta || st->st_mode
# + if (st->st_mode

# unlink rename-over: that the last name goes is LINK alone
# linux/vnode.c
# - notes = NOTE_DELETE | NOTE_LINK;
# + notes = NOTE_LINK;

# rename dir-renamed: a file that is moved hears nothing
# linux/vnode.c
# - notes |= NOTE_RENAME;
# + notes |= 0;

# dir-create dir-symlink dir-link dir-mkdir look-pattern: new names are no event
# linux/vnode.c
# - (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
# + (IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||

# dir-unlink dir-rmdir: names that go are no event
# linux/vnode.c
# - (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
# + (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO)) ||

# dir-rename-out dir-moved: what is moved out is no event
# linux/vnode.c
# - (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
# + (IN_CREATE | IN_DELETE | IN_MOVED_TO)) ||

# dir-rename-in dir-replace: what is moved in is no event
# linux/vnode.c
# - (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
# + (IN_CREATE | IN_DELETE | IN_MOVED_FROM)) ||

# dir-rename look-case: no rename is an event
# linux/vnode.c
# - (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) ||
# + (IN_CREATE | IN_DELETE)) ||

# dir-removed: a directory does not hear of its own removal
# linux/vnode.c
# - if (dir && (ev->mask & IN_DELETE) && n->children > 0)
# + if (0)

# two-descriptors: only one descriptor of a file is told
# linux/vnode.c
# - kq_vnode_post(q, kn, notes); kq_faults_echo(q, kn);
# + kq_vnode_post(q, kn, notes); break;

# once: events come again and again
# base/loop.c
# - EV_ADD | EV_CLEAR, VNODE_NOTES, src);
# + EV_ADD, VNODE_NOTES, src);

# overflow: a full queue loses what does not fit
# linux/vnode.c
# - kq_vnode_overflow(q); return;
# + return;

# mute mute-pending: what happens while it is muted is lost
# linux/vnode.c
# - if (bits == 0) return;
# + if (bits == 0 || kn->disabled) return;

# mute-mask: what was muted tells of writes alone
# base/loop.c
# - EVFILT_VNODE, EV_ENABLE, VNODE_NOTES, src);
# + EVFILT_VNODE, EV_ENABLE, NOTE_WRITE, src);

# again: whoever registered first goes on being called
# linux/kevent.c
# - kn->udata = kev->udata; if (kev->flags & EV_DISABLE)
# + if (kev->flags & EV_DISABLE)

# close reuse: a descriptor that is closed is still watched
# linux/kqueue.c
# - if (kq_is_ours(q) && kq_drop_fd(q, fd)) kq_wake(q);
# + ;
# linux/knote.c
# - return fstat(kn->ident, st) == 0 && st->st_dev == kn->dev && st->st_ino == kn->ino;
# + fstat(kn->ident, st); return true;

# dead: a file that was removed tells so when it is watched
# linux/vnode.c
# - n->dead = st.st_nlink == 0; if (n->isdir) {
# + n->dead = false; node_mark(q, n, CHECK_LINKS); if (n->isdir) {

# bad-descriptor: an error in the receipt is overlooked
# base/loop.c
# - if (n == 1 && (ev.flags & EV_ERROR) != 0 && ev.data != 0) {
# + if (0) {

# pipe-read: what can be read is told once
# linux/io.c
# - kn->maybe_ready = !(kn->flags & EV_CLEAR);
# + ;

# pipe-end: the end of a pipe is no EOF
# linux/io.c
# - out->flags |= EV_EOF;
# + ;

# pipe-write: what can be written is not told
# linux/io.c
# - mark(q, fd, EVFILT_WRITE);
# + ;

# signal-ignored signal-self: a signal that is ignored is not told
# linux/signal.c
# - sigprocmask(SIG_BLOCK, &one, &old);
# + sigprocmask(SIG_BLOCK, NULL, &old);

# wait-poll: a deadline that is past is not taken for now
# base/loop.c
# - if (ns < 0) ns = 0;
# + ;

# wait-short: nothing is waited for
# base/loop.c
# - if (ns < 0) ns = 0;
# + ns = 0;

# wait-far: a long wait is not cut into days
# base/loop.c
# - if (ns > TIMEOUT_MAX_NS) ns = TIMEOUT_MAX_NS;
# + ;

# fork: a child uses its parent's kqueue
# linux/kqueue.c
# - return q->pid == self;
# + return true;

# look-write look-equal look-empty look-mode: an event leads to no look
# watch/tree.c
# - queue_refs(t, n, n->look_hints, false, n->look_noticed);
# + ;

# look-missing: a directory's event is not followed to its entries
# watch/tree.c
# - if (node_refresh(t, c)) queue_subtree(t, c, dir->look_noticed);
# + (void)c;

# look-replace look-remove look-swapped look-link: what takes a name is not looked for
# watch/tree.c
# - if (node_refresh(t, c)) queue_subtree(t, c, dir->look_noticed);
# + (void)c;
# watch/tree.c
# - n->lost = true; if (node_refresh(t, n)) queue_subtree(t, n, n->look_noticed);
# + n->lost = true;

# look-other-name: another name that goes is taken for the file's own
# watch/tree.c
# - if ((n->hints & UNLINKED) != 0 && !holds_own_file(t, n))
# + if ((n->hints & UNLINKED) != 0)

# look-fifo: a FIFO counts as nothing
# watch/stamp.c
# - .present = true, .mode = st.st_mode,
# + .present = !S_ISFIFO(st.st_mode), .mode = st.st_mode,

# low-numbers: watching takes the lowest number
# watch/tree.c
# - if (fd >= FDS_RESERVED) return fd;
# + if (fd >= 0) return fd;

# exit: every child has ended well
# run/spawn.c
# - r.exit_status = WEXITSTATUS(c->status);
# + r.exit_status = 0;

# killed: no child was ended by a signal
# run/spawn.c
# - r.signal = WTERMSIG(c->status);
# + r.signal = 0;

# burst: one SIGCHLD is one child
# run/spawn.c
# - TAILQ_INSERT_TAIL(&s->reaped, c, entry); }
# + TAILQ_INSERT_TAIL(&s->reaped, c, entry); break; }

# early-end: nobody listens to SIGCHLD
# run/spawn.c
# - if (s->null_fd != -1 && loop_watch_signal(l, SIGCHLD, &s->sigchld) == 0)
# + if (s->null_fd != -1)

# session: a child stays in the daemon's session
# run/spawn.c
# - short flags = POSIX_SPAWN_SETSID |
# + short flags =

# inherit: a child has what the daemon has open
# run/spawn.c
# - if (close_range(STATUS_FD, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
# + if (close_range(100, ~0U, CLOSE_RANGE_CLOEXEC) == -1)

# standard: a child has no error output
# run/spawn.c
# - error = posix_spawn_file_actions_adddup2(fa, out, 2);
# + error = posix_spawn_file_actions_addclose(fa, 2);

# limit: a child has the raised limit
# run/spawn.c
# - fdlimit_lower(); error
# + error

# many-open: a pipe's number is a high one
# run/spawn.c
# - if (fd > STATUS_FD) return fd_prepare(fd, false) == 0 ? fd : -1;
# + ;
# run/spawn.c
# - up = fcntl(fd, F_DUPFD_CLOEXEC, STATUS_FD + 1);
# + up = fcntl(fd, F_DUPFD_CLOEXEC, 10240);

# signals: a child ignores what the daemon ignores
# run/spawn.c
# - | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
# + ;

# missing: the refusal does not name the program
# run/spawn.c
# - snprintf(why, size, "%s: %s", program, what);
# + snprintf(why, size, "%s", what);

# left-behind: a run ends when nobody holds its output
# run/spawn.c
# - if (c->phase == STOPPING || !reap(c))
# + if (c->phase == STOPPING || c->outlet != NULL || !reap(c))

# group: SIGKILL goes to the leader alone
# run/spawn.c
# - kill(-c->pid, SIGKILL);
# + kill(c->pid, SIGKILL);

# exec-mode: the umask is not set
# run/become.c
# - umask((mode_t)value);
# + ;

# exec-error: the reason is not told
# run/become.c
# - return fail(b, "%s: %s", b->directory, strerror(errno));
# + return fail(b, "no");

# exec-nice: the priority is not set
# run/become.c
# - if (setpriority(PRIO_PROCESS, 0, value) == -1)
# + if (value == 99)

# exec-user: the groups stay root's
# run/become.c
# - return set_login(b) && set_groups(b) && set_user(b);
# + return set_login(b) && set_user(b);

# identity: a process is another one each time
# linux/process.c
# - snprintf(out, PLATFORM_ID_SIZE, "%llu", start);
# + static int asked; snprintf(out, PLATFORM_ID_SIZE, "%llu %d", start, asked++);

# zombie: what is dead is taken for alive
# linux/process.c
# - if (state == 'Z' || state == 'X') return false;
# + ;

# boot: each question is another boot
# linux/process.c
# - return read_text("/proc/sys/kernel/random/boot_id", out, PLATFORM_ID_SIZE);
# + return read_text("/proc/sys/kernel/random/uuid", out, PLATFORM_ID_SIZE);

# clock: time goes back now and then
# base/mono.c
# - return (mono_t){ last_ns };
# + return (mono_t){ last_ns + ns % 7919 };

# durable: the disk refuses
# base/sync.c
# - return fsync(fd);
# + return close(-1);

# lock: two daemons share a state
# state/store.c
# - if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
# + if (flock(fd, LOCK_SH | LOCK_NB) == -1) {

# mounts: every volume is one of a network
# linux/platform.c
# - if (is_remote(m.type) && strcmp(m.point, "/") != 0)
# + if (m.point != NULL)

# self system-programs: no program is one
# linux/platform.c
# - memcmp(head, "\177ELF", 4) == 0;
# + memcmp(head, "\177FLE", 4) == 0;

# socket: nobody is heard
# serve/control.c
# - (uid == 0 || uid == geteuid());
# + (uid == 12345);

# socket-path: a path must be shorter than the system has it
# base/local.c
# - if (strlen(path) < sizeof(a->sun_path)) {
# + if (strlen(path) < 100) {

# network: nothing tells of the network
# linux/network.c
# - fds[0] = fd; return 1;
# + close(fd); return 0;
