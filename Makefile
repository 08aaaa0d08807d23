# make run    run the domain readmissions on the committed data     make ui     the web page and the Dagster UI, with its daemon
# make stream a broker, generated card payments, and the process that reads them, in a live table; STREAM="--rate 1000"
# make test   all tests                                             make lint   ruff, mypy, import-linter
# make quick  tests of declarations, gates and promises in a minute or two, for work in progress; QUICK="folder …" for others
# make docs   the documentation as a site, at http://127.0.0.1:8000; what changes is shown at once
# make reference  write docs/reference/ anew from docstrings and signatures; a test compares
# make soak   ten minutes of random faults against the laws; SOAK="--minutes 30 --seed 7", or what a violation prints
# make hostile  a thousand files that no sender means well with; HOSTILE="--files 100 --seed 7", or what a violation prints
# make fuzz   decisions from a seed, hostile and innocent, replayed; FUZZ="--cases 600 --seed 7"
# make conform  the gate against Pandera on random schemas and batches; CONFORM="--cases 10000 --seed 7 --spark 0.01"
# make doors  faults under every door: files, statements, damage, memory; DOORS="--door replay --kind files --stride 10"
# make kills-stream  processes that read a topic, and its broker, killed by the hundred; KILLS="--kills 500 --seed 7"
# make kills-slot  processes that read the changes of a Postgres database, killed while it changes; SLOT_KILLS="--kills 200 --seed 7"
# make contracts  what we write as data contracts, linted by datacontract-cli in an environment of its own
# make bench  all of these, some two hours
# make bench-gate    speed and memory beside peers, in an environment of its own; BENCH="--millions 1" is short
# make bench-alarms  false alarms and misses on 400 series with known faults and without
# make bench-estimates  quality of predictions estimated without labels, beside what the labels said, on public sets
# make bench-detection  columns about persons: precision and recall; DETECTION="--missed" names what was missed
# make bench-serve  one record over HTTP: rate, latency, processor time, beside Starlette with pydantic; SERVE="--seconds 30 --long 300"
# make bench-stream  latency by commits, the largest rate, 2,000 commits, the seal of a million rows; see docs/streams.md
# make run-model  the hospital's model on the committed extracts: trained, promoted, scored
# make story      what serves after a bad extract, by how a hospital retrains: some four minutes
# make same-stream   200,000 records as files and as a stream: equal rows, quarantine and KPI; SAME="--records 20000"
# make bench-catalog search and show over 2,000 tables with 40,000 columns, one of them with 10,000 batches
# make bench-watch   one look at the freshness of 500 tables
# make bench-web     pages of 2,000 tables and 20,000 batches, and 50 people at once
# make bench-scale   Spark beside DuckDB on 20 million rows; 500 tables, 10,000 batches; SCALE="--millions 1 --parts engines" is short
# make bench-features  features as they were known then, 5 million events and 1 million labels, beside polars and pandas
# make bench-growth  what a delivery costs as batches accumulate; GROWTH="--sizes 10 100" is short
# Python 3.11 or newer and make are all that has to be there before.

PYTHON ?= python3
BIN := .venv/bin
# What a batch goes through without a process, a server or Dagster. QUICK="readiness_pipelines_tests/sources" is another choice.
QUICK ?= $(addprefix readiness_pipelines_tests/,batches contracts gates observability test_names.py test_settings.py \
	test_sql.py test_storage.py test_suggested_commands.py)

.PHONY: run run-model story test quick ui lint docs reference soak hostile fuzz conform doors kills-stream kills-slot contracts bench bench-gate bench-scale bench-growth bench-watch bench-web bench-serve bench-catalog bench-alarms bench-estimates bench-detection bench-features lock clean stream bench-stream same-stream

KEYS := data/keys/patients.key data/keys/cards.key

run: .venv/installed $(KEYS)
	$(BIN)/readiness run readmissions --all
	@echo "readiness is in .venv ($$(du -sm .venv | cut -f1) MB): .venv/bin/readiness status, or once in a shell: source .venv/bin/activate"

# The hospital's model on the committed extracts: delivered, trained, promoted by its approver, and scored.
run-model: export READINESS_DOMAINS = readiness_pipelines.examples.readmission_model:readmissions
run-model: .venv/tools $(KEYS)
	$(BIN)/readiness run readmissions --all
	$(BIN)/readiness model train readmissions.readmission --who ward@hospital.example
	$(BIN)/readiness model promote readmissions.readmission 1 --who chief.physician@hospital.example \
		--reason "the first one"
	$(BIN)/readiness run readmissions --all
	$(BIN)/readiness model show readmissions.readmission

story: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.examples.readmission_policies

stream: .venv/tools
	@$(BIN)/python -W ignore -m readiness_pipelines_tests.streaming.live $(STREAM)

test: .venv/tools
	@$(BIN)/python -m compileall -q -j 0 readiness_pipelines readiness_pipelines_tests
	$(BIN)/pytest -n auto --dist worksteal

