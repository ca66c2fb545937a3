# `make bench` and `make test` set up .venv by themselves. PYTHON chooses the interpreter (3.11+).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help bench test lint clean-cache clean

help:
	@echo "make bench        run the reference agents on a real instance, pictures in out/"
	@echo "make test         lint, types and tests"
	@echo "make lint         lint and types only"
	@echo "make clean-cache  drop compiled kernels, to see them compiled"
	@echo "make clean        drop .venv, caches and out/"

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $@

bench: $(INSTALLED)
	$(BIN)/dsct-gym bench dc5-ofa60 --time-limit 60 --gantt -o out

test: lint
	$(BIN)/pytest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean-cache:
	find dsct_gym baselines agents training tests -name '*.nb[ic]' -delete

clean: clean-cache
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
