/* SPDX-License-Identifier: MIT */
/*
 * Which words of a command line are code. The one idea: a program's options need
 * not be known, since a word after one that is not in the table is taken for both,
 * its value and what the program would run. The table only says what is harmless.
 */
#include "trust/codewords.h"

#include <string.h>
#include <strings.h>

/* What the first word is that belongs to no option, after those to be skipped. */
enum first { SCRIPT, PROGRAM, TEXT, ANY, FIND, APPLET, UNKNOWN };

/* How the program reads its words. */
#define SHELL 1u    /* +x is an option; the value of -o never follows in its word */
#define ASSIGNS 2u  /* NAME=value may stand before the program */
#define PERMUTES 4u /* options may stand behind other words */

/*
 * options is a list: letters, or one long name that begins with a dash, and what
 * follows them. No mark: it stands alone, or has its value behind an =.
 */
#define MARKS ":;#$!.&/^~%*@?"
/*
 *   :  a value              ;  a value in the same word, if any
 *   #  digits, if any       $  code; the first word after options is none
 *   !  the first word is code       .  its value is the last word that counts
 *   &  the file with the code       /  a directory to work in
 *   ^  clears the environment       ~  the name of a variable to be left out
 *   %  words to be split    *  a PATH  @  NAME=value   ?  another root
 */
struct obeyer {
	const char *names; /* each may have a version behind it: python3.11 */
	const char *sub;   /* only with this as its first word */
	enum first first;
	unsigned skip, how;
	const char *options;
};

