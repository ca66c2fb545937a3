# `make bench` and `make test` set up .venv by themselves. PYTHON chooses the interpreter (3.11+),
# VENV the environment, EXTRAS what is installed into it.

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= all,dev
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

NEWEST = $(shell .ci/newest)

.PHONY: help bench docs test test-newest lint clean-cache clean

help:
	@echo "make bench        all solvers on a real instance: pictures and report.html in out/"
	@echo "make docs         the documentation as a site, site/index.html"
	@echo "make test         lint, types and tests"
	@echo "make test-newest  the tests on the newest Python found here, without torch"
	@echo "make lint         lint and types only"
	@echo "make clean-cache  drop compiled kernels, to see them compiled"
	@echo "make clean        drop .venv, caches and out/"

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

bench: $(INSTALLED)
	$(BIN)/dsct-gym bench dc5-ofa60 --time-limit 60 --gantt --report -o out

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "written: site/index.html; with search: python3 -m http.server -d site"

test: lint
	$(BIN)/pytest

test-newest:
	$(if $(NEWEST),,$(error no Python newer than 3.11 is found here))
	$(MAKE) .venv-newest/.installed VENV=.venv-newest PYTHON=$(NEWEST) EXTRAS=render,parquet,dev
	.venv-newest/bin/pytest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean-cache:
	find dsct_gym baselines agents training tests -name '*.nb[ic]' -delete

clean: clean-cache
	rm -rf $(VENV) .venv-newest out site .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
