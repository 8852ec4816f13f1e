#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# form.pl FILE: is this an issue form as GitHub documents them? Prints what is wrong.
use strict;
use warnings;
use CPAN::Meta::YAML;

my ($file) = @ARGV;
my ($bad, %ids) = (0);

sub want {
	my ($true, $what) = @_;
	return if $true;
	print "$file: $what\n";
	$bad = 1;
}

# Which attributes each kind of element has, the first of them required.
my %kinds = (
	markdown => [qw(value)],
	textarea => [qw(label description placeholder value render)],
	input => [qw(label description placeholder value)],
	dropdown => [qw(label description multiple options default)],
	checkboxes => [qw(label description options)],
);

my $form = CPAN::Meta::YAML->read($file)->[0];
for my $key (qw(name description body)) {
	want(defined $form->{$key}, "has no $key");
}
for my $key (keys %$form) {
	want(scalar(grep { $_ eq $key } qw(name description title labels assignees body)),
	    "$key is not known");
}
for my $element (@{ $form->{body} }) {
	my $kind = $element->{type} // '';
	my $id = $element->{id} // $kind;
	my $allowed = $kinds{$kind} or do { want(0, "type $kind is not known"); next };
	want(defined $element->{attributes}{ $allowed->[0] }, "$id has no $allowed->[0]");
	for my $key (keys %{ $element->{attributes} }) {
		want(scalar(grep { $_ eq $key } @$allowed), "$id: $key is not known");
	}
	next if $kind eq 'markdown';
	want($id =~ /^[\w-]+$/ ? 1 : 0, "$id is no id");
	want(!$ids{$id}++, "$id is there twice");
	want(ref $element->{attributes}{options} eq 'ARRAY', "$id has no options")
	    if $kind eq 'dropdown';
}
want(scalar(grep { ($_->{type} // '') ne 'markdown' } @{ $form->{body} }), 'asks nothing');
exit $bad;
