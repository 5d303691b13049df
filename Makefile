# make crawl url=https://example.org/    finds, downloads and measures the audio of a page
# make crawl                             does so with a small site that comes along, without a network
# make test, make lint, make clean       (clean leaves data/ alone)
# make test-formats                      reads what `scrapy export` writes with its readers, and runs the notebook
# make audit                             asks for known vulnerabilities of the packages
#
# The first run makes .venv with the newest suitable Python; PYTHON=... names another one.

.PHONY: crawl test test-formats lint audit clean

RUN := .venv/bin/python -m
# Passed through the environment, so that no character of it means anything to make or the shell.
export CRAWL_URL := $(value url)

crawl: .venv/installed
ifdef url
	@$(RUN) scrapy crawl audio -a url="$$CRAWL_URL"
else
	@$(RUN) tests.site -- $(RUN) scrapy crawl audio -a url={url} -a depth=2 -s AUDIO_ALLOW_ADDRESSES=127.0.0.0/8
endif

test: .venv/installed .venv/chromium .venv/redis
	@$(RUN) pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --durations 10  # some wait for delays

test-formats: .venv/installed .venv-formats/installed
	@.venv-formats/bin/python -m pytest --confcutdir tests/formats tests/formats

lint: .venv/installed-dev
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy

audit:
	@.ci/audit

clean:
	rm -rf .venv .venv-audit .venv-formats .venv-bigquery-emulator* .mypy_cache .pytest_cache .ruff_cache
	find audiocrawler tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: requirements.txt
	@set -e; \
	for python in $${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do \
		if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then break; fi; \
		found=$$("$$python" --version 2>&1) || found=none; python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "audiocrawler needs Python 3.11 to 3.14; found $$found; install one or set PYTHON=..." >&2; exit 2; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python has no venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; \
	fi; \
	echo "Installing into .venv, once ..."; \
	"$$python" -m venv --clear .venv; \
	$(RUN) pip install --quiet --disable-pip-version-check --requirement requirements.txt; \
	touch $@

# A browser for the tests of pages that need one; without one they are skipped, or fail where CI is set.
.venv/chromium: .venv/installed
	@$(RUN) tests.chromium
	@touch $@

# A server for the tests of several workers, in the same way; GitHub's runners let sudo install it.
.venv/redis: .venv/installed
	@command -v redis-server >/dev/null || { \
		sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
		$$sudo apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq --yes --no-install-recommends redis-server; \
	} >/dev/null 2>&1 || echo "redis-server cannot be installed: the tests of several workers need it" >&2
	@touch $@

# The readers, in an environment of their own. Lhotse and NeMo come without torch: see tests/formats/stand_ins.py.
.venv-formats/installed: requirements-formats.txt .venv/installed
	@echo "Installing the readers into .venv-formats, once: about 0.8 GB ..."
	@.venv/bin/python -m venv --clear .venv-formats
	@.venv-formats/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-formats.txt
	@.venv-formats/bin/python -m pip install --quiet --disable-pip-version-check --no-deps lhotse==1.33.0 nemo_toolkit==3.0.0
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@$(RUN) pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
