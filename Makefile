# What developers and CI run; `make help` lists it. Everything needs Go and gcc only:
# what else a target wants (a PostgreSQL, a linter), it fetches from the registries.
GO ?= go
PG_MAJORS ?= 13 14 15 16 17 18
EXAMPLE := examples/casino

# The modules of this repository that have code: each has to be asked by itself.
MODULES := . $(EXAMPLE)

# Programs and libraries that read planvet's outputs back, in tests only.
CONSUMERS := internal/report/consumers

# golangci-lint with planvet in it, for a test.
PLUGIN := tools/golangci-planvet

GORELEASER := $(GO) tool -modfile=tools/goreleaser/go.mod goreleaser

.DEFAULT_GOAL := help
.PHONY: help build quick check purego test test-all gate-live gate-traces fidelity lint bench overhead versus demo generate release-check rls-guide pictures new-rule

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-13s %s\n", $$1, $$2}'

build: ## write bin/planvet
	$(GO) build -o bin/planvet ./cmd/planvet

quick: ## format, vet and unit tests, in under a minute when warm; no server is started
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | grep -v /testdata/ | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(GO) test -short ./...) || exit 1; done

check: quick lint ## what a pull request must pass: quick, lint, the plugin in golangci-lint, import rules, fresh documents, the example
	cd $(PLUGIN) && $(GO) vet ./... && $(GO) test ./...
	$(GO) test . ./cmd/planvet
	CGO_ENABLED=0 $(GO) build ./... && CGO_ENABLED=0 $(GO) test ./internal/pgast/...

purego: ## build and test without cgo, for this platform; build the program for others
	CGO_ENABLED=0 $(GO) vet ./... && CGO_ENABLED=0 $(GO) test -timeout 20m ./...
	@for p in linux/arm64 darwin/arm64 freebsd/amd64; do \
		echo "build for $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/planvet || exit 1; \
	done

test: ## all tests, with real servers; CI runs this
	$(GO) test -timeout 20m ./...
	cd $(CONSUMERS) && $(GO) test -timeout 20m ./...

test-all: ## all tests on every supported PostgreSQL, the hook that pre-commit builds, and the gate's live examination
	@for v in $(PG_MAJORS); do \
		echo "PostgreSQL $$v"; PLANVET_TEST_PG_MAJOR=$$v $(GO) test -timeout 20m ./... || exit 1; \
	done
	cd $(CONSUMERS) && PLANVET_TEST_PRE_COMMIT_BUILD=1 $(GO) test -count 1 -timeout 30m -run TestPreCommit .
	$(MAKE) purego
	$(MAKE) gate-live

gate-live: ## 60 live gates under noise, of versions that are and are not slower: at most 20 minutes
	PLANVET_GATE_LIVE=1 $(GO) test -count 1 -timeout 25m -run TestLiveGates -v ./internal/bench/selftest

gate-traces: ## record anew the traces that the gate is examined on, in half an hour
	$(GO) run ./internal/bench/selftest/record -epochs 20 -o internal/bench/selftest/testdata

fidelity: ## write docs/fidelity.md: how well an empty database plans, on every supported PostgreSQL
	@for v in $(PG_MAJORS); do \
		UPDATE=1 PLANVET_TEST_PG_MAJOR=$$v $(GO) test -count 1 -run TestPlansLikeTheOriginal ./internal/shadow || exit 1; \
	done

lint: ## golangci-lint, at the version of tools/golangci-lint
	@for m in $(MODULES) $(CONSUMERS); do (cd $$m && $(GO) tool -modfile=$(CURDIR)/tools/golangci-lint/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || exit 1; done

bench: ## run the Go benchmarks and summarise them; BASE=old.out compares
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./... | tee bin/bench.out
	$(GO) tool -modfile=tools/benchstat/go.mod benchstat $(BASE) bin/bench.out

overhead: build ## measure what watching 5,000 statements costs the server and planvet
	PLANVET_OVERHEAD=$(CURDIR)/bin/planvet $(GO) test ./cmd/planvet -count=1 -run TestOverhead -v

versus: ## hold the load of planvet bench against pgbench and vegeta, as docs/bench.md shows
	$(GO) run ./internal/bench/versus

demo: build ## check the example, prove its faults on a throwaway PostgreSQL, and run its flows on another
	@bin/planvet check $(EXAMPLE) --confirm shadow; code=$$?; \
	if [ $$code -ne 1 ]; then echo "make demo: planvet ended with $$code; the example's faults should give 1"; exit 1; fi
	cd $(EXAMPLE) && $(CURDIR)/bin/planvet bench --suite e2e --iterations 60

generate: ## rewrite golden files and generated documents
	UPDATE=1 $(GO) test ./rules/... ./cmd/planvet .

release-check: ## check .goreleaser.yaml and pack this machine's platform as a release would, into dist/; nothing is published
	tools/release/build 0.0.0-check
	$(GORELEASER) check
	PLANVET_TARGETS="$$($(GO) env GOOS)_$$($(GO) env GOARCH);" $(GORELEASER) release --snapshot --clean
	cd dist && sha256sum -c checksums.txt

rls-guide: ## run Supabase's guide to row security and write its table into docs/rls.md
	UPDATE=1 $(GO) test -count=1 ./internal/rlsguide

pictures: ## draw the pictures of README.md into docs/pictures
	PLANVET_PICTURES=$(CURDIR)/docs/pictures $(GO) test -count 1 -run TestPictures ./cmd/planvet

new-rule: ## scaffold a rule: make new-rule NAME=unindexed-thing PKG=sqllint
	$(GO) run ./internal/newrule -name '$(NAME)' -pkg '$(PKG)'
