# watchpathd. GNU make 3.81 subset, which is what macOS ships.
# `make help` lists the targets: each has its line after two #.

VERSION = 0.1.0

UNAME := $(shell uname -s)
PLATFORM = $(if $(filter Darwin,$(UNAME)),macos,linux)
BUILD = build

CFLAGS = -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla
PKGS = inih libcjson expat
# macOS has an expat, but no static one; Homebrew therefore hides its own.
BREW_EXPAT = /opt/homebrew/opt/expat/lib/pkgconfig:/usr/local/opt/expat/lib/pkgconfig:
PKG_CONFIG_PATH := $(if $(filter Darwin,$(UNAME)),$(BREW_EXPAT))$(PKG_CONFIG_PATH)
export PKG_CONFIG_PATH
PKG_CONFIG = PKG_CONFIG_PATH='$(PKG_CONFIG_PATH)' pkg-config
# Static, so that the daemon need not load what only commands use.
EXPAT = $(shell $(PKG_CONFIG) --variable=libdir expat)/libexpat.a
PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PKGS))
PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(filter-out expat,$(PKGS))) $(EXPAT)
CMOCKA_CFLAGS = $(shell $(PKG_CONFIG) --cflags cmocka)
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
CPPFLAGS_macos = -D_DARWIN_C_SOURCE
CPPFLAGS_linux = -D_GNU_SOURCE -Isrc/linux
CPPFLAGS_ALL = -DVERSION='"$(VERSION)"' -iquote src $(CPPFLAGS_$(PLATFORM)) $(CPPFLAGS)
COMPILE = $(CC) -std=c11 $(WARNINGS) $(HARDEN) $(CFLAGS) $(CPPFLAGS_ALL) -MMD -MP

