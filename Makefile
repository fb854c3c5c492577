# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ifdef CI
# Builds outlive a clone: CI starts from a fresh one each time.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/antiphon/target
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run test setup web build bench lint format screenshots

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: build ## Install what is missing, build, start the engine and print its address
	@exec $(TARGET)/release/antiphon serve

test: ## Install what is missing and run every check
	@scripts/test.sh

setup: ## Install the Debian packages that the engine needs
	@scripts/setup.sh run

web: setup ## Build the page
	@scripts/web.sh

build: web ## Build the release binary
	@cargo build --release --quiet --package antiphon

bench: setup ## Print the figures of docs/quality.md and docs/performance.md (minutes)
	@scripts/bench.sh

lint: ## Formatting and clippy
	@cargo fmt --check && cargo clippy --workspace --all-targets --quiet -- -D warnings

format: ## Format the Rust sources
	@cargo fmt
