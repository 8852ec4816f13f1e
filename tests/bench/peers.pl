# SPDX-License-Identifier: MIT
#
# What bench.pl measures, in the order of its table. For each: the program that must be
# there; how an instance is started, as the words of a command that stays in the
# foreground; and what it cannot do, and why. An instance has a directory of its own
# (dir), a list of the paths that it watches (paths), the words of its action (action),
# a number of further rules on files that are not there (waiting), a time of quiet that
# it waits for where it can (settle), and descriptors that the floor is to hold.
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;

sub put {
	my ($file, @lines) = @_;
	open(my $out, '>', $file) or die "$file: $!\n";
	print $out map { "$_\n" } @lines;
	close($out) or die "$file: $!\n";
	return $file;
}

# What reads lines and starts the action for each, behind a program that writes them.
my $loop = 'while read -r line; do "$action" "$record"; done';

sub piped {
	my ($i, $command, @words) = @_;
	return ('sh', '-c', "action=\$1 record=\$2; shift 2; $command | $loop", 'sh',
	    @{$i->{action}}, @words);
}

# One rule a path; a file holds 1 MiB at most.
sub rules {
	my ($i) = @_;
	my ($nr, $root, @rules) = (0, $i->{dir});
	my $add = sub {
		my ($path) = @_;
		$nr++;
		push @rules, "[r$nr]\nwatch = $path\naction = /action $i->{action}[1]\n" .
		    "settle = $i->{settle}\ncooldown = 0\nretry = 0\n";
	};
	$add->(s/^\Q$root\E//r) for @{$i->{paths}};
	$add->("/waiting/$_") for 1 .. $i->{waiting};
	for (my $file = 0; @rules; $file++) {
		put("$root$i->{conf_d}/$file.ini", splice @rules, 0, 5000);
	}
	return ($i->{program}, 'run', '--root', $root);
}

sub direvent {
	my ($i) = @_;
	my @watchers = map {
		my ($dir, $file) = -d $_ ? ($_) : m{(.*)/(.*)};
		"watcher { path $dir; " . (defined $file ? "file \"$file\"; " : '') .
		    'event (' . (defined $file ? 'MODIFY' : 'CREATE,DELETE') . '); ' .
		    "command \"@{$i->{action}}\"; }";
	} @{$i->{paths}};
	return ('direvent', '-f', put("$i->{dir}/direvent.conf", @watchers));
}

sub incron {
	my ($i) = @_;
	mkdir "$i->{dir}/$_" for qw(system user lock);
	put("$i->{dir}/system/bench", map {
		"$_ " . (-d $_ ? 'IN_CREATE,IN_DELETE' : 'IN_MODIFY') . " @{$i->{action}}"
	} @{$i->{paths}});
	put("$i->{dir}/incron.conf", "system_table_dir = $i->{dir}/system",
	    "user_table_dir = $i->{dir}/user", "lockfile_dir = $i->{dir}/lock",
	    "lockfile_name = incrond");
	return ('incrond', '-n', '-f', "$i->{dir}/incron.conf");
}

sub watchman {
	my ($i) = @_;
	return ('watchman', '--foreground', '--no-save-state', "--sockname=$i->{dir}/socket",
	    "--logfile=$i->{dir}/watchman.log", "--pidfile=$i->{dir}/pid",
	    "--statefile=$i->{dir}/state");
}

# One trigger a path, on one connection.
sub add_triggers {
	my ($i) = @_;
	my ($socket, $where) = (undef, "$i->{dir}/watched");
	until ($socket = IO::Socket::UNIX->new(Peer => "$i->{dir}/socket")) {
		die "it is not there after 5 s\n" if time > $i->{start} + 5;
		select undef, undef, undef, 0.01;
	}
	my $ask = sub {
		print $socket encode_json(\@_), "\n";
		my $answer = decode_json(readline($socket) // '{"error": "no answer"}');
		die "$answer->{error}\n" if defined $answer->{error};
	};
	$socket->autoflush(1);
	$ask->('watch', $where);
	for my $path (@{$i->{paths}}) {
		my ($file) = -d $path ? () : $path =~ m{([^/]*)$};
		$ask->('trigger', $where, {
			name => $file // 'all', command => $i->{action},
			expression => defined $file ? ['name', $file] : ['true'] });
	}
}

# Units of the user's own manager, which must run already; it is never started here. What
# is measured of it is all that it does.
sub units {
	my ($i) = @_;
	my $limit = `cat /proc/sys/fs/inotify/max_user_instances`;
	die "a path takes an inotify instance, and there may be $limit"
	    if @{$i->{paths}} > $limit / 2;
	my ($nr, $dir) = (0, "$ENV{XDG_RUNTIME_DIR}/systemd/user");
	mkdir $dir;
	for my $path (@{$i->{paths}}) {
		my $unit = "watchpathd-bench-$i->{id}-" . ++$nr;
		push @{$i->{units}}, "$dir/$unit.path", "$dir/$unit.service";
		put("$dir/$unit.path", '[Path]', "PathModified=$path",
		    'TriggerLimitIntervalSec=0');
		put("$dir/$unit.service", '[Unit]', 'StartLimitIntervalSec=0', '[Service]',
		    'Type=oneshot', "ExecStart=@{$i->{action}}");
	}
	return ('sh', '-c', 'systemctl --user daemon-reload && ' .
	    'systemctl --user start "$@" && exec sleep 1000', 'sh',
	    map { m{([^/]*\.path)$} } @{$i->{units}});
}

sub remove_units {
	my ($i) = @_;
	my @units = @{$i->{units} // []} or return;
	system('systemctl', '--user', 'stop', map { m{([^/]*)$} } @units);
	unlink @units;
	system('systemctl', '--user', 'daemon-reload');
}

sub is_manager {
	my ($cmdline) = @_;
	open(my $in, '<', $cmdline) or return 0;
	return -O $in && (readline($in) // '') =~ m{systemd\0--user};
}

# The manager's process, or none.
sub manager {
	system('systemctl --user show-environment >/dev/null 2>&1') == 0 or return;
	return map { m{(\d+)} } grep { is_manager($_) } glob '/proc/[0-9]*/cmdline';
}

my $merges = 'one run for all that changed';
(
	{
		name => 'floor',
		start => sub {
			my ($i) = @_;
			return ("$i->{bin}/bare", @{$i->{action}}, $i->{descriptors});
		},
	},
	{ name => 'watchpathd', start => \&rules },
	{
		name => 'inotifywait', needs => 'inotifywait',
		start => sub {
			piped($_[0], 'inotifywait -q -m -e modify,create,delete --fromfile - ');
		},
	},
	{ name => 'direvent', needs => 'direvent', start => \&direvent },
	{ name => 'incron', needs => 'incrond', start => \&incron },
	{
		name => 'watchman', needs => 'watchman', start => \&watchman,
		started => \&add_triggers,
	},
	{
		name => 'entr', needs => 'entr',
		start => sub { ('entr', '-n', '-p', @{$_[0]{action}}) },
		cannot => { burst => $merges, churn => 'it ends when a file comes' },
	},
	{
		name => 'fswatch', needs => 'fswatch',
		start => sub {
			my ($i) = @_;
			piped($i, 'fswatch -l 0.1 --event Updated --event Created ' .
			    '--event Removed "$@"', @{$i->{paths}});
		},
	},
	{
		name => 'systemd', needs => 'systemctl', there => \&manager,
		start => \&units, stopped => \&remove_units, processes => \&manager,
	},
);
