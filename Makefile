# porthouse: `make run` starts a gateway, `make test` proves the tree. `make` alone lists the rest.
# Node comes from .tools where the machine's own is too old (scripts/setup.sh puts it there).
export PATH := $(CURDIR)/.tools/node/node_modules/.bin:$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup run test conformance crash soak bench generate fix build release-image

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' Makefile

setup: ## bring what running needs: Node where it is missing, and the runtime dependencies
	@sh scripts/setup.sh

run: setup ## start a gateway with a demo room; ARGS="..." go to `porthouse run`
	@exec bin/porthouse run --demo $(ARGS)

test: ## run every check and test; ARGS="..." go to vitest
	@exec sh scripts/test.sh $(ARGS)

conformance: ## hold porthouse and its clients to every case; ARGS="..." go to porthouse-conformance
	@exec sh scripts/conformance.sh $(ARGS)

crash: ## kill, stop, fill and pause what can be, at length; ROUNDS=100 MINUTES=30 choose
	@exec sh scripts/crash.sh $(ARGS)

soak: ## is memory flat, whoever comes and goes? 20 minutes; MINUTES=5 for a shorter look
	@sh scripts/setup.sh --dev
	@exec node bench/soak/run.ts --minutes $(or $(MINUTES),20)

bench: ## measure against the peers; QUICK=1 for a short look, ARGS="..." choose workloads
	@sh scripts/setup.sh --dev
	@sh scripts/debian.sh bench
	@exec node bench/run.ts $(ARGS)

generate: ## write the code made from proto/, the tables in docs/ and the linter's import rules
	@sh scripts/setup.sh --dev
	@sh scripts/plugins.sh
	@for each in buf.gen.yaml clients/*/buf.gen.yaml; do buf generate --template $$each || exit; done
	@node scripts/generate.ts

fix: ## format, and mend what the linter can mend by itself
	@sh scripts/setup.sh --dev
	@buf format -w
	@biome check --write .

build: ## write the packages to publish into dist/: plain JavaScript, types, assets
	@sh scripts/setup.sh --dev
	@node scripts/build.ts

release-image: ## keep schema and golden frames of this version, to hold later ones to
	@sh scripts/setup.sh --dev
	@node scripts/keep-release.ts
