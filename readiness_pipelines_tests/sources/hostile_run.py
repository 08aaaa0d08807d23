"""`make hostile`: files that no sender means well with, through the real readers and a real delivery.

Each batch runs in a process of its own, with a limit of memory and of time. What must hold of each: a verdict, or an
error of the framework's own; every row of the file in one place; memory and time within bounds.
"""

import argparse
import io
import json
import os
import resource
import secrets
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandera.pyarrow as pandera
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from readiness_pipelines import Domain, FileDrop, Source, Steward, Tolerance, Versions
from readiness_pipelines.cli.output import show_error
from readiness_pipelines.contracts import GatedTable, Places
from readiness_pipelines.delivery import Delivery, deliver, ingest
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings
from readiness_pipelines.storage import Place
from readiness_pipelines_tests.sources.hostile import MAKERS, hostile_batch, kind_of
from readiness_pipelines_tests.sources.hostile_batch import HostileBatch

OUT = Console(width=150)
MOST_MEGABYTES = 1_536
"""What a process takes that does nothing, what the engine may take by default, and as much again for all else."""
MOST_SECONDS = 60
"""Of a processor: whatever else the machine does."""
SECONDS_A_ROW = 40e-6
"""And so much for each row: one of 40 MB may be eight million."""
_GIVES_UP = 600
_ADDRESSES = 12 << 30
_BATCH = "b"


class Row(pandera.DataFrameModel):
    """A row of a hostile file, as far as it has these columns."""

    id: pa.string() = pandera.Field(nullable=True)
    amount: pa.float64() = pandera.Field(nullable=True, ge=0)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a hostile batch.

    Attributes:
        seed: What makes it again.
        end: The state that it was delivered in, or the type of the error that refused it.
        error: What the error says.
        rows: Rows that were read.
        seconds: How long a processor worked on it.
        megabytes: The most memory that its process took.
        violations: What did not hold.
    """

    seed: int
    end: str = ""
    error: str = ""
    rows: int = 0
    seconds: float = 0
    megabytes: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind of batch."""
        return kind_of(self.seed)


def main() -> None:
    """Run as many files as asked, and print what became of them."""
    options = _options()
    first = options.seed if options.seed is not None else secrets.randbelow(1_000_000) * len(MAKERS)
    seeds = [seed for seed in range(first, first + options.files) if options.kind in ("", kind_of(seed))]
    outcomes: list[Outcome] = []
    for outcome in run_seeds(seeds, processes=options.processes, deliver_each=options.deliver_each):
        outcomes.append(outcome)
        if options.show:
            OUT.print(f"{outcome.seed} {outcome.kind}: {outcome.end} {outcome.error}", markup=False, soft_wrap=True)
        for violation in outcome.violations:
            OUT.print(f"[red]seed {outcome.seed} ({outcome.kind}):[/] {escape(violation)}", soft_wrap=True)
        if outcome.violations:
            OUT.print(f'[red]again:[/] make hostile HOSTILE="--seed {outcome.seed} --files 1"', soft_wrap=True)
        if len(outcomes) % 100 == 0:
            OUT.print(
                f"[dim]{len(outcomes):,} files, {sum(bool(one.violations) for one in outcomes)} with violations[/]"
            )
    _report(first, outcomes)
    sys.exit(1 if any(one.violations for one in outcomes) else 0)


