# Needs Python 3.11 or later and make; everything else is fetched into .venv, at the versions and hashes of requirements/.
# JUANZONG_VAR names the folder of the running data, PORT the port of `make run`.

PORT ?= 8000
JUANZONG_VAR ?= var
# Neither may reach the tests: they would write into the data of a running archive.
unexport PORT JUANZONG_VAR

python := $(shell for python in python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
bin := .venv/bin
var := $(patsubst %/,%,$(JUANZONG_VAR))

# A stamp is named after the contents of what it installs, so that a second start asks pip nothing.
stamp = .venv/installed-$(1)-$(firstword $(shell cat requirements/$(1).txt pyproject.toml | cksum))
run-stamp := $(call stamp,run)
dev-stamp := $(call stamp,dev)

# Not compiled to byte code while installing: Python compiles the small part that is used, on first use.
pip-flags := -qq --no-input --disable-pip-version-check --no-compile
lock-flags := --quiet --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable --no-header \
	--no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: run fill test fmt bench bench-search bench-find bench-catalogue bench-desk bench-front-pages bench-namesakes bench-people bench-recognition bench-intake soak postgres-cover lock

run: $(run-stamp) $(if $(wildcard $(var)/*),,fill)
	@JUANZONG_VAR="$(var)" PORT="$(PORT)" $(bin)/juanzong serve

# Filled aside and renamed when it is whole, so that a fill that was cut off is begun again and never half used.
fill: $(run-stamp)
	@rm -rf "$(var).filling"
	@JUANZONG_VAR="$(var).filling" $(bin)/juanzong demo
	@[ ! -e "$(var)" ] || rmdir "$(var)"
	@mv "$(var).filling" "$(var)"

test: $(dev-stamp)
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/mypy
	@$(bin)/lint-imports --no-logo
	@$(bin)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

fmt: $(dev-stamp)
	@$(bin)/ruff check --fix .
	@$(bin)/ruff format .

# How much each bench takes is told by JUANZONG_BENCH_…: docs/measurements.md has the list. JUANZONG_BENCH_KEEP names a folder
# for what bench-catalogue or bench-people plants, so that it is planted once.
bench: $(dev-stamp)
	@$(bin)/python -m bench

# The index beside others, then searches as the product makes them. tantivy takes part where it is: pip install tantivy.
bench-search: $(dev-stamp)
	@$(bin)/python -m bench.search
	@$(bin)/python -m bench.product

# Words in one record of 500 pages.
bench-find: $(dev-stamp)
	@$(bin)/python -m bench.finding

# A million records without texts.
bench-catalogue: $(dev-stamp)
	@$(bin)/python -m bench.catalogue

# Names like one that was typed, among 200,000 patients.
bench-namesakes: $(dev-stamp)
	@$(bin)/python -m bench.namesakes

# What front pages say, among a million of them.
bench-front-pages: $(dev-stamp)
	@$(bin)/python -m bench.front_pages

# Saved searches, what is pinned of them, and the digest of their subscriptions.
bench-saved: $(dev-stamp)
	@$(bin)/python -m bench.saved

# Eight people at a real server over a hundred thousand texts.
bench-people: $(dev-stamp)
	@$(bin)/python -m bench.people

# Known text, printed, spoilt as scanners do, and read back; then a whole record as a searchable PDF.
bench-recognition: $(dev-stamp)
	@$(bin)/python -m bench.recognition
	@$(bin)/python -m bench.taking

# A pile of paper through the whole line: served, with its worker.
bench-intake: $(dev-stamp)
	@$(bin)/python -m bench.intake

# The lending desk among a million volumes: one desk, then 64 at once on PostgreSQL, and what the tables say then.
bench-desk: $(dev-stamp)
	@$(bin)/python -m bench.desk

soak: $(dev-stamp)
	@JUANZONG_SOAK=1 $(bin)/python -m pytest -m soak

# Finds the tests that ask PostgreSQL nothing of their own, which then do it in the soak alone.
postgres-cover: $(dev-stamp)
	@JUANZONG_COVER=1 $(bin)/python -m pytest -m "postgres and not soak"

# Keeps the versions that are locked where pyproject.toml allows them; remove a lock file first to take the newest.
lock: $(dev-stamp)
	@$(bin)/pip-compile $(lock-flags) -o requirements/run.txt pyproject.toml
	@$(bin)/pip-compile $(lock-flags) --extra postgres --extra dev -c requirements/run.txt \
		-o requirements/dev.txt pyproject.toml

# pip comes last into a new .venv: where it is missing, the last attempt was cut off.
$(bin)/pip:
	@[ -n "$(python)" ] || { echo "Juanzong needs Python 3.11 or later, and found none." >&2; exit 1; }
	@$(python) -m venv .venv

.venv/installed-%: | $(bin)/pip
	@echo "Installing the locked libraries into .venv; the first time this can take a minute or two."
	@$(bin)/python -m pip install $(pip-flags) --require-hashes --only-binary :all: \
		-r requirements/$(firstword $(subst -, ,$*)).txt
	@$(bin)/python -m pip install $(pip-flags) --no-deps --no-build-isolation --editable .
	@rm -f .venv/installed-$(firstword $(subst -, ,$*))-*
	@touch $@
