# Two commands do everything on a fresh Debian machine: `make demo` and `make test`.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
LABGRID := $(VENV)/labgrid
DESKS := $(VENV)/roundup
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test bench lint messages bench-speed bench-rival bench-usage labgrid desks clean

# ---- what a user wants -------------------------------------------------------------------
demo: $(STAMP)
	@$(PY) hil/demo.py

test: $(STAMP) labgrid desks
	$(PY) -m pytest -q -n auto --dist loadgroup
	$(PY) -m pytest -q hil

# The suite on the virtual bench; OPTIONS are pytest's. Results: build/bench/results.
bench: $(STAMP)
	$(PY) -m pytest -q hil --bench virtual $(OPTIONS)

# ---- what a developer wants --------------------------------------------------------------
lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

messages: $(STAMP)
	$(VENV)/bin/pybabel -q extract -F babel.cfg -k N_ -k _ --no-location --omit-header --sort-output -o $(VENV)/simdiag.pot .
	$(VENV)/bin/pybabel -q update -D simdiag -N --ignore-pot-creation-date -i $(VENV)/simdiag.pot -d src/simdiag/locale -l zh_CN
	$(PY) tools/traditional_chinese.py
	$(PY) hatch_build.py

labgrid: $(LABGRID)/.installed

desks: $(DESKS)/.installed

bench-speed: $(STAMP)
	$(PY) benchmarks/speed.py

# From plug-in to answer, beside ModemManager, on the virtual bench.
bench-rival: $(STAMP)
	$(PY) benchmarks/plug_in.py

# Who used the data: exactness and cost of counting, as root.
bench-usage: $(STAMP)
	$(PY) benchmarks/usage.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# ---- set-up ------------------------------------------------------------------------------
# What is half made (no python3-venv at the first try) or no environment of its own is made anew.
$(STAMP): pyproject.toml hatch_build.py $(wildcard src/simdiag/locale/*/LC_MESSAGES/*.po)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: sudo apt install python3 python3-venv"; exit 1; }
	@$(PY) -c 'import pip, sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null || \
	  python3 -m venv --clear $(VENV) || \
	  { echo "The venv module is missing: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PY) -m pip install -q --upgrade pip
	@$(PY) -m pip install -q -e . --group dev
	@touch $@

# Of its own, for labgrid replaces the pyserial that it finds.
$(LABGRID)/.installed: $(STAMP)
	@echo "Setting up $(LABGRID) ..."
	@$(PY) -m venv --without-pip $(LABGRID)
	@$(PY) -m pip --python $(LABGRID) install -q --group bench
	@touch $@

# A ticket system to send to; of its own, for it is a server that no part of simdiag imports.
$(DESKS)/.installed: $(STAMP)
	@echo "Setting up $(DESKS) ..."
	@$(PY) -m venv --without-pip $(DESKS)
	@$(PY) -m pip --python $(DESKS) install -q --group desks
	@touch $@
