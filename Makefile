# xero_fdw: Xero's objects as foreign tables.  Needs PostgreSQL 15 to 18.
#
#   make && sudo make install        for the server that pg_config belongs to
#   make installcheck                against a running server that preloads it
#   script/test                      everything, on a scratch server

MODULE_big = xero_fdw
EXTENSION = xero_fdw
PGFILEDESC = "xero_fdw - Xero as foreign tables"
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" xero_fdw.control)

OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
SQL_PARTS = $(sort $(wildcard src/fdw/sql/*.sql)) $(sort $(wildcard src/sync/*.sql))
DATA_built = xero_fdw--$(EXTVERSION).sql

PKG_CONFIG ?= pkg-config
LIBRARIES = libcurl json-c libcrypto
PG_CPPFLAGS = -Isrc $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
SHLIB_LINK = $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null || echo -lcurl -ljson-c -lcrypto)

# PostgreSQL's headers are not clean of the first four (PG_TRY seems to
# clobber), and we declare variables where they are first used.
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-clobbered \
	-Wno-declaration-after-statement -MMD -MP

# A new compiler's new warning must not break a user's build, only ours.
ifneq ($(filter 1 true,$(WERROR) $(CI)),)
PG_CFLAGS += -Werror
endif

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
# Each uses what the first one makes, wherever make is told which to run.
override REGRESS := $(if $(REGRESS),00_setup $(filter-out 00_setup,$(REGRESS)))
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test \
	--launcher="env PGOPTIONS=-ctest.sandbox=$(XERO_SANDBOX_URL)"
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))
PROVE_FLAGS = -I $(CURDIR)/test/perl
ifneq ($(PROVE_TESTS),)
TAP_TESTS = 1
endif

# The tests speak to a Xero on this machine; where none runs, one is started
# around them.
ifndef XERO_SANDBOX_URL
NO_INSTALLCHECK = 1
endif

EXTRA_CLEAN = test/unit/build xero_fdw--*.sql $(OBJS:.o=.d)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS tracks no headers.  The compiler tells which ones an object has read;
# clang is not asked again for bitcode, which depends on the object instead.
-include $(OBJS:.o=.d)
$(OBJS): Makefile
$(OBJS:.o=.bc): %.bc: %.o

$(DATA_built): $(SQL_PARTS) xero_fdw.control Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION xero_fdw" to load this file. \quit'; \
	  for part in $(SQL_PARTS); do echo; cat "$$part" || exit 1; done; } > $@.tmp
	mv $@.tmp $@

ifndef XERO_SANDBOX_URL
.PHONY: installcheck
installcheck:
	test/with-sandbox $(MAKE) installcheck
endif

.PHONY: unitcheck
unitcheck:
	test/unit/run
