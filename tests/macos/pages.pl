# SPDX-License-Identifier: MIT
#
# pages.pl PROGRAM: has the signature of a Mach-O program the hash of each of its
# pages? The kernel of Apple Silicon kills a program at the first one that has not.
use strict;
use warnings;
use Digest::SHA qw(sha256);

open(my $file, '<:raw', $ARGV[0]) or die "$ARGV[0]: $!\n";
my $all = do { local $/; <$file> };

# The load command LC_CODE_SIGNATURE: where its blob is, and how long.
my ($ncmds) = unpack('x16 V', $all);
my ($at, $blob) = (32, undef);
for (1 .. $ncmds) {
	my ($cmd, $size, $offset, $length) = unpack("x$at V4", $all);
	$blob = substr($all, $offset, $length) if $cmd == 0x1d;
	$at += $size;
}
die "$ARGV[0]: no signature\n" if !defined $blob;

# A super blob of blobs, of which the code directory has slot 0.
my ($magic, undef, $count) = unpack('N3', $blob);
die "$ARGV[0]: no super blob\n" if $magic != 0xfade0cc0;
my $directory;
for my $i (0 .. $count - 1) {
	my ($slot, $offset) = unpack('x' . (12 + 8 * $i) . ' N2', $blob);
	$directory = substr($blob, $offset) if $slot == 0;
}
die "$ARGV[0]: no code directory\n" if !defined $directory;

my (undef, undef, undef, undef, $hashes, undef, undef, $slots, $limit) =
    unpack('N9', $directory);
my ($size, $type, undef, $page) = unpack('x36 C4', $directory);
die "$ARGV[0]: hashes of type $type\n" if $size != 32 || $type != 2;
$page = 1 << $page;
die "$ARGV[0]: $slots pages of $page bytes for $limit\n"
    if $slots != int(($limit + $page - 1) / $page);
for my $i (0 .. $slots - 1) {
	my $end = ($i + 1) * $page < $limit ? ($i + 1) * $page : $limit;
	my $want = substr($directory, $hashes + 32 * $i, 32);
	die "$ARGV[0]: page $i has another hash\n"
	    if sha256(substr($all, $i * $page, $end - $i * $page)) ne $want;
}
