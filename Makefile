PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.installed
ALL := $(VENV)/.installed-all
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow check docs bench clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(CORE) ## Make the virtual environment and install Probatum into it

$(CORE): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON) on the PATH; name another with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $(CORE)

$(ALL): $(CORE)
	$(PIP) --editable '.[dev]'
	-@command -v npm >/dev/null && npm install --prefix $(VENV) --no-save --silent axe-core@4.14.1  # else its tests say so
	touch $(ALL)

demo: $(CORE) ## The whole story on embedded data, from an ablation to its report
	$(BIN)/probatum demo

check: $(ALL) ## Format, lint, types, hidden defaults, stale documentation
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/pyright
	$(BIN)/probatum check
	$(BIN)/python docs/generate.py --check

test: check ## Everything that CI runs
	$(BIN)/pytest -n auto --dist loadscope

test-slow: $(ALL) ## The tests that take minutes
	$(BIN)/pytest -m slow

docs: $(ALL) ## Write the generated documentation and build the site into site/
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(ALL) ## Measure against the peers and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) site .pytest_cache .ruff_cache .hypothesis
