# Everything that is made goes to build/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What tools/deps.sh unpacked for a user without root's rights.
export BOOTSTORM_DEPS := $(CURDIR)/build/deps
export PATH := $(PATH):/usr/sbin:/sbin:$(BOOTSTORM_DEPS)/usr/bin:$(BOOTSTORM_DEPS)/usr/sbin:$(BOOTSTORM_DEPS)/sbin:$(BOOTSTORM_DEPS)/bin

# The version of what is packaged: later commits sort after earlier ones.
VERSION ?= $(shell tools/package/version.sh)
# The tools that package and audit are no dependencies of the project's own.
TOOL := go tool -modfile=tools/tools.mod

.PHONY: help build demo test boot fuzz bench compare compare-proof peers screenshots soak neighbours clean go programs sbom deb package-test audit

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

go:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/"; exit 1; }
	@go version >/dev/null || { echo "The Go that go.mod names cannot be fetched. With the one that is here: GOTOOLCHAIN=local make ..."; exit 1; }

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

boot: build ## a real UEFI machine (QEMU) boots to rEFInd and its disk; ARGS="--machines 4 --reboots 1", or "--compare" with the guide's pair
	@tools/deps.sh boot $(if $(findstring --compare,$(ARGS)),peers)
	@go build -o build/tools/boot ./tools/boot
	@build/tools/boot $(ARGS)

fuzz: go ## every fuzz target for SECONDS_EACH=10 s, and how often each was executed; TARGETS="FuzzCore …" for some
	@tools/fuzz.sh $(or $(SECONDS_EACH),10) $(TARGETS)

bench: go ## Go benchmarks of the hot path
	go test -run '^$$' -bench . -benchtime 1s ./proto/... ./engine/...

soak: go ## the daemon is killed in storms KILLS=200 times; then storms with faults of every kind for HOURS, or SECONDS=1200
	KILLS=$(or $(KILLS),200) go test -count 1 -timeout 60m -v -run TestKills ./tools/crash
	HOURS=$(or $(HOURS),0) SECONDS=$(or $(SECONDS),$(if $(HOURS),0,1200)) go test -count 1 -timeout 0 -v -run TestSoak ./tools/crash

neighbours: go ## NODES=3000 boot while the kernel's ARP table has its default size; nothing else on this machine finds its neighbours meanwhile
	NODES=$(or $(NODES),3000) go test -count 1 -timeout 10m -v -run TestFullTable ./tools/hostile

compare: build ## benchmarks of the hot path against an earlier version; ARGS="HEAD~3"
	@build/bench compare $(ARGS)

compare-proof: go ## that make compare finds a slowdown of 15 %, and none where there is none; on a quiet machine
	COMPARE_PROOF=1 go test -count=1 -timeout 4m -v -run TestInjectedSlowdown ./bench/compare

peers: build ## storms bootstorm and the servers it replaces; writes bench/results and the README's tables, 20 minutes
	@build/bench peers --out bench/results --readme README.md $(ARGS)

screenshots: go ## the pictures of the page in the README, by a real browser
	@tools/deps.sh test
	go test -count 1 -run Screenshots ./tools/page -update

programs: go # the programs as they are packaged, with the Go that go.mod names
	@mkdir -p build/package/bin
	export GOTOOLCHAIN=$$(tools/toolchain.sh) && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/package/bin/bootstorm ./cmd/bootstorm
	@export GOTOOLCHAIN=$$(tools/toolchain.sh 2>/dev/null) && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/package/bin/bootstorm-bench ./cmd/bench

sbom: programs ## what both programs are made of, as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@for p in bootstorm bootstorm-bench; do \
		NO_COLOR=1 $(TOOL) cyclonedx-gomod bin -json -std -licenses -noserial -version '$(VERSION)' \
			-output build/sbom/$$p.cdx.json build/package/bin/$$p 2>build/sbom/log || { cat build/sbom/log; exit 1; }; done
	@ls build/sbom/*.json

deb: sbom ## the Debian package, build/bootstorm_VERSION_ARCH.deb
	@go run ./tools/package
	@rm -f build/bootstorm_*.deb
	@VERSION='$(VERSION)' ARCH=$$(go env GOARCH) $(TOOL) nfpm package -f tools/package/nfpm.yaml -p deb -t build
	@tools/toolchain.sh >/dev/null # where it warns: once more, at the end
	@go version build/package/bin/bootstorm build/package/bin/bootstorm-bench

package-test: deb ## install, upgrade, remove and purge the package in a clean Debian, its systemd running, and boot nodes from it; SUITE=bookworm
	@tools/deps.sh package
	SUITE=$(SUITE) tools/package/cleanroot.sh
	BOOTSTORM_CLEAN_ROOT=$(CURDIR)/build/package/root BOOTSTORM_CLEAN_BASE=$(CURDIR)/build/package/base-$(or $(SUITE),bookworm).tar go test -tags cleanroot -count=1 -timeout 5m -run 'TestNode|TestPackageLives' -v ./tools/package

audit: go ## known vulnerabilities in what both programs call (govulncheck), built with the Go that the package is built with
	@export GOTOOLCHAIN=$$(tools/toolchain.sh) && go run ./tools/audit

clean: ## remove build/
	rm -rf build
