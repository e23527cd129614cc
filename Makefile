# What people type. Everything that these need beyond Go, make and git is
# installed by the scripts when it is missing (Debian, as root).

GO      ?= go
FUZZTIME ?= 10s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The toolchain of this machine, never one that is fetched.
export GOTOOLCHAIN = local

.PHONY: help build run test lint fuzz bench interop tables clean

help: ## say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 16

build: ## build bin/rollcall
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/rollcall ./cmd/rollcall

run: build ## start a server with three demonstration accounts, on this machine only
	./bin/rollcall serve --demo

test: ## unit tests and conversations, with the race detector, on SQLite and PostgreSQL and with OpenLDAP
	@./scripts/test.sh

lint: ## gofmt, vet, staticcheck, govulncheck, and whether the README tells the truth
	@./scripts/lint.sh

fuzz: ## each fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) ./scripts/fuzz.sh

bench: ## Go benchmarks, and the comparison with other servers where they are at hand
	@./bench/run.sh

interop: build ## real clients against the built program
	@./interop/run.sh

tables: build ## print the table of features into the README
	@./scripts/tables.sh write

clean: ## remove what was built
	rm -rf bin
