"""What serves after one bad extract, by how a hospital retrains: on everything, after validation, or behind the gate.

Extract by extract arrives; the outcomes of each come with the next. In `FAULTY` the outcomes are the wrong way round,
and the visits of the year before are zero. Behind the gate is the example itself, in a real installation; the
others are the same model without the framework, over the same files.

Run it by ``make story``.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.decisions import Correction
from readiness_pipelines.delivery import decide, do_work, due_work, replay_batch
from readiness_pipelines.errors import LedgerError
from readiness_pipelines.examples.readmission_model import readmission, risks, stays
from readiness_pipelines.examples.readmissions import encounters, readmissions
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.models import built_for, promote_model, train_model
from readiness_pipelines.models.comparing import compare
from readiness_pipelines_tests.conftest import LANDING, settings_in
from readiness_pipelines_tests.gallery.running import rows as published

FAULTY = "extract_06"
EXTRACTS = [f"extract_{number:02d}" for number in range(1, 11)]
SERVED = EXTRACTS[EXTRACTS.index(FAULTY) + 1 :]
"""Whose patients the policies are compared on: those after the bad extract."""

FEATURES = tuple(name for name in stays.schema.to_schema().columns if name != "encounter_id")


@dataclass
class Story:
    """The area under the curve of what served each extract, by policy, and what the gate did.

    Attributes:
        served: By policy, the extracts' figures in order.
        naive: What the model of a naive join claims, and what it serves.
        held: The batches that the gate held.
        served_versions: By policy, how many versions served.
    """

    served: dict[str, list[float]] = field(default_factory=dict)
    naive: tuple[float, float] = (0.0, 0.0)
    held: list[str] = field(default_factory=list)
    served_versions: Counter[str] = field(default_factory=Counter)

    def mean(self, policy: str) -> float:
        """A policy's mean."""
        return sum(self.served[policy]) / len(self.served[policy])


def damage(text: str) -> str:
    """An extract with its outcomes the wrong way round, and no visits of the year before."""
    header, *lines = text.splitlines()
    names = header.split(",")
    outcome, visits = names.index("readmitted"), names.index("number_inpatient")

    def damaged(line: str) -> str:
        cells = line.split(",")
        cells[outcome] = "NO" if cells[outcome] == "<30" else "<30"
        cells[visits] = "0"
        return ",".join(cells)

    return "\n".join([header, *map(damaged, lines)]) + "\n"


def extract(key: str, *, damaged: bool) -> bytes:
    """A committed extract's text."""
    (file,) = sorted((LANDING / "readmissions" / "encounters" / key).glob("*.csv.gz"))
    text = gzip.decompress(file.read_bytes()).decode()
    return (damage(text) if damaged else text).encode()


def behind_the_gate(folder: Path, story: Story, *, faulty: str | None = FAULTY, say: Callable[[str], None]) -> None:
    """The example in an installation: what is held is not learned from, what is worse does not serve."""
    installation = Installation.open(settings_in(folder).model_copy(update={"mlflow_uri": "off"}))
    now, policy = datetime.now(UTC), "held and validated" if faulty else "without the fault"
    figures = story.served.setdefault(policy, [])
    for place, key in enumerate(EXTRACTS):
        now += timedelta(days=30)
        run = Run(who="ward@hospital.example", clock=lambda now=now: now)  # type: ignore[misc]
        landed = folder / "landing" / "readmissions" / "encounters" / key / "encounters.csv.gz"
        landed.parent.mkdir(parents=True)
        landed.write_bytes(gzip.compress(extract(key, damaged=key == faulty), 1))
        _deliver(installation, run, now)
        if _is_held(installation, "encounters", key):  # more codes without leading zeros than are tolerated
            for code in ("diag_1", "diag_2", "diag_3"):
                zeros = Correction(column=code, expression=f"lpad({code}, 3, '0')", where=f"length({code}) < 3")
                decide(encounters, zeros, batch=key, why="leading zeros", installation=installation, run=run)
            replay_batch(encounters, batch=key, installation=installation, run=run)
            _deliver(installation, run, now)
        story.held += [f"{name}[{key}]" for name in ("stays", "outcomes") if _is_held(installation, name, key)]
        if place >= 2:  # two extracts with outcomes: one to learn from, one to compare on
            story.served_versions[policy] += _retrain(installation, now)
            _deliver(installation, run, now)  # scored by what serves now
        if key in SERVED:
            figures.append(_served(installation, key))
            say(f"{policy}: {key} {figures[-1]:.3f}")


def _deliver(installation: Installation, run: Run, now: datetime) -> None:
    while works := due_work([readmissions], installation=installation, now=now):
        for work in works:
            do_work(work, installation=installation, run=run)


def _is_held(installation: Installation, name: str, key: str) -> bool:
    record = installation.ledger.get(BatchRef(readmissions.table(name).id, key))
    return record is not None and record.state is BatchState.HELD


def _served(installation: Installation, key: str) -> float:
    """The figure of what was served, by outcomes that nobody knows yet."""
    outcomes = dict(published(installation, encounters.id, "encounter_id", "readmitted", batch=key))
    rows = published(installation, risks.id, "encounter_id", "prediction", batch=key)
    return _auc([outcomes[stay] == "<30" for stay, _ in rows], [prediction for _, prediction in rows])


