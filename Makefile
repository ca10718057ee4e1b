# First hour: `make demo`, `make test`, `make check`. Everything lives in .venv; nothing is installed elsewhere.

PYTHON ?= python3
BIN := .venv/bin
# Further flags of `deixis demo`: `make demo ARGS=--probe` asks the pages itself and stops.
ARGS ?=
# Two threads are what the smallest machine has; more make small models slower.
export OMP_NUM_THREADS ?= 2

.PHONY: demo test check format lock check-newest check-lowest ready clean

demo: ready
	$(BIN)/deixis demo --folder .demo $(ARGS)

test: ready
	$(BIN)/python -m pytest

check: ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The newest versions of the day into lock/ and, as upper bounds, into pyproject.toml.
lock: ready
	$(BIN)/python lock/renew.py

# The suite on the newest and on the lowest versions that pyproject.toml allows; each makes an environment of its own.
check-newest:
	@sh lock/venv.sh newest "$(PYTHON)" .venv-newest
	.venv-newest/bin/python -m pytest

check-lowest: ready
	@sh lock/venv.sh lowest "$(PYTHON)" .venv-lowest
	.venv-lowest/bin/python -m pytest

ready:
	@sh lock/venv.sh locked "$(PYTHON)" .venv

clean:
	rm -rf .venv .venv-newest .venv-lowest .demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