quick: .venv/tools
	$(BIN)/pytest -n auto --dist worksteal -m "not slow" $(QUICK)

# Of the hospital alone, and nothing runs that nobody started: see READINESS_AUTOMATIC in docs/settings.md. The web page
# stands beside Dagster, each links to the other, and ends with it.
ui: export READINESS_DOMAINS = readiness_pipelines.examples.readmissions:readmissions
ui: export READINESS_AUTOMATIC = false
ui: export READINESS_WEB_URL = http://127.0.0.1:3080
ui: export READINESS_DAGSTER_URL = http://127.0.0.1:3000
ui: export DAGSTER_HOME = $(CURDIR)/.dagster
ui: .venv/installed .dagster/dagster.yaml $(KEYS)
	@$(BIN)/readiness web --port 3080 & page=$$!; trap 'kill $$page' EXIT; trap 'exit 130' INT TERM; \
		$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

lint: .venv/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

reference: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.documentation.pages

soak: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.faults.soak $(SOAK)

hostile: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.sources.hostile_run $(HOSTILE)

fuzz: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.decisions.fuzz $(FUZZ)

conform: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.conformance.conform $(CONFORM)

doors: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.faults.doors $(DOORS)

kills-stream: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.streaming.kills $(KILLS)

kills-slot: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.streaming.kills_slot $(SLOT_KILLS)

contracts: .venv-contracts/installed .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.interop.datacontract_cli --python .venv-contracts/bin/python

.venv-contracts/installed:
	$(PYTHON) -m venv .venv-contracts
	.venv-contracts/bin/pip install --quiet datacontract-cli==1.2.8
	@touch $@

bench: bench-gate bench-scale bench-growth bench-watch bench-alarms

bench-gate: .venv-bench/installed
	.venv-bench/bin/python -m readiness_pipelines_tests.benchmarks.bench $(BENCH)

bench-growth: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.growth $(GROWTH)

bench-detection: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.detection $(DETECTION)

bench-features: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.features $(FEATURES)

bench-scale: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.scale $(SCALE)

bench-catalog: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.benchmarks.catalog

bench-web: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.benchmarks.web $(WEB)

bench-watch: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.watching

bench-serve: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.benchmarks.serving $(SERVE)

bench-stream: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.benchmarks.streaming $(BENCH_STREAM)

same-stream: .venv/tools
	$(BIN)/python -W ignore -m readiness_pipelines_tests.streaming.same $(SAME)

bench-alarms: .venv/tools
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.alarms $(ALARMS)

# NannyML's wheel (Apache-2.0) has labelled sets with it; it is read, and not installed.
NANNYML := nannyml-0.13.1-py3-none-any.whl

bench-estimates: .venv/tools .nannyml/$(NANNYML)
	$(BIN)/python -m readiness_pipelines_tests.benchmarks.estimates --wheel .nannyml/$(NANNYML)

.nannyml/$(NANNYML): .venv/tools
	$(BIN)/pip download --quiet --no-deps --dest .nannyml nannyml==0.13.1

.venv-bench/installed: readiness_pipelines_tests/benchmarks/requirements.lock .venv/tools
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --require-hashes --requirement $<
	.venv-bench/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What running takes, and nothing else; a file says that it is there, so that a second `make` installs nothing. Python
# compiles what is imported when it first is: most of what is installed never is.
.venv/installed: deploy/requirements.lock deploy/requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --require-hashes --requirement deploy/requirements.lock \
		--requirement deploy/requirements-build.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What testing takes beside that. Tests start hundreds of processes: where PYTHONDONTWRITEBYTECODE is set, as in many
# images, each of them would compile the thousands of modules that it imports.
.venv/tools: requirements.lock .venv/installed
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m compileall -q -j 0 .venv/lib
	@touch $@

# The keys of the pseudonyms that stand for patients and cards: made once, read by their owner alone, in no repository.
$(KEYS):
	@mkdir -p data/keys
	@umask 077 && $(PYTHON) -c "import secrets; print(secrets.token_hex(32))" > $@

.dagster/dagster.yaml:
	@mkdir -p .dagster
	@ln -sf ../dagster.yaml $@

# Writes the lock anew from pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --upgrade --output-file requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --upgrade --output-file deploy/requirements.lock
	uv pip compile --group build --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --output-file deploy/requirements-build.lock
	echo confluent-kafka | uv pip compile - --no-deps --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
		--output-file deploy/requirements-kafka.lock
	uv pip compile pyproject.toml --extra spark --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --upgrade \
		--output-file deploy/requirements-spark.lock
	uv pip compile pyproject.toml readiness_pipelines_tests/benchmarks/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --upgrade \
		--output-file readiness_pipelines_tests/benchmarks/requirements.lock

clean:
	rm -rf .venv .venv-bench .venv-contracts .nannyml .dagster data/warehouse .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
