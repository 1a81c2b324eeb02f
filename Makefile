# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
SIZE ?= county
SEED ?= 7
KILLS ?= 500
MINUTES ?= 10
BIN := .venv/bin
export PYTHON
# a process that finds no compiled modules compiles a thousand of them at its start
unexport PYTHONDONTWRITEBYTECODE
# the documentation tools announce their successors; we build with what is pinned
export NO_MKDOCS_2_WARNING := 1
export DISABLE_MKDOCS_2_WARNING := true

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/ready: requirements/uv.txt
	@scripts/system-packages venv
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/core: .venv/ready requirements/core.txt pyproject.toml src/silian/__init__.py
	@echo 'installing the packages that silian needs'
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/core.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 src
	@touch $@

.venv/dev: .venv/core requirements/dev.txt
	@echo 'installing the packages that tests, checks, docs and benchmarks need'
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

demo: .venv/core ## write a synthetic region, run the main job on it, say where the report lies (SIZE=tiny|county|city|province SEED=7)
	@scripts/system-packages fonts || echo 'going on without the font: PNG charts will lack Chinese letters' >&2
	@$(BIN)/silian synth --size $(SIZE) --seed $(SEED) --out demo/region
	@$(BIN)/silian run demo/region --plan demo/region/plan.toml --out demo/run

serve: .venv/core ## start the site on http://127.0.0.1:8000 with a made-up region and an account for every role
	@$(BIN)/silian serve

test: .venv/dev ## pass every test
	@scripts/system-packages fonts browser database
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not cluster and not once'
	@scripts/with-postgres $(BIN)/python -m pytest -n auto --dist loadfile -m 'not cluster and not browser' src/silian/web
	@$(BIN)/python -m pytest -m cluster

check: .venv/dev ## format, lint, types, layer contracts, error codes, docs
	@$(BIN)/ruff format --check --quiet . && echo 'format: ok'
	@$(BIN)/ruff check --quiet . && echo 'lint: ok'
	@$(BIN)/mypy --no-error-summary && echo 'types: ok'
	@$(BIN)/lint-imports --no-cache >/dev/null && echo 'layers: ok' || { $(BIN)/lint-imports --no-cache; exit 1; }
	@$(BIN)/python scripts/check_codes.py
	@$(BIN)/mkdocs build --strict --quiet --site-dir site && echo 'docs: ok'

bench: .venv/dev ## measure; the lines go to benchmarks/results/
	@$(BIN)/python benchmarks/run.py $(BENCH)

torture: .venv/dev ## kill the site KILLS times while people write, half on SQLite, half on PostgreSQL (KILLS=500 SEED=7)
	@scripts/system-packages database
	@well=0; \
	PYTHONPATH=tests $(BIN)/python -m live.torture --kills $$(( $(KILLS) - $(KILLS) / 2 )) --seed $(SEED) --results benchmarks/results/torture.jsonl || well=1; \
	PYTHONPATH=tests scripts/with-postgres $(BIN)/python -m live.torture --kills $$(( $(KILLS) / 2 )) --seed $(SEED) --results benchmarks/results/torture.jsonl || well=1; \
	exit $$well

load: .venv/dev ## 50 readers and 5 writers on 100,000 records, on SQLite and on PostgreSQL (MINUTES=10)
	@scripts/system-packages database
	@well=0; \
	PYTHONPATH=tests $(BIN)/python -m live.load --minutes $(MINUTES) --results benchmarks/results/load.jsonl || well=1; \
	PYTHONPATH=tests scripts/with-postgres $(BIN)/python -m live.load --minutes $(MINUTES) --results benchmarks/results/load.jsonl || well=1; \
	exit $$well

fuzz: .venv/dev ## ask every operation of the API as every role with what schemathesis makes up; the line goes to benchmarks/results/
	@SILIAN_FUZZ=$${SILIAN_FUZZ:-10} $(BIN)/python -m pytest -n 0 src/silian/web/api/tests/test_fuzz.py

real: .venv/core ## run the main job on the real data beside the project, where it is there
	@$(BIN)/python benchmarks/real_region.py real/region && { test ! -d real/region || $(BIN)/silian run real/region --plan benchmarks/real_plan.toml --out real/run; }

docs: .venv/dev ## build the documentation into site/
	@$(BIN)/mkdocs build --strict --site-dir site

picture: demo .venv/dev ## draw the pictures of the README from the report of the demo and from a demo site
	@scripts/system-packages fonts browser
	@$(BIN)/python scripts/draw_readme_picture.py
	@$(BIN)/python scripts/draw_site_pictures.py

messages: .venv/core ## bring the texts of the site in both languages up to date; names those that lack English
	@$(BIN)/python scripts/messages.py

format: .venv/dev ## put the code into its format
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

lock: .venv/ready ## renew requirements/*.txt from requirements/*.in
	@for name in uv core dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean: ## remove what the commands made
	@rm -rf demo real site torture .venv .pytest_cache .mypy_cache .ruff_cache test-results

.PHONY: help demo serve test check bench fuzz torture load real docs picture messages format lock clean
