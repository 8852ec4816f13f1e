#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# profile.pl NAME LABEL PROGRAM <PLIST: is the profile NAME, which some tool has read
# and written as XML, what an MDM can push to a device, and about the job LABEL and
# the program PROGRAM? Prints what is wrong. What a payload holds is what Apple
# documents.
use strict;
use warnings;

my ($name, $label, $program) = @ARGV;
my $xml = do { local $/; <STDIN> };
my ($bad, %uuids) = (0);

# The next value of the property list, taken off $xml; undef: there is none.
sub value {
	$xml =~ s/^\s*<(\w+)(\/?)>// or return undef;
	my ($tag, $empty) = ($1, $2);
	return { true => 1, false => 0, array => [], dict => {}, string => '' }->{$tag} if $empty;
	if ($tag eq 'array') {
		my @list;
		while (defined(my $v = value())) {
			push @list, $v;
		}
		$xml =~ s/^\s*<\/array>// or die "array\n";
		return \@list;
	}
	if ($tag eq 'dict') {
		my %dict;
		while ($xml =~ s/^\s*<key>([^<]*)<\/key>//) {
			my $key = $1;
			$dict{$key} = value() // die "$key has no value\n";
		}
		$xml =~ s/^\s*<\/dict>// or die "dict\n";
		return \%dict;
	}
	$xml =~ s/^([^<]*)<\/$tag>// or die "$tag\n";
	my $text = $1;
	$text =~ s/&quot;/"/g;
	return $text;
}

$xml =~ s/.*<plist[^>]*>//s or die "no plist\n";
my $profile = value() // die "empty\n";

sub want {
	my ($true, $what) = @_;
	return if $true;
	print "$name: $what\n";
	$bad = 1;
}

sub has {
	my ($text, $pattern) = @_;
	return $text =~ $pattern ? 1 : 0;
}

sub payload {
	my ($p, $type, $prefix) = @_;
	my $id = $p->{PayloadIdentifier} // '';
	my $uuid = $p->{PayloadUUID} // '';
	want(has($p->{PayloadType} // '', $type), "$id has another type");
	want(has($id, qr/^\Q$prefix\E/), "$id does not begin with $prefix");
	want(has($uuid, qr/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/), "$id: UUID");
	want(!$uuids{$uuid}++, "$id: its UUID is another payload's");
	want(($p->{PayloadVersion} // 0) == 1, "$id: PayloadVersion");
	want(length($p->{PayloadDisplayName} // ''), "$id: PayloadDisplayName");
}

sub background {
	my ($p) = @_;
	my $rules = $p->{Rules} // [];
	want(@$rules == 1, 'one rule is enough');
	want($rules->[0]{RuleType} eq 'Label', 'RuleType is not Label');
	want($rules->[0]{RuleValue} eq $label, "RuleValue is not $label");
}

sub privacy {
	my ($p) = @_;
	want(join(' ', keys %{ $p->{Services} }) eq 'SystemPolicyAllFiles', 'other services');
	my ($e, @more) = @{ $p->{Services}{SystemPolicyAllFiles} };
	want(!@more, 'more than one program');
	want($e->{IdentifierType} eq 'path', 'a program outside a bundle goes by its path');
	want($e->{Identifier} eq $program, "Identifier is not $program");
	want($e->{Allowed} && !exists $e->{Authorization}, 'Allowed, and nothing else');
	want(has($e->{CodeRequirement}, qr/^identifier "\Q$label\E" and anchor apple generic /),
	    'CodeRequirement is not about the program as it is signed');
	want(has($e->{CodeRequirement}, qr/ and certificate leaf\[subject\.OU\] = \w{10}$/),
	    'CodeRequirement names no team');
}

my %checks = (
	'com.apple.servicemanagement' => \&background,
	'com.apple.TCC.configuration-profile-policy' => \&privacy,
);

payload($profile, qr/^Configuration$/, $label);
want(($profile->{PayloadScope} // '') eq 'System', 'PayloadScope is not System');
want($profile->{PayloadIdentifier} eq $name, 'PayloadIdentifier is not the name');
want(length($profile->{PayloadDescription} // ''), 'PayloadDescription');
for my $p (@{ $profile->{PayloadContent} }) {
	payload($p, qr/^[\w.-]+$/, "$name.");
	my $check = $checks{ $p->{PayloadType} };
	$check->($p) if $check;
}
want(@{ $profile->{PayloadContent} } > 0, 'no payload');
exit $bad;
