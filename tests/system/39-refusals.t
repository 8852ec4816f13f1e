#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who can bring about a refusal is answered for each of them, in tests/trust/refusals.
. "$(dirname "$0")/lib.sh"

table=$top/tests/trust/refusals

# What is between quotes in every call that refuses; a %s alone is what strerror(3)
# says, for which the table has the words.
in_the_source() {
	perl -0777 -ne '
	my @calls = /\b(?:trust_refuse|refuse_size)\s*(\([^;{}]*\);)/g;
	push @calls, map { "($_)" } /_objection\([^{}]*\)\n\{(.*?)\n\}/gs
	    if $ARGV =~ /platform\.c$/;
	push @calls, /\brefuse_size\([^{}]*\)\n\{(.*?)\n\}/gs;
	for my $call (@calls) {
		while ($call =~ /((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
			(my $text = $1) =~ s/"\s*"//g;
			$text =~ s/^"|"\s*$//g;
			print "$text\n" unless $text eq "%s" || $text eq "%s: %s";
		}
	}' "$top"/src/trust/*.c "$top/src/macos/platform.c" "$top/src/linux/platform.c" \
	    "$top/src/rules/conf.c" | LC_ALL=C sort -u
}

in_the_table() {
	grep -v '^#' "$table" | cut -f 1 | LC_ALL=C sort -u
}

each_has_its_answer() {
	in_the_source >"$dir/source"
	in_the_table >"$dir/table"
	ok "there are some" [ "$(wc -l <"$dir/source")" -gt 25 ]
	ok "each refusal of the source has an answer" \
	    [ -z "$(LC_ALL=C comm -23 "$dir/source" "$dir/table" | tee "$dir/missing")" ]
	diag <"$dir/missing"
	LC_ALL=C comm -13 "$dir/source" "$dir/table" |
	    grep -v '^[A-Z]' >"$dir/gone"
	ok "and each answer a refusal, or is of the system" [ ! -s "$dir/gone" ]
	diag <"$dir/gone"
	ok "it says who" [ -z "$(awk -F '\t' '!/^#/ && (NF != 3 ||
	    $2 !~ /^(root|rule|system|anybody)$/ || length($3) < 8)' "$table")" ]
	ok "what everybody can bring about is tried again" [ -z "$(awk -F '\t' \
	    '$2 == "anybody" && $3 !~ /tried again/' "$table")" ]
}

run_tests each_has_its_answer
