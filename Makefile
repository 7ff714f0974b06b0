# Weft. Everyday use:
#   make                 the three programs, in build/release
#   make check           unit, simulation and wire tests, and the fuzz corpora
#   make test            every test; what ./scripts/test runs after installing
#   make sim SEEDS=10000 the cell simulator over many seeds; FIRST=1 JOBS=2
#   make lint            format, include directions, library doors, sizes, generated files
#   make fuzz            build the fuzzers (clang); TIME=60 runs each so many seconds
#   make bench           the table of ARCHITECTURE.md; QUICK=1 in two minutes
#   make deb             Debian packages of the programs, in build/deb
#   make gen             remake the generated sources
# Variables:
#   SAN=address,undefined or SAN=thread   a sanitised build, in build/san-...
#   CC=clang-14                           another compiler, in build/release-clang-14
#   FAULTS=1                              compile the named fault points in (tests)
#   LEVEL=2                               a program that knows a higher feature level, to
#                                         test rolling upgrades; in build/release-level-2
#   WERROR=                               warnings do not stop the build
#   V=1                                   show commands

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
WERROR  ?= -Werror
PYTHON  ?= python3
comma   := ,

VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)$(if $(FAULTS),-faults)$(if $(LEVEL),-level-$(LEVEL))$(if $(filter-out gcc,$(notdir $(CC))),-$(notdir $(CC)))
B       := build/$(VARIANT)

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wold-style-definition -Wcast-qual -Wcast-align -Wformat=2 -Wundef -Wvla \
           -Wimplicit-fallthrough $(WERROR)
OPT     := $(if $(SAN),-O1,-O2)
CFLAGS  ?=
ALL_CFLAGS := -std=gnu11 $(OPT) -g -I. -pthread -fno-common -fstack-protector-strong \
           -fno-omit-frame-pointer $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2) \
           $(if $(FAULTS),-DWEFT_FAULTS=1) $(if $(LEVEL),-DWEFT_FEATURE_LEVEL=$(LEVEL)) -D_GNU_SOURCE $(WARN) $(CFLAGS)
LDFLAGS ?=
ALL_LDFLAGS := -pthread $(if $(SAN),-fsanitize=$(SAN)) -Wl,--as-needed,-z,relro,-z,now $(LDFLAGS)

LIBS_COMMON := -levent_core -lcurl -ljansson -lssl -lcrypto -llz4 -lzstd -lsnappy -lz -lisal -lm
LIBS_CTL    := -lmicrohttpd -lgnutls -lsqlite3 -lraft

ifeq ($(V),)
Q := @
say = @echo "  $(1) $(2)"
else
Q :=
say = @:
endif

sources = $(filter-out %/main.c,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(1))

