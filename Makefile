# make demo    set up, train on the bundled corpus, open the page        make test   set up and run the tests
# make lint    ruff, mypy, import layers     make bench [NAME=x]  benchmarks     make wheel  wheel and sdist into dist/
# make docs    the documentation site into build/docs
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that run the tests.
JOBS ?= 2
# Byte code is made as modules are first imported, not for thousands that never are: half a minute less to wait. Images of Python
# often say that none is to be kept; then every process compiles what it imports, 12 seconds where it trains.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check

# PyPI's torch for Linux carries gigabytes of CUDA libraries; without an NVIDIA card the small build is taken where its index answers.
CPU_INDEX := https://download.pytorch.org/whl/cpu
CPU_TORCH = if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1 && \
    curl -fsS -m 10 -o /dev/null $(CPU_INDEX)/torch/ 2>/dev/null; then $(PIP) --index-url $(CPU_INDEX) torch; fi

.PHONY: demo test lint docs bench wheel clean
.DEFAULT_GOAL := demo

# What tests need is there where everything for development is.
TEST_STAMP := $(VENV)/.stamp-$(if $(wildcard $(VENV)/.stamp-dev),dev,test)

# One stamp for each set of extras: a second run finds it and installs nothing, until pyproject.toml changes.
$(VENV)/.stamp-%: pyproject.toml
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@echo "Installing viner[$*] into $(VENV) ..."
	@$(CPU_TORCH)
	@$(PIP) --editable '.[$*]'
	@touch $@

demo: $(VENV)/.stamp-all
	@$(BIN)/viner demo

# PostgreSQL is tested where VINER_TEST_POSTGRES names a server, or one without a password runs on this machine.
test: $(TEST_STAMP)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q

lint: $(VENV)/.stamp-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Strict: a link that leads nowhere, or a name that the reference lacks, ends it. All pages are read (-E), since the reference is
# made from code, whose changes Sphinx does not see.
docs: $(VENV)/.stamp-dev
	@$(BIN)/sphinx-build -W -E --keep-going -n -q docs build/docs
	@echo "The site is at build/docs/index.html"

# Every script under benchmarks/, or the one that NAME names.
bench: $(TEST_STAMP)
	@for script in benchmarks/$(or $(NAME),*).py; do \
	  case "$$script" in */_*) continue;; esac; \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

wheel: $(VENV)/.stamp-dev
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
