# make app: start Digit Lab, for this machine.  make class: start it for a class in the network.
# make check: check what is quick.  make test: check everything.
# make bench: measure what README claims.  make format: put the format right.
# make lock: write down the versions that are installed.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)
BIN := .venv/bin

.PHONY: app class check test lint bench format lock chromium
.DEFAULT_GOAL := app

# make app ADDRESS=0.0.0.0 lets other machines in. Without an address of its own to show, Streamlit
# asks another host for this machine's at every start.
ADDRESS ?= localhost
app: .venv/app.installed
	$(BIN)/python -m streamlit run streamlit_app.py --server.address $(ADDRESS) \
		--browser.serverAddress localhost

PORT ?= 8501
class: .venv/app.installed
	$(BIN)/python -m ui.classroom.start --port $(PORT)

# Several processes, each with one thread, take half as long. What is held to seconds, and the
# browser, get the machine to themselves.
ALONE := tests/core/jobs tests/team tests/browser
PARALLEL := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

check: lint
	$(PARALLEL) -m "not slow"

test: lint chromium .venv-mlflow/installed
	$(PARALLEL) $(ALONE:%=--ignore %)
	$(BIN)/python -m pytest $(ALONE)

lint: .venv/test.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/test.installed chromium
	$(BIN)/python -m benchmarks.recipes
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.app
	$(BIN)/python -m benchmarks.ink
	$(BIN)/python -m benchmarks.photos
	$(BIN)/python -m benchmarks.own_hand

format: .venv/test.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/test.installed
	$(BIN)/python -m pip freeze --disable-pip-version-check --exclude-editable > .venv/requirements.lock
	mv .venv/requirements.lock requirements.lock

.venv/app.installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Digit Lab needs Python 3.11 or newer."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing; the first time this takes minutes and 7 GB …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test.installed: requirements-dev.txt .venv/app.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# MLflow's server for tests/team, in an environment of its own as a team has it. Without it, or
# without PostgreSQL, those tests are skipped, and say so.
.venv-mlflow/installed: .venv/app.installed
	test -x .venv-mlflow/bin/python || $(PYTHON) -m venv .venv-mlflow
	@.venv-mlflow/bin/python -m pip install --quiet --disable-pip-version-check \
		"mlflow[auth]==3.17.*" "psycopg2-binary==2.9.*" "onnx==1.23.*" "onnxruntime==1.32.*" && touch $@ \
		|| echo "No MLflow server: its tests will be skipped."

# The system's Chromium; else Debian's package, when root; else Playwright's own. Without any, the
# browser's tests are skipped, and say so.
chromium: .venv/test.installed
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq chromium >/dev/null && exit 0; fi; \
	$(BIN)/python -m playwright install chromium || echo "No Chromium: its tests will be skipped."
