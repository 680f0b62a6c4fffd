# Each target means one thing; "make help" lists them. What is built and worth
# keeping goes to $(CACHE), outside of the checkout.

# Arguments of some targets.
TESTFLAGS ?=
ARGS ?=
BENCH ?= .
FUZZTIME ?= 15s

.DEFAULT_GOAL := help
export GOWORK := off

CACHE := $(or $(STRATA_CACHE),$(XDG_CACHE_HOME),$(HOME)/.cache)/strata

# The modules that users import or read, the main one last. The control plane is
# not among them: it is compiled as its build script does it, or all of Kubernetes
# would be compiled once more. That has no race detector.
MODULES := $(sort $(patsubst ./%/go.mod,%,$(shell find . -mindepth 2 -name go.mod ! -path './internal/controlplane/*' ! -path '*/testdata/*'))) .
each = @failed=; for module in $(MODULES); do (set -x; cd "$$module" && $(1)) || failed="$$failed $$module"; done; \
	test -z "$$failed" || { echo "this failed in:$$failed"; exit 1; }
CONTROLPLANE := cd internal/controlplane && CGO_ENABLED=0 GOFLAGS='-mod=readonly -trimpath -buildvcs=false'

LINT_VERSION := v2.15.0
# These look into all dependencies, and with Kubernetes among them take 10 GB of memory.
LINT_TOO_DEEP := contextcheck,exhaustive,govet,staticcheck
LINT := $(CACHE)/bin/golangci-lint-$(LINT_VERSION)-$(firstword $(shell go env GOVERSION))/golangci-lint

# help: this list
.PHONY: help
help:
	@sed -n 's/^# \([a-z][a-z0-9-]*\): /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-14s %s\n' "$$name" "$$text"; done

# quickstart: the whole life of a stack on a control plane of its own; ARGS='-kubeconfig FILE' takes your cluster
.PHONY: quickstart
quickstart: controlplane
	@cd examples && go run ./quickstart $(ARGS)

# test: every test of every module, with the race detector, on the real control plane
.PHONY: test
test: controlplane
	$(CONTROLPLANE) go test $(TESTFLAGS) ./...
	$(call each,go test -race -timeout 30m $(TESTFLAGS) ./...)

# unit: the tests that need no control plane and no network
.PHONY: unit
unit:
	$(call each,go test -short $(TESTFLAGS) ./...)

# e2e: the tests of the packages that boot the control plane
.PHONY: e2e
e2e: controlplane
	$(call each,packages=$$(go list -f '{{.ImportPath}} {{.Imports}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/reconcile\/reconciletest/ { print $$1 }') \
		&& { test -z "$$packages" || go test -race -timeout 30m $(TESTFLAGS) $$packages; })

# bench: the engine against baselines on the control plane, and the benchmarks of packages that BENCH matches
.PHONY: bench
bench: controlplane
	cd internal/bench && go run .
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m ./...

# fuzz: every fuzz target for FUZZTIME (15s)
.PHONY: fuzz
fuzz:
	@go list -f '{{range .TestGoFiles}}{{$$.Dir}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$$.Dir}}/{{.}} {{end}}' ./... | \
		xargs grep -Ho '^func Fuzz[A-Za-z0-9_]*' | while IFS=: read -r file target; do \
		dir=$${file%/*} name=$${target#func }; \
		echo "fuzz: $$name in $${dir#$(CURDIR)/}"; \
		(cd "$$dir" && go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x . </dev/null) || exit 1; \
	done

# generate: what is made from the sources; "make check" finds out if that was forgotten
.PHONY: generate
generate:
	$(call each,go generate ./...)

# check: everything that can be said without running the tests
.PHONY: check
check: format vet lint tidy structure generated

# format: gofmt -s would change nothing
.PHONY: format
format:
	@files=$$(gofmt -s -l .) && if [ -n "$$files" ]; then \
		echo "not formatted; run gofmt -s -w on these:"; echo "$$files"; exit 1; fi

# vet: go vet of every module
.PHONY: vet
vet: controlplane
	$(CONTROLPLANE) go vet ./...
	$(call each,go vet ./...)

# lint: golangci-lint of every module, see .golangci.yml
.PHONY: lint
lint: $(LINT) controlplane
	$(LINT) config verify
	$(call each,$(LINT) run --allow-parallel-runners)
	$(CONTROLPLANE) $(LINT) run --allow-parallel-runners --disable $(LINT_TOO_DEEP)

$(LINT):
	@echo "building golangci-lint $(LINT_VERSION); this takes minutes, once"
	@CGO_ENABLED=0 GOFLAGS=-trimpath GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

# tidy: go mod tidy would change nothing
.PHONY: tidy
tidy:
	$(CONTROLPLANE) go mod tidy -diff
	$(call each,go mod tidy -diff)

# structure: the direction of imports, dependency budgets, sizes of files and functions
.PHONY: structure
structure:
	go test ./internal/structure

# generated: make generate would change nothing
.PHONY: generated
generated:
	@state() { git diff; git ls-files --others --exclude-standard | while read -r file; do git hash-object "$$file"; done; }; \
	before=$$(state) && $(MAKE) --no-print-directory generate && after=$$(state) && if [ "$$before" != "$$after" ]; then \
		echo "make generate has changed files: look at git status, and commit them"; exit 1; fi

# controlplane: the binary of the test control plane, built once for all checkouts
.PHONY: controlplane
controlplane:
	@internal/controlplane/build.sh >/dev/null
