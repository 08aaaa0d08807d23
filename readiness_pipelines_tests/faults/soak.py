"""`make soak`: random schedules with faults, one after the other, each held against the laws."""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import NullPool, create_engine, make_url, text

from readiness_pipelines_tests.databases import URL_FILE, database_in, postgres, use_database
from readiness_pipelines_tests.faults.disk import Disk, small_disk
from readiness_pipelines_tests.faults.oracle import Violation, judge
from readiness_pipelines_tests.faults.schedules import (
    DAYS,
    FaultyStore,
    File,
    FullDisk,
    Replaced,
    Restart,
    Schedule,
    Strike,
    Zombie,
    draw,
)
from readiness_pipelines_tests.faults.strikes import Struck, make_move
from readiness_pipelines_tests.stores import use_bucket

OUT = Console(width=140)
LAWS = ("lost", "doubled", "stuck", "unseen", "unequal", "impossible", "unexplained")


def main() -> None:
    """Run schedules for as long as asked, and print what they met."""
    options = _options()
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    until = time.monotonic() + options.minutes * 60
    met, laws, violated, done = Struck(), Counter[str](), 0, 0
    with small_disk() as disk:
        if disk.why_not:
            OUT.print(f"[yellow]{escape(disk.why_not)}: processes limit the size of their files instead[/]")
        while (options.schedules is None and time.monotonic() < until) or done < (options.schedules or 0):
            schedule = draw(
                seed + done, postgres=not options.no_postgres, kills_only=options.kills, buckets=options.buckets
            )
            if options.show:
                OUT.print(schedule)
            struck, violations = run_schedule(schedule, disk, Path(options.keep) if options.keep else None)
            met.add(struck)
            done += 1
            for violation in violations:
                laws[violation.law] += 1
                OUT.print(f"[red]seed {schedule.seed}: {violation.law}:[/] {escape(violation.what)}", soft_wrap=True)
            if violations:
                violated += 1
                again = "".join(f" --{name}" for name in ("kills", "buckets") if getattr(options, name))
                OUT.print(
                    f'[red]again:[/] make soak SOAK="--seed {schedule.seed} --schedules 1{again}"', soft_wrap=True
                )
            if done % 10 == 0:
                OUT.print(
                    f"[dim]{done:,} schedules, {sum(met.faults.values()):,} faults, {violated} with violations[/]"
                )
    OUT.print(_table(seed, done, met, laws))
    sys.exit(1 if violated else 0)


def run_schedule(schedule: Schedule, disk: Disk, keep: Path | None = None) -> tuple[Struck, tuple[Violation, ...]]:
    """Run a schedule in an installation of its own, and hold what it left against the laws.

    Args:
        schedule: The schedule.
        disk: Where the installation is made.
        keep: Where to leave an installation in which a law does not hold.
    """
    met = Struck()
    with tempfile.TemporaryDirectory(prefix="readiness-soak-notes-") as noted:
        notes, folder = Path(noted), disk.folder / str(schedule.seed)
        (folder / "landing").mkdir(parents=True)
        use_database(schedule.database, folder)
        if schedule.bucket:
            use_bucket(folder)
        try:
            for move in schedule.moves:
                met.add(make_move(move, folder, notes, disk))
            for note in notes.glob("refused-*"):
                what, error, *_ = note.read_text().split(": ")
                met.ends[f"{what} refused: {error}"] += 1
            violations = (
                *_noted(notes, schedule),
                *(Violation("stuck", what) for what in met.stuck),
                *(Violation("unexplained", what) for what in met.strange),
            )
            (notes / "reference").mkdir()
            violations += tuple(judge(folder, notes / "reference", landed(schedule, folder)))
            if violations and keep is not None:
                shutil.copytree(folder, keep / str(schedule.seed), dirs_exist_ok=True)
        finally:
            if (folder / URL_FILE).exists():
                _drop_database(folder)
            shutil.rmtree(folder)
    return met, violations


def landed(schedule: Schedule, folder: Path) -> dict[str, list[File]]:
    """The files that each batch had, from old to new; what should have been replaced meanwhile may not have been."""
    drawn: dict[str, list[File]] = {day: [] for day in DAYS}
    for move in schedule.moves:
        for file in move.files:
            drawn[file.batch].append(file)
        if isinstance(move.strike, Replaced):
            drawn[move.strike.file.batch].append(move.strike.file)
    for day, files in drawn.items():
        there = folder / "landing" / "orders" / f"{day}.csv"
        if not there.exists():
            files.clear()
            continue
        # Each version names itself in its rows: the one that is there is the last.
        lines = tuple(there.read_text().splitlines()[1:])
        files[:] = [*(file for file in files if file.lines != lines), File(day, lines)]
    return drawn


def _noted(notes: Path, schedule: Schedule) -> Iterator[Violation]:
    """What processes noted; readers and maintenance may be refused where a server, store or disk fails."""
    if not any(_may_refuse_others(move.strike) for move in schedule.moves):
        for note in sorted(notes.glob("refused-*")):
            what = note.read_text()
            if what.startswith(("reader", "maintenance")):
                yield Violation("impossible", what)
    for note in sorted(notes.glob("seen-*")):
        yield Violation("impossible", note.read_text())
    for note in sorted(notes.glob("broken-*")):
        yield Violation("unexplained", f"an error without a way out: {note.read_text()}")


def _may_refuse_others(strike: Strike | None) -> bool:
    """Whether a fault reaches other processes: a zombie that is cut off takes all connections along."""
    if isinstance(strike, Zombie):
        return strike.elsewhere
    return isinstance(strike, FullDisk | Restart | FaultyStore)


def _drop_database(folder: Path) -> None:
    name = make_url(database_in(folder)).database
    engine = create_engine(postgres(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _table(seed: int, done: int, met: Struck, laws: Counter[str]) -> Table:
    table = Table(title=f"{done:,} schedules, seeds {seed} to {seed + done - 1}", title_justify="left")
    for column in ("", "times", "drawn, not reached"):
        table.add_column(column, justify="left" if not column else "right")
    for kind in sorted({*met.faults, *met.missed}):
        table.add_row(kind, f"{met.faults[kind]:,}", f"{met.missed[kind]:,}" if met.missed[kind] else "")
    table.add_section()
    for end, times in sorted(met.ends.items()):
        table.add_row(f"[dim]{end}[/]", f"[dim]{times:,}[/]", "")
    table.add_section()
    for law in LAWS:
        table.add_row(f"violations: {law}", f"{laws[law]:,}", "")
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long")
    parser.add_argument("--schedules", type=int, default=None, help="so many, instead of some minutes")
    parser.add_argument("--seed", type=int, default=None, help="of the first schedule; the next one has the next")
    parser.add_argument("--no-postgres", action="store_true", help="run all on SQLite")
    parser.add_argument("--kills", action="store_true", help="kill, at every move, and nothing else")
    parser.add_argument("--buckets", action="store_true", help="keep all tables in an object store, which fails, too")
    parser.add_argument("--keep", default=None, help="folder for the installations in which a law does not hold")
    parser.add_argument("--show", action="store_true", help="print each schedule")
    return parser.parse_args()


if __name__ == "__main__":
    main()
