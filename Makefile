# The two commands to know: `make demo` and `make test`. They set up what they need and say so.

.PHONY: help demo demo-stop test lint docs deny bench memory fuzz soak images test-containers compose-up compose-down compose-check

help:
	@echo 'make demo        a real PostgreSQL and acra-server, a table as the application and as the database sees it'
	@echo '                 (DB=mysql: the same on MariaDB; KEEP=1 leaves them running, `make demo-stop` stops them)'
	@echo 'make test        formatting, lints, documentation, all tests'
	@echo 'make compose-up  the same with containers and TLS (compose/README.md), `make compose-down` removes them'
	@echo 'make bench       what a query costs beside a direct connection, HAProxy and PgBouncer'
	@echo 'cargo bench      what the parts cost'
	@echo 'make memory      what memory sessions, streams and statements take'
	@echo 'make soak        half an hour of traffic with reloads and new keys (SECONDS=…)'
	@echo 'make test-containers   the scenarios with databases in containers'
	@echo 'make fuzz        the fuzz targets share a minute (SECONDS=3600 for longer, TARGET=session for one; fuzz/README.md)'
	@echo 'make lint docs deny    parts of make test; deny needs cargo-deny'

demo:
	@scripts/setup.sh build $(if $(filter mysql mariadb,$(DB)),mariadb,postgres-15)
	@DB=$(DB) scripts/demo.sh

demo-stop:
	@scripts/demo.sh stop

test:
	@scripts/setup.sh build postgres-15 postgres-17 postgres-18 redis oracle mysql django applications fuzz
	@scripts/test.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cd fuzz && cargo fmt --check && cargo clippy --locked -- -D warnings

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

deny:
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check bans licenses sources; \
	else echo '== cargo-deny is not installed: what it would check of dependencies is left out'; fi

bench:
	@scripts/setup.sh build postgres-15 bench
	@scripts/bench.sh

memory:
	@scripts/setup.sh build postgres-15
	@scripts/bench.sh memory

soak:
	@scripts/setup.sh build postgres-15
	@scripts/soak.sh $(or $(SECONDS),1800)

images:
	@scripts/setup.sh build
	@scripts/images.sh

test-containers:
	@scripts/setup.sh build postgres-15 postgres-17 postgres-18
	@scripts/test-containers.sh

compose-up: images
	@scripts/compose.sh up

compose-down:
	@scripts/compose.sh down

compose-check: images
	@scripts/compose.sh check

fuzz:
	@scripts/setup.sh build fuzz
	@scripts/fuzz.sh $(or $(SECONDS),60) $(TARGET)
