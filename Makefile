# The commands of this repository; README.md says what they show.
#   make demo           see it work
#   make run ARGS="…"   the proxy alone, with these flags
#   make quick          between two edits: unit tests and the quick half of the end-to-end tests
#   make test           every test: make unit-test, make end-to-end, and make smoke for the release build
#   make simulation     20,000 simulated exchanges; make simulate SEED=… RUNS=… for more, TRACE=1 for every call
#   make planted-faults the simulator must find each fault of a list, planted into a copy of the sources
#   make mutants        small changes of the code, one at a time: a test must notice, or it is explained why none does
#   make check          format, lint, warnings as errors, tests; make lint is its first half
#   make asan, tsan     the same tests with AddressSanitizer, ThreadSanitizer
#   make campaign       the tests that measure, on a quiet machine
#   make bench          side by side with nginx and HAProxy: ARGS="--quick" for less
#   make bench-check    instructions and allocations of single operations, and instructions of whole requests, held to thresholds
#   make fuzz           every fuzzer for FUZZ_SECONDS
#   make build          a release binary
#   make deb, man, completions, container-test, check-deploy      what is shipped, and its tests
#   make deps           what apt has to install; make clean removes what was built

SHELL := /bin/bash
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)
SWIFT_FLAGS := -j $(JOBS) --explicit-target-dependency-import-check error
# Packed relocations (DT_RELR) take a megabyte off the file; the dynamic loader reads them from glibc 2.36 on.
RELR := $(shell printf '%s\n' 'glibc 2.36' "$$(getconf GNU_LIBC_VERSION)" | sort -VC && echo -Xlinker -z -Xlinker pack-relative-relocs)
# The static standard library asks for every symbol to be exported, which keeps what nobody calls.
SMALLER := -Xlinker --gc-sections -Xlinker --no-export-dynamic
RELEASE_FLAGS := -c release --static-swift-stdlib $(SWIFT_FLAGS) -Xswiftc -use-ld=lld $(RELR) \
	$(SMALLER) -Xlinker -s -Xlinker -z -Xlinker now
RELEASE := .build/release/sentry-api-proxy
DEBUG := $(CURDIR)/.build/debug/sentry-api-proxy

