/* SPDX-License-Identifier: MIT */
/*
 * Which words of a command line are code. The one idea: a program's options need
 * not be known, since a word after one that is not in the table is taken for both,
 * its value and what the program would run. The table only says what is harmless.
 */
#include "trust/codewords.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

/*
 * What the first word is that belongs to no option, after those to be skipped. Of a
 * program with OPTIONS nothing is code but what those in the table name.
 */
enum first { SCRIPT, PROGRAM, TEXT, ANY, FIND, APPLET, OPTIONS, UNKNOWN };

/* How the program reads its words. */
#define SHELL 1u    /* +x is an option; the value of -o never follows in its word */
#define ASSIGNS 2u  /* NAME=value may stand before the program */
#define PERMUTES 4u /* options may stand behind other words */
#define OF_HOME 8u  /* it obeys files in HOME, unasked */

/*
 * options is a list: letters, or one long name that begins with a dash, and what
 * follows them. No mark: it stands alone, or has its value behind an =.
 */
#define MARKS ":;#$|,+!.>&/^~%*@?"
/*
 *   :  a value              ;  a value in the same word, if any
 *   #  digits, if any       $  code; the first word after options is none
 *   |  likewise, of a shell         !  the first word is code, of a shell
 *   ,  code that comes before the script        +  likewise, of a shell
 *   .  its value is the last word that counts
 *   >  a module, whose words follow &  the file with the code
 *   /  a directory to work in       ^  clears the environment
 *   ~  a value that is data, or the name of a variable to be left out
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
	{ "sh bash rbash dash ash ksh ksh93 mksh oksh pdksh lksh yash posh bash-static "
	  "sh.distrib rksh pfsh bsh hush jsh mrsh msh sash osh ysh",
	    NULL, SCRIPT, 0, SHELL,
	    "abefhiklmnprstuvxBCDEHPT - c! oO: --login --norc --noprofile --noediting "
	    "--posix --restricted --verbose --debugger --rcfile: --init-file: -login "
	    "-norc -noprofile -noediting -posix -restricted -verbose -rcfile: "
	    "-init-file:" },
	{ "zsh rzsh zsh-static", NULL, SCRIPT, 0, SHELL | OF_HOME,
	    "abdefghiklmnpqrstuvwxyBCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 - c! o: "
	    "--login --rcs --no-rcs --emulate:" },
	{ "csh tcsh", NULL, SCRIPT, 0, SHELL | OF_HOME, "bdefFilmnqstvVxX - c!" },
	{ "fish", NULL, SCRIPT, 0, OF_HOME,
	    "hilnNPv c| C+ dDfo: --command| --init-command+ --login --no-config "
	    "--interactive --private" },
	{ "python pythonw pypy ipython", NULL, SCRIPT, 0, OF_HOME,
	    "bBdEhiIOPqRsSuvVx WX: c. m> --check-hash-based-pycs:" },
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
	{ "lua luajit", NULL, SCRIPT, 0, 0, "ivEW jOb; l: e," },
	{ "tclsh wish", NULL, SCRIPT, 0, 0, "-encoding:" },
	{ "expect", NULL, SCRIPT, 0, 0, "dinNv c, bf& D:" },
	{ "osascript", NULL, SCRIPT, 0, 0, "i e$ ls:" },
	{ "elvish fennel irb janet jimsh jsc micropython mruby murex nu qjs scsh texlua "
	  "xonsh",
	    NULL, SCRIPT, 0, 0, "c$ e," },
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
	    "lmpfPT - gGsw: c| --login --command| --session-command| --shell: --group:" },
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
	    "eFnosuvx wE: c| --shared --exclusive --unlock --nonblock --no-fork --close "
	    "--verbose --timeout: --wait: --conflict-exit-code: --command|" },
	{ "ionice", NULL, PROGRAM, 0, 0, "t cn: --ignore --class: --classdata:" },
	{ "script", NULL, PROGRAM, 1, 0,
	    "adefFkpqr tTBIOEmo: c| --command| --quiet --append --return --flush" },
	{ "command", NULL, PROGRAM, 0, 0, "pvV" },
	{ "xcrun", NULL, PROGRAM, 0, 0,
	    "klnrv -sdk: --sdk: -toolchain: --toolchain: --run --verbose --no-cache" },
	{ "launchctl", "asuser", PROGRAM, 1, 0, "" },
	{ "launchctl", "bsexec", PROGRAM, 1, 0, "" },
	{ "find", NULL, FIND, 0, 0, "" },
	{ "ssh-agent", NULL, PROGRAM, 0, 0, "cDdks aEOPt:" },
	{ "busybox busybox-static busybox.static toybox", NULL, APPLET, 0, 0, "" },
	{ "chroot", NULL, UNKNOWN, 0, 0, "" },
	/* Programs that run what some of their options name. */
	{ "tar bsdtar gnutar", NULL, OPTIONS, 0, 0,
	    "bCfgHKLNTVX~ FI| --use-compress-program| --checkpoint-action: "
	    "--to-command| --info-script| --new-volume-script| --rsh-command| "
	    "--rmt-command|" },
	{ "rsync", NULL, OPTIONS, 0, 0, "BfMT~ e| --rsh| --rsync-path| --config:" },
	{ "ssh slogin scp sftp", NULL, OPTIONS, 0, 0, "BcEeiJLlmOpPQRWwX~ bDFIoS:" },
	{ "ssh-add ssh-keygen", NULL, OPTIONS, 0, 0, "CEFfImNnOPRrTtVWYZ~ Dsw:" },
	{ "curl", NULL, OPTIONS, 0, OF_HOME,
	    "AbCcDdEeFHhmoPQrTtUuwXxYyz~ K: --config: --engine:" },
	{ "wget", NULL, OPTIONS, 0, OF_HOME,
	    "AaBDIiloOPQRTtUwX~ e: --config: --execute: --use-askpass:" },
	{ "nc ncat netcat", NULL, OPTIONS, 0, 0,
	    "GIiOPpqsTVwXx~ ce| --exec| --lua-exec: --sh-exec|" },
	{ "sort", NULL, OPTIONS, 0, 0, "kSTot~ --compress-program|" },
	{ "split", NULL, OPTIONS, 0, 0, "abClnt~ --filter|" },
	{ "install", NULL, OPTIONS, 0, 0, "BfghlMmoSTtD~ --strip-program:" },
	{ "zip", NULL, OPTIONS, 0, 0, "bintx~ -TT| --unzip-command|" },
	{ "man", NULL, OPTIONS, 0, 0,
	    "ELMmRrSsTe~ C: HP| --config-file: --html| --pager|" },
	{ "tcpdump", NULL, OPTIONS, 0, 0, "BCcEFGijMrsTVWwyZ~ z|" },
	{ "sqlite3", NULL, OPTIONS, 0, 0, "-cmd: -init: --cmd: --init:" },
	{ "openssl", NULL, OPTIONS, 0, 0,
	    "-config: -engine: -provider: -provider-path:" },
	{ "gpg", NULL, OPTIONS, 0, 0,
	    "o~ --agent-program: --dirmngr-program: --homedir: --options: "
	    "--photo-viewer:" },
	/* Programs that run what their words name, in more ways than stand here. */
	{ "ansible-playbook ant apk apt apt-get aptitude at automator batch box64 "
	  "bsdmake bun bundle bwrap capsh cargo cgexec chpst chrt clisp cmake composer "
	  "coreutils cpan cpanm cProfile crond crontab crystal daemonize dart "
	  "dbus-run-session deno dnf doctest dotnet dpkg dtrace dtruss dumb-init "
	  "eatmydata elixir emacs entr envdir envuidgid erl es escript ex execlineb "
	  "fakechroot fakeroot firejail gdb gem ghci git gmake gnuplot go gosu gradle "
	  "groovy guile hg httpd iex inetd insmod installer java jshell julia kextload "
	  "kextutil kmutil kotlin launchctl ld-linux ld-linux-aarch64.so "
	  "ld-linux-x86-64.so ld-musl-aarch64.so ld-musl-x86_64.so ld.so ldd linux32 "
	  "linux64 lldb login logrotate ltrace m4 make mdev meson mono mvn newsyslog "
	  "nim ninja node-gyp npm npx nsenter numactl nvim ocaml octave open osacompile "
	  "pacman parallel pdb perf periodic perldoc pfexec pgrphack php-fpm pip pipx "
	  "pnpm powershell prlimit prove proxychains pwsh pytest qemu-aarch64 qemu-i386 "
	  "qemu-x86_64 R racket rails rake rc rlwrap rpm rscript run-parts runcon "
	  "runghc runhaskell runpy runsv runsvdir runuser s6-setuidgid s6-supervise "
	  "s6-svscan sandbox-exec sbcl scala scons screen setarch setlock setpriv "
	  "setuidgid snap socat softlimit sshd start-stop-daemon strace su-exec svlogd "
	  "swift swiftc systemd-cat systemd-inhibit systemd-nspawn systemd-run taskset "
	  "tcpserver tcpsvd telnetd terraform tini tmux torsocks ts-node tsx udhcpc "
	  "udpsvd unbuffer unittest unshare uv uvx valgrind vi vim watch watchexec wine "
	  "xcodebuild xvfb-run yarn yum zig zypper",
	    NULL, ANY, 0, OF_HOME, "" },
};

