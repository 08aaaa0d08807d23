"""Features as they were known: 5 million events and 1 million labels, beside polars and pandas.

Each contender is a process of its own, and is given the same two Parquet files. Prints time, peak memory, labels lost
and labels that were given a value which nobody had yet, and writes them to docs/benchmarks/features.json. Only the
framework's join goes by when a value was known; the others are as their documentation shows, by the event's time.
``--feast PYTHON`` adds Feast's file store, in an environment that has it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

RESULT = Path("docs/benchmarks/features.json")
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)
CONTENDERS = ("known-at (ours)", "as corrected (ours)", "polars", "pandas")
LATE = 0.1


def make(folder: Path, events: int, labels: int) -> None:
    """Write events of 100,000 entities over 90 days, one in ten known a day or more late, and labels."""
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.42)")
        connection.execute(
            f"""
            COPY (
                SELECT *, event_at + CASE WHEN random() < {LATE}
                    THEN to_microseconds((86400e6 * (1 + 9 * random()))::BIGINT)
                    ELSE INTERVAL 5 MINUTE END AS known_at,
                    NULL::TIMESTAMPTZ AS known_until
                FROM (
                    SELECT i AS row, (random() * 100000)::INT AS entity,
                        round(random() * 1000, 2) AS value,
                        TIMESTAMPTZ '2026-08-01'
                            + to_microseconds((random() * 90 * 86400e6)::BIGINT) AS event_at
                    FROM range({events}) t(i)
                )
            ) TO '{folder}/events.parquet'
            """
        )
        connection.execute(
            f"""
            COPY (
                SELECT i AS label, (random() * 100100)::INT AS entity,
                    TIMESTAMPTZ '2026-08-01' + to_microseconds((random() * 90 * 86400e6)::BIGINT) AS at
                FROM range({labels}) t(i)
            ) TO '{folder}/labels.parquet'
            """
        )


def ours(folder: Path, mode: str) -> None:
    """The join of training sets, with the memory that a step may have by default."""
    from readiness_pipelines.products import FeatureHistory, Mode, join_features  # noqa: PLC0415  # a contender's own
    from readiness_pipelines.workspaces import workspace  # noqa: PLC0415  # as above

    with workspace(memory_mb=640, reaches=(str(folder),)) as engine:
        engine.execute(
            f"CREATE VIEW events AS SELECT entity, event_at, value, 'all' AS _batch, row AS _row, "
            f"known_at AS _known_at, known_until AS _known_until FROM read_parquet('{folder}/events.parquet')"
        )
        engine.execute(
            f"CREATE VIEW labels AS SELECT label AS _label, entity, \"at\" AS _at FROM '{folder}/labels.parquet'"
        )
        facts = FeatureHistory(
            rows="events",
            entity=("entity",),
            columns={"value": "value", "event_at": "event_at"},
            event_time="event_at",
            known_at=None,
            batches=("all",),
        )
        join_features(engine, "labels", facts, mode=Mode(mode), as_of=AS_OF, name="joined")
        engine.execute(
            f"COPY (SELECT _label AS label, value, event_at FROM joined) TO '{folder}/out.parquet' (FORMAT parquet)"
        )


def with_polars(folder: Path) -> None:
    """`join_asof` on the event's time."""
    import polars as pl  # noqa: PLC0415  # a contender's own

    events = pl.read_parquet(folder / "events.parquet", columns=["entity", "event_at", "value"]).sort("event_at")
    labels = pl.read_parquet(folder / "labels.parquet").sort("at")
    joined = labels.join_asof(
        events, left_on="at", right_on="event_at", by="entity", strategy="backward", coalesce=False
    )
    joined.select("label", "value", "event_at").write_parquet(folder / "out.parquet")


def with_pandas(folder: Path) -> None:
    """`merge_asof` on the event's time."""
    import pandas as pd  # noqa: PLC0415  # a contender's own

    events = pd.read_parquet(folder / "events.parquet", columns=["entity", "event_at", "value"]).sort_values("event_at")
    labels = pd.read_parquet(folder / "labels.parquet").sort_values("at")
    joined = pd.merge_asof(labels, events, left_on="at", right_on="event_at", by="entity")
    joined[["label", "value", "event_at"]].to_parquet(folder / "out.parquet")


