# Every target does all its set-up from a machine with Python 3.11 and git.
PYTHON ?= python3.11
BIN := .venv/bin
LOG := .venv/setup.log
.PHONY: setup demo test lint bench docs lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "setup: Python 3.11 is missing; install it (or name it: make PYTHON=...) and try again" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "setup: this Python makes no environments; install its venv module (Debian: python3.11-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "installing the locked environment into .venv (some minutes the first time)"
	@{ $(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock && \
	   $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .; } >$(LOG) 2>&1 || \
	  { echo "setup: requirements.lock could not be installed ($$(grep ^ERROR $(LOG) | tail -n 1));" \
	    "see that a Python package registry is reached (PIP_INDEX_URL or pip.conf), then make again; all of it: $(LOG)" >&2; exit 1; }
	@$(BIN)/python -m jobs.lake.setup
	@touch $@

demo: setup
	@$(BIN)/python -m jobs.demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy jobs schemas expectations

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/python -m schemas.render

lock: setup
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file requirements.lock

clean:
	rm -rf .venv .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
