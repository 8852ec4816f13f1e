/* SPDX-License-Identifier: MIT */
/*
 * Property lists: every value is read as it stands there, in whatever encoding,
 * and what is not clear is an error whose sentence names its line. How XML is
 * read is expat's to test; that it is asked in the right way is tested here.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/plist.h"
#include "test.h"

#define ROOM 8192

static char why[PLIST_WHY_SIZE];

/* Reads len bytes with no NUL behind them. There is a list, or a sentence. */
static struct plist *
parse(const char *text, size_t len)
{
	char *copy = malloc(len + (len == 0));
	struct plist *p;

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(why, '?', sizeof(why) - 1);
	p = plist_parse(copy, len, why);
	free(copy);
	if ((p == NULL) == (why[0] == '\0'))
		fail_msg("a list and a sentence, or neither: %s", text);
	return p;
}

/* What stands within <plist>, which must be in order. */
static struct plist *
parse_value(const char *value)
{
	char text[ROOM];
	struct plist *p;
	int n = snprintf(text, sizeof(text), "<plist>%s</plist>", value);

	assert_true(n > 0 && n < ROOM);
	p = parse(text, (size_t)n);
	if (p == NULL)
		fail_msg("%s: %s", value, why);
	return p;
}

static void
says(const char *text, size_t len, const char *sentence)
{
	struct plist *p = parse(text, len);

	plist_free(p);
	if (strcmp(why, sentence) != 0)
		fail_msg("\"%s\" instead of \"%s\" about:\n%s", why, sentence, text);
}

static void
reads(const char *value, enum plist_type type, const char *text)
{
	struct plist *p = parse_value(value);

	if (p->type != type || strcmp(p->text, text) != 0)
		fail_msg("%s: type %d, \"%s\" instead of %d, \"%s\"", value, (int)p->type,
		    p->text, (int)type, text);
	assert_null(p->child);
	assert_null(p->next);
	assert_null(p->key);
	plist_free(p);
}

/* Errors */

#define TYPE                                                       \
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\"\n" \
	"    \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
#define HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" TYPE "<plist version=\"1.0\">\n"
#define TAIL "\n</plist>\n"
#define NO_CHARACTER "line 5: a reference to a character that there is not"
#define NO_ENTITY "line 5: an unknown entity, or `&` instead of `&amp;`"
#define NO_END "a tag, comment or the like has no end"
#define TOO_EARLY "it ends too early"
#define HINT                                  \
	": `&` for `&amp;`, `<` for `&lt;`, " \
	"or a byte that is no text in this encoding, such as a NUL byte?"
#define BAD(line, column) "line " line ": not well-formed at column " column HINT