/* Variables that decide what a program loads or runs; * is any end. */
static const char *const loading[] = { "AWKLIBPATH", "AWKPATH", "BASH_ENV",
	"BASH_LOADABLES_PATH", "BUNDLE_*", "CLASSPATH", "COMPILER_PATH", "CORECLR_*",
	"CURL_HOME", "CVS_RSH", "DOTNET_*", "DYLD_*", "ELIXIR_ERL_OPTIONS",
	"EMACSLOADPATH", "ENV", "ERL_*", "EXINIT", "FPATH", "GCC_EXEC_PREFIX",
	"GCONV_PATH", "GEM_*", "GIO_*", "GIT_*", "GOENV", "GOFLAGS", "GTK_*", "GUILE_*",
	"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JULIA_*", "KRB5_CONFIG", "LD_*",
	"LESSCLOSE", "LESSOPEN", "LOCPATH", "LUA_*", "MAKEFILES", "MAKEFLAGS",
	"MAN_CONFIG", "NODE_*", "NPM_CONFIG_*", "OPENSSL_*", "PERL5*", "PERLLIB", "PHPRC",
	"PHP_INI_SCAN_DIR", "PIP_*", "PSModulePath", "PYTHON*", "QT_*", "RSYNC_RSH",
	"RUBY*", "R_*", "SASL_PATH", "SSH_ASKPASS", "SUDO_ASKPASS", "TAR_OPTIONS", "TCL*",
	"VIMINIT", "WGETRC", "ZDOTDIR", "_JAVA_OPTIONS", "__XPC_*", "npm_config_*" };

