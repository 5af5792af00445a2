# `make demo` and `make test` need Python 3.11 and pip, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --disable-pip-version-check
READY = $(VENV)/.ready

.PHONY: help demo notebooks test coverage lint fuzz clean
help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# uv unpacks gigabytes in a third of the time that pip takes; where it cannot be had or reaches
# nothing, pip does the same. Modules are compiled on all cores, but for tests and large parts that
# are hardly ever imported; what cannot be compiled is never imported.
SELDOM = /(tests?|testing|_vendor(ed)?|lexers|codegen|fx_passes|pip|setuptools|debugpy|mypyc?|fontTools|sqlalchemy|aiohttp|wcwidth|onnxruntime/(transformers|quantization|tools)|sympy/(physics|stats|holonomic|diffgeom))/
$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --quiet --no-compile -c constraints.txt uv && $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]' \
		|| $(PIP) --quiet --no-compile -c constraints.txt -e '.[dev]'
	$(BIN)/python -m compileall -q -j 0 -x '$(SELDOM)' $(VENV)/lib > /dev/null || true
	touch $(READY)

demo: $(READY)  ## synthetic EEG and drawn faces, whole pipeline, one HTML report
	$(BIN)/neurogaze demo

notebooks: $(READY)  ## run notebooks/*.py and write the .ipynb beside them
	$(BIN)/python notebooks/build.py

# Tests start many processes; none compiles again what another has.
test coverage: export PYTHONDONTWRITEBYTECODE =

test: $(READY)  ## the test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

coverage: $(READY)  ## the test suite with coverage, a few minutes longer
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(READY)  ## 500 damaged files of every format, recordings and faces, through the loaders
	$(BIN)/python -m tests.fuzz --cases 500

clean:  ## remove the environment and all runs
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