static const struct obeyer obeyers[] = {
	/* Interpreters. */
	{ "sh bash rbash dash ash ksh ksh93 mksh oksh pdksh lksh yash posh", NULL, SCRIPT,
	    0, SHELL,
	    "abefhiklmnprstuvxBCDEHPT - c! oO: --login --norc --noprofile --noediting "
	    "--posix --restricted --verbose --debugger --rcfile: --init-file: -login "
	    "-norc -noprofile -noediting -posix -restricted -verbose -rcfile: "
	    "-init-file:" },
	{ "zsh rzsh", NULL, SCRIPT, 0, SHELL,
	    "abdefghiklmnpqrstuvwxyBCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 - c! o: "
	    "--login --rcs --no-rcs --emulate:" },
	{ "csh tcsh", NULL, SCRIPT, 0, SHELL, "bdefFilmnqstvVxX - c!" },
	{ "fish", NULL, SCRIPT, 0, 0,
	    "hilnNPv c$ C$ dDfo: --command$ --init-command$ --login --no-config "
	    "--interactive --private" },
	{ "python pythonw pypy", NULL, SCRIPT, 0, 0,
	    "bBdEhiIOPqRsSuvVx WX: cm. --check-hash-based-pycs:" },
	{ "perl", NULL, SCRIPT, 0, 0, "acfhnpsStTuUvwWX 0lC# DdFimMVx; I: eE$" },
	{ "ruby jruby", NULL, SCRIPT, 0, 0,
	    "achlnpsSvwydU 0# WTKxFi; C/ X/ EIr: e$ --encoding: --external-encoding: "
	    "--internal-encoding: --verbose --yjit --jit" },
	{ "php php-cgi", NULL, SCRIPT, 0, 0, "aehHilmnqsvw BErR$ fF& cdStz:" },
	{ "node nodejs", NULL, SCRIPT, 0, 0,
	    "chiv ep$ Cr: --eval$ --print$ -pe$ --require: --import: --loader: "
	    "--experimental-loader: --conditions: --env-file: --inspect --no-warnings "
	    "--interactive" },
	{ "awk gawk mawk nawk original-awk", NULL, TEXT, 0, 0,
	    "bcCghMnNOPrsStV dDLop; Fvil: fE& e$ --file& --exec& --source$ --assign: "
	    "--field-separator: --include: --load:" },
	{ "sed", NULL, TEXT, 0, PERMUTES,
	    "EHInrsuz i; l: f& e$ --file& --expression$ --in-place; --line-length: "
	    "--quiet --silent --regexp-extended --separate --null-data --posix --debug "
	    "--sandbox --unbuffered" },
	{ "lua luajit", NULL, SCRIPT, 0, 0, "ivEW jOb; l: e$" },
	{ "tclsh wish", NULL, SCRIPT, 0, 0, "-encoding:" },
	{ "expect", NULL, SCRIPT, 0, 0, "dinNv c$ bf& D:" },
	{ "osascript", NULL, SCRIPT, 0, 0, "i e$ ls:" },
	/* Programs that start another one. */
	{ "env", NULL, PROGRAM, 0, ASSIGNS,
	    "0v i^ -^ u~ S% C/ P* aLU: --ignore-environment^ --unset~ --split-string% "
	    "--chdir/ --argv0: --null --debug --block-signal --default-signal "
	    "--ignore-signal --list-signal-handling" },
	{ "sudo", NULL, PROGRAM, 0, ASSIGNS,
	    "ABbEeHiKklNnPSsVv D/ R? acCghprTtuU: --user: --group: --host: --prompt: "
	    "--chdir/ --chroot? --preserve-env --non-interactive --login --shell "
	    "--set-home --background --stdin --askpass" },
	{ "doas", NULL, PROGRAM, 0, 0, "Lns aCu:" },
	{ "pkexec", NULL, PROGRAM, 0, 0, "--user: --disable-internal-agent --keep-cwd" },
	{ "su", NULL, SCRIPT, 1, 0,
	    "lmpfPT - gGsw: c$ --login --command$ --session-command$ --shell: --group:" },
	{ "nice", NULL, PROGRAM, 0, 0, "0123456789 n: --adjustment:" },
	{ "nohup", NULL, PROGRAM, 0, 0, "" },
	{ "timeout", NULL, PROGRAM, 1, 0,
	    "fpv ks: --foreground --preserve-status --verbose --kill-after: --signal:" },
	{ "setsid", NULL, PROGRAM, 0, 0, "cfw --ctty --fork --wait" },
	{ "caffeinate", NULL, PROGRAM, 0, 0, "dimsu tw:" },
	{ "arch", NULL, PROGRAM, 0, 0,
	    "ch e@ d: -arch: -x86_64 -x86_64h -arm64 -arm64e -i386 -32 -64" },
	{ "stdbuf", NULL, PROGRAM, 0, 0, "ioe: --input: --output: --error:" },
	{ "time", NULL, PROGRAM, 0, 0,
	    "ahlpqv of: --output: --format: --append --verbose --portability --quiet" },
	{ "xargs", NULL, PROGRAM, 0, 0,
	    "0oprtx eil; adEIJLnPRsS: --null --no-run-if-empty --interactive --verbose "
	    "--exit --open-tty --arg-file: --delimiter: --max-args: --max-procs: "
	    "--max-chars: --max-lines; --replace; --eof; --process-slot-var:" },
	{ "flock", NULL, PROGRAM, 1, 0,
	    "eFnosuvx wE: c$ --shared --exclusive --unlock --nonblock --no-fork --close "
	    "--verbose --timeout: --wait: --conflict-exit-code: --command$" },
	{ "ionice", NULL, PROGRAM, 0, 0, "t cn: --ignore --class: --classdata:" },
	{ "script", NULL, PROGRAM, 1, 0,
	    "adefFkpqr tTBIOEmo: c$ --command$ --quiet --append --return --flush" },
	{ "command", NULL, PROGRAM, 0, 0, "pvV" },
	{ "xcrun", NULL, PROGRAM, 0, 0,
	    "klnrv -sdk: --sdk: -toolchain: --toolchain: --run --verbose --no-cache" },
	{ "launchctl", "asuser", PROGRAM, 1, 0, "" },
	{ "launchctl", "bsexec", PROGRAM, 1, 0, "" },
	{ "find", NULL, FIND, 0, 0, "" },
	{ "busybox toybox", NULL, APPLET, 0, 0, "" },
	{ "chroot", NULL, UNKNOWN, 0, 0, "" },
	/* Programs that run what their words name, in more ways than are told here. */
	{ "ant at automator batch bsdmake bun bwrap capsh chpst chrt clisp cmake "
	  "crontab dbus-run-session deno dpkg dtrace dtruss eatmydata elixir emacs "
	  "entr envdir erl es escript ex fakeroot firejail gdb ghci gmake gnuplot go "
	  "groovy guile iex insmod installer java jshell julia kextload kextutil "
	  "kmutil kotlin launchctl ld-linux ld-linux-aarch64.so ld-linux-x86-64.so "
	  "ld-musl-aarch64.so ld-musl-x86_64.so ld.so ldd linux32 linux64 lldb login "
	  "logrotate ltrace m4 make newsyslog ninja nsenter numactl nvim ocaml octave "
	  "open parallel perf periodic powershell prlimit proxychains pwsh racket rake "
	  "rc rlwrap rpm rscript run-parts runcon runghc runhaskell runuser "
	  "sandbox-exec sbcl scala setarch setpriv setuidgid softlimit "
	  "start-stop-daemon strace swift systemd-run taskset torsocks unbuffer "
	  "unshare valgrind vi vim watch xvfb-run",
	    NULL, ANY, 0, 0, "" },
};

