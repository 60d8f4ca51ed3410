# Dropline. `make demo` shows it, `make test` tests it, `make lint` lints it, `make bench` measures it.
# Each target installs what it lacks: Debian packages by name (with sudo unless root), Go tools by pinned version.

SHELL := /bin/bash
GO ?= go
GOLANGCI_LINT_VERSION := v2.15.0
BIN := $(CURDIR)/build/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.PHONY: help build clients demo test lint bench bench-full deps deps-test deps-bench clean

help:
	@sed -n 's/^## //p' Makefile

## make build        build/dropline
build:
	$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o build/dropline ./cmd/dropline

# What a client runs, by the system and processor of its machine.
CLIENTS := windows-amd64 windows-arm64 darwin-arm64 darwin-amd64 linux-arm64

## make clients      the program for clients' machines: build/dropline-windows-amd64.exe and so on (CLIENTS=…: some of them)
clients: $(addprefix client-,$(CLIENTS))

client-%:
	@mkdir -p build
	CGO_ENABLED=0 GOOS=$(word 1,$(subst -, ,$*)) GOARCH=$(word 2,$(subst -, ,$*)) $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' \
	  -o build/dropline-$*$(if $(findstring windows,$*),.exe) ./cmd/dropline

## make demo         install PostgreSQL and the OpenSSH client if missing, build, and show everything once
##                   (DATA=dir MAPPING=file: with your own files)
demo: deps build
	build/dropline demo $(if $(DATA),--data '$(DATA)') $(if $(MAPPING),--mapping '$(MAPPING)')

## make test         install PostgreSQL and the SFTP clients if missing, and run every test
test: deps-test
	$(GO) test -timeout 20m ./...

## make lint         the linters, the import rules among them; and the program as it is on Windows and macOS
lint: $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION) lint-clients
	$(GO) vet ./...
	$< run ./...

# Most tests need a server, and so Linux: they are left out. What only a server uses may be unused.
OWN_PACKAGES := {{with .Module}}{{if .Main}}{{$$.Dir}}{{end}}{{end}}
.PHONY: lint-clients
lint-clients: export CGO_ENABLED = 0
lint-clients: $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)
	GOOS=darwin $(GO) build -o /dev/null ./cmd/dropline
	GOOS=darwin $(GO) vet ./cmd/dropline ./internal/push
	GOOS=windows $(GO) build -o /dev/null ./cmd/dropline
	GOOS=windows $(GO) vet ./cmd/dropline ./internal/push
	packages=$$(GOOS=windows $(GO) list -deps -f '$(OWN_PACKAGES)' ./cmd/dropline) && GOOS=windows $< run --tests=false --disable unused $$packages

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