def run_seeds(seeds: Sequence[int], *, processes: int = 2, deliver_each: int = 1) -> Iterator[Outcome]:
    """Run the batches of some seeds, each in a process of its own.

    Args:
        seeds: The seeds.
        processes: So many at once.
        deliver_each: Deliver one of so many, and only read the others.
    """
    waiting, running = list(reversed(seeds)), dict[int, tuple[int, tempfile.TemporaryDirectory[str], float]]()
    while waiting or running:
        while waiting and len(running) < processes:
            seed, folder = waiting.pop(), tempfile.TemporaryDirectory(prefix="readiness-hostile-")
            # Made by another process than it is read by, whose memory is measured.
            os.waitpid(_fork(lambda: _land(seed, Path(folder.name))), 0)  # noqa: B023  # it is called at once
            delivers = seed // len(MAKERS) % deliver_each == 0  # of each kind alike
            child = _fork(lambda: _deliver(seed, Path(folder.name), delivers=delivers))  # noqa: B023
            running[child] = (seed, folder, time.monotonic())
        child, status, usage = os.wait4(-1, os.WNOHANG)
        if child == 0:
            for late, (_, _, began) in running.items():
                if time.monotonic() - began > _GIVES_UP:
                    os.kill(late, signal.SIGKILL)
            time.sleep(0.01)
            continue
        seed, folder, _ = running.pop(child)
        with folder:
            yield _outcome(seed, Path(folder.name), status, usage.ru_maxrss // 1024, usage.ru_utime + usage.ru_stime)


def _outcome(seed: int, folder: Path, status: int, megabytes: int, seconds: float) -> Outcome:
    noted = folder / "outcome.json"
    outcome = Outcome(**json.loads(noted.read_text())) if noted.exists() else Outcome(seed=seed)
    outcome.seconds, outcome.megabytes = seconds, megabytes
    if not outcome.end:
        outcome.end = "killed"
        outcome.violations.append(f"killed: the process ended with status {status}")
    if megabytes > MOST_MEGABYTES:
        outcome.violations.append(f"memory: {megabytes:,} MB, more than {MOST_MEGABYTES:,}")
    if seconds > (most := MOST_SECONDS + SECONDS_A_ROW * outcome.rows):
        outcome.violations.append(f"time: {seconds:.0f} s, more than {most:.0f}")
    return outcome


def _fork(work: Callable[[], None]) -> int:
    """Do some work in a process of its own, which has imported everything already."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
        work()
        code = 0
    finally:
        os._exit(code)


def _land(seed: int, folder: Path) -> None:
    batch = hostile_batch(seed)
    batch.land(folder / "landing" / _BATCH)
    facts = asdict(batch) | {"files": {}}
    (folder / "batch.json").write_text(json.dumps(facts))


def _deliver(seed: int, folder: Path, *, delivers: bool) -> None:
    batch = HostileBatch(**json.loads((folder / "batch.json").read_text()))
    outcome = run_batch(seed, batch, folder, delivers=delivers)
    (folder / "outcome.json").write_text(json.dumps(asdict(outcome)))


def run_batch(seed: int, batch: HostileBatch, folder: Path, *, delivers: bool = True) -> Outcome:
    """Read a batch that landed in a folder, and deliver it.

    Args:
        seed: What made it.
        batch: What landed.
        folder: Where.
        delivers: Whether it is also delivered.
    """
    outcome = Outcome(seed=seed)
    try:
        table = _table(batch)
        _read(batch, table, folder, outcome)
        outcome.end = "read"
        if delivers:
            _deliver_rows(table, folder, outcome)
    except ReadinessError as error:
        outcome.end, outcome.error = type(error).__name__, str(error)
        outcome.violations += _unclear(error)
    except BaseException:
        outcome.end, outcome.error = "traceback", traceback.format_exc()
        outcome.violations.append(f"traceback: {outcome.error}")
    return outcome


def _unclear(error: ReadinessError) -> Iterator[str]:
    """Whether people could not read an error, or would not know what to do."""
    with redirect_stderr(io.StringIO()) as shown:
        show_error(error.what, error.way_out)
    shown.getvalue().encode()
    if not error.way_out and not isinstance(error, DeclarationError):  # which says it in its sentence
        yield f"unclear: no way out of {error.what}"


def _read(batch: HostileBatch, table: GatedTable, folder: Path, outcome: Outcome) -> None:
    places = Places(landing=Place.of(folder / "landing"), connection=str, batches=table.batches)
    opened = table.source.reader.open(_BATCH, places)
    _meddle(batch, folder / "landing" / _BATCH)
    outcome.rows = sum(part.num_rows for part in opened.rows)
    if batch.refused:
        outcome.violations.append("unseen: it was read, and must be refused")
    if batch.rows is not None and outcome.rows != batch.rows:
        outcome.violations.append(f"lost: {batch.rows:,} rows are in it, {outcome.rows:,} were read")


def _deliver_rows(table: GatedTable, folder: Path, outcome: Outcome) -> None:
    (folder / "warehouse").mkdir()
    settings = Settings(landing=str(folder / "landing"), warehouse=str(folder / "warehouse"), settles="0s")
    installation = Installation.open(settings)
    ingested = ingest(table, batch=_BATCH, installation=installation, run=Run())
    delivery = deliver(table, batch=_BATCH, installation=installation, run=Run())
    outcome.end = str(delivery.state)
    outcome.violations += _lost(outcome.rows, ingested.rows, delivery)
    with installation.engine() as engine:
        raw = installation.lakehouse.relation(engine, table.id.raw)
        ((kept, numbers),) = raw.aggregate("count(*), count(DISTINCT _row)").fetchall()
    if not kept == numbers == outcome.rows:
        outcome.violations.append(f"lost: {outcome.rows:,} rows were read, raw has {kept:,} with {numbers:,} numbers")


def _lost(read: int, ingested: int, delivery: Delivery) -> Iterator[str]:
    counts = delivery.counts
    if not read == ingested == counts.ingested:
        yield f"lost: {read:,} rows were read, {ingested:,} ingested, {counts.ingested:,} judged"
    if counts.ingested != counts.published + counts.quarantined + counts.discarded:
        yield f"lost: the counts do not add up: {counts}"


def _table(batch: HostileBatch) -> GatedTable:
    reader = FileDrop("{batch}/**/*", **batch.options)
    source = Source(origin="nobody we know", steward=Steward("a", "b"), reader=reader)
    domain = Domain("hostile", owner="a@b.example")
    return domain.gated(
        "rows", schema=Row, source=source, batches=Versions(), tolerance=Tolerance(quarantined_ratio=1.0)
    )


def _meddle(batch: HostileBatch, folder: Path) -> None:
    """Change the batch's first file, as a sender does who does not wait."""
    file = next((one for one in folder.iterdir() if one.is_file()), None)
    match batch.meddling if file is not None else "":
        case "vanish":
            file.unlink()  # type: ignore[union-attr]  # there is a file
        case "grow":
            with file.open("ab") as more:  # type: ignore[union-attr]
                more.write(b"2,more,3\n")
        case "replace":
            (other := folder / "other").write_bytes(b"id,name,amount\n7,other,7\n")
            other.rename(file)  # type: ignore[arg-type]
        case "cut":
            os.truncate(file, file.stat().st_size // 2)  # type: ignore[union-attr, arg-type]


def _report(first: int, outcomes: Sequence[Outcome]) -> None:
    table = Table("kind", "files", "ends", "most MB", "slowest s", title=f"{len(outcomes):,} files from seed {first}")
    for kind in MAKERS:
        mine = [one for one in outcomes if one.kind == kind]
        if mine:
            ends = Counter(one.end for one in mine)
            table.add_row(
                kind,
                str(len(mine)),
                ", ".join(f"{end} {count}" for end, count in ends.most_common()),
                str(max(one.megabytes for one in mine)),
                f"{max(one.seconds for one in mine):.1f}",
            )
    OUT.print(table)
    laws = Counter(violation.partition(":")[0] for one in outcomes for violation in one.violations)
    found = ", ".join(f"{law} {count}" for law, count in laws.most_common()) or "none"
    largest, slowest = max(outcomes, key=lambda one: one.megabytes), max(outcomes, key=lambda one: one.seconds)
    OUT.print(f"violations: {found}")
    OUT.print(f"most memory: {largest.megabytes:,} MB, seed {largest.seed} ({largest.kind})")
    OUT.print(f"slowest: {slowest.seconds:.1f} s, seed {slowest.seed} ({slowest.kind})")


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("--files", type=int, default=1_000, help="how many")
    parser.add_argument("--seed", type=int, help="the first; by default another one each time")
    parser.add_argument("--kind", default="", choices=["", *MAKERS], help="only these")
    parser.add_argument("--processes", type=int, default=2, help="so many at once")
    parser.add_argument("--deliver-each", type=int, default=1, help="deliver one of so many, and only read the others")
    parser.add_argument("--show", action="store_true", help="print what became of each")
    return parser.parse_args()


if __name__ == "__main__":
    main()
