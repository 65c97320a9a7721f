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
.PHONY: tools cloud-tools cloud cloud-down cloud-test
tools: ## Build the pinned tools (tofu, the control plane, moto, cargo-nextest, ...); incremental
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build

# As much of them as the local cloud needs: nobody waits for cargo-deny before a demo.
cloud-tools:
	@GITLABSPOT_TOOLS_DIR=$(TOOLS) acceptance-tests/tools/build cloud

cloud: cloud-tools ## Start the local cloud in the background and print its environment
	@$(RUN_CLOUD) up --dir $(CLOUD)

cloud-down: ## Stop everything that `make cloud` started
	@if [ -x $(PYTHON) ]; then $(RUN_CLOUD) down --dir $(CLOUD); fi

cloud-test: cloud-tools ## The tests of the local cloud itself
	@cd acceptance-tests && $(PYTHON) -m unittest discover -t . -s cloud/tests
