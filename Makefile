# halfopen: `make` builds build/halfopen, `make help` lists the rest.

BUILD   ?= build
CC      ?= gcc
OPT     ?= -O2
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
WERROR  ?=
PKGS    := glib-2.0 lua5.4 json-glib-1.0
CFLAGS  ?= -g
PREFIX  ?= /usr/local
JOBS    ?= 2

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS     := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
SIM_LDLIBS := $(shell pkg-config --libs glib-2.0 2>/dev/null) -lm
ALL_CFLAGS = -std=gnu11 $(OPT) $(WARN) $(WERROR) $(CFLAGS) -I. $(PKG_CFLAGS) $(SAN)
ASAN       := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

sources = $(sort $(shell find $(1) -name '$(2)' 2>/dev/null))
obj     = $(patsubst %.c,$(BUILD)/%.o,$(1))
program = $(patsubst %.c,$(BUILD)/%,$(1))

SIM_SRC     := $(call sources,sim,*.c)
MODELS_SRC  := $(call sources,models,*.c)
RUNTIME_SRC := $(call sources,scenarios/runtime,*.c)
DOOR_SRC    := $(call sources,scenarios/packetdrill,*.c)
TEST_SUPPORT_SRC := $(call sources,tests/support,*.c)
TEST_SRC    := $(call sources,tests,test_*.c)
BENCH_SRC   := $(call sources,tests/bench,*.c)
SOAK_SRC    := $(call sources,tests/soak,soak_*.c)
TEST_SCRIPTS := $(call sources,tests,*.t)
C_FILES     := $(call sources,sim models scenarios tests docs,*.[ch])

TESTS := $(call program,$(TEST_SRC))
LIBS  := $(BUILD)/libruntime.a $(BUILD)/libmodels.a $(BUILD)/libsim.a
DOOR  := $(BUILD)/halfopen-packetdrill.so

all: $(BUILD)/halfopen

# Objects may stand at any address, because packetdrill's plug-in is a shared object
# of the same ones; hidden names keep that as fast as an ordinary program.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

# Libraries: made anew each time, so that a deleted source leaves no member.
$(BUILD)/libsim.a: $(call obj,$(SIM_SRC))
$(BUILD)/libmodels.a: $(call obj,$(MODELS_SRC))
$(BUILD)/libruntime.a: $(call obj,$(filter-out scenarios/runtime/main.c,$(RUNTIME_SRC)))
$(BUILD)/libtestsupport.a: $(call obj,$(TEST_SUPPORT_SRC))
$(BUILD)/lib%.a:
	@rm -f $@
	ar rcs $@ $^

# Programs
$(BUILD)/halfopen: $(BUILD)/scenarios/runtime/main.o $(LIBS)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)
$(DOOR): $(call obj,$(DOOR_SRC)) $(BUILD)/libmodels.a $(BUILD)/libsim.a
	$(CC) $(ALL_CFLAGS) -shared -Wl,--no-undefined -o $@ $^ $(SIM_LDLIBS)
$(BUILD)/docs/generate: $(addprefix $(BUILD)/,docs/generate.o docs/states_page.o tests/support/state_table.o)
	$(CC) $(ALL_CFLAGS) -o $@ $^
# The tests of sim/ link libsim.a alone: the kernel knows no network.
$(BUILD)/tests/sim/test_%: $(BUILD)/tests/sim/test_%.o $(BUILD)/libsim.a
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(SIM_LDLIBS)
$(BUILD)/tests/bench/bench: $(call obj,$(BENCH_SRC)) $(LIBS)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libtestsupport.a $(LIBS)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

# What people call
demo:
	scripts/install-deps
	@echo 'Building $(BUILD)/halfopen: a minute or two, silent if all is well ...'
	@$(MAKE) -j$(JOBS) --no-print-directory -s all
	$(BUILD)/halfopen run scenarios/lost_final_ack.lua --plot --out runs/demo