static const struct {
	const char *text, *why;
} errors[] = {
	/* What stands before the list. */
	{ "", "line 1: " TOO_EARLY },
	{ "<!-- -->\n", "line 2: " TOO_EARLY },
	{ "<?xml version='1.0'?>\n<dict></dict>", "line 2: <dict> instead of <plist>" },
	{ "\n<plists a='b'>", "line 2: <plists> instead of <plist>" },
	{ "\n<?xml version='1.0'?><plist/>",
	    "line 2: XML or text declaration not at start of entity" },
	/* What stands after it. */
	{ HEAD "<true/>", "line 5: " TOO_EARLY },
	{ HEAD "<true/>\n<false/>" TAIL, "line 6: <false> instead of </plist>" },
	{ HEAD "<true/>x" TAIL, "line 5: text between tags" },
	{ HEAD "<true/>" TAIL "x", "line 7: text after the property list" },
	/* Values. */
	{ HEAD, "line 5: " TOO_EARLY },
	{ HEAD "<string>a\nb", "line 6: " TOO_EARLY },
	{ HEAD "a" TAIL, "line 5: text between tags" },
	{ HEAD "<array>\n\n&amp;</array>" TAIL, "line 7: text between tags" },
	{ HEAD "<array><![CDATA[a]]></array>" TAIL, "line 5: text between tags" },
	{ HEAD "<true>\nfalse</true>" TAIL, "line 6: text between tags" },
	{ HEAD "<false>0</false>" TAIL, "line 5: text between tags" },
	{ HEAD "</plist>", "line 5: </plist> is no value" },
	{ "<plist/>", "line 1: </plist> is no value" },
	{ HEAD "<plist>" TAIL, "line 5: <plist> is no value" },
	{ HEAD "<key>a</key>" TAIL, "line 5: <key> is no value" },
	{ HEAD "<array>\n<true/><set/></array>" TAIL, "line 6: <set> is no value" },
	{ HEAD "<Dict/>" TAIL, "line 5: <Dict> is no value" },
	/* Tags. */
	{ HEAD "<array>\n</dict>" TAIL, "line 6: another end instead of </array>" },
	{ HEAD "<true/></dict>" TAIL, "line 5: another end instead of </plist>" },
	{ HEAD "<true><true/></true>" TAIL, "line 5: <true> instead of </true>" },
	{ HEAD "<string>\n<b/></string>" TAIL, "line 6: <b> instead of </string>" },
	{ HEAD "<string", "line 5: " NO_END },
	{ HEAD "<true/>\n<!-- a" TAIL, "line 6: " NO_END },
	{ HEAD "<string>\n<![CDATA[a]>\n</string>" TAIL, "line 9: `]]>` is missing" },
	/* Attributes. */
	{ HEAD "<array>\n<true a='b'/></array>" TAIL,
	    "line 6: <true> has the attribute a, unlike any list" },
	{ HEAD "<dict><key version='1.0'>a</key>" TAIL,
	    "line 5: <key> has the attribute version, unlike any list" },
	{ "<plist version='1.0'\nxmlns='a'><true/></plist>",
	    "line 1: <plist> has the attribute xmlns, unlike any list" },
	/* Dictionaries. */
	{ HEAD "<dict>\n<key>a</key>", "line 6: " TOO_EARLY },
	{ HEAD "<dict>\na" TAIL, "line 6: text between tags" },
	{ HEAD "<dict><key>a</key>\na" TAIL, "line 6: text between tags" },
	{ HEAD "<dict>\n<true/></dict>" TAIL, "line 6: <true> instead of <key>" },
	{ HEAD "<dict><key>a</key><true/><true/></dict>" TAIL,
	    "line 5: <true> instead of <key>" },
	{ HEAD "<dict><key>a<b/></key></dict>" TAIL, "line 5: <b> instead of </key>" },
	{ HEAD "<dict><key>a</string>" TAIL, "line 5: another end instead of </key>" },
	{ HEAD "<dict><key>a</key>\n</dict>" TAIL, "line 6: </dict> is no value" },
	{ HEAD "<dict><key>a</key><key>b</key>" TAIL, "line 5: <key> is no value" },
	{ HEAD "<dict>\n<key>a</key><true/>\n<key>b</key><true/>\n<key>a</key><true/>"
	       "</dict>" TAIL,
	    "line 8: the key a is there twice" },
	{ HEAD "<dict><key/><true/><key></key><true/></dict>" TAIL,
	    "line 5: the key  is there twice" },
	{ HEAD "<dict><key>A</key><true/><key>&#65;</key>\n<true/></dict>" TAIL,
	    "line 5: the key A is there twice" },
	{ HEAD "<dict><key>a\tb</key><true/><key>a\tb</key><true/></dict>" TAIL,
	    "line 5: the key a\\011b is there twice" },
	/* References. */
	{ HEAD "<string>&#0;</string>" TAIL, NO_CHARACTER },
	{ HEAD "<string>&nbsp;</string>" TAIL, NO_ENTITY },
	{ HEAD "<dict><key>a&b;</key><true/></dict>" TAIL, NO_ENTITY },
	{ "<plist><string>\n&nbsp;</string></plist>",
	    "line 2: an unknown entity, or `&` instead of `&amp;`" },
	{ HEAD "<string>a & b</string>" TAIL, BAD("5", "12") },
	{ HEAD "<string>\n1 < 2</string>" TAIL, BAD("6", "4") },
	/* A document type that declares something, and an entity from elsewhere. */
	{ "<!DOCTYPE plist [\n<!ENTITY a \"b\">\n]>\n<plist><string>&a;</string></plist>",
	    "line 1: a document type of its own" },
	{ "\n<!DOCTYPE plist SYSTEM \"x\" []><plist><true/></plist>",
	    "line 2: a document type of its own" },
	{ "<!DOCTYPE plist [<!ENTITY % e SYSTEM \"file:///etc/passwd\"> %e;]>",
	    "line 1: a document type of its own" },
};

