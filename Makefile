.DEFAULT_GOAL := help
.PHONY: help release demo test test-clusters test-browser test-python test-image pictures check format bench bench-transfer

DATABASE := sqlite postgres mysql mongodb
DEEP :=
PYTHON := 3.15

# Of what the shell exports for the tools, only what says where packages come from counts here.
KEPT := UV_INDEX_% UV_PYTHON_% %INDEX %INDEX_URL %FIND_LINKS %CONFIG_FILE %KEYRING_PROVIDER %HOST \
	%CERT %CERTS %TLS %PROXY %TIMEOUT %RETRIES %OFFLINE %CACHE %CACHE_DIR %EXCLUDE_NEWER %LINK_MODE
TOOLS := UV_% PIP_% PYTHON% PYTEST_% MYPY% RUFF_%
unexport LC_ALL VIRTUAL_ENV CDPATH $(filter-out $(KEPT) PYTEST_ADDOPTS,$(filter $(TOOLS),$(.VARIABLES)))
export UV_SYSTEM_CERTS ?= true
export PATH := $(CURDIR)/.venv/bin:$(PATH)

WORKFLOWS := .github/workflows/*.yml template/.github/workflows/*.yml
CHECK_SCHEMA := check-jsonschema --quiet --builtin-schema

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' Makefile

release: export VERSION :=
release: .venv/ready ## Check, test, commit and tag a release: make release VERSION=1.3.0
	@python tools/release.py

demo: .venv/ready ## Generate the default service into demo/, seed it and run it
	@rm -rf demo
	@copier copy --quiet --defaults --vcs-ref HEAD --data project_name=Demo . demo
	@$(MAKE) --no-print-directory -C demo seed
	@echo "The service is in demo/. Look at http://127.0.0.1:$${PORT:-3000}/docs, end it with Ctrl-C."
	@cd demo && exec .venv/bin/app serve

test: .venv/ready ## Render every variant and run every suite, on real servers started here
	@pytest

test-clusters: .venv/ready ## Run services on clusters, poolers and proxies that fail under load
	@pytest -n2 --dist=loadfile -rP tests/clusters

test-image: .venv/ready ## Build the default service's image and run it; needs root on Debian
	@command -v buildah mmdebstrap >/dev/null && test "$$(id -u)" = 0 || { echo \
		"It needs root, and buildah and mmdebstrap: apt-get install buildah mmdebstrap" >&2; exit 1; }
	@pytest -n0 --noconftest tests/image

test-browser: .venv/ready ## Test /docs of the default service in Debian's Chromium
	@uv sync --quiet --group browser
	@mypy tests/browser/*.py
	@pytest -n0 --noconftest tests/browser

test-python: .venv/ready ## Check and test a variant on another Python that is here: PYTHON=3.14
	@uv python find --quiet --no-python-downloads $(PYTHON) >/dev/null 2>&1 || \
		{ echo "There is no Python $(PYTHON) on this machine; name one with PYTHON=3.13." >&2; exit 1; }
	@rm -rf .cache/python
	@copier copy --quiet --defaults --vcs-ref HEAD --data database=adaptable --data auth=oidc . .cache/python
	@echo $(PYTHON) >.cache/python/.python-version
	@$(MAKE) --no-print-directory -C .cache/python check test

check: .venv/ready ## Check format, lint and types of the template and of its tests
	@ruff format --check
	@ruff check
	@mypy
	@$(CHECK_SCHEMA) vendor.github-workflows $(WORKFLOWS)
	@$(CHECK_SCHEMA) vendor.dependabot template/.github/dependabot.yml
	@$(CHECK_SCHEMA) vendor.gitlab-ci template/.gitlab-ci.yml template/.gitlab/*.yml
	@$(CHECK_SCHEMA) vendor.compose-spec docs/clusters/*.yaml
	@$(CHECK_SCHEMA) vendor.renovate template/renovate.json
	@zizmor --quiet --offline $(WORKFLOWS) template/.github/dependabot.yml
	@pre-commit validate-config template/.pre-commit-config.yaml

format: .venv/ready ## Format, and fix what can be fixed
	@ruff check --fix --silent || true
	@ruff format

pictures: .venv/ready ## Make the pictures of README.md from what runs
	@PYTHONPATH=tests python tests/servers.py --only postgres -- python tests/pictures/make.py

bench: .venv/ready ## Measure requests beside other services; or DATABASE=sqlite, or DEEP=1
	@rm -rf bench
	@set -e; for database in $(DATABASE); do \
		copier copy --quiet --defaults --vcs-ref HEAD --data project_name=Bench \
			--data database=$$database . bench/$$database; \
		$(MAKE) --no-print-directory -C bench/$$database setup; \
		run="python tests/servers.py --only $$database --"; \
		if test $$database = sqlite; then \
			uv pip install --quiet --python bench/sqlite/.venv 'sqlalchemy[asyncio]' aiosqlite; run=; \
		fi; \
		PYTHONPATH=bench/$$database $$run bench/$$database/.venv/bin/python \
			tests/benchmark/bench.py $$database $(if $(DEEP),--deep); \
	done
	@PYTHONPATH=tests python tests/benchmark/report.py bench

bench-transfer: .venv/ready ## Measure `app dump` and `app load` beside the textbook's way
	@rm -rf bench
	@copier copy --quiet --defaults --vcs-ref HEAD --data project_name=Bench --data database=adaptable . bench
	@$(MAKE) --no-print-directory -C bench setup
	@python tests/servers.py --only postgres -- \
		env PYTHONPATH=bench bench/.venv/bin/python tests/benchmark/transfer.py

.venv/ready: pyproject.toml .venv/bin/uv
	@uv sync --quiet
	@touch $@

.venv/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is missing." >&2; exit 1; }
	@git --version >/dev/null || { echo "git is missing." >&2; exit 1; }
	@echo "Setting up .venv, once."
	@python3 -m venv .venv || { echo "Python's venv module is missing." >&2; exit 1; }
	@.venv/bin/python -m pip --disable-pip-version-check install --quiet 'uv>=0.9,<1'
