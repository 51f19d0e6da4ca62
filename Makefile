# `make test` and `make lint` do all their set-up from a machine with Python 3.11 and git.
PYTHON ?= python3.11
BIN := .venv/bin
.PHONY: setup test lint lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install it and try again" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $@

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy jobs schemas

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