/* Variables that decide what a program loads or runs; * is any end. */
static const char *const loading[] = { "_JAVA_OPTIONS", "AWKLIBPATH", "AWKPATH",
	"BASH_ENV", "BUNDLE_*", "CLASSPATH", "CORECLR_*", "DOTNET_*", "DYLD_*", "ENV",
	"FPATH", "GCONV_PATH", "GEM_*", "GIT_*", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS",
	"LD_*", "LOCPATH", "LUA_*", "MAKEFILES", "MAKEFLAGS", "NODE_*", "OPENSSL_*",
	"PERL5*", "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR", "PYTHON*", "RUBY*", "TCL*",
	"ZDOTDIR" };

/* Is base one of a list's names, or one with a version behind it? */
static bool
is_named(const char *names, const char *base)
{
	size_t n;
	const char *rest;

	for (; *names != '\0'; names += n + strspn(names + n, " ")) {
		n = strcspn(names, " ");
		if (strncasecmp(base, names, n) != 0)
			continue;
		rest = base + n + strspn(base + n, "0123456789.-");
		/* python3.11, zsh-5.9, and python3.11-intel64; python-config is none. */
		if (*rest == '\0' ||
		    (strspn(base + n, "0123456789") > 0 && rest[-1] == '-'))
			return true;
	}
	return false;
}

static const struct obeyer *
find_obeyer(const char *program, const char *sub)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash != NULL ? slash + 1 : program;
	const struct obeyer *o;
	size_t i;

	for (i = 0; i < sizeof(obeyers) / sizeof(obeyers[0]); i++) {
		o = &obeyers[i];
		if (o->sub != NULL && (sub == NULL || strcmp(o->sub, sub) != 0))
			continue;
		/* GNU's programs have a g in front of them where others are the system's.
		 */
		if (is_named(o->names, base) ||
		    (strspn(base, "gG") > 0 && is_named(o->names, base + 1)))
			return o;
	}
	return NULL;
}

bool
codewords_begin(struct codewords *c, const char *program, char *const *args)
{
	const struct obeyer *o = find_obeyer(program, *args);

	*c = (struct codewords){ .o = o, .next = args };
	if (o == NULL)
		return false;
	c->skip = o->skip;
	if (o->sub != NULL)
		c->next++;
	return true;
}

bool
codewords_starts(const struct codewords *c)
{
	return c->o->first == PROGRAM || c->o->first == FIND;
}

bool
codewords_loads(const char *variable)
{
	size_t i, n, len = strcspn(variable, "=");

	for (i = 0; i < sizeof(loading) / sizeof(loading[0]); i++) {
		n = strcspn(loading[i], "*");
		if (strncmp(variable, loading[i], n) == 0 &&
		    (loading[i][n] == '*' || len == n))
			return true;
	}
	return false;
}

/* Its mark, "" if it stands alone; NULL: the option is not known. */
static const char *
find_letter(const struct obeyer *o, char letter)
{
	const char *p = o->options;
	size_t n, i;

	for (; *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		for (i = 0; *p != '-' && i < n && strchr(MARKS, p[i]) == NULL; i++)
			if (p[i] == letter)
				return p + strcspn(p, " " MARKS);
	}
	return NULL;
}

/* GNU's programs take the beginning of a long name for all of it. */
static const char *
find_long(const struct obeyer *o, const char *word)
{
	size_t len = strcspn(word, "="), n, name;
	const char *p = o->options, *found = NULL;

	for (; *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		name = strcspn(p, " " MARKS);
		if (*p != '-' || name < len || strncmp(p, word, len) != 0)
			continue;
		if (name == len)
			return p + name;
		if (len > 2 && word[1] == '-' && found == NULL)
			found = p + name;
	}
	return found;
}

