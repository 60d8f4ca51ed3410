# Dropline. `make demo` shows it, `make test` tests it, `make lint` lints it, `make bench` measures it.
# Each target installs what it lacks: Debian packages by name (with sudo unless root), Go tools by pinned version.

SHELL := /bin/bash
GO ?= go
GOLANGCI_LINT_VERSION := v2.15.0
BIN := $(CURDIR)/build/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.PHONY: help build demo test lint bench bench-full deps deps-test deps-bench clean

help:
	@sed -n 's/^## //p' Makefile

## make build        build/dropline
build:
	$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o build/dropline ./cmd/dropline

## make demo         install PostgreSQL and the OpenSSH client if missing, build, and show everything once
##                   (DATA=dir MAPPING=file: with your own files)
demo: deps build
	build/dropline demo $(if $(DATA),--data '$(DATA)') $(if $(MAPPING),--mapping '$(MAPPING)')

## make test         install PostgreSQL and the SFTP clients if missing, and run every test
test: deps-test
	$(GO) test -timeout 12m ./...

## make lint         the linters, the import rules among them
lint: $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)
	$(GO) vet ./...
	$< run ./...

## make bench        ratios to yardsticks measured in the same run (ONLY=name: one of them); build/bench.json
bench: deps-bench build
	$(GO) run ./internal/bench $(if $(ONLY),-only '$(ONLY)')

## make bench-full   the same, larger and more often
bench-full: deps-bench build
	$(GO) run ./internal/bench -full $(if $(ONLY),-only '$(ONLY)')

deps:
	@deploy/deps.sh demo
deps-test:
	@deploy/deps.sh test
deps-bench:
	@deploy/deps.sh bench

$(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(BIN)/golangci-lint $@

## make clean        remove what was built
clean:
	rm -rf build
