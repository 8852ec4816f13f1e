#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# list.pl ROOT <TRACE: what strace -y has written of a daemon below ROOT, as a list of
# calls, a line each: from the read that brought an event to the clone of the action.
# Of several events it is the one with the fewest, as what else goes on only adds some.
# A read that brought nothing of what is below ROOT is none of them.
#
# Left out is what is not the daemon's doing: what posix_spawn of libc does for
# itself, the memory of malloc and of sanitizers, and looks at what lies above ROOT,
# where others come and go.
use strict;
use warnings;

my $root = shift;
my %of_libc = map { $_ => 1 } qw(mmap munmap madvise mprotect brk rt_sigprocmask);
my %names = (openat => 'open', pread64 => 'pread', pipe2 => 'pipe', clone3 => 'spawn',
	clone => 'spawn', vfork => 'spawn', prlimit64 => 'getrlimit', dup3 => 'dup2',
	epoll_pwait2 => 'epoll_wait', epoll_pwait => 'epoll_wait');

# What a stat is a stat of: of a descriptor, a link or what it leads to.
sub stat_name {
	my $args = shift;
	return 'fstat' if $args =~ /AT_EMPTY_PATH/;
	return $args =~ /AT_SYMLINK_NOFOLLOW/ ? 'lstat' : 'stat';
}

# The path that a call is about, the descriptor's if it names none; undef: none.
sub path_of {
	my $args = shift;
	return $1 if $args =~ /^(?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]+)"/;
	return $1 if $args =~ /^\d+<(\/[^>]*)>/;
	return undef;
}

my ($calls, $best);
while (<STDIN>) {
	my ($name, $args) = /^(?:\d+ +)?(\w+)\((.*)/ or next;
	$calls = '' if $name eq 'read' && $args =~ /^\d+<anon_inode:inotify>/;
	next if !defined $calls || $of_libc{$name};
	my $path = path_of($args);
	if (defined $path) {
		next if $path =~ /^\/proc\/\d+\/mountinfo$/;
		next unless $path =~ s/^\Q$root\E(?=\/)//;
	}
	my $what = $path // ($args =~ /\b(F_[A-Z]+|RLIMIT_\w+|EPOLL_CTL_\w+)/ ? $1 : '');
	$what = 'inotify' if $args =~ /^\d+<anon_inode:inotify>/;
	$what = 'pipe' if $args =~ /^\d+<pipe:/ && $what eq '';
	$name = $name =~ /^(newfstatat|fstatat64|statx)$/ ? stat_name($args)
	    : $names{$name} // $name;
	$calls .= $what ne '' ? "$name $what\n" : "$name\n";
	if ($name eq 'spawn') {
		$best = $calls if $calls =~ /^read inotify\nfstat \// &&
		    (!defined $best || $calls =~ tr/\n// < $best =~ tr/\n//);
		$calls = undef;
	}
}
print $best // '';
