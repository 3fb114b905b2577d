# make demo    install, then design a network for a real data set (a minute and a half)
# make test    install what the tests need, and run all of them
# make check   formatting, lint, types, import layers, size gates
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check format clean

demo: $(VENV)/.installed
	$(BIN)/python -m justright.cli.main fit examples/digits.csv.gz --target digit --time 90s

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python tools/size_gates.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix src tests benchmarks tools
	$(BIN)/ruff format src tests benchmarks tools

# torch goes first and alone, so that the pinned build is the one that everything else finds
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable '.[dev,boost,pandas,onnx]'
	touch $@

clean:
	rm -rf $(VENV) studies .pytest_cache .ruff_cache .hypothesis