# Which end-to-end tests run, by the marks of Tests/EndToEnd/pytest.ini. Campaigns measure, and are judged on a quiet
# machine: `make campaign`.
# Most of them wait more than they work, so several files run at once; what measures runs alone.
E2E_MARKS ?= not campaign
E2E_JOBS ?= 6
PYTEST_ON := $(PYTHON) -m pytest -q -p no:cacheprovider -c Tests/EndToEnd/pytest.ini
PYTEST := $(PYTEST_ON) Tests/EndToEnd
PARALLEL := -n $(E2E_JOBS) --dist loadfile
SHELL_SCRIPTS := $(wildcard Scripts/*.sh Fuzzing/*.sh Benchmarks/*.sh findings/*.sh) .ci/run
SWIFT_SOURCES := Package.swift Sources Tests $(wildcard Fuzzing Benchmarks)

.PHONY: build test quick smoke unit-test simulation simulate planted-faults mutants end-to-end check lint run demo clean asan tsan campaign bench bench-check fuzz swift
.PHONY: deps deps-build deps-demo deps-lint deps-quick deps-test deps-bench

build: swift deps-build
	swift build $(RELEASE_FLAGS)
	@echo "$(CURDIR)/$(RELEASE)"

run: build
	$(RELEASE) $(ARGS)

demo: swift deps-demo build
	@Scripts/demo.sh $(RELEASE)

test: unit-test simulation end-to-end smoke

unit-test: swift deps-build deps-test
	WERROR=1 swift build --build-tests $(SWIFT_FLAGS)
	WERROR=1 swift test --skip-build

# RUNS of some 50 exchanges each, from a fresh seed that is printed. The same seed twice is the same run.
SIMULATION := SIMULATION=1 swift build --product Simulation $(SWIFT_FLAGS)
simulation: swift deps-build
	WERROR=1 $(SIMULATION) --scratch-path .build/simulation
	@set -e; seed=$(or $(SEED),$$RANDOM$$RANDOM); run() { .build/simulation/debug/Simulation $$seed $$1 50 Tests/Fixtures; }; \
		run $(or $(RUNS),400); diff <(run 5) <(run 5)

simulate: RUNS ?= 400
simulate: SEED ?= 1
simulate: swift deps-build
	$(SIMULATION) -c release -Xswiftc -enable-testing --scratch-path .build/simulation-release
	.build/simulation-release/release/Simulation $(SEED) $(RUNS) 50 Tests/Fixtures

planted-faults: swift deps-build
	JOBS=$(JOBS) $(PYTHON) Scripts/planted-faults.py $(ARGS)

mutants: swift deps-build deps-test
	JOBS=$(JOBS) PYTHON=$(PYTHON) $(PYTHON) Scripts/mutants.py $(ARGS)

end-to-end: swift deps-build deps-test
	WERROR=1 swift build $(SWIFT_FLAGS)
	PROXY_BINARY=$(DEBUG) $(PYTEST) $(PARALLEL) -m "$(E2E_MARKS)"

# What a debug build cannot show: the shipped program, linked statically and without its unused sections.
SMOKE := arguments command_line routes_and_headers healthcheck
smoke: build deps-quick
	PROXY_BINARY=$(CURDIR)/$(RELEASE) $(PYTEST_ON) $(SMOKE:%=Tests/EndToEnd/test_%.py) $(PARALLEL) -m "not campaign and not slow"

# What one runs between two edits: no database, nginx or HAProxy, nothing slow.
QUICK := errors expect request_framing response_framing routes_and_headers static_tokens base_paths limits fixtures \
	command_line reload departures streaming transfer_edges
quick: swift deps-build deps-quick
	WERROR=1 swift build --build-tests $(SWIFT_FLAGS)
	WERROR=1 swift test --skip-build --skip 'SystemTokenSourceTests|PostgresLoginStoreTests'
	PROXY_BINARY=$(DEBUG) $(PYTEST_ON) $(QUICK:%=Tests/EndToEnd/test_%.py) $(PARALLEL) \
		-m "$(E2E_MARKS) and not slow and not tokens and not client"

check: lint test

lint: swift deps-lint
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	shellcheck $(SHELL_SCRIPTS)
	$(PYTHON) Scripts/check-markdown.py
	$(PYTHON) Scripts/dead-code.py

# The whole suite with a sanitizer in the process; its findings fail the test that brought them about.
asan: export ASAN_OPTIONS := detect_leaks=0
asan: swift deps-build deps-test
	swift test --sanitize=address --scratch-path .build-asan -j $(JOBS)
	SANITIZER=address PROXY_BINARY=$(CURDIR)/.build-asan/debug/sentry-api-proxy $(PYTEST) $(PARALLEL) -m "$(E2E_MARKS)"

MUTEX := $(CURDIR)/.build-tsan/mutex.so
tsan: export TSAN_OPTIONS := suppressions=$(CURDIR)/Tests/Sanitizers/thread.supp
tsan: swift deps-build deps-test
	swift build --build-tests --sanitize=thread --scratch-path .build-tsan -j $(JOBS)
	clang -O1 -Wall -Wextra -Werror -shared -fPIC -o $(MUTEX) Tests/Sanitizers/mutex.c
	LD_PRELOAD=$(MUTEX) swift test --skip-build --sanitize=thread --scratch-path .build-tsan
	LD_PRELOAD=$(MUTEX) SANITIZER=thread PROXY_BINARY=$(CURDIR)/.build-tsan/debug/sentry-api-proxy $(PYTEST) $(PARALLEL) -m "$(E2E_MARKS)"

# Figures on a release build: latency in a crowd, system calls, 2 GB streams.
campaign: build deps-test
	TEST_SECONDS=600 PROXY_BINARY=$(CURDIR)/$(RELEASE) $(PYTEST) -s -m "campaign or slow"

bench: build deps-bench
	PROXY_BINARY=$(CURDIR)/$(RELEASE) $(PYTHON) Benchmarks/run.py $(ARGS)

bench-check: build deps-bench
	BENCH=1 swift build -c release --product MicroBenchmarks --scratch-path .build/bench $(SWIFT_FLAGS)
	$(PYTHON) Benchmarks/micro/check.py .build/bench/release/MicroBenchmarks
	$(PYTHON) Benchmarks/instructions.py $(RELEASE)

FUZZ_SECONDS ?= 60
fuzz: swift
	Fuzzing/run.sh $(FUZZ_SECONDS)

clean:
	rm -rf .build .build-asan .build-tsan .build-venv* Fuzzing/.build dist
	find Tests -name __pycache__ -type d -prune -exec rm -rf {} +

deps: deps-build deps-demo deps-test

deps-build deps-demo deps-lint deps-quick deps-test deps-bench: deps-%:
	@Scripts/install-deps.sh $*

swift:
	@Scripts/check-swift.sh

# What is shipped. RELEASE_TIME makes packages reproducible: the commit's time.
RELEASE_TIME = $(shell git log -1 --format=%ct)
DEB = dist/sentry-api-proxy_$(shell $(RELEASE) --version | head -n 1)_$(shell dpkg --print-architecture).deb

.PHONY: container-test check-deploy deb man completions

container-test:
	PYTHON=$(PYTHON) Deploy/container/test.sh

check-deploy: deb
	PYTHON=$(PYTHON) Deploy/check.sh $(RELEASE) $(DEB)

deb: build
	SOURCE_DATE_EPOCH=$(RELEASE_TIME) Scripts/build-deb.sh $(RELEASE) dist

man: build
	@mkdir -p dist
	$(RELEASE) --experimental-dump-help | SOURCE_DATE_EPOCH=$(RELEASE_TIME) \
		$(PYTHON) Scripts/make-man.py $$($(RELEASE) --version | head -n 1) Deploy/man/sections.man > dist/sentry-api-proxy.1

completions: build
	@mkdir -p dist/completions
	for shell in bash zsh fish; do $(RELEASE) --generate-completion-script $$shell > dist/completions/sentry-api-proxy.$$shell || exit; done