TEST(every_error_is_told_with_its_line)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		says(errors[i].text, strlen(errors[i].text), errors[i].why);
}

TEST(a_nul_byte_is_an_error)
{
	static const char within[] = "<plist><string>a\0b</string></plist>";
	static const char behind[] = "<plist><string>ab</string></plist>\0";

	says(within, sizeof(within) - 1, BAD("1", "17"));
	says(behind, sizeof(behind) - 1, BAD("1", "35"));
	/* What lies behind the length does not count. */
	says(behind, sizeof(behind) - 2, "");
}

TEST(a_long_key_is_told_in_part)
{
	char text[ROOM], key[301], sentence[256];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text),
	    "<plist><dict><key>%s</key><true/><key>%s</key><true/></dict></plist>", key,
	    key);
	snprintf(
	    sentence, sizeof(sentence), "line 1: the key %.100s is there twice", key);
	says(text, strlen(text), sentence);
}

/* depth values, one within the other, a line for each. */
static void
nest(char *text, size_t depth, const char *begin, const char *end)
{
	size_t i;

	strcpy(text, "<plist>");
	for (i = 1; i < depth; i++)
		strcat(text, begin);
	strcat(text, "\n<array/>");
	for (i = 1; i < depth; i++)
		strcat(text, end);
	strcat(text, "</plist>");
}

TEST(nesting_has_an_end)
{
	static const char *const kinds[][2] = { { "\n<array>", "</array>" },
		{ "\n<dict><key>a</key>", "</dict>" } };
	char text[ROOM];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		nest(text, 64, kinds[i][0], kinds[i][1]);
		says(text, strlen(text), "");
		nest(text, 65, kinds[i][0], kinds[i][1]);
		says(text, strlen(text), "line 66: nested deeper than 64 levels");
	}
	/* Side by side there may be more. */
	strcpy(text, "<plist><array>");
	for (i = 0; i < 200; i++)
		strcat(text, "<array></array>");
	strcat(text, "</array></plist>");
	says(text, strlen(text), "");
}

/* Values */

TEST(text_is_put_together)
{
	static const struct {
		const char *text, *value;
	} texts[] = {
		{ "", "" },
		{ " \t\n a \n\n ", " \t\n a \n\n " },
		{ "a\r\nb\rc", "a\nb\nc" },
		{ "%s'\"/>-->", "%s'\"/>-->" },
		{ "caf\xc3\xa9 \x7f", "caf\xc3\xa9 \x7f" },
		{ "&lt;&gt;&amp;&apos;&quot;", "<>&'\"" },
		{ "a&#233;&#x1F600;&#13;b", "a\xc3\xa9\xf0\x9f\x98\x80\rb" },
		{ "<![CDATA[ <b>&amp;&x\n</string> ]]>", " <b>&amp;&x\n</string> " },
		{ "a<![CDATA[b]]]>c", "ab]c" },
		{ "a<!-- b -->&amp;<![CDATA[&]]><?c?>d", "a&&d" },
	};
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(text, sizeof(text), "<string>%s</string>", texts[i].text);
		reads(text, PLIST_STRING, texts[i].value);
	}
}