COMMON_OBJ  := $(call objects,$(call sources,common))
PROTO_OBJ   := $(call objects,$(call sources,proto))
AGENT_OBJ   := $(call objects,$(call sources,agent))
CTL_OBJ     := $(call objects,$(call sources,controlplane))
CLI_OBJ     := $(call objects,$(call sources,cli))
TESTLIB_OBJ := $(call objects,$(wildcard tests/lib/*.c))

PROGRAMS := $(B)/weft-agent $(B)/weft-controlplane $(B)/weft
UNIT     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c tests/sim/test_*.c tests/wire/test_*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES  := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/bench_*.c))

.PHONY: all check test sim lint fuzz fuzz-build bench benches deb gen clean tests
.SECONDARY:

all: $(PROGRAMS)

$(B)/weft-agent: $(B)/agent/main.o $(B)/libagent.a $(B)/libproto.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_COMMON)

$(B)/weft-controlplane: $(B)/controlplane/main.o $(B)/libcontrolplane.a $(B)/libproto.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_CTL) $(LIBS_COMMON)

$(B)/weft: $(B)/cli/main.o $(B)/libcli.a $(B)/libproto.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_COMMON)

$(B)/libcommon.a: $(COMMON_OBJ)
$(B)/libproto.a: $(PROTO_OBJ)
$(B)/libagent.a: $(AGENT_OBJ)
$(B)/libcontrolplane.a: $(CTL_OBJ)
$(B)/libcli.a: $(CLI_OBJ)
$(B)/libtest.a: $(TESTLIB_OBJ)
$(B)/lib%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# What is embedded (common/embed.h) is not found by -MMD.
$(B)/common/prices.o: monitoring/prices.json
$(B)/controlplane/api_about.o: proto/openapi.json $(wildcard controlplane/docs/*)
$(B)/controlplane/api_console.o: $(wildcard controlplane/console/*.* controlplane/console/pages/*)

# -Wconversion holds for the product, not for tests.
$(B)/tests/%.o: tests/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Wconversion -MMD -MP -c -o $@ $<

TEST_LIBS := $(B)/libtest.a $(B)/libagent.a $(B)/libcontrolplane.a $(B)/libcli.a $(B)/libproto.a $(B)/libcommon.a
CELL := $(B)/tests/sim/test_cell
STORM := $(B)/tests/sim/test_storm
$(filter-out $(CELL) $(STORM),$(UNIT)): $(B)/tests/%: $(B)/tests/%.o $(TEST_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_CTL) $(LIBS_COMMON)

# The cell simulator has the system calls of wal.c and vote.c, the database and the log's
# lines in its own hands.
CELL_WRAP := open openat close pread pwrite pwritev fdatasync fsync posix_fallocate \
             ftruncate lseek fstat rename unlink unlinkat access opendir readdir closedir \
             db_open db_close db_apply db_scan log_write check_failed
$(CELL): $(CELL).o $(call objects,$(wildcard tests/sim/cell_*.c)) $(B)/libtest.a \
         $(B)/libcontrolplane.a $(B)/libproto.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(CELL_WRAP)) \
	    -o $@ $^ -lcmocka $(LIBS_CTL) $(LIBS_COMMON)
# Agents whose timers are in virtual time (tests/lib/vloop.h).
STORM_WRAP := clock_monotonic_ms loop_now_ms loop_timer_init loop_timer_set \
              loop_timer_cancel loop_timer_fini
$(STORM): $(STORM).o $(TEST_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(STORM_WRAP)) \
	    -o $@ $^ -lcmocka $(LIBS_CTL) $(LIBS_COMMON)
$(BENCHES): $(B)/tests/%: $(B)/tests/%.o $(B)/tests/bench/load.o $(TEST_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_CTL) $(LIBS_COMMON)

# common/store.h by command line, for tests/system/test_store.py.
$(B)/tests/store_driver: $(B)/tests/system/store_driver.o $(B)/tests/lib/store_client.o $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_COMMON)

# A fuzz target replays its corpus in `make check`, under any compiler.
REPLAY := $(patsubst %,$(B)/tests/fuzz/replay_%,$(FUZZERS))
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(TEST_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_CTL) $(LIBS_COMMON)

tests: all $(UNIT) $(REPLAY) $(B)/tests/store_driver

check: tests
	$(Q)scripts/run-unit $(B)

sim: $(CELL)
	$(Q)$< --seeds $(or $(SEEDS),300) --first $(or $(FIRST),1) --jobs $(or $(JOBS),2)

test:
	$(Q)scripts/test

lint:
	$(Q)scripts/lint

FUZZ_B := build/fuzz
fuzz-build:
	$(Q)$(MAKE) --no-print-directory CC=clang-14 SAN=fuzzer-no-link,address,undefined \
	    build/san-fuzzer-no-link-address-undefined-clang-14/fuzzers
$(B)/fuzzers: $(patsubst %,$(B)/tests/fuzz/%.bin,$(FUZZERS))
$(B)/tests/fuzz/%.bin: $(B)/tests/fuzz/%.o $(TEST_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $^ $(LIBS_CTL) $(LIBS_COMMON)
fuzz: fuzz-build
	$(Q)scripts/fuzz $(or $(TIME),60)

benches: all $(BENCHES)
bench: benches
	$(Q)scripts/bench $(if $(QUICK),--quick)

deb: all
	$(Q)scripts/deb

gen:
	$(Q)$(PYTHON) proto/gen.py

clean:
	rm -rf build/release* build/san-*

-include $(shell find $(B) -name '*.d' 2>/dev/null)