def _retrain(installation: Installation, now: datetime) -> bool:
    """Train a candidate; whether it serves now."""
    author = Run(who="ward@hospital.example", clock=lambda: now)
    built = built_for(readmission, installation=installation, run=author)
    version = train_model(readmission, built, installation=installation, run=author)
    chief = Run(who="chief.physician@hospital.example", clock=lambda: now)
    try:
        promote_model(readmission, version.version, why="not worse", installation=installation, run=chief)
    except LedgerError:
        return False
    return True


def without_a_gate(story: Story, *, say: Callable[[str], None]) -> None:
    """The same model by plain queries: retrained on everything, or kept where it is worse on the newest outcomes."""
    with duckdb.connect() as engine, TemporaryDirectory() as folder:
        frames = list(_frames(engine, Path(folder)))
    for policy in ("everything", "validated"):
        champion, figures = None, story.served.setdefault(policy, [])
        for place, key in enumerate(EXTRACTS):
            frame, clean = frames[place]
            if key in SERVED and champion is not None:
                figures.append(_score(champion, clean))
                say(f"{policy}: {key} {figures[-1]:.3f}")
            known = [one for one, _ in frames[: place + 1]]
            if policy == "everything":
                champion = _fit(pa.concat_tables(known))
            elif place > 0:
                candidate = _fit(pa.concat_tables(known[:-1]))
                if _holds(candidate, champion, frame):
                    champion = candidate
                    story.served_versions[policy] += 1
    story.naive = _naive([clean for _, clean in frames])
    say(f"naive join: claims {story.naive[0]:.3f}, serves {story.naive[1]:.3f}")


def _frames(engine: duckdb.DuckDBPyConnection, folder: Path) -> Iterable[tuple[pa.Table, pa.Table]]:
    """Each extract as it arrived, and as it would have been: features and outcome."""
    for key in EXTRACTS:
        pair: list[pa.Table] = []
        for damaged in (key == FAULTY, False):  # with the same patients
            file = folder / f"{key}_{damaged}.csv"
            file.write_bytes(extract(key, damaged=damaged))
            read = f"SELECT * FROM read_csv('{file}', nullstr = '?', all_varchar = true)"
            engine.sql(f"CREATE OR REPLACE VIEW encounters AS {read}")
            engine.sql("CREATE TABLE IF NOT EXISTS so_far AS FROM encounters LIMIT 0")
            if not pair:
                engine.sql("INSERT INTO so_far FROM encounters")
            query = stays.transform(None, None)
            pair.append(
                engine.sql(
                    f"SELECT f.*, patient_nbr, CAST(readmitted = '<30' AS BIGINT) AS readmitted"
                    f" FROM ({query}) f JOIN encounters USING (encounter_id) ORDER BY encounter_id"
                ).to_arrow_table()
            )
        yield pair[0], pair[1]


def _holds(candidate: Any, champion: Any, rows: pa.Table) -> bool:
    """Whether a candidate holds the model's own rule of promotion on the newest outcomes."""
    theirs = None if champion is None else np.asarray(champion(rows))
    actual = np.asarray(rows["readmitted"].to_pylist(), dtype=float)
    return bool(compare(readmission.promote, actual, np.asarray(candidate(rows)), theirs)["passed"])


def _naive(frames: list[pa.Table]) -> tuple[float, float]:
    """History joined over the whole table: what it claims on the later extracts, and what is there to serve them."""
    whole = pa.concat_tables(
        [one.append_column("extract", pa.array([place] * len(one))) for place, one in enumerate(frames)]
    )
    over_all, then = (
        "PARTITION BY patient_nbr",
        "PARTITION BY patient_nbr ORDER BY extract GROUPS UNBOUNDED PRECEDING EXCLUDE GROUP",
    )

    def history(window: str, own: int) -> pa.Table:
        query = (
            f"SELECT * REPLACE (count(*) OVER w - {own} AS stays_before),"
            f" coalesce(sum(readmitted) OVER w, 0) - {own} * readmitted AS came_back_before"
            f" FROM whole WINDOW w AS ({window}) ORDER BY encounter_id"
        )
        with duckdb.connect() as engine:
            return engine.register("whole", whole).sql(query).to_arrow_table()

    claimed, served = history(over_all, 1), history(then, 0)
    features = (*FEATURES, "came_back_before")
    model = _fit(claimed.filter(pc.field("extract") < 4), features)
    later = pc.field("extract") >= 4
    return _score(model, claimed.filter(later), features), _score(model, served.filter(later), features)


def _fit(rows: pa.Table, features: tuple[str, ...] = FEATURES) -> Any:
    return readmission.train(rows, features, "readmitted", 0)


def _score(model: Any, rows: pa.Table, features: tuple[str, ...] = FEATURES) -> float:
    return _auc(rows["readmitted"].to_pylist(), model(rows.select(features)))


def _auc(labels: Any, scores: Any) -> float:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  # another one than the framework's own

    return float(roc_auc_score(labels, scores))


def say(line: str) -> None:
    """Say where it stands."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Tell the story; the exit code says whether it ends as it must."""
    story = Story()
    without_a_gate(story, say=say)
    for faulty in (FAULTY, None):
        with TemporaryDirectory() as folder:
            behind_the_gate(Path(folder), story, faulty=faulty, say=say)
    say(json.dumps({policy: round(story.mean(policy), 4) for policy in story.served}))
    say(f"held by the gate: {', '.join(story.held)}; versions that served: {dict(story.served_versions)}")
    held, validated = story.mean("held and validated"), story.mean("validated")
    claimed, served = story.naive
    told = story.mean("everything") < 0.6 and held > max(validated, 0.65) and served < claimed - 0.05
    return int(not told)


if __name__ == "__main__":
    sys.exit(main())