static size_t
put_unit(char *out, unsigned unit, bool big)
{
	out[big ? 0 : 1] = (char)(unit >> 8);
	out[big ? 1 : 0] = (char)(unit & 0xff);
	return 2;
}

/* Writes text, which is Latin-1, as UTF-16. */
static size_t
widen(char *out, const char *text, bool mark, bool big)
{
	size_t n = mark ? put_unit(out, 0xfeff, big) : 0;

	for (; *text != '\0'; text++)
		n += put_unit(out + n, (unsigned char)*text, big);
	return n;
}

TEST(utf16_is_read_with_a_mark_or_without)
{
	static const char *const texts[] = { "<plist><string>\xe9</string></plist>",
		"<?xml version='1.0' encoding='utf-16'?>\n"
		"<!DOCTYPE plist>\n<plist><string>\xe9</string></plist>" };
	char wide[512];
	struct plist *p;
	size_t i, len;

	for (i = 0; i < 8; i++) {
		len = widen(wide, texts[i >> 2], (i & 1) != 0, (i & 2) != 0);
		assert_true(plist_is_xml(wide, len));
		p = parse(wide, len);
		assert_non_null(p);
		assert_string_equal(p->text, "\xc3\xa9");
		plist_free(p);
		while (--len > 0)
			assert_null(parse(wide, len));
	}
}

#define DECLARED(encoding) "<?xml version='1.0' encoding='" encoding "'?>\n"

TEST(other_encodings_are_what_the_declaration_says)
{
	static const struct {
		const char *head, *letter, *why;
	} texts[] = {
		{ "", "\xc3\xa9", "" },
		{ "\xef\xbb\xbf" DECLARED("UTF-8"), "\xc3\xa9", "" },
		{ DECLARED("utf-8"), "\xc3\xa9", "" },
		{ DECLARED("ISO-8859-1"), "\xe9", "" },
		{ DECLARED("US-ASCII"), "&#xe9;", "" },
		{ DECLARED("US-ASCII"), "\xe9", BAD("2", "16") },
		{ DECLARED("UTF-8"), "\xe9", BAD("2", "16") },
		{ "\n", "\x1b", BAD("2", "16") },
		{ DECLARED("UTF-16"), "\xc3\xa9",
		    "line 1: encoding specified in XML declaration is incorrect" },
		{ DECLARED("windows-1252"), "\xe9",
		    "line 1: in an encoding that is not known here: save it as UTF-8" },
	};
	char text[256];
	struct plist *p;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(text, sizeof(text), "%s<plist><string>%s</string></plist>",
		    texts[i].head, texts[i].letter);
		p = parse(text, strlen(text));
		assert_string_equal(why, texts[i].why);
		if (p != NULL)
			assert_string_equal(p->text, "\xc3\xa9");
		plist_free(p);
	}
}

TEST(every_type_is_known)
{
	reads("<dict> \n <!-- a --> </dict>", PLIST_DICT, "");
	reads("<array />", PLIST_ARRAY, "");
	reads("<string>a</string>", PLIST_STRING, "a");
	reads("<string/>", PLIST_STRING, "");
	reads("<integer>1</integer>", PLIST_INTEGER, "1");
	reads("<integer/>", PLIST_INTEGER, "");
	reads("<real>1.5</real>", PLIST_REAL, "1.5");
	reads("<true></true>", PLIST_TRUE, "");
	reads("<false/>", PLIST_FALSE, "");
	reads("<date>2026-01-02T03:04:05Z</date>", PLIST_DATE, "2026-01-02T03:04:05Z");
	reads("<data>AAEC</data>", PLIST_DATA, "AAEC");
}

