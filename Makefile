# Every target does all its set-up from a machine with Python 3.11 and git.
PYTHON ?= python3.11
BIN := .venv/bin
.PHONY: setup demo test lint bench docs lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install it (or name it: make PYTHON=...) and try again" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the locked environment into .venv (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m jobs.lake.setup
	@touch $@

demo: setup
	@$(BIN)/python -m jobs.demo

test: setup
	$(BIN)/python -m pytest

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