# What makes a flaw harder to use. Sanitizers see more without, and what is not
# optimised cannot have the second. Macs link like that by themselves.
SANITIZED = $(findstring -fsanitize,$(CFLAGS))
HARDEN = $(if $(SANITIZED),,-fstack-protector-strong -fPIE \
	$(if $(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN_LINK_linux = -pie -Wl,-z,relro,-z,now
HARDEN_LINK = $(if $(SANITIZED),,$(HARDEN_LINK_$(PLATFORM)))

CORE = $(filter-out src/macos/% src/linux/%,$(wildcard src/*.c src/*/*.c))
SRCS = $(CORE) $(wildcard src/$(PLATFORM)/*.c)
OBJS = $(SRCS:src/%.c=$(BUILD)/%.o)
LIB = $(BUILD)/libwatchpathd.a
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
SYSTEM = $(wildcard tests/system/*.t)

all: $(BUILD)/watchpathd ## build the daemon (default)

$(BUILD)/watchpathd: $(BUILD)/main.o $(LIB)
	$(CC) $(CFLAGS) $(HARDEN_LINK) $(LDFLAGS) -o $@ $(BUILD)/main.o $(LIB) $(PKG_LIBS) $(LDLIBS)

# Everything but main: each unit test takes from it what its module needs.
$(LIB): $(filter-out $(BUILD)/main.o,$(OBJS))
	rm -f $@
	$(AR) rc $@ $^

# SHOW=yes: a word on each file, on one line of a terminal.
TELL = $(if $(SHOW),@[ ! -t 1 ] || printf '\r  compiling %-60s\r' '$<')

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(TELL)
	$(COMPILE) $(PKG_CFLAGS) -c -o $@ $<

$(BUILD)/unit/test.o: tests/unit/test.c
	@mkdir -p $(@D)
	$(COMPILE) $(CMOCKA_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/unit/test.o $(LIB)
	$(COMPILE) $(PKG_CFLAGS) $(CMOCKA_CFLAGS) $(LDFLAGS) -o $@ $< $(BUILD)/unit/test.o \
		$(LIB) $(CMOCKA_LIBS) $(PKG_LIBS) $(LDLIBS)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

# What is missing is installed first; make reads the flags of libraries late
# enough to find them.
check: ## run every test; installs missing packages
	@sh tests/deps.sh build check
	@$(MAKE) check-all

check-all:
	@$(MAKE) -j2 all units helpers
	CMOCKA_MESSAGE_OUTPUT=TAP WATCHPATHD='$(BUILD)/watchpathd' BUILD='$(BUILD)' \
		prove --timer -j4 $(SLOW) $(filter-out $(SLOW),$(UNIT) $(SYSTEM))

# Those that wait for time or try thousands of schedules. They begin first, so that
# no processor is idle while the last of them runs.
SLOW = $(addprefix $(BUILD)/unit/test_,watch promise watch_model dispatch_every spawn) \
	$(BUILD)/unit/test_selftest $(patsubst %,tests/system/%.t,80-nobody 31-left-over \
		27-idle 73-doctor-daemon 26-surroundings 40-crash 71-filevault-escrow \
		61-check-mac 74-managed 38-console)

quick: ## run the tests that need no waiting
	@sh tests/deps.sh build check
	@$(MAKE) -j2 all units
	CMOCKA_MESSAGE_OUTPUT=TAP prove -j2 $(filter-out $(SLOW),$(UNIT))

units: $(UNIT)

# All that a Mac builds for the tests, without linking it: for make macos.
TEST_SOURCES = $(wildcard tests/unit/*.c) tests/crash/crash.c tests/terminal/terminal.c
test-objects: $(TEST_SOURCES:tests/%.c=$(BUILD)/tests/%.o)

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(PKG_CFLAGS) $(CMOCKA_CFLAGS) -c -o $@ $<

FAULTS = $(if $(filter linux,$(PLATFORM)),$(BUILD)/watchpathd-faults)
comma = ,

# What the tests of the daemon need beside it.
helpers: $(BUILD)/crash/crash $(BUILD)/terminal/terminal $(FAULTS)

# Writes, acts and kills for the crash tests.
$(BUILD)/crash/crash: tests/crash/crash.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $(filter %.c %.o %.a,$^) $(PKG_LIBS) $(LDLIBS)

# A terminal for the tests of commands.
$(BUILD)/terminal/terminal: tests/terminal/terminal.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS) $(LDLIBS)

# The daemon on a disk that fails, without what it needs, and on volumes with other
# numbers (the linker of Linux can do that).
WRAPPED = open read write pwrite fsync rename ftruncate opendir readdir pipe socket \
	accept posix_spawn stat lstat fstat fstatat __read_chk
$(BUILD)/watchpathd-faults: tests/fault/fault.c $(BUILD)/main.o $(LIB)
	$(COMPILE) $(LDFLAGS) $(foreach call,$(WRAPPED),-Wl$(comma)--wrap=$(call)) -o $@ \
		$(filter %.c %.o %.a,$^) $(PKG_LIBS) $(LDLIBS)

# What a Mac has that this system has otherwise: its locations, and tools and a shell
# that know little more than POSIX (where sh is dash).
PORTABLE = $(BUILD)/portable
portable: ## run the system tests with macOS's locations and plain tools
	@sh tests/deps.sh build check
	@$(MAKE) -j2 BUILD='$(PORTABLE)' CPPFLAGS=-DPATHS_OF_MACOS all helpers
	@sh tests/macos/tools.sh '$(PORTABLE)/tools'
	PATH='$(abspath $(PORTABLE))'/tools:"$$PATH" WATCHPATHD='$(PORTABLE)/watchpathd' \
		BUILD='$(PORTABLE)' prove --timer -j2 $(SYSTEM)

BUILD_SHOWN = echo 'Building watchpathd ...'; $(MAKE) -s -j2 SHOW=yes all && \
	{ [ ! -t 1 ] || printf '%-74s\r' ''; }

demo: ## see a key file being noticed, in a sandbox
	@sh tests/deps.sh build
	@$(BUILD_SHOWN)
	@WATCHPATHD='$(BUILD)/watchpathd' sh tests/demo.sh

# A sandbox that stays, to try rules in.
BOX = box

sandbox: ## make a sandbox in ./box, to try rules in
	@sh tests/deps.sh build
	@$(BUILD_SHOWN)
	@WATCHPATHD='$(BUILD)/watchpathd' sh tests/sandbox.sh '$(BOX)'

# Of a run of the demo, and of the states that there are.
pictures: $(BUILD)/watchpathd ## draw the pictures of the README again
	RECORD='$(BUILD)/record' WATCHPATHD='$(BUILD)/watchpathd' sh tests/demo.sh
	perl tests/pictures.pl timeline <'$(BUILD)/record' >man/timeline.svg
	perl tests/pictures.pl states >man/states.svg

# A browser is large: without one, and where none can be installed, it is skipped.
browser: $(BUILD)/watchpathd ## look at a page of `report` in a browser
	-@sh tests/deps.sh browser
	WATCHPATHD='$(BUILD)/watchpathd' BUILD='$(BUILD)' prove -v tests/system/browser.sh

lint: ## check includes, symbols, style and text
	@sh tests/deps.sh build lint
	@$(MAKE) all
	BUILD='$(BUILD)' sh tests/lint.sh

SAN_FLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -fno-builtin-fprintf -fno-builtin-snprintf

# On Linux the tests also say which messages they have seen: see hit.pl.
HITS = $(BUILD)/san/hits
HITS_FLAGS = $(foreach call,snprintf fprintf vsnprintf vasprintf,-Wl$(comma)--wrap=$(call)) \
	$(abspath $(HITS)).o

$(HITS).o: tests/diagnostics/hits.c
	@mkdir -p $(@D)
	$(COMPILE) -DHITS_FILE='"$(abspath $(HITS))"' -c -o $@ $<

san: ## run every test under ASan and UBSan; every message must be hit by one
	@sh tests/deps.sh build check san
ifeq ($(PLATFORM),linux)
	@$(MAKE) $(HITS).o
	rm -f $(HITS)
	@$(MAKE) BUILD='$(BUILD)/san' CFLAGS='$(SAN_FLAGS)' LDFLAGS='$(HITS_FLAGS)' \
		PACE=slow check-all
	perl tests/diagnostics/hit.pl $(HITS) tests/diagnostics/exceptions $(CORE)
else
	@$(MAKE) BUILD='$(BUILD)/san' CFLAGS='$(SAN_FLAGS)' PACE=slow check-all
endif

# What a test needs that counting gets in the way of (a limit on the size of files,
# a program that is optimised) fails here. Those who have become another user cannot
# write what they have counted.
COVERED = --coverage $(foreach call,_exit execve,-Wl$(comma)--wrap=$(call))
coverage: ## measure which lines of src every test reaches (Linux)
	@sh tests/deps.sh build check
	@mkdir -p '$(BUILD)/coverage'
	$(CC) -std=c11 $(WARNINGS) -c -o '$(BUILD)/coverage/dump.o' tests/coverage/dump.c
	-GCOV_ERROR_FILE=/dev/null $(MAKE) BUILD='$(BUILD)/coverage' \
		CFLAGS='-O0 -g --coverage' LDFLAGS='$(COVERED)' \
		LDLIBS='$(abspath $(BUILD))/coverage/dump.o' check-all
	perl tests/coverage/report.pl '$(BUILD)/coverage' 92

# What comes from outside, at random: each of these readers for FUZZ_SECONDS. What
# was found to reach new code stays in $(BUILD)/fuzz for the next time.
FUZZ_SECONDS = 10
FUZZ_FLAGS = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZERS = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SEEDS = conf:tests/conf plist:tests/plist request:tests/fuzz/request \
	state:tests/fuzz/state words:tests/fuzz/words watch:tests/fuzz/watch \
	answer:tests/fuzz/answer

fuzz: ## feed random files and requests to what reads them
	@sh tests/deps.sh build san
	@$(MAKE) BUILD='$(BUILD)/fuzz' CC=clang CFLAGS='$(FUZZ_FLAGS)' run-fuzzers

run-fuzzers: $(FUZZERS:%=$(BUILD)/fuzz_%)
	set -e; for pair in $(FUZZ_SEEDS); do name=$${pair%%:*}; mkdir -p '$(BUILD)'/$$name; \
		echo "fuzz: $$name"; '$(BUILD)'/fuzz_$$name -verbosity=0 \
		-print_final_stats=1 -timeout=20 -max_len=8192 -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix='$(BUILD)/' '$(BUILD)'/$$name $${pair#*:}; done
	perl tests/fuzz/fuzz_escrow.pl $(FUZZ_SECONDS) src/filevault-escrow.sh tests/escrow/*.log

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIB)
	$(COMPILE) $(PKG_CFLAGS) -fsanitize=fuzzer -o $@ $< $(LIB) $(PKG_LIBS) $(LDLIBS)

# A daemon in valgrind is ten times as slow: tests that do not depend on time.
VALGRIND = valgrind --quiet --leak-check=full --child-silent-after-fork=yes \
	--error-exitcode=99
UNDER_VALGRIND = 12-manual 22-retry 30-lives 32-verify 50-commands

valgrind: $(BUILD)/watchpathd ## look for leaks and errors of memory with valgrind
	@sh tests/deps.sh build check san
	@mkdir -p '$(BUILD)/valgrind'
	printf '#!/bin/sh\nexec $(VALGRIND) "%s" "$$@"\n' '$(abspath $(BUILD))/watchpathd' \
		>'$(BUILD)/valgrind/watchpathd'
	chmod 755 '$(BUILD)/valgrind/watchpathd'
	PACE=slow WATCHPATHD='$(BUILD)/valgrind/watchpathd' BUILD='$(BUILD)' \
		prove --timer $(UNDER_VALGRIND:%=tests/system/%.t)

# Tests that measure, too: what is asserted on a machine that does nothing else.
FIGURES = 20-escrow:every_way_to_write_a_key 21-settle:many_writes \
	21-settle:constant_writing 21-settle:a_change_during_the_cooldown \
	22-retry:a_budget 22-retry:a_hung_action 22-retry:at_intervals \
	23-self:an_action_that_writes_its_own_path 31-left-over:suspended \
	34-state:many_rules 50-commands:hostile_clients

# Ten minutes at most, and with QUICK=yes two: then only the table is made.
bench: $(BUILD)/watchpathd ## measure, beside others; QUICK=yes: for 2 minutes
	WATCHPATHD='$(BUILD)/watchpathd' BUILD='$(BUILD)' \
		perl tests/bench/bench.pl $(if $(QUICK),--quick)
	$(if $(QUICK),,$(MEASURE))

MEASURE = set -e; WATCHPATHD='$(BUILD)/watchpathd' sh tests/bench/clients.sh; \
	for test in $(FIGURES); do \
		PACE=exact WATCHPATHD='$(BUILD)/watchpathd' prove -v \
		tests/system/$${test%%:*}.t :: $${test#*:}; done

# Instructions of fixed schedules; the figures are good for one compiler and libc.
# -fPIE and so on as in the daemon, whose source it contains.
$(BUILD)/counts/counts: tests/counts/counts.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) $(PKG_CFLAGS) $(HARDEN_LINK) $(LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS) $(LDLIBS)

COUNTS = WATCHPATHD='$(BUILD)/watchpathd' perl tests/counts/counts.pl $(1) \
	'$(BUILD)/counts/counts' "$$($(CC) --version | sed 1q) $(CFLAGS)"

counts: $(BUILD)/watchpathd $(BUILD)/counts/counts ## compare counts of instructions
	@sh tests/deps.sh build san
	$(call COUNTS)

counts-record: $(BUILD)/watchpathd $(BUILD)/counts/counts ## record them again
	@sh tests/deps.sh build san
	$(call COUNTS,--record)

# The defects of the lists, then as many of random.pl, at places that SEED decides.
MUTATIONS = 20

mutations: $(BUILD)/watchpathd ## break the code on purpose and see the tests fail
	BUILD='$(BUILD)' prove tests/mutations/*.sh
	NUMBER='$(MUTATIONS)' SEED='$(SEED)' ONLY='$(ONLY)' perl tests/mutations/random.pl '$(BUILD)'

# The list of keys in the manual is made from the table in src/rules/keys.c; the
# examples' test fails where it is not what this would write.
man: $(BUILD)/watchpathd ## write the list of keys into the manual again
	'$(BUILD)/watchpathd' help mdoc-keys >'$(BUILD)/keys.mdoc'
	awk -v keys='$(BUILD)/keys.mdoc' '/END KEYS/ { skip = 0 } !skip { print } \
		/BEGIN KEYS/ { skip = 1; while ((getline line <keys) > 0) print line }' \
		man/watchpathd.rules.5 >'$(BUILD)/rules.5'
	cat '$(BUILD)/rules.5' >man/watchpathd.rules.5

# What consoles know of the keys, from the same table; a test fails likewise.
profiles: $(BUILD)/watchpathd ## write what MDM consoles know of the keys again
	'$(BUILD)/watchpathd' help schema-keys >'$(BUILD)/schema'
	'$(BUILD)/watchpathd' help manifest-keys >'$(BUILD)/manifest'
	cat '$(BUILD)/schema' >$(PROFILES)/org.watchpathd.schema.json
	cat '$(BUILD)/manifest' >$(PROFILES)/org.watchpathd.manifest.plist

format: ## put all C into house style
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch])

# Both kinds of Mac in one program, on Linux too; analysed and checked.
# UPDATE_IMPORTS=yes accepts what the program now takes from the system.
macos: ## build the program for both kinds of Mac, and check it
	BUILD='$(BUILD)' MAKE='$(MAKE_COMMAND)' UPDATE_IMPORTS='$(UPDATE_IMPORTS)' \
		sh tests/macos/build.sh

# The program that install would take, under a label and in directories of its own.
check-mac: ## on a Mac, with sudo: try the daemon under launchd
	sh tests/macos/check-mac.sh '$(PROGRAM)'

$(BUILD)/macos/watchpathd: macos ;

# This system's daemon with the newest inih, for the golden tests.
$(BUILD)/inih59/watchpathd:
	BUILD='$(BUILD)' sh tests/macos/fetch-deps.sh inih
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $(@D)/ini.o $(BUILD)/deps/inih-r59/ini.c
	$(MAKE) BUILD=$(@D) PKG_LIBS='$(@D)/ini.o $(shell $(PKG_CONFIG) --libs libcjson) $(EXPAT)' \
		PKG_CFLAGS='-isystem $(BUILD)/deps/inih-r59 $(shell $(PKG_CONFIG) --cflags libcjson expat)' $@

newest: $(BUILD)/inih59/watchpathd ## read the golden rule files with the newest inih, too
	WATCHPATHD='$(BUILD)/inih59/watchpathd' prove tests/system/10-conf-golden.t \
		tests/system/11-examples.t

PROFILES = src/macos/profiles

# What is compiled in (src/base/paths.h) stays; PREFIX moves the program and its
# manual. With DESTDIR, PLATFORM=macos stages a Mac's layout on any system.
ON_MAC = $(filter macos,$(PLATFORM))
PREFIX = $(if $(ON_MAC),/Library/watchpathd,/usr/local)
BINDIR = $(PREFIX)/$(if $(ON_MAC),bin,sbin)
MANDIR = $(PREFIX)/share/man
CONFDIR = $(if $(ON_MAC),/Library,/etc)/watchpathd/conf.d
STATEDIR = $(if $(ON_MAC),/var/db,/var/lib)/watchpathd
PLIST = $(if $(ON_MAC),/Library/LaunchDaemons/org.watchpathd.plist)
PATHFILE = $(if $(ON_MAC),/etc/paths.d/watchpathd)
PROGRAM = $(BUILD)/$(if $(ON_MAC),macos/)watchpathd
OWNER = $(if $(filter 0,$(shell id -u)),-o root -g $(if $(filter Darwin,$(UNAME)),wheel,root))
LIVE_MAC = $(if $(DESTDIR),,$(filter Darwin,$(UNAME)))
MAN_PAGES = $(wildcard man/*.5 man/*.7 man/*.8)
DELIVER_RULES = sh src/macos/package/deliver-rules
# What only a Mac gets, for admins: DIRECTORY/FILE, below src/macos and below share.
SHARED = $(if $(ON_MAC),$(patsubst src/macos/%,%,$(wildcard $(PROFILES)/*.mobileconfig \
	$(PROFILES)/*.json $(PROFILES)/*.plist src/macos/fleet/*.sh src/macos/fleet/*.sql)))
SHAREDIR = $(PREFIX)/share

# The directories of others are made where they are missing, never changed. A
# rule file that was changed, renamed or removed stays so. macOS finds the manual
# by the program's directory: bin and share/man.
install: $(PROGRAM) ## install; PREFIX, DESTDIR and PLATFORM=macos are honoured
	umask 022; mkdir -p $(addprefix '$(DESTDIR)',$(BINDIR) \
		$(addprefix $(MANDIR)/man,5 7 8) $(CONFDIR) $(dir $(STATEDIR) $(PLIST) $(PATHFILE)) \
		$(sort $(dir $(addprefix $(SHAREDIR)/,$(SHARED)))))
	install -d $(OWNER) -m 0700 '$(DESTDIR)$(STATEDIR)'
	install $(OWNER) -m 0755 '$(PROGRAM)' '$(DESTDIR)$(BINDIR)/watchpathd'
	install $(OWNER) -m 0755 src/filevault-escrow.sh '$(DESTDIR)$(BINDIR)/filevault-escrow'
	set -e; for page in $(MAN_PAGES); do \
		install $(OWNER) -m 0644 $$page '$(DESTDIR)$(MANDIR)'/man$${page##*.}; done
	@$(DELIVER_RULES) conf.d '$(DESTDIR)$(CONFDIR)'
ifeq ($(PLATFORM),macos)
	umask 022; rm -f $(addprefix '$(DESTDIR)',$(PLIST) $(PATHFILE)); \
		echo '$(BINDIR)' >'$(DESTDIR)$(PATHFILE)' && sed 's|/Library/watchpathd/bin|$(BINDIR)|' \
		src/macos/org.watchpathd.plist >'$(DESTDIR)$(PLIST)'
	install $(OWNER) -m 0755 src/macos/package/uninstall '$(DESTDIR)$(BINDIR)/uninstall'
	install $(OWNER) -m 0644 src/macos/package/launchd.sh '$(DESTDIR)$(SHAREDIR)/launchd.sh'
	set -e; for file in $(SHARED); do mode=0644; [ ! -x src/macos/$$file ] || mode=0755; \
		install $(OWNER) -m $$mode src/macos/$$file '$(DESTDIR)$(SHAREDIR)'/$$file; done
endif
	$(if $(LIVE_MAC),@echo 'Start it: sudo launchctl bootstrap system $(PLIST)'; \
		echo 'If an older one runs: sudo launchctl kickstart -k system/org.watchpathd')

# What install made. Rules that are not as they were shipped, state and log stay.
uninstall: ## remove what install put there, never changed rules
	$(if $(LIVE_MAC),-launchctl bootout system/org.watchpathd)
	rm -f $(addprefix '$(DESTDIR)',$(BINDIR)/watchpathd $(BINDIR)/filevault-escrow $(PLIST) $(PATHFILE) \
		$(if $(ON_MAC),$(BINDIR)/uninstall $(SHAREDIR)/launchd.sh) $(SHARED:%=$(SHAREDIR)/%) \
		$(foreach page,$(notdir $(MAN_PAGES)),$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(page)))
	@$(DELIVER_RULES) --undo '$(DESTDIR)$(CONFDIR)'
	@for dir in $(CONFDIR) $(dir $(CONFDIR)) $(STATEDIR) $(if $(filter %/watchpathd,$(PREFIX)), \
		$(sort $(dir $(SHARED:%=$(SHAREDIR)/%))) $(BINDIR) \
		$(addprefix $(MANDIR)/man,5 7 8) $(MANDIR) \
		$(SHAREDIR) $(PREFIX)); do rmdir '$(DESTDIR)'$$dir 2>/dev/null || :; done
	@for old in $(CONFDIR) $(STATEDIR) /var/log/watchpathd.log; do \
		[ ! -e '$(DESTDIR)'$$old ] || echo "kept: $(DESTDIR)$$old"; done

# On a Mac; identities to sign with: see the script.
pkg: $(PROGRAM) ## make the package for Macs, signed and notarised if you say as whom
	BUILD='$(BUILD)' MAKE='$(MAKE_COMMAND)' PROGRAM='$(PROGRAM)' VERSION='$(VERSION)' \
		sh src/macos/package/build.sh

# The last commit, the same bytes each time.
dist: ## make the tarball, the list of what is linked in, and a formula
	BUILD='$(BUILD)' VERSION='$(VERSION)' sh src/release/dist.sh

# Without a network, where this system can take it away.
OFFLINE = $(shell unshare -rn true 2>/dev/null && echo unshare -rn)

distcheck: dist ## build from that tarball alone, offline, and ask what it is
	rm -rf '$(BUILD)/distcheck' && mkdir -p '$(BUILD)/distcheck'
	tar -xzf '$(BUILD)/dist/watchpathd-$(VERSION).tar.gz' -C '$(BUILD)/distcheck'
	unset MAKEFLAGS MFLAGS MAKELEVEL; cd '$(BUILD)/distcheck/watchpathd-$(VERSION)' && \
		$(OFFLINE) $(MAKE) -s -j2 all && build/watchpathd version | grep -Fx 'watchpathd $(VERSION)'

.PHONY: dist distcheck macos newest install uninstall pkg $(BUILD)/inih59/watchpathd

clean: ## remove what was built
	rm -rf '$(BUILD)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile


.PHONY: all check check-all check-mac quick test-objects portable units helpers demo \
	lint san coverage fuzz run-fuzzers \
	valgrind bench counts counts-record mutations man profiles format clean help