TEST(white_space_counts_in_strings_alone)
{
	struct plist *p;

	reads("<integer> \t\r\n 5 \n</integer>", PLIST_INTEGER, "5");
	reads("<integer> \n </integer>", PLIST_INTEGER, "");
	reads("<real> 1.5\n</real>", PLIST_REAL, "1.5");
	reads("<date>\n2026-01-02T03:04:05Z </date>", PLIST_DATE, "2026-01-02T03:04:05Z");
	reads("<data>\n\tAA\n\tEC\n</data>", PLIST_DATA, "AA\n\tEC");
	reads("<true>\n</true>", PLIST_TRUE, "");
	reads("\n\t<true/> \r\n", PLIST_TRUE, "");
	p = parse_value("<dict> <key> a </key> <string> b </string> </dict>");
	assert_string_equal(p->child->key, " a ");
	assert_string_equal(p->child->text, " b ");
	assert_null(plist_get(p, "a"));
	plist_free(p);
}

TEST(what_may_stand_before_a_list)
{
	static const char *const heads[] = { "", "\n\t ", TYPE, "<!DOCTYPE plist>",
		"<!-- a --><!-- <plist> -->", "<?xml version=\"1.0\"?>",
		"<?xml version='1.0' standalone=\"no\"?>\n<?a b?>" TYPE "<!-- c -->" };
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(text, sizeof(text), "%s<plist version=\"1.0\"><true/></plist>",
		    heads[i]);
		assert_true(plist_is_xml(text, strlen(text)));
		says(text, strlen(text), "");
	}
}

TEST(what_is_not_xml_is_known_by_its_begin)
{
	static const char *const others[] = { "", " \n", "\xef\xbb\xbf", "bplist00",
		"{ Label = a; }", "( a )", "// <plist>\n{}", "x<plist/>", "\xff\xfe{" };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (plist_is_xml(others[i], strlen(others[i])))
			fail_msg("%s", others[i]);
	assert_true(plist_is_xml("\xef\xbb\xbf\n<", 5));
	assert_false(plist_is_xml("\xef\xbb\xbf\n<", 4));
	assert_true(plist_is_xml("<dict/>", 7));
}

TEST(comments_may_stand_between_all_tags)
{
	static const char text[] =
	    "<plist><!--1--><dict><!--2--><?a?><key>k</key><!--3-->"
	    "<array><!--4--><true/><!--5--></array><!--6--></dict>"
	    "<!--7--></plist><!--8--><?b?>\n";
	struct plist *p = parse(text, strlen(text));

	assert_non_null(p);
	assert_string_equal(p->child->key, "k");
	assert_int_equal(p->child->child->type, PLIST_TRUE);
	assert_null(p->child->child->next);
	plist_free(p);
}

/* Members */

TEST(members_keep_their_order)
{
	static const char *const keys[] = { "z", "a", "", "Z", "<k>", "m" };
	static const enum plist_type types[] = { PLIST_STRING, PLIST_ARRAY, PLIST_INTEGER,
		PLIST_TRUE, PLIST_DICT, PLIST_FALSE };
	struct plist *p =
	    parse_value("<dict><key>z</key><string>1</string>\n"
			"<key>a</key><array><string>2</string><true/>"
			"<string>3</string></array>"
			"<key/><integer>4</integer><key>Z</key><true/>"
			"<key>&lt;k&gt;</key><dict><key>z</key><real>5</real>"
			"</dict><key>m</key><false/></dict>");
	const struct plist *m = p->child;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++, m = m->next) {
		assert_non_null(m);
		assert_string_equal(m->key, keys[i]);
		assert_int_equal(m->type, types[i]);
		assert_ptr_equal(plist_get(p, keys[i]), m);
	}
	assert_null(m);
	m = plist_get(p, "a")->child;
	assert_string_equal(m->text, "2");
	assert_null(m->key);
	assert_int_equal(m->next->type, PLIST_TRUE);
	assert_string_equal(m->next->next->text, "3");
	assert_null(m->next->next->next);
	assert_string_equal(plist_get(plist_get(p, "<k>"), "z")->text, "5");
	plist_free(p);
}