static bool
is_option(const struct codewords *c, const char *word)
{
	if (c->plain)
		return false;
	if (word[0] == '-')
		return word[1] != '\0' || find_long(c->o, word) != NULL;
	return word[0] == '+' && (c->o->how & SHELL) != 0 && word[1] != '\0';
}

static bool
is_assignment(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				"0123456789");

	return n > 0 && word[n] == '=';
}

/* To a shell that is code which runs the file; others can make nothing of it. */
static bool
is_plain_path(const char *code)
{
	return code[0] == '/' && strpbrk(code, " \t\n;&|<>()`$'\"\\*?[#~{}!") == NULL;
}

/* What an option's value is. */
static bool
give_value(struct codewords *c, char mark, const char *text, struct codeword *w)
{
	static const struct {
		char mark;
		enum codeword_role role;
	} roles[] = {
		{ '$', CODEWORD_TEXT },
		{ '.', CODEWORD_TEXT },
		{ '/', CODEWORD_DIRECTORY },
		{ '*', CODEWORD_SEARCH },
		{ '@', CODEWORD_ASSIGNMENT },
		{ '?', CODEWORD_UNKNOWN },
	};
	size_t i;

	w->role = CODEWORD_VALUE;
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i].mark == mark)
			w->role = roles[i].role;
	if (w->role == CODEWORD_TEXT && c->o->first != TEXT && is_plain_path(text))
		w->role = CODEWORD_VALUE;
	if (mark == '~')
		w->role = strcmp(text, "PATH") == 0 ? CODEWORD_CLEAR : CODEWORD_DATA;
	if (mark == '%') /* Split once more, by rules of its own. */
		w->role = CODEWORD_UNKNOWN;
	c->coded = c->coded || mark == '$' || mark == '&';
	c->over = c->over || mark == '.';
	w->text = text;
	return true;
}

/* Is the word that follows -S one that stays as it is? Then it is the program. */
static bool
stays_one(const char *word)
{
	return word != NULL && strpbrk(word, " \t\"'\\$#") == NULL;
}

/*
 * An option with this mark; value is what of its own word may be its value, or
 * NULL. True: there is something to report.
 */
static bool
take_option(struct codewords *c, const char *mark, const char *value, struct codeword *w)
{
	char m = *mark;

	if (m == ' ')
		m = '\0';
	if (m == '^') {
		w->role = CODEWORD_CLEAR;
		w->text = *w->word;
		return true;
	}
	if (m == '!')
		c->text = true;
	if (value != NULL && *value != '\0')
		return give_value(c, m, value, w);
	if (m == '\0' || strchr(";#!", m) != NULL || (m == '%' && stays_one(*c->next)))
		return false;
	c->pending = mark;
	return false;
}

/* An option that is not in the table: the next word may be its value. */
static bool
take_unknown(struct codewords *c, const char *word, struct codeword *w)
{
	const char *value = strchr(word, '=');

	c->doubt = value == NULL && c->o->first != ANY;
	value = value != NULL ? value + 1 : strchr(word, '/');
	w->role = c->o->first == ANY ? CODEWORD_ANY : CODEWORD_VALUE;
	w->text = value;
	return value != NULL && *value != '\0';
}

static bool
take_letters(struct codewords *c, const char *word, struct codeword *w)
{
	const char *mark, *p;
	bool last;

	for (p = word + 1; *p != '\0'; p++) {
		mark = find_letter(c->o, *p);
		last = p[1] == '\0';
		if (mark == NULL)
			return take_unknown(c, word, w);
		if (*mark == '\0' || *mark == ' ') {
			continue;
		} else if (*mark == '#') {
			p += strspn(p + 1, "0123456789");
		} else if (*mark == '!') {
			c->text = true;
		} else if (*mark == '^') {
			if (last)
				return take_option(c, mark, NULL, w);
			return give_value(c, '%', word, w);
		} else if ((c->o->how & SHELL) != 0 && !last) {
			return take_unknown(c, word, w);
		} else {
			return take_option(c, mark, p + 1, w);
		}
	}
	return false;
}

