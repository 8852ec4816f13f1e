#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# hostile.pl SOCKET [ENDED]: 24 clients of the worst kinds, until it is killed:
# silent, slow, too long, too deep, binary, unread and half-closed ones. Each is
# connected anew when the daemon has had enough of it; ENDED then gets a line with
# its kind.
use strict;
use Socket;
use IO::Handle;
use Fcntl;
my ($path, $ended) = @ARGV;
my $f;
open($f, ">>", $ended) or die if defined $ended;
$f->autoflush(1) if $f;
my @what = (sub { "" }, sub { "{" }, sub { "x" x 5000 }, sub { "[" x 4000 . "\n" },
    sub { join("", map { chr } 0 .. 255) . "\n" }, sub { qq({"command":"status"}\n) },
    sub { qq({"command":) });
my @c;
$SIG{PIPE} = "IGNORE";
sub renew {
	my ($k) = @_;
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
	fcntl($s, F_SETFL, O_NONBLOCK) or die;
	connect($s, sockaddr_un($path)) or return;
	syswrite $s, $what[$k % @what]->();
	shutdown($s, 1) if $k % @what == 6;
	$c[$k] = $s;
}
while (1) {
	for my $k (0 .. 23) {
		if (!$c[$k]) { renew($k); next }
		next if $k % @what == 5; # it never reads
		my $n = sysread($c[$k], my $reply, 65536);
		syswrite $c[$k], " " if $k % @what == 1;
		next if !defined $n ? $!{EAGAIN} : $n > 0;
		$c[$k] = undef;
		print $f $k % @what, "\n" if $f;
	}
	select undef, undef, undef, 0.02;
}
