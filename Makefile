# `make run` and `make test` need only Python (3.11 or newer), pip and make: the virtual environment is made here.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: run test lint bench clean

$(VENV)/.installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	touch $@

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

run: $(VENV)/.installed
	$(BIN)/wpm install --offline
	$(BIN)/wpm tree
	$(BIN)/wpm run --volume .:/work:ro --cwd /work top-words -- README.md
	$(BIN)/wpm run sh -- -c 'ls /bin | sort | head -5 | wc -l'

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: $(VENV)/.installed-lint $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

bench: $(VENV)/.installed
	$(BIN)/python bench/run.py
	$(BIN)/python bench/resolution.py
	$(BIN)/python bench/images.py

clean:
	rm -rf $(VENV) bench/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
