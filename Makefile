# The everyday commands. Each makes the environment it needs; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
SCENARIO ?= ratelimit
VENV := .venv
BIN := $(VENV)/bin

.PHONY: serve test dev check format golden bench wheel clean

serve: $(VENV)/.run ## install, and serve SCENARIO on http://127.0.0.1:4117/v1
	@$(BIN)/onerouter-mock --scenario $(SCENARIO) || { code=$$?; [ $$code -eq 130 ] || [ $$code -eq 143 ] || exit $$code; }

test: $(VENV)/.test ## install, and run every test (ARGS="-k limits" passes options on)
	@$(BIN)/python -m pytest $(ARGS)

dev: $(VENV)/.test $(VENV)/.lint ## all that development needs

check: dev ## style, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.test ## write the golden traces and generated tables anew; read the diff
	$(BIN)/python tests/golden/update.py

bench: $(VENV)/.test ## requests per second, pace, start-up and fixture cost, beside a bare aiohttp server; a soak
	$(BIN)/python tests/bench/bench_http.py
	$(BIN)/python tests/bench/bench_pace.py
	$(BIN)/python tests/bench/bench_soak.py
	$(BIN)/python tests/bench/bench_pytest.py

wheel: $(VENV)/.test
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

clean:
	rm -rf $(VENV) .clients dist build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11; would be right: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml
	@echo "installing onerouter-mock into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	@echo "installing onerouter-mock and its tests' needs into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: $(VENV)/.test
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[lint]'
	@touch $@
