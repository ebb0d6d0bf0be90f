# Everything happens in .venv, which these targets make and fill. Nothing outside this folder changes.

VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
TOOLS := $(VENV)/.tools
PYTHONS := python3.13 python3.12 python3.11 python3.14 python3
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTEST := $(BIN)/python -m pytest
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-all format clean
.DEFAULT_GOAL := help

help:  ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(BASE)  ## install what is needed, then compare the classes on matrix products
	@$(BIN)/gpuplay matmul --sizes 256..2048
	@printf '\nNext: . $(BIN)/activate, then gpuplay: it says what else there is to try.\n'

test: $(TOOLS)  ## install the tools too, then check everything once
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(PYTEST) -m 'not alone and not product' $(SIDE_BY_SIDE)
	@$(PYTEST) -m alone

test-all: test  ## then every combination of knobs, dtypes, shapes, and architectures
	@$(PYTEST) -m product $(SIDE_BY_SIDE)

format: $(TOOLS)  ## put the code in order: layout, imports, what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:  ## remove the environment and everything that was built
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	@find gpuplay kernels tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if $$python -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$($$python --version)"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "gpuplay needs Python 3.11 or newer with its venv module; found none of: $(PYTHONS)." >&2; \
	echo "On Debian and Ubuntu: sudo apt install python3-venv. Elsewhere: https://www.python.org/downloads/" >&2; \
	exit 1

$(BASE): pyproject.toml | $(BIN)/python
	@echo "Installing gpuplay into $(VENV) (this once, about a minute)"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(TOOLS): pyproject.toml | $(BIN)/python
	@echo "Installing gpuplay, the CUDA compiler and the test tools into $(VENV) (this once, a few minutes)"
	@$(BIN)/python -m pip install --quiet --editable '.[cuda,dev,proofs]'
	@touch $@ $(BASE)
