# halfopen: `make` builds build/halfopen, `make help` lists the rest.

BUILD   ?= build
CC      ?= gcc
OPT     ?= -O2
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
WERROR  ?=
PKGS    := glib-2.0 lua5.4 json-glib-1.0
CFLAGS  ?= -g
ALL_CFLAGS = -std=gnu11 $(OPT) $(WARN) $(WERROR) $(CFLAGS) -I. $(shell pkg-config --cflags $(PKGS)) $(SAN)
LDLIBS  = $(shell pkg-config --libs $(PKGS)) -lm
SIM_LDLIBS = $(shell pkg-config --libs glib-2.0) -lm

SIM_SRC     := $(sort $(wildcard sim/*.c))
MODELS_SRC  := $(sort $(shell find models -name '*.c'))
RUNTIME_SRC := $(sort $(wildcard scenarios/runtime/*.c))
TEST_SUPPORT_SRC := $(sort $(wildcard tests/support/*.c))
TEST_SRC    := $(sort $(shell find tests -name 'test_*.c'))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
TESTS := $(patsubst %.c,$(BUILD)/%,$(TEST_SRC))

all: $(BUILD)/halfopen

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libsim.a: $(call obj,$(SIM_SRC))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libmodels.a: $(call obj,$(MODELS_SRC))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libruntime.a: $(call obj,$(filter-out scenarios/runtime/main.c,$(RUNTIME_SRC)))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libtestsupport.a: $(call obj,$(TEST_SUPPORT_SRC))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/halfopen: $(BUILD)/scenarios/runtime/main.o $(BUILD)/libruntime.a $(BUILD)/libmodels.a $(BUILD)/libsim.a
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

# The tests of sim/ link libsim.a alone: the kernel knows no network.
$(BUILD)/tests/sim/test_%: $(BUILD)/tests/sim/test_%.o $(BUILD)/libsim.a
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(SIM_LDLIBS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libtestsupport.a $(BUILD)/libruntime.a $(BUILD)/libmodels.a $(BUILD)/libsim.a
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

clean:
	rm -rf $(BUILD)

.PHONY: all clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
