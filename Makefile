# `make run` and `make test` need only Python (3.11 or newer), pip and make: the virtual environment is made here.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: run test lint docs bench bench-growth bench-images bench-resolution bench-check clean

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

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --site-dir site

# Beside the native SDK, which gets a virtual environment of its own: writes bench/results.json and docs/performance.md.
bench: $(VENV)/.installed-bench
	$(BIN)/python bench/run.py
	$(BIN)/python bench/report.py

bench-growth: $(VENV)/.installed-bench
	$(BIN)/python bench/growth.py
	$(BIN)/python bench/report.py

bench-images: $(VENV)/.installed-bench
	$(BIN)/python bench/images.py
	$(BIN)/python bench/report.py

bench-resolution: $(VENV)/.installed-bench
	$(BIN)/python bench/resolution.py
	$(BIN)/python bench/report.py

# Beside an older commit of this repository: fails where something got slower.
bench-check: $(VENV)/.installed
	$(BIN)/python bench/check.py

clean:
	rm -rf $(VENV) site bench/.venv bench/.cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