TEST(what_is_not_there_is_null)
{
	static const char *const others[] = { "<dict/>", "<array/>", "<string>a</string>",
		"<integer>1</integer>", "<true/>", "<array><true/></array>",
		"<dict><key>A</key><dict><key>a</key><true/></dict></dict>",
		"<dict><key>aa</key><true/><key></key><string>a</string></dict>" };
	struct plist *p;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		p = parse_value(others[i]);
		if (plist_get(p, "a") != NULL)
			fail_msg("%s", others[i]);
		plist_free(p);
	}
	plist_free(NULL);
}

/* Integers */

static const struct {
	const char *text;
	bool good;
	int64_t value;
} integers[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "+7", true, 7 },
	{ "-7", true, -7 },
	{ "\n 7 \n", true, 7 },
	{ "0010", true, 10 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775807", true, -INT64_MAX },
	{ "0x1F", true, 31 },
	{ "0Xff", true, 255 },
	{ "-0x10", true, -16 },
	{ "+0xa", true, 10 },
	{ "0xfffffffffffffff", true, INT64_C(0xfffffffffffffff) },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "18446744073709551617", false, 0 },
	{ "99999999999999999999999", false, 0 },
	{ "0xffffffffffffffff", false, 0 },
	{ "0x10000000000000001", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "+", false, 0 },
	{ "--7", false, 0 },
	{ "+-7", false, 0 },
	{ "-+7", false, 0 },
	{ "- 7", false, 0 },
	{ "1 2", false, 0 },
	{ "7a", false, 0 },
	{ "1.0", false, 0 },
	{ "1e3", false, 0 },
	{ "0x", false, 0 },
	{ "0xg", false, 0 },
	{ "0x-1", false, 0 },
	{ "0x 1", false, 0 },
	{ "0x0x1", false, 0 },
	{ "ff", false, 0 },
};

TEST(integers_are_read_or_refused)
{
	char text[256];
	struct plist *p;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		snprintf(text, sizeof(text), "<integer>%s</integer>", integers[i].text);
		p = parse_value(text);
		n = 99;
		if (plist_integer(p, &n) != integers[i].good ||
		    n != (integers[i].good ? integers[i].value : 99))
			fail_msg("%s: %lld", text, (long long)n);
		plist_free(p);
	}
}

TEST(no_other_type_is_an_integer)
{
	static const char *const others[] = { "<string>1</string>", "<real>1</real>",
		"<data>1</data>", "<true/>", "<dict/>",
		"<array><integer>1</integer></array>", "<integer/>" };
	struct plist *p;
	int64_t n = 99;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		p = parse_value(others[i]);
		if (plist_integer(p, &n) || n != 99)
			fail_msg("%s", others[i]);
		plist_free(p);
	}
}

/* Damage */

static const char whole[] =
    HEAD "<dict>\n\t<key>Label</key><string>a &amp; b&#x2192;</string><!-- c -->\n"
	 "\t<key>WatchPaths</key>\n\t<array><string><![CDATA[/etc/a]]></string></array>\n"
	 "\t<key>Nice</key><integer>-5</integer><key>RunAtLoad</key><true/>\n"
	 "</dict>\n</plist>";

TEST(a_list_cut_at_any_byte_is_refused)
{
	struct plist *p;
	size_t len;

	says(whole, sizeof(whole) - 1, "");
	for (len = 0; len < sizeof(whole) - 1; len++) {
		p = parse(whole, len);
		if (p != NULL)
			fail_msg("%.*s", (int)len, whole);
		assert_memory_equal(why, "line ", 5);
	}
}

TEST(damage_never_does_more_than_be_refused)
{
	static const char bytes[] = "<>/&;#x![]-?= \n\"a0\xff";
	char text[sizeof(whole)];
	size_t at, i;

	for (at = 0; at < sizeof(whole) - 1; at++)
		for (i = 0; i < sizeof(bytes); i++) {
			memcpy(text, whole, sizeof(whole));
			text[at] = bytes[i];
			plist_free(parse(text, sizeof(whole) - 1));
		}
}
