# Needs Go and make. The linter is fetched through Go's module proxy at first use.
STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
BINARIES    = $(notdir $(wildcard cmd/*))
VERSION     = $(shell git describe --tags --always --dirty 2>/dev/null)
# What runs things at once, and so is tested with the race detector too; most of it in
# each run of CI.
RACE        = $(RACE_MOST) ./sources/http ./internal/app/intake ./engine/leases ./engine/tick ./sources ./sources/email ./sources/imap/... ./sources/zoom/socket ./internal/app/feeds ./internal/app/mailboxes ./internal/connections/... ./internal/console/... ./internal/sealed/... ./internal/tokens/... ./internal/zoomapi
RACE_MOST   = ./actions/code/node ./engine/gates ./engine/router ./engine/worker/... ./internal/durable/...

.PHONY: help build test check fmt vet lint floorplan sizes unit race powerloss stock crash pause soak week verify bench benchmarks generate current clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## all programs, into bin/
	CGO_ENABLED=0 go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ $(addprefix ./cmd/,$(BINARIES))

test: check unit race ## everything: check, all tests, the race detector

check: fmt vet lint floorplan sizes ## what needs no test run: format, vet, lint, floor plan, sizes

fmt:
	@files=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); test -z "$$files" || { echo "not formatted (gofmt -w): $$files"; exit 1; }

vet:
	go vet ./...

lint:
	$(STATICCHECK) ./...

floorplan:
	go test ./internal/floorplan

sizes: ## the project's measures beside their targets
	go run ./internal/tools/sizes

unit:
	go test ./...

race: ## the tests of concurrent packages under the race detector (needs a C compiler)
	@if [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null; then \
		echo go test -p 3 -vet=off -race -short $(RACE_FLAGS) '$(RACE)'; go test -p 3 -vet=off -race -short $(RACE_FLAGS) $(RACE); \
	else echo "race: left out, there is no C compiler"; fi

stock: ## the compose file for a nats-server that is not ours, and its kill (1 min)
	go test -count 1 -timeout 5m -v -run TestStockServer ./internal/e2e/compose -stock

powerloss: ## servers booted on 200 images of a disk after a power failure (2 min)
	go test -count 1 -timeout 15m -v -run 'TestPowerLoss' ./internal/durable -powerloss.images 200

crash: ## workers and broker killed at random points during 2,000 runs (2 min; other points: SEED=7)
	go test -count 1 -timeout 10m -v -run 'TestKill$$' ./internal/e2e -kill.full -kill.seed $(or $(SEED),1)

pause: ## a worker stopped, the broker stopped, killed and started again, for 1 to 40 s under load (1 min)
	go test -count 1 -timeout 10m -v -run 'TestPause$$' ./internal/e2e -pause.full

soak: ## 60 workflows deployed, changed and pruned during 100 restarts of the broker and 50 of workers (4 min; SEED=7)
	go test -count 1 -timeout 15m -v -run 'TestSoak$$' ./internal/e2e -soak.full -soak.seed $(or $(SEED),1)

week: ## ten thousand events over a virtual week, many lost, late or doubled, and reconciled (1 min)
	go test -count 1 -timeout 10m -v -run 'TestAWeek$$' ./sources/zoom/reconcile -week.full

verify: ## the tests of all example workflows with a crash at every point (some minutes)
	go run ./cmd/zflow verify examples/workflows

bench: ## speed and memory, beside what bounds them (docs/benchmarks.md)
	go run ./cmd/zflow bench

benchmarks: ## of each hot path
	go test -run '^$$' -bench . -benchmem ./...

generate: ## write the generated files anew
	go generate ./...

current: generate # fails where a generated file was not
	@changed=$$(git status --porcelain --untracked-files=all); test -z "$$changed" || { echo "make generate changed files, or some are not committed:"; echo "$$changed"; exit 1; }

clean: ## remove what build made
	rm -rf bin
