.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Several work trees can share the tools: set GITLABSPOT_TOOLS_DIR to one directory.
TOOLS := $(abspath $(or $(GITLABSPOT_TOOLS_DIR),.tools))
CLOUD := $(abspath $(or $(CLOUD),.cloud))
PYTHON := $(TOOLS)/venv/bin/python
RUN_CLOUD := cd acceptance-tests && GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) -m cloud

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Tools and local cloud --------------------------------------------------------------------
.PHONY: tools cloud-tools check-tools cloud cloud-down cloud-test
tools: ## Build the pinned tools (tofu, the control plane, moto, cargo-nextest, ...); incremental
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build

# Only the tools that the local cloud needs. A demo does not wait for the build of cargo-deny, for example.
cloud-tools:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build cloud

# Only the tools that `check` needs, without the control plane and the node.
check-tools:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build check test

cloud: cloud-tools ## Start the local cloud in the background and print its environment
	@$(RUN_CLOUD) up --dir $(CLOUD)

cloud-down: ## Stop everything that `make cloud` started
	@if [ -x $(PYTHON) ]; then $(RUN_CLOUD) down --dir $(CLOUD); fi

cloud-test: cloud-tools ## Run the tests of the local cloud
	@cd acceptance-tests && $(PYTHON) -m unittest discover -t . -s cloud/tests

# --- Demo, tests and checks -------------------------------------------------------------------
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
RUN_DEMO := cd acceptance-tests && GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) -m demo
# cargo-deny and cargo-nextest of `make tools` take precedence over those on PATH.
CARGO := PATH="$(TOOLS)/bin:$$PATH" cargo

.PHONY: demo demo-down unit lint test check advisories docs bench
# Builds the whole workspace, as all targets do: Cargo enables other features of dependencies for a part of it, and would
# build the AWS crates again, which takes ten minutes.
demo: cloud-tools ## Apply and destroy examples/complete on a local cloud; KEEP=1 leaves it running
	cargo build --quiet --workspace --all-targets
	@$(RUN_DEMO) up --dir $(CURDIR)/.demo --provider $(TARGET)/debug/terraform-provider-gitlabspot

demo-down: ## Destroy and stop what `KEEP=1 make demo` left running
	@if [ -x $(PYTHON) ]; then $(RUN_DEMO) down --dir $(CURDIR)/.demo; fi

# Selects the whole workspace, so that no crate is built twice. The test target of the acceptance tests is not named `it`.
unit: ## Run the unit and protocol tests; needs no tools and no cloud
	cargo test --quiet --workspace --lib --bins --test it --test generated_code_is_current

lint: ## Check format and clippy; needs no tools
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- --deny warnings

test: tools ## Run unit, protocol and acceptance tests on a separate local cloud; ARGS is passed to nextest
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) $(PYTHON) acceptance-tests/run $(ARGS)

check: check-tools lint ## Check format, clippy, licences, bans, and that generated code and docs pages are current
	$(TOOLS)/bin/tofu fmt -check -recursive -diff examples acceptance-tests/testdata
	$(CARGO) deny --config .deny.toml --workspace --log-level error check licenses bans sources
	$(CARGO) nextest run --workspace --cargo-quiet --config-file .config/nextest.toml --filterset 'test(/(is|are)_current/)'

advisories: check-tools ## Check dependencies for known vulnerabilities; needs the network for the RustSec database
	$(CARGO) deny --config .deny.toml --workspace --log-level error check advisories

docs: check-tools ## Regenerate the docs pages, the schema snapshot and the generated code
	UPDATE_DOCS=1 UPDATE_SNAPSHOTS=1 UPDATE_GENERATED=1 $(CARGO) nextest run --workspace --cargo-quiet --config-file .config/nextest.toml --filterset 'test(/(is|are)_current/)'

# Calls are counted with the debug build, whose waits can be shortened. Start and plans are measured with the release build.
BENCH := $(CARGO) bench --quiet --profile dev --workspace --bench figures --
bench: tools ## Measure AWS calls, start, and plans of many node groups; fails if a budget is exceeded
	cargo build --quiet --workspace --bins
	@$(RELEASE) build --out $(BINARIES) $(NATIVE)
	@$(RUN_CLOUD) up --dir $(TARGET)/bench/.cloud >/dev/null
	@trap 'cd $(CURDIR) && $(RUN_CLOUD) down --dir $(TARGET)/bench/.cloud' EXIT; \
	export GITLABSPOT_CLOUD=$(TARGET)/bench/.cloud/cloud.json; \
	$(BENCH) calls; calls=$$?; \
	GITLABSPOT_PROVIDER=$(BINARIES)/$(NATIVE)/terraform-provider-gitlabspot $(BENCH) start plans && [ $$calls = 0 ]

# --- Release ----------------------------------------------------------------------------------
# TARGETS, for example `linux_amd64 windows_amd64`, defaults to all targets that can be linked on this system.
DIST := $(TARGET)/release-files
BINARIES := $(TARGET)/release-binaries
NATIVE := $(shell uname -s | tr A-Z a-z)_$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)
RELEASE := cd provider && GITLABSPOT_TOOLS_DIR=$(TOOLS) PYTHONDONTWRITEBYTECODE=1 python3 -m release

.PHONY: dist dist-binaries dist-package dist-check dist-publish
dist: dist-binaries dist-package ## Build and start all binaries, and write the files of a release; TARGETS selects systems

dist-binaries:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build dist
	@$(RELEASE) build --out $(BINARIES) $(TARGETS)
	@$(RELEASE) start $(BINARIES)

dist-package: ## Write archives, checksums, signature (GPG_PRIVATE_KEY), manifest and SBOM of the binaries of `dist-binaries`
	@$(RELEASE) package --out $(DIST) --binaries $(BINARIES)

dist-check: ## Check that tag, version and changelog agree; TAG is, for example, v0.1.0
	@$(RELEASE) check-version $(if $(TAG),--tag $(TAG))

dist-publish: dist-check
	@$(RELEASE) notes > $(TARGET)/release-notes.md
	gh release create $(TAG) --verify-tag --title $(TAG) --notes-file $(TARGET)/release-notes.md $(DIST)/*