# Who may not install packages runs what those that are there allow: the other tests skip.
test:
	@scripts/install-deps --tests || command -v prove >/dev/null
	$(MAKE) -j$(JOBS) -s all packetdrill tests bench-programs
	BUILD=$(BUILD) prove --jobs $(JOBS) --exec scripts/run-test $(TESTS) $(TEST_SCRIPTS)

tests: $(TESTS) $(BUILD)/docs/generate

asan:
	$(MAKE) BUILD=$(BUILD)/asan OPT=-O1 SAN="$(ASAN)" test

lint:
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j $(JOBS) -I . \
	    --enable=warning,performance,portability --suppressions-list=.cppcheck \
	    sim models scenarios/runtime $(wildcard scenarios/packetdrill)
	luacheck --quiet scenarios tests
	scripts/check-layers
	scripts/check-tree

bench:
	$(MAKE) -j$(JOBS) -s BUILD=$(BUILD)/fast OPT='-O3 -flto=auto' all bench-programs
	BUILD=$(BUILD)/fast tests/bench/run
bench-where:
	$(MAKE) -j$(JOBS) -s BUILD=$(BUILD)/fast OPT='-O3 -flto=auto' bench-programs
	BUILD=$(BUILD)/fast tests/bench/where
bench-programs: $(BUILD)/tests/bench/bench

soak:
	$(MAKE) -j$(JOBS) -s all soak-programs
	BUILD=$(BUILD) tests/soak/run
soak-programs: $(call program,$(SOAK_SRC))

truth: all
	BUILD=$(BUILD) tests/truth/run

fidelity: all
	BUILD=$(BUILD) tests/truth/run --page > docs/fidelity.md

packetdrill: $(DOOR)

docs: $(BUILD)/docs/generate
	$< tunables > docs/manual/tunables.md
	$< counters > docs/manual/counters.md
	$< states > docs/state-by-segment.md

# docs/pictures, but for growth.svg, which is measured (docs/performance.md).
pictures: all
	BUILD=$(BUILD) scripts/docs-pictures

install: all
	install -D -m 755 $(BUILD)/halfopen $(DESTDIR)$(PREFIX)/bin/halfopen
	find scenarios scripts/plot -type f \( -name '*.lua' -o -name '*.trace' -o -name '*.gp' -o -name '*.gnuplot' \) 2>/dev/null | \
	while read -r file; do install -D -m 644 "$$file" "$(DESTDIR)$(PREFIX)/share/halfopen/$$file" || exit 1; done

help:
	@echo 'make               build build/halfopen'
	@echo 'make demo          install what is missing, build, run and draw the lost final ACK'
	@echo 'make test          build and run all tests (TAP, prove)'
	@echo 'make asan          the same with address and undefined-behaviour sanitizers'
	@echo 'make lint          format, static checks, Lua, include layers, the tree'
	@echo 'make truth         replay the recordings of a real kernel, print the table'
	@echo 'make fidelity      the same as the page docs/fidelity.md'
	@echo 'make packetdrill   the plug-in for packetdrill (docs/packetdrill.md)'
	@echo 'make bench         the benchmark; beside ns-3 where libns3-dev is installed'
	@echo 'make bench-where   what a segment costs, layer by layer (callgrind)'
	@echo 'make soak          long random tests'
	@echo 'make docs          the pages that are generated from the code'
	@echo 'make pictures      the pictures of docs/, drawn anew (gnuplot)'
	@echo 'make install       to PREFIX=$(PREFIX), below DESTDIR'
	@echo 'make clean         remove $(BUILD)'
	@echo 'Variables: BUILD, CC, OPT, CFLAGS, WERROR=-Werror, SAN, JOBS, PREFIX, DESTDIR'

clean:
	rm -rf $(BUILD)

.PHONY: all demo test tests asan lint bench bench-where bench-programs soak soak-programs truth fidelity packetdrill docs pictures install \
	help clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