/* Is base one of a list's names, or one with a version behind it? */
static bool
is_named(const char *names, const char *base)
{
	const char *end, *rest;
	size_t n;

	for (; names != NULL; names = end != NULL ? end + 1 : NULL) {
		end = strchr(names, ' ');
		/* Most differ in the first letter, and this is asked at each spawn. */
		if (strncasecmp(base, names, 1) != 0)
			continue;
		n = end != NULL ? (size_t)(end - names) : strlen(names);
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

	for (i = 0; i < NELEM(obeyers); i++) {
		o = &obeyers[i];
		if (o->sub != NULL && (sub == NULL || strcmp(o->sub, sub) != 0))
			continue;
		/* GNU's programs have a g in front where others are the system's. */
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
codewords_obeys_home(const struct codewords *c)
{
	return (c->o->how & OF_HOME) != 0;
}

bool
codewords_loads(const char *variable)
{
	size_t i, n, len = strcspn(variable, "=");

	for (i = 0; i < NELEM(loading); i++) {
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

/* The words of an applet or a module are those of the program it is. */
static void
begin_other(struct codewords *c, const char *name)
{
	static const struct obeyer unknown = { "", NULL, OPTIONS, 0, 0, "" };

	if (!codewords_begin(c, name, c->next))
		c->o = &unknown;
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
		{ ',', CODEWORD_TEXT },
		{ '|', CODEWORD_SHELL },
		{ '+', CODEWORD_SHELL },
		{ '.', CODEWORD_TEXT },
		{ '>', CODEWORD_TEXT },
		{ '/', CODEWORD_DIRECTORY },
		{ '*', CODEWORD_SEARCH },
		{ '@', CODEWORD_ASSIGNMENT },
		{ '?', CODEWORD_UNKNOWN },
	};
	size_t i;

	w->role = CODEWORD_VALUE;
	for (i = 0; i < NELEM(roles); i++)
		if (roles[i].mark == mark)
			w->role = roles[i].role;
	if ((w->role == CODEWORD_TEXT || w->role == CODEWORD_SHELL) &&
	    c->o->first != TEXT && is_plain_path(text))
		w->role = CODEWORD_VALUE;
	if (mark == '~')
		w->role = strcmp(text, "PATH") == 0 ? CODEWORD_CLEAR : CODEWORD_DATA;
	if (mark == '%') /* Split once more, by rules of its own. */
		w->role = CODEWORD_UNKNOWN;
	c->coded = c->coded || (mark != '\0' && strchr("$|&", mark) != NULL);
	c->over = c->over || mark == '.';
	w->text = text;
	if (mark == '>')
		begin_other(c, text);
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

	if (c->o->first == OPTIONS)
		return true;
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
		if (mark == NULL && c->o->first == OPTIONS)
			continue;
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
	return c->o->first == OPTIONS;
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
	for (i = 0; i < NELEM(starts); i++) {
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
		[OPTIONS] = CODEWORD_DATA,
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
			w->role =
			    is_plain_path(w->text) ? CODEWORD_VALUE : CODEWORD_SHELL;
		else if (!c->coded)
			w->role = roles[c->o->first];
		c->over = c->o->first != ANY && c->o->first != OPTIONS;
	}
	c->doubt = false;
	for (w->n = 0; w->word[w->n] != NULL; w->n++)
		continue;
	if (w->role == CODEWORD_PROGRAM)
		c->next += w->n - 1;
}

bool
codewords_next(struct codewords *c, struct codeword *w)
{
	const char *mark;

	while (*c->next != NULL) {
		if (c->o->first == APPLET) {
			c->next++;
			begin_other(c, c->next[-1]);
			continue;
		}
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
