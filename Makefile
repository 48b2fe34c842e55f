# Every target makes the environment it needs; python3 (3.11 to 3.13) and make are enough.
# Options are passed on: make demo ARGS="--minutes 2".

ARGS ?=
PYTHON ?=
BIN := .venv/bin
READY := .venv/.ready
COMPILED := .venv/.compiled

.DEFAULT_GOAL := help
.PHONY: help demo up test lint code format types imports check fix simulate replay compare tune \
        bench-matching bench-simulator bench-api bench-routing bench-mdrp bench-realtime bench-overload simtest \
        chaos fuzz-api bench-ledger bench-month bench-queries bench-search walk-ledger \
        verify-audit payment-server verify-ledger examples clients seed migrate openapi doctor clean

help: ## print this list
	@echo 'make TARGET [ARGS="..."]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(COMPILED) ## watch a simulated city being served, until Ctrl-C
	@$(BIN)/hadiyati demo $(ARGS)

up: $(COMPILED) ## run the service: its servers, the actors and the API
	@$(BIN)/hadiyati up $(ARGS)

test: $(COMPILED) ## run every test, three at once, for many only wait
	@$(BIN)/pytest -n 3 --dist loadgroup $(ARGS)

lint: code format types imports ## the fast half of check: lint, format, types, imports

code: $(READY)
	$(BIN)/ruff check

format: $(READY)
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports --no-logo

check: lint test ## what CI runs: lint, format, types, imports, tests

fix: $(READY) ## format the code and mend what can be mended mechanically
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format
	@$(BIN)/ruff check

simulate: $(COMPILED) ## run a generated day in virtual time, from a seed
	@$(BIN)/hadiyati simulate $(ARGS)

replay: $(COMPILED) ## run a recorded day: ARGS="path/to/instance --speed 60"
	@$(BIN)/hadiyati replay $(ARGS)

compare: $(COMPILED) ## try two parameter sets on the same days: ARGS="A.toml B.toml --days 10"
	@$(BIN)/hadiyati compare $(ARGS)

tune: $(COMPILED) ## sweep over parameters: ARGS="--parameter trips_max=1..4:1"
	@$(BIN)/hadiyati tune $(ARGS)

bench-matching: $(COMPILED) ## measure a whole tick beside bare assignments: ARGS="--size 300x1000 --ticks 200"
	@$(BIN)/hadiyati bench-matching $(ARGS)

bench-simulator: $(COMPILED) ## measure the simulator at 1,000 to 30,000 couriers
	@$(BIN)/hadiyati bench-simulator $(ARGS)

bench-api: $(COMPILED) ## measure the API beside bare FastAPI: ARGS="--runs 7 --profile"
	@$(BIN)/hadiyati bench-api $(ARGS)

bench-routing: $(COMPILED) ## measure routing beside other solvers: ARGS="--size 50 --budget 1"
	@$(BIN)/hadiyati bench-routing $(ARGS)

bench-mdrp: $(COMPILED) ## measure dispatch on recorded days: ARGS="--seeds 3 --only NAME,NAME"
	@$(BIN)/hadiyati bench-mdrp $(ARGS)

bench-overload: $(COMPILED) ## offer three times what fits: ARGS="--couriers 500 --runs 1"
	@$(BIN)/hadiyati bench-realtime --only overload $(ARGS)

bench-realtime: $(COMPILED) ## measure sockets, positions and commands: ARGS="--couriers 1000 --runs 1"
	@$(BIN)/hadiyati bench-realtime $(ARGS)

simtest: $(COMPILED) ## live days while everything fails, from seeds: ARGS="--seeds 1000"
	@$(BIN)/hadiyati simtest $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

chaos: $(COMPILED) ## live a real day while everything is killed, stopped, filled: ARGS="--minutes 30"
	@$(BIN)/hadiyati chaos $(ARGS)

fuzz-api: $(READY) ## send generated requests to a whole service: ARGS="--cases 100000"
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench-ledger: $(READY) ## measure the ledger beside bare inserts: ARGS="--runs 5"
	@$(BIN)/hadiyati bench-ledger $(ARGS)

bench-queries: $(READY) ## explain every hot query among a million orders: ARGS="--orders 100000"
	@$(BIN)/hadiyati bench-queries $(ARGS)

bench-search: $(READY) ## find orders among a million, beside look-ups by key: ARGS="--orders 100000"
	@$(BIN)/hadiyati bench-search $(ARGS)

bench-month: $(COMPILED) ## live a month of a city and explain every halala: ARGS="--days 3"
	@$(BIN)/hadiyati bench-month $(ARGS)

walk-ledger: $(READY) ## a million random operations on a ledger, audited: ARGS="--operations 1000"
	@$(BIN)/hadiyati walk-ledger $(ARGS)

verify-audit: $(READY) ## verify the chain of the audit log of the running system: ARGS="--checkpoint N:HASH"
	@$(BIN)/hadiyati verify-audit $(ARGS)
payment-server: $(READY) ## play the payment gateways on this machine
	@$(BIN)/hadiyati payment-server $(ARGS)

verify-ledger: $(READY) ## fold every balance of the running system anew
	@$(BIN)/hadiyati verify-ledger $(ARGS)

examples: $(READY) ## ask every operation its example and keep what it answers
	@$(BIN)/python -m tests.api.walk $(ARGS)

clients: $(READY) ## make the typed clients, TypeScript and Dart, in dist/clients; needs npm
	@npm ci --prefix tests/client --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/hadiyati clients $(ARGS)
	@tests/client/node_modules/.bin/openapi-typescript dist/clients/openapi.json -o dist/clients/hadiyati.ts
seed: $(COMPILED) ## fill an empty database with a bilingual demo city: ARGS="--city jeddah"
	@$(BIN)/hadiyati seed $(ARGS)

migrate: $(READY) ## bring the database to the newest schema
	@$(BIN)/hadiyati migrate $(ARGS)

openapi: $(READY) ## write the descriptions of REST and of the socket, and what is made of docs/api
	@$(BIN)/hadiyati openapi --write
	@$(BIN)/hadiyati asyncapi --write
	@$(BIN)/hadiyati pages

doctor: $(READY) ## report what is found, what runs and what to do
	@$(BIN)/hadiyati doctor $(ARGS)

clean: ## remove the environment and the caches (the data in .hadiyati stays)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist

$(READY): pyproject.toml uv.lock deploy/environment.sh
	@PYTHON='$(PYTHON)' deploy/environment.sh

# A function is not compiled anew when one that it calls has changed, so all of them are.
$(COMPILED): $(READY) $(wildcard optimizer/*.py optimizer/routing/*.py)
	@echo 'search: compiling, once, for a minute or two'
	@rm -f optimizer/__pycache__/*.nb[ci] optimizer/routing/__pycache__/*.nb[ci]
	@printf '%s\n' improving planning routing nearest | xargs -P 3 -n 1 $(BIN)/python -m optimizer.compiling
	@touch $@
