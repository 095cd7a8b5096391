# The commands of this project. Each is one line here and a script or a cargo call behind it; `make help` lists them.
# All Rust is built in profile `ci` into one target folder, so that the dependencies are compiled once for everything.

.DEFAULT_GOAL := help
.PHONY: help demo demo-down demo-kill demo-start clean-demo dev test verify fix tidy ui build image sim old-bugs e2e chaos soak bench pack fuzz reference storage disks picture

CARGO_TEST := cargo test --profile ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## three servers and three agents run jobspecs/basket.hcl in Docker (PORTS=+1000 shifts every port)
	@scripts/demo.sh

demo-down: ## stop the demo; remove its containers and its data
	@scripts/demo-down.sh

demo-kill: ## NODE=n2: kill an agent by -9, then its containers (NODE=s1: a server)
	@scripts/demo-kill.sh "$(NODE)"

demo-start: ## NODE=n2: start it again
	@scripts/demo-start.sh "$(NODE)"

clean-demo: demo-down ## demo-down, and remove the demo image from Docker
	@docker image rm -f basket:demo 2>/dev/null || true

dev: build ## one process with a server and an agent on loopback, for trying things out
	@./sched agent --dev

test: ## install what is missing, then every check and every test
	@scripts/test.sh

e2e: ## only the end-to-end tests: real processes, real Docker, a real browser
	@scripts/test.sh e2e

verify: ## the quick checks, which change nothing: format, clippy, docs, tidy
	cargo fmt --all -- --check
	cargo clippy --profile ci --workspace --all-targets -- -D warnings
	scripts/docs.sh
	$(CARGO_TEST) --workspace --test all tidy::

fix: ## let rustfmt and clippy repair what they can
	cargo fmt --all
	cargo clippy --profile ci --workspace --all-targets --fix --allow-dirty --allow-staged

tidy: ## only the house rules
	$(CARGO_TEST) --workspace --test all tidy::

ui: ## build the web UI
	@scripts/ui.sh

build: ## build the binary, linked as ./sched
	@scripts/build.sh

image: ## build the demo service and load it into Docker as basket:demo
	@scripts/image.sh

sim: ## the seeded simulation (SEED=42: that seed only, WITHOUT=3,7: without those events; SEEDS=1..500: a sweep)
	SEED=$(SEED) SEEDS=$(SEEDS) WITHOUT=$(WITHOUT) $(CARGO_TEST) --workspace --test all simulation:: -- --nocapture

chaos: build ## kill, pause, part and replace servers under load (CHAOS_NEMESES=all, CHAOS_SECONDS=60, LEADER_KILLS=50)
	$(CARGO_TEST) --workspace --test all chaos:: -- --nocapture

soak: ## the long forms of all bars in RELIABILITY.md (HOURS=4; PARTS="chaos leaders": some of them)
	@PARTS="$(or $(PARTS),all)" scripts/soak.sh

old-bugs: ## put old bugs back one at a time; the simulation must find each (BUG=3: only that one)
	BUG=$(BUG) $(CARGO_TEST) --workspace --features tests/old-bugs --test all old_bugs:: -- --nocapture

bench: ## measure the release build and keep the table in BENCHMARKS.md (BENCH_QUICK=1: only see that it works)
	@scripts/bench.sh

pack: ## measure how tightly published sets are packed, and keep the table in BENCHMARKS.md (DATA=folder: where they lie)
	@DATA="$(DATA)" scripts/bench.sh pack

fuzz: ## feed mutated jobspecs to the parser (SECONDS=600: for so long)
	@scripts/fuzz.sh $(or $(SECONDS),600)

reference: ## hold the scheduler against its slow, simple reference (OPERATIONS=1000000, SEED=1)
	REFERENCE_OPERATIONS=$(or $(OPERATIONS),1000000) REFERENCE_SEED=$(or $(SEED),1) $(CARGO_TEST) --workspace --test reference -- --nocapture

storage: ## crash, cut and damage log and snapshots: R10, R12, R13 (POWER_SEEDS=60 POWER_CLUSTERS=1000 ROT_DAMAGES=20000)
	$(CARGO_TEST) --workspace --lib raft:: -- --nocapture

disks: build ## make the disks of real servers fail, wait and fill up: R14, R15 (FSYNC_FAULTS=200 for more of it)
	$(CARGO_TEST) --workspace --test all end_to_end::storage -- --nocapture

picture: ## take the picture in README from the last browser test
	mkdir -p docs && cp target/screenshots/overview.png docs/ui.png
