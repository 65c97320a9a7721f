.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The tools may be shared by several work trees: point GITLABSPOT_TOOLS_DIR at one folder.
TOOLS := $(abspath $(or $(GITLABSPOT_TOOLS_DIR),.tools))
CLOUD := $(abspath $(or $(CLOUD),.cloud))
PYTHON := $(TOOLS)/venv/bin/python
RUN_CLOUD := cd acceptance-tests && GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) -m cloud

.PHONY: help
help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the tools and the local cloud ------------------------------------------------------------
.PHONY: tools cloud-tools check-tools cloud cloud-down cloud-test
tools: ## Build the pinned tools (tofu, the control plane, moto, cargo-nextest, ...); incremental
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build

# As much of them as the local cloud needs: nobody waits for cargo-deny before a demo.
cloud-tools:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build cloud

# What `check` needs: no control plane and no node.
check-tools:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build check test

cloud: cloud-tools ## Start the local cloud in the background and print its environment
	@$(RUN_CLOUD) up --dir $(CLOUD)

cloud-down: ## Stop everything that `make cloud` started
	@if [ -x $(PYTHON) ]; then $(RUN_CLOUD) down --dir $(CLOUD); fi

cloud-test: cloud-tools ## The tests of the local cloud itself
	@cd acceptance-tests && $(PYTHON) -m unittest discover -t . -s cloud/tests

# --- seeing it, testing it, checking it -------------------------------------------------------
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
RUN_DEMO := cd acceptance-tests && GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) -m demo
# The newest cargo-deny and cargo-nextest that `make tools` built, and nobody else's.
CARGO := PATH="$(TOOLS)/bin:$$PATH" cargo

.PHONY: demo demo-down unit lint test check advisories docs bench
# The whole workspace, as everything here is built: with a part of it the crates below have other features, and those
# of AWS would be built twice, ten minutes each time.
demo: cloud-tools ## The whole guide on a local cloud, from nothing to nothing; KEEP=1 leaves it running
	cargo build --quiet --workspace --all-targets
	@$(RUN_DEMO) up --dir $(CURDIR)/.demo --provider $(TARGET)/debug/terraform-provider-gitlabspot

demo-down: ## Destroy and stop what `KEEP=1 make demo` left running
	@if [ -x $(PYTHON) ]; then $(RUN_DEMO) down --dir $(CURDIR)/.demo; fi

# The whole workspace is selected, as everywhere here, so that no crate is built twice; the acceptance tests are no `it`.
unit: ## Unit and protocol tests; needs no tools and no cloud
	cargo test --quiet --workspace --lib --bins --test it --test generated_code_is_current

lint: ## Format and clippy; needs no tools
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings

test: tools ## Unit, protocol and acceptance tests, on a local cloud of their own; ARGS goes to nextest
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) acceptance-tests/run $(ARGS)

check: check-tools lint ## Format, clippy, licences and bans; generated code and docs pages are current
	$(TOOLS)/bin/tofu fmt -check -recursive -diff examples acceptance-tests/testdata
	$(CARGO) deny --config .deny.toml --workspace --log-level error check licenses bans sources
	$(CARGO) nextest run --workspace --cargo-quiet --config-file .config/nextest.toml --filterset 'test(/(is|are)_current/)'

advisories: check-tools ## Known vulnerabilities of dependencies; needs the network, for the database of RustSec
	$(CARGO) deny --config .deny.toml --workspace --log-level error check advisories

docs: check-tools ## Write the docs pages, the schema snapshot and the generated code anew
	UPDATE_DOCS=1 UPDATE_SNAPSHOTS=1 UPDATE_GENERATED=1 $(CARGO) nextest run --workspace --cargo-quiet --config-file .config/nextest.toml --filterset 'test(/(is|are)_current/)'

# Calls are counted with the build that tests use, whose waits can be sped up; start and plans with what is shipped.
BENCH := $(CARGO) bench --quiet --profile dev --workspace --bench figures --
bench: tools ## Figures: calls of AWS, start, plans of many node groups; ends with 1 when a budget is exceeded
	cargo build --quiet --workspace --bins
	@$(RELEASE) build --out $(BINARIES) $(NATIVE)
	@$(RUN_CLOUD) up --dir $(TARGET)/bench/.cloud >/dev/null
	@trap 'cd $(CURDIR) && $(RUN_CLOUD) down --dir $(TARGET)/bench/.cloud' EXIT; \
	export GITLABSPOT_CLOUD=$(TARGET)/bench/.cloud/cloud.json; \
	$(BENCH) calls; calls=$$?; \
	GITLABSPOT_PROVIDER=$(BINARIES)/$(NATIVE)/terraform-provider-gitlabspot $(BENCH) start plans && [ $$calls = 0 ]

# --- a release --------------------------------------------------------------------------------
# TARGETS: for instance `linux_amd64 windows_amd64`; by default all that can be linked on this system.
DIST := $(TARGET)/release-files
BINARIES := $(TARGET)/release-binaries
NATIVE := $(shell uname -s | tr A-Z a-z)_$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)
RELEASE := cd provider && GITLABSPOT_TOOLS_DIR=$(TOOLS) PYTHONDONTWRITEBYTECODE=1 python3 -m release

.PHONY: dist dist-binaries dist-package dist-check dist-publish
dist: dist-binaries dist-package ## Binaries of all systems, started, and the files of a release; TARGETS selects

dist-binaries:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build dist
	@$(RELEASE) build --out $(BINARIES) $(TARGETS)
	@$(RELEASE) start $(BINARIES)

dist-package: ## Zip archives, checksums, signature (GPG_PRIVATE_KEY), manifest and SBOM of what `dist-binaries` made
	@$(RELEASE) package --out $(DIST) --binaries $(BINARIES)

dist-check: ## Tag, version and changelog agree; TAG is for instance v0.1.0
	@$(RELEASE) check-version $(if $(TAG),--tag $(TAG))

dist-publish: dist-check
	@$(RELEASE) notes > $(TARGET)/release-notes.md
	gh release create $(TAG) --verify-tag --title $(TAG) --notes-file $(TARGET)/release-notes.md $(DIST)/*
