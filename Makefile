# make app: start Digit Lab on this machine.  make class: start it for a class on the local network.
# make check: run the quick checks.  make test: run every check.
# make bench: measure the README's figures.  make format: format the code.
# make lock: write the installed versions to requirements.lock.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)
BIN := .venv/bin

.PHONY: app class check test lint bench format lock chromium
.DEFAULT_GOAL := app

# make app ADDRESS=0.0.0.0 lets other machines connect. Without --browser.serverAddress, Streamlit
# asks an outside host for this machine's address at every start.
ADDRESS ?= localhost
app: .venv/app.installed
	$(BIN)/python -m streamlit run streamlit_app.py --server.address $(ADDRESS) \
		--browser.serverAddress localhost

PORT ?= 8501
class: .venv/app.installed
	$(BIN)/python -m ui.classroom.start --port $(PORT)

# Several processes, each with one thread, take half as long. Tests with time limits, and those in the
# browser, run alone.
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

# MLflow's server for tests/team, in its own environment, as in a team. Without it, or without
# PostgreSQL, those tests are skipped, and say so.
.venv-mlflow/installed: .venv/app.installed
	test -x .venv-mlflow/bin/python || $(PYTHON) -m venv .venv-mlflow
	@.venv-mlflow/bin/python -m pip install --quiet --disable-pip-version-check \
		"mlflow[auth]==3.17.*" "psycopg2-binary==2.9.*" "onnx==1.23.*" "onnxruntime==1.32.*" && touch $@ \
		|| echo "No MLflow server: its tests will be skipped."

# The system's Chromium; else Debian's package, if root; else Playwright's own. Without a browser, its
# tests are skipped, and say so.
chromium: .venv/test.installed
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq chromium >/dev/null && exit 0; fi; \
	$(BIN)/python -m playwright install chromium || echo "No Chromium: its tests will be skipped."
