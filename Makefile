# Everything that is made goes to build/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What tools/deps.sh unpacked for a user without root's rights.
export BOOTSTORM_DEPS := $(CURDIR)/build/deps
export PATH := $(PATH):/usr/sbin:/sbin:$(BOOTSTORM_DEPS)/usr/bin:$(BOOTSTORM_DEPS)/usr/sbin:$(BOOTSTORM_DEPS)/sbin:$(BOOTSTORM_DEPS)/bin

.PHONY: help build demo test boot fuzz bench compare peers soak clean go

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

go:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/"; exit 1; }

build: go ## build/bootstorm and build/bench, static
	@mkdir -p build
	CGO_ENABLED=0 go build -trimpath -o build/ ./cmd/bootstorm ./cmd/bench

demo: build ## simulated nodes boot the guide's way, with progress and a result table
	@tools/deps.sh demo
	@go build -o build/tools/demo ./tools/demo
	@build/tools/demo $(ARGS)

test: build ## all tests, in private network namespaces; real clients among them
	@tools/deps.sh test
	go test -timeout 10m ./... $(ARGS)

boot: build ## a real UEFI machine (QEMU) boots to rEFInd and its disk; ARGS="--machines 4 --reboots 1"
	@tools/deps.sh boot
	@go build -o build/tools/boot ./tools/boot
	@build/tools/boot $(ARGS)

fuzz: go ## every fuzz target for SECONDS_EACH=10 s
	@tools/fuzz.sh $(or $(SECONDS_EACH),10)

bench: go ## Go benchmarks of the hot path
	go test -run '^$$' -bench . -benchtime 1s ./proto/... ./engine/...

soak: go ## the daemon is killed in storms KILLS=200 times, and nothing acknowledged is lost
	KILLS=$(or $(KILLS),200) go test -count 1 -timeout 60m -v -run TestKills ./tools/crash

compare: build ## benchmarks of the hot path against an earlier version; ARGS="HEAD~3"
	@build/bench compare $(ARGS)

peers: build ## storms bootstorm and the servers it replaces; writes bench/results and the README's tables, 15 minutes
	@build/bench peers --out bench/results --readme README.md $(ARGS)

clean: ## remove build/
	rm -rf build
