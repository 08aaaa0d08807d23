"""`make bench-catalog`: what finding and showing costs in a catalog of thousands of tables."""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
from faker import Faker
from rich.console import Console

from readiness_pipelines import DailyBatches, Domain, FileDrop, Source, Steward
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview import (
    catalog_entry,
    catalog_index,
    plain_value,
    scorecards,
    search_catalog,
    table_facts,
)
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.benchmarks.watching import fill, one_table_domain

OUT = Console(width=120)
TABLES_OF_A_DOMAIN = 100
WORDS = 8_000


def main() -> None:
    """Declare tables, fill the ledger of one of them, and look for things."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=2_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--batches", type=int, default=10_000)
    options = parser.parse_args()
    words = vocabulary()
    began = time.perf_counter()
    domains = declare(options.tables, options.columns, words)
    OUT.print(f"declaring {options.tables:,} tables of {options.columns} columns: {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    index = catalog_index(domains)
    OUT.print(f"the index, once: {time.perf_counter() - began:.2f} s, {len(index.met):,} words")
    chance = random.Random(7)
    queries = [chance.choice(words) for _ in range(60)]
    queries += [f"{chance.choice(words)} {chance.choice(words)}" for _ in range(20)]
    queries += [slip(chance.choice(words), chance) for _ in range(60)]
    queries += [word[:3] for word in queries[:20]] + ["of the", "e", "amount"]
    report("a search", [timed(lambda query=query: search_catalog(query, domains)) for query in queries])
    hits = sum(len(search_catalog(query, domains)) for query in queries)
    OUT.print(f"{len(queries)} queries, {hits:,} hits")
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation.open(
            Settings(landing=str(Path(folder, "landing")), warehouse=str(Path(folder, "warehouse")), settles="0s")
        )
        busy = one_table_domain(0)
        fill(installation, [busy], options.batches)
        now = datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(days=options.batches)
        table = busy.table("orders")

        def show() -> object:
            facts = table_facts(table, installation=installation, now=now)
            return plain_value([catalog_entry(table), facts])

        report(f"showing a table of {options.batches:,} batches", [timed(show) for _ in range(7)])

        def score(scored: list[Domain]) -> tuple[float, float]:
            return timed(lambda: scorecards(scored, installation=installation, identity_required=False, now=now))

        report(f"the scorecards of a domain of {options.batches:,} batches", [score([busy])])
        report(f"the scorecards of all {options.tables:,} tables", [score([busy, *domains])])


def vocabulary() -> list[str]:
    """Words of several languages, each once, as long as names have them."""
    found: set[str] = set()
    for locale in ("en_US", "de_DE", "fr_FR"):
        fake = Faker(locale)
        fake.seed_instance(1)
        found |= {
            word.lower() for _ in range(WORDS) for word in (fake.word(), fake.city().split()[0], fake.last_name())
        }
    return sorted(word for word in found if word.isalpha() and len(word) > 2)[:WORDS]


def declare(tables: int, columns: int, words: list[str]) -> list[Domain]:
    """Domains of a hundred tables each, named and described by words of a vocabulary."""
    chance, domains = random.Random(3), []
    for number in range(0, tables, TABLES_OF_A_DOMAIN):
        domain = Domain(f"domain_{number // TABLES_OF_A_DOMAIN}", owner=f"{chance.choice(words)}@x.example")
        for place in range(min(TABLES_OF_A_DOMAIN, tables - number)):
            named = {f"{chance.choice(words)}_{chance.choice(words)}_{column}" for column in range(columns)}
            described = " ".join(chance.choices(words, k=6))
            schema = pa.DataFrameSchema(
                {name: pa.Column(arrow.string(), nullable=True, description=described) for name in sorted(named)}
            )
            source = Source(
                origin=f"{chance.choice(words)} export",
                steward=Steward(chance.choice(words), "s@x.example"),
                reader=FileDrop(f"{number}/{place}/{{batch}}/*.csv"),
            )
            domain.gated(
                f"t{place}_" + "".join(letter for letter in chance.choice(words) if "a" <= letter <= "z"),
                source=source,
                schema=schema,
                batches=DailyBatches(start=date(2026, 1, 1)),
                description=f"The {chance.choice(words)} of the {chance.choice(words)}",
                synonyms=[chance.choice(words)],
            )
        domains.append(domain)
    return domains


def slip(word: str, chance: random.Random) -> str:
    """A word with two letters swapped."""
    at = chance.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """How long a call takes, and for how long of it a processor works, in milliseconds."""
    began, worked = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - began) * 1_000, (time.process_time() - worked) * 1_000


def report(what: str, took: list[tuple[float, float]]) -> None:
    """Print the median and the worst; the processor's time does not depend on what else the machine does."""
    walls, works = zip(*took, strict=True)
    OUT.print(
        f"{what}: median {statistics.median(walls):.1f} ms, worst {max(walls):.1f} ms; "
        f"of the processor median {statistics.median(works):.1f} ms, worst {max(works):.1f} ms"
    )


if __name__ == "__main__":
    main()