/* True: there is something to report. */
static bool
take_word_of_options(struct codewords *c, const char *word, struct codeword *w)
{
	const char *mark = find_long(c->o, word), *value;

	c->doubt = false;
	if (mark == NULL && word[1] != '-' && strlen(word) > 1) {
		return take_letters(c, word, w);
	} else if (mark == NULL) {
		return take_unknown(c, word, w);
	}
	value = strchr(word, '=');
	return take_option(c, mark, value != NULL ? value + 1 : NULL, w);
}

/* How many words find hands to what it executes. */
static size_t
count_executed(char *const *words)
{
	size_t n;

	for (n = 0; words[n] != NULL && strcmp(words[n], ";") != 0; n++)
		if (n > 0 && strcmp(words[n], "+") == 0 &&
		    strcmp(words[n - 1], "{}") == 0)
			break;
	return n;
}

/* Does what runs where a file was found take a relative word for code? */
static bool
is_lost(char *const *words)
{
	const char *slash = strchr(words[0], '/');

	return (slash != NULL && slash != words[0]) ||
	       find_obeyer(words[0], words[1]) != NULL;
}

/* Of find: a command from -exec up to its end; the rest says what to look for. */
static bool
next_of_find(struct codewords *c, struct codeword *w)
{
	static const char *const starts[] = { "-exec", "-execdir", "-ok", "-okdir" };
	size_t i, n;

	*w = (struct codeword){ CODEWORD_DATA, *c->next, c->next, 0 };
	c->next++;
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (strcmp(w->text, starts[i]) != 0 || *c->next == NULL)
			continue;
		n = count_executed(c->next);
		if (strstr(w->text, "dir") != NULL && is_lost(c->next)) {
			w->role = CODEWORD_UNKNOWN;
			return true;
		}
		*w = (struct codeword){ CODEWORD_PROGRAM, c->next[0], c->next, n };
		c->next += n;
		return n > 0 || codewords_next(c, w);
	}
	return true;
}

/* A word that belongs to no option. */
static void
take_operand(struct codewords *c, struct codeword *w)
{
	static const enum codeword_role roles[] = {
		[SCRIPT] = CODEWORD_SCRIPT,
		[PROGRAM] = CODEWORD_PROGRAM,
		[TEXT] = CODEWORD_TEXT,
		[ANY] = CODEWORD_ANY,
		[UNKNOWN] = CODEWORD_UNKNOWN,
	};

	w->role = CODEWORD_DATA;
	if (c->doubt) {
		w->role = CODEWORD_MAYBE;
		c->doubted = true;
	} else if ((c->o->how & ASSIGNS) != 0 && is_assignment(w->text)) {
		w->role = CODEWORD_ASSIGNMENT;
	} else if (c->skip > 0) {
		c->skip--;
		w->role = c->doubted ? CODEWORD_MAYBE : CODEWORD_DATA;
	} else {
		if (c->text)
			w->role = is_plain_path(w->text) ? CODEWORD_VALUE : CODEWORD_TEXT;
		else if (!c->coded)
			w->role = roles[c->o->first];
		c->over = c->o->first != ANY;
	}
	c->doubt = false;
	for (w->n = 0; w->word[w->n] != NULL; w->n++)
		continue;
	if (w->role == CODEWORD_PROGRAM)
		c->next += w->n - 1;
}

/* The words of an applet are those of the program it is. */
static bool
begin_applet(struct codewords *c)
{
	while (c->o->first == APPLET)
		if (*c->next == NULL || !codewords_begin(c, *c->next, c->next + 1))
			return false;
	return true;
}

bool
codewords_next(struct codewords *c, struct codeword *w)
{
	const char *mark;

	if (c->o == NULL || !begin_applet(c))
		return false;
	while (*c->next != NULL) {
		if (c->o->first == FIND)
			return next_of_find(c, w);
		*w = (struct codeword){ CODEWORD_DATA, *c->next, c->next, 0 };
		c->next++;
		if (c->pending != NULL) {
			mark = c->pending;
			c->pending = NULL;
			return give_value(c, *mark, w->text, w);
		}
		if (c->over && (c->o->how & PERMUTES) == 0)
			return true;
		if (!c->plain && strcmp(w->text, "--") == 0) {
			c->plain = true;
			c->doubt = false;
		} else if (!is_option(c, w->text)) {
			if (!c->over)
				take_operand(c, w);
			return true;
		} else if (take_word_of_options(c, w->text, w)) {
			return true;
		}
	}
	return false;
}
