#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# schema.pl SCHEMA <JSON: is what stands on stdin what the schema says? Knows type,
# enum, pattern, required, properties, additionalProperties and items, and
# nothing else: any other word in a schema is an error.
use strict;
use warnings;
use JSON::PP;

my %known = map { $_ => 1 }
    qw(type enum pattern required properties additionalProperties items);
my $bad = 0;

sub complain {
	my ($where, $what) = @_;
	print "$where: $what\n";
	$bad = 1;
}

sub type_of {
	my ($v) = @_;
	return 'null' unless defined $v;
	return 'boolean' if JSON::PP::is_bool($v);
	return 'object' if ref $v eq 'HASH';
	return 'array' if ref $v eq 'ARRAY';
	# A number that was never used as text has no quotes when it is written.
	return JSON::PP->new->allow_nonref->encode($v) =~ /^-?\d+$/ ? 'integer' : 'string';
}

sub check {
	my ($schema, $v, $where) = @_;
	my $type = type_of($v);
	for (keys %$schema) {
		die "schema.pl: $where: $_ is not known\n" unless $known{$_};
	}
	if (defined(my $want = $schema->{type})) {
		my @want = ref $want ? @$want : ($want);
		complain($where, "is $type, not @want") unless grep { $_ eq $type } @want;
	}
	if (my $enum = $schema->{enum}) {
		my $found = grep { defined $_ ? defined $v && $_ eq $v : !defined $v } @$enum;
		complain($where, 'is none of the values') unless $found;
	}
	if (defined $schema->{pattern} && $type eq 'string') {
		complain($where, "'$v' has another form") unless $v =~ /$schema->{pattern}/;
	}
	if ($type eq 'array' && $schema->{items}) {
		check($schema->{items}, $v->[$_], "$where\[$_]") for 0 .. $#$v;
	}
	return unless $type eq 'object';
	for (@{ $schema->{required} || [] }) {
		complain($where, "has no $_") unless exists $v->{$_};
	}
	my $members = $schema->{properties} || {};
	for (sort keys %$v) {
		if ($members->{$_}) {
			check($members->{$_}, $v->{$_}, "$where.$_");
		} elsif (exists $schema->{additionalProperties}) {
			complain($where, "has $_, which is not in the schema");
		}
	}
}

local $/;
open my $file, '<', $ARGV[0] or die "schema.pl: $ARGV[0]: $!\n";
check(decode_json(<$file>), decode_json(<STDIN>), 'status');
exit $bad;
