# watchpathd. GNU make 3.81 subset, which is what macOS ships.
# `make help` lists the targets.

VERSION = 0.1.0

UNAME := $(shell uname -s)
PLATFORM = $(if $(filter Darwin,$(UNAME)),macos,linux)
BUILD = build

CFLAGS = -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla
PKGS = inih libcjson
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS))
CPPFLAGS_macos = -D_DARWIN_C_SOURCE
CPPFLAGS_linux = -D_GNU_SOURCE -Isrc/linux
CPPFLAGS_ALL = -DVERSION='"$(VERSION)"' -iquote src $(CPPFLAGS_$(PLATFORM)) $(CPPFLAGS)
COMPILE = $(CC) -std=c11 $(WARNINGS) $(CFLAGS) $(CPPFLAGS_ALL) -MMD -MP

SRCS = $(wildcard src/*.c) $(wildcard src/$(PLATFORM)/*.c)
OBJS = $(SRCS:src/%.c=$(BUILD)/%.o)
LIB = $(BUILD)/libwatchpathd.a
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

all: $(BUILD)/watchpathd

$(BUILD)/watchpathd: $(BUILD)/main.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(BUILD)/main.o $(LIB) $(PKG_LIBS) $(LDLIBS)

# Everything but main: each unit test takes from it what its module needs.
$(LIB): $(filter-out $(BUILD)/main.o,$(OBJS))
	rm -f $@
	$(AR) rc $@ $^

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(PKG_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) $(PKG_CFLAGS) -o $@ $< $(LIB) -lcmocka $(PKG_LIBS) $(LDLIBS)

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

.PHONY: all
