# VistterStream: set-up, checks and tests. `make help` lists the targets.
# Needs only make and Python 3.11 or newer; everything else is installed into .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV     := .venv
BIN      := $(VENV)/bin
PYTHON   ?=
SOURCES  := controller tests
RUNTIME  := $(VENV)/.installed
DEV      := $(VENV)/.installed-dev
PIP      := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
STATE    ?= .state/demo
LOCK     := --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --quiet --custom-compile-command "make lock"
# Three at a time: they mostly wait for real time to pass. More would measure the machine instead of the program.
E2E_WORKERS ?= 3
E2E_ARGS ?=
# --quick for short looks; --markdown docs/figures.md to write that page; names of parts for those alone.
BENCH_ARGS ?=

# Without it, rewriting the assertions of all tests each time takes longer than most of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check lint types contracts generated unit slow e2e bench soak peers format generate pictures lock clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(RUNTIME) ## On air in a minute: test pictures, an overlay, a page in the browser; Ctrl-C ends it
	@exec $(BIN)/vistter run --manifests examples/01-hello --state-dir $(STATE) --listen 127.0.0.1:8642-8661 --on-exit stop

test: peers check slow e2e ## Everything that CI runs (installs Debian packages where it may)

# Side by side, because what is checked without running it takes one core, and the tests wait now and then.
check: $(DEV) ## The fast part of the tests: under a minute
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line lint types contracts generated unit

lint: $(DEV)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check --quiet $(SOURCES)

types: $(DEV)
	$(BIN)/mypy $(SOURCES)

contracts: $(DEV)
	$(BIN)/lint-imports

generated: $(DEV)
	$(BIN)/python -m vistterstream.resources.generate --check

unit: $(DEV)
	$(BIN)/pytest -q -n auto --dist worksteal --ignore=tests/e2e -m "not slow and not e2e and not soak and not bench"

slow: $(DEV) ## The unit tests that take longer: much of what is fuzzed, killed, played and rendered
	$(BIN)/pytest -q -n auto --dist worksteal --ignore=tests/e2e -m "slow and not e2e and not soak and not bench" --durations=15

e2e: $(DEV)
	$(BIN)/pytest -q -n $(E2E_WORKERS) --dist worksteal -m "e2e and not soak" --durations=15 $(E2E_ARGS)

soak: $(DEV) peers ## The long runs: hours of frames, hundreds of kills, ten thousand documents
	$(BIN)/pytest -q -m soak --timeout=0

bench: $(DEV) ## The figures of docs/figures.md, as a table and as JSON
	PYTHONPATH=tests $(BIN)/python -m bench.run $(BENCH_ARGS)

peers: $(DEV) ## Install the servers that the end-to-end tests talk to
	@sh tests/peers/install.sh

format: $(DEV) ## Format the sources
	$(BIN)/ruff check --fix-only --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

generate: $(DEV) ## Write the CRDs and the manifest reference again
	$(BIN)/python -m vistterstream.resources.generate

pictures: $(DEV) ## Make the pictures of docs/ again, of the manifests beside them
	PYTHONPATH=tests $(BIN)/python tests/playout/docs_pictures.py

lock: $(DEV) ## Choose the newest versions and write the lock files again
	$(PIP) install uv
	printf 'hatchling\neditables\n' > $(VENV)/build.in
	$(BIN)/uv pip compile pyproject.toml $(VENV)/build.in $(LOCK) --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml $(VENV)/build.in $(LOCK) --upgrade --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove what was built and installed
	rm -rf $(VENV) tests/peers/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist .state
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment. Recreated when its interpreter is gone, so that an upgrade of Python does no harm.
$(RUNTIME): requirements.lock pyproject.toml
	@if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "VistterStream needs Python 3.11 or newer and found none." >&2; \
	    echo "Install it (Debian, Ubuntu: apt-get install python3 python3-venv), or say where it is: make PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "$$python cannot make a virtual environment. Debian, Ubuntu: apt-get install python3-venv (or python$$version-venv)" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$python --version)"; \
	  $$python -m venv --clear $(VENV); \
	fi
	@echo "Installing what VistterStream needs"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q controller
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing what the checks need"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
