#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
#
# browser.pl CHROMIUM PAGE [PICTURES]: what a browser makes of a page, as lines
# "VIEW: ..." in the views phone, desk, night and paper. A line is a message of the
# browser, a request, something that is wider than the view, or code; for each view
# one more says how wide and high the page is. With PICTURES, a directory, it leaves
# one of each view there. It speaks to the browser through descriptors 3 and 4, in
# JSON that ends with a NUL.
use strict;
use warnings;
use IO::Handle;
use JSON::PP;
use MIME::Base64;
use POSIX qw(dup2);

my ($chromium, $page, $pictures) = @ARGV;
die "usage: browser.pl CHROMIUM PAGE [PICTURES]\n" unless defined $page;

my @views = (
	{ name => 'phone', width => 390, scheme => 'light', media => '' },
	{ name => 'desk', width => 1280, scheme => 'light', media => '' },
	{ name => 'night', width => 1280, scheme => 'dark', media => '' },
	{ name => 'paper', width => 720, scheme => 'light', media => 'print' },
);

pipe(my $from_us, my $to_browser) or die "pipe: $!\n";
pipe(my $from_browser, my $to_us) or die "pipe: $!\n";
my $pid = fork;
die "fork: $!\n" unless defined $pid;
if (!$pid) {
	open(STDIN, '<', '/dev/null');
	open(STDOUT, '>', '/dev/null');
	open(STDERR, '>&', \*STDOUT);
	# What they are now may be 3 and 4 the other way round.
	dup2(fileno $from_us, 30);
	dup2(fileno $to_us, 31);
	dup2(30, 3);
	dup2(31, 4);
	no warnings 'exec';
	exec $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
	    '--disable-background-networking', '--remote-debugging-pipe',
	    "--user-data-dir=$page.profile", 'about:blank';
	POSIX::_exit(127);
}
close $from_us;
close $to_us;
$to_browser->autoflush(1);
END {
	if ($pid) {
		kill 'TERM', $pid;
		# Its status is not ours.
		local $?;
		waitpid $pid, 0;
	}
}
local $SIG{ALRM} = sub { die "the browser does not answer\n" };
alarm 120;

my ($last_id, $session, $view, $loaded) = (0, undef, undef, 0);

sub say_of {
	my ($text) = @_;
	$text =~ s/\s+/ /g;
	print "$view->{name}: $text\n";
}

# An event that came while something else was waited for.
sub take {
	my ($event) = @_;
	my $p = $event->{params};
	my $method = $event->{method} // '';
	$loaded = 1 if $method eq 'Page.loadEventFired';
	return unless $view;
	say_of("message: $p->{entry}{text}") if $method eq 'Log.entryAdded';
	say_of("message: $p->{type}") if $method eq 'Runtime.consoleAPICalled';
	say_of("exception") if $method eq 'Runtime.exceptionThrown';
	say_of("request: $p->{request}{url}")
	    if $method eq 'Network.requestWillBeSent' &&
	    $p->{request}{url} ne "file://$page" && $p->{request}{url} ne 'data:,';
}

sub next_message {
	local $/ = "\0";
	my $text = <$from_browser>;
	die "the browser has ended\n" unless defined $text;
	chop $text;
	return decode_json($text);
}

# Asks, and returns the result.
sub ask {
	my ($method, %params) = @_;
	my $id = ++$last_id;
	my %request = (id => $id, method => $method, params => \%params);
	$request{sessionId} = $session if defined $session;
	print $to_browser encode_json(\%request), "\0";
	while (1) {
		my $answer = next_message();
		if (!defined $answer->{id}) {
			take($answer);
		} elsif ($answer->{id} == $id) {
			die "$method: $answer->{error}{message}\n" if $answer->{error};
			return $answer->{result};
		}
	}
}

sub evaluate {
	my ($code) = @_;
	return ask('Runtime.evaluate', expression => $code)->{result}{value};
}

# What is seen: all details are open, and nothing but what scrolls by itself may
# be wider than the view.
sub look {
	$loaded = 0;
	ask('Emulation.setDeviceMetricsOverride', width => $view->{width}, height => 900,
	    deviceScaleFactor => 1, mobile => $view->{width} < 500 ? \1 : \0);
	ask('Emulation.setEmulatedMedia', media => $view->{media},
	    features => [{ name => 'prefers-color-scheme', value => $view->{scheme} }]);
	ask('Page.navigate', url => "file://$page");
	take(next_message()) until $loaded;
	evaluate('document.querySelectorAll("details").forEach(d => d.open = true)');
	my $wide = evaluate('[...document.querySelectorAll("body *")].filter(e => {
	    const r = e.getBoundingClientRect();
	    return r.width > 0 && (r.right > innerWidth + 1 || r.left < -1);
	}).slice(0, 5).map(e => e.tagName + " " + e.className.baseVal + " " +
	    e.textContent.slice(0, 60)).join("; ")');
	say_of("too wide: $wide") if $wide ne '';
	my $code = evaluate('document.scripts.length + [...document.querySelectorAll("*")]
	    .filter(e => [...e.attributes].some(a => /^on/i.test(a.name) ||
	    /^(src|srcset|data|action)$/i.test(a.name))).length');
	say_of("code or content from elsewhere: $code") if $code != 0;
	my $width = evaluate('document.documentElement.scrollWidth');
	my $height = evaluate('document.documentElement.scrollHeight');
	my $paint = evaluate('getComputedStyle(document.body).backgroundColor');
	say_of("$width wide, on $paint");
	take_picture($height) if defined $pictures;
}

sub take_picture {
	my ($height) = @_;
	my $shot = ask('Page.captureScreenshot', captureBeyondViewport => \1,
	    clip => { x => 0, y => 0, width => $view->{width}, height => $height,
		scale => 1 });
	open(my $f, '>:raw', "$pictures/$view->{name}.png") or die "$pictures: $!\n";
	print $f decode_base64($shot->{data});
	close $f;
}

my $target = ask('Target.createTarget', url => 'about:blank');
$session = ask('Target.attachToTarget', targetId => $target->{targetId},
    flatten => \1)->{sessionId};
ask("$_.enable") for qw(Page Network Runtime Log);
for my $one (@views) {
	$view = $one;
	look();
}
