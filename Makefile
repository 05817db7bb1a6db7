# rt-infer's commands; `make help` lists them.
#
# Everything goes into .venv, and nothing is done twice: a stamp in it says what is already there.
#   .venv/.created        the interpreter's own environment
#   .venv/.torch          torch, the one big download
#   .venv/.installed      what the demo needs, rt-infer itself (editable)
#   .venv/.installed-dev  pytest, linters, benches
#   .venv/.built          the extensions, as new as csrc/ and bindings/
# franka_sim needs another numpy and lives in .venv-fci, made by scripts/make_fci_venv.sh.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The interpreter .venv is made with: the first of these that runs and is 3.10 to 3.13.
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3 python3.12 python3.13 python3.10; do \
            $$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
            2>/dev/null && echo $$python && exit; done; echo python3)
endif
# For pip: an index of your own, a proxy, a cache.
PIP_ARGS    ?=
# More arguments for `rt-infer demo`, pytest over tests/, pytest over benches/.
DEMO_ARGS   ?=
PYTEST_ARGS ?=
BENCH_ARGS  ?=

VENV  := .venv
FCI   := .venv-fci
PY    := $(VENV)/bin/python
PIP   := $(PY) -m pip --disable-pip-version-check install -c constraints/ci.txt $(PIP_ARGS)
PINS  := pyproject.toml constraints/ci.txt

NATIVE := setup.py $(shell find csrc bindings \( -path csrc/build -o -path csrc/tests \
            -o -path csrc/benches \) -prune -o \
            -name '*.[ch]pp' -print -o -name '*.h' -print -o -name '*.p[yx][xdi]' -print)
FORMATTED := $(sort $(shell find csrc bindings -path csrc/build -prune -o \
               -name '*.[ch]pp' -print -o -name '*.h' -print))

.PHONY: help demo test test-fci test-mutants csrc-test pytest bench lint typecheck format build \
        clean distclean need-build need-test

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo "  options: PYTHON=python3.12  PIP_ARGS='--index-url …'  DEMO_ARGS=  PYTEST_ARGS=  BENCH_ARGS="

demo: build ## drive a simulated FR3 from a torch policy; writes run.json and run.png
	@echo "==> rt-infer demo (report: run.json, plot: run.png)"
	@$(VENV)/bin/rt-infer demo --report=run.json --plot=run.png $(DEMO_ARGS)

test: csrc-test pytest ## C++ tests (plain, ASan+UBSan, TSan), then pytest

csrc-test: need-test
	@echo "==> C++ tests: plain, AddressSanitizer with UBSan, ThreadSanitizer"
	@$(MAKE) --no-print-directory -j2 -C csrc/tests test-all

# After the C++ tests, so that a broken core is reported by the smaller test.
pytest: csrc-test build $(VENV)/.installed-dev
	@echo "==> pytest"
	@$(PY) -m pytest $(PYTEST_ARGS)

test-fci: build $(VENV)/.installed-dev $(FCI)/.installed ## our commands and our simulated arm, judged by franka_sim
	@echo "==> pytest tests/fci"
	@$(PY) -m pytest tests/fci -m fci $(PYTEST_ARGS)

$(FCI)/.installed: constraints/fci.txt
	@PYTHON='$(PYTHON)' PIP_ARGS='$(PIP_ARGS)' scripts/make_fci_venv.sh $(FCI)
	@touch $@

test-mutants: need-test ## takes each guard of the motion out: its own test must turn red
	@echo "==> the motion without each of its guards"
	@$(PYTHON) tests/mutants/run.py

bench: build $(VENV)/.installed-dev ## the benches, with the peers beside us
	@echo "==> benches"
	@$(PY) -m pytest benches --timeout=0 $(BENCH_ARGS)

lint: $(VENV)/.installed-dev ## ruff, clang-format
	@echo "==> ruff, clang-format"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/clang-format --dry-run -Werror $(FORMATTED)

typecheck: $(VENV)/.installed-dev ## mypy over rt_infer/
	@echo "==> mypy"
	@$(VENV)/bin/mypy

format: $(VENV)/.installed-dev ## put everything into the house's form
	@$(VENV)/bin/ruff check --fix-only .
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/clang-format -i $(FORMATTED)

build: $(VENV)/.built ## .venv, dependencies and extensions, as far as they are missing or old

need-build:
	@PYTHON=$(PYTHON) scripts/need.sh build

need-test:
	@PYTHON=$(PYTHON) scripts/need.sh build test

$(VENV)/.created: | need-build
	@echo "==> creating $(VENV) with $(PYTHON) (once, a few seconds)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.torch: constraints/ci.txt | $(VENV)/.created
	@echo "==> installing torch 2.13.0 and its dependencies into $(VENV) (once)"
	@echo "    A CPU build downloads about 210 MB. The CUDA build is 3 GB or more, and many indexes"
	@echo "    give it by default on x86-64: to have the CPU build, stop here with Ctrl-C and name an"
	@echo "    index that holds it, make PIP_ARGS='--index-url …' (see README.md)."
	@$(PIP) torch
	@touch $@

$(VENV)/.installed: $(PINS) $(VENV)/.torch
	@echo "==> installing the other packages into $(VENV) (once, about 50 MB)"
	@$(PIP) -q setuptools pybind11 Cython
	@RT_INFER_NO_EXTENSIONS=1 $(PIP) -q --no-build-isolation -e '.[server,plot]'
	@touch $@

$(VENV)/.installed-dev: $(PINS) | $(VENV)/.installed
	@echo "==> installing pytest, hypothesis, ruff, mypy, clang-format (once, about 30 MB)"
	@$(PIP) -q 'rt-infer[test,lint,bench]'
	@touch $@

$(VENV)/.built: $(NATIVE) | $(VENV)/.installed
	@echo "==> building rt_infer._core and rt_infer._frames (the first time a minute or two)"
	@$(PY) setup.py -q build_ext --inplace
	@touch $@

clean: ## remove what was built, keep .venv
	@rm -rf build csrc/build rt_infer/*.so $(VENV)/.built run.json run.png
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove .venv and every cache too
	@rm -rf $(VENV) $(FCI) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