def with_feast(folder: Path) -> None:
    """Feast's historical features from files, by its own example."""
    import pandas as pd  # noqa: PLC0415  # a contender's own

    feast, types = import_module("feast"), import_module("feast.types")
    events = pd.read_parquet(folder / "events.parquet", columns=["entity", "event_at", "value"])
    events.assign(seen_at=events["event_at"]).to_parquet(folder / "feast.parquet")
    config = {"project": "bench", "provider": "local", "registry": str(folder / "registry.db")}
    store = feast.FeatureStore(
        config=feast.RepoConfig(**config, entity_key_serialization_version=3, offline_store={"type": "file"})
    )
    entity = feast.Entity(name="entity", join_keys=["entity"])
    view = feast.FeatureView(
        name="paid",
        entities=[entity],
        ttl=None,
        schema=[feast.Field(name="value", dtype=types.Float64), feast.Field(name="seen_at", dtype=types.UnixTimestamp)],
        source=feast.FileSource(path=str(folder / "feast.parquet"), timestamp_field="event_at"),
    )
    store.apply([entity, view])
    labels = pd.read_parquet(folder / "labels.parquet").rename(columns={"at": "event_timestamp"})
    found = store.get_historical_features(labels, ["paid:value", "paid:seen_at"]).to_df()
    found.rename(columns={"seen_at": "event_at"})[["label", "value", "event_at"]].to_parquet(folder / "out.parquet")


def judge(folder: Path) -> dict[str, int]:
    """How many labels came back otherwise than once, and how many were given what nobody had yet."""
    with duckdb.connect() as connection:
        ((lost,),) = connection.sql(
            f"SELECT (SELECT count(*) FROM '{folder}/labels.parquet') - count(DISTINCT label) "
            f"FROM '{folder}/out.parquet'"
        ).fetchall()
        ((too_early,),) = connection.sql(
            f"""
            SELECT count(*) FROM '{folder}/out.parquet' o JOIN '{folder}/labels.parquet' l USING (label)
            JOIN '{folder}/events.parquet' e ON e.entity = l.entity AND epoch_us(e.event_at) = epoch_us(o.event_at)
            WHERE e.known_at > l.at
            """
        ).fetchall()
    return {"lost": int(lost), "not_known_yet": int(too_early)}


def run_one(name: str, folder: Path) -> None:
    match name:
        case "known-at (ours)":
            ours(folder, "as_known_then")
        case "as corrected (ours)":
            ours(folder, "as_corrected")
        case "polars":
            with_polars(folder)
        case "pandas":
            with_pandas(folder)
        case _:
            with_feast(folder)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=5_000_000)
    options.add_argument("--labels", type=int, default=1_000_000)
    options.add_argument("--feast", help="The Python of an environment that has Feast.")
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        began = time.perf_counter()
        run_one(given.one[0], Path(given.one[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"seconds": round(time.perf_counter() - began, 1), "peak_mb": round(peak)}) + "\n")
        return
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder, given.events, given.labels)
        for name in (*CONTENDERS, *(["feast"] if given.feast else [])):
            python = given.feast if name == "feast" else sys.executable
            command = [python, "-P", __file__, "--one", name, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                Console(stderr=True).print(name, done.stderr[-2000:])
                continue
            results[name] = {**json.loads(done.stdout.splitlines()[-1]), **judge(folder)}
            (folder / "out.parquet").unlink()
    grid = Table("contender", "seconds", "peak MB", "labels lost", "value not known yet")
    for name, one in results.items():
        grid.add_row(name, *(f"{one[key]:,}" for key in ("seconds", "peak_mb", "lost", "not_known_yet")))
    Console().print(grid)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    said = {"events": given.events, "labels": given.labels, "late": LATE, "results": results}
    RESULT.write_text(json.dumps(said, indent=2) + "\n")


if __name__ == "__main__":
    main()
