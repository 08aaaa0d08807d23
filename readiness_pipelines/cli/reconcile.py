"""`readiness reconcile`: the proof that every row is accounted for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.markup import escape

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.due import say_due
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    AsJson,
    count_batches,
    errors_for_people,
    print_json_of,
    say,
    say_next,
)
from readiness_pipelines.cli.running import batch_progress
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import Level, Reconciliation, Share, reconcile
from readiness_pipelines.delivery import repair as repair_problems
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings


def run_reconcile(
    what: What = None,
    level: Annotated[
        Level,
        typer.Option(
            help="ledger: against the catalog; files: also every file's checksum; rows: also every row; "
            "recompute: also judge every batch again."
        ),
    ] = Level.ROWS,
    share: Annotated[
        str, typer.Option(help="Only a part of the batches, such as 3/30: files, rows and new judgements.")
    ] = "1/1",
    repair: Annotated[bool, typer.Option("--repair", help="Deliver what does not add up again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove from the tables themselves that every row is accounted for, once, and is as it was committed.

    A table that is named is looked at with the others of its domain. The exit code is 1 where something is wrong.
    """
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        look = _Look(level=level, share=Share.parse(share), repair=repair, quiet=as_json)
        found = [(one, *_reconcile(one, installation, look)) for one in find(what, settings).domains]
        if as_json:
            print_json_of([_value(*one) for one in found])
        else:
            for one in found:
                _show(*one)
            # What was cut off between a gate and its products adds up, and is not all there.
            due = say_due([one for one, _, _ in found], installation)
            if due and not any(seen.problems for _, seen, _ in found):
                say_next("readiness run" + (f" {what}" if what else ""))
    if any(seen.problems for _, seen, _ in found):
        raise typer.Exit(BROKEN_EXIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    level: Level
    share: Share
    repair: bool
    quiet: bool


def _reconcile(domain: Domain, installation: Installation, look: _Look) -> tuple[Reconciliation, Sequence[BatchRef]]:
    seen = _prove(domain, installation, look)
    if not look.repair or not seen.problems:
        return seen, ()
    repaired = repair_problems([domain], seen, installation=installation, run=Run(who=who_types()))
    return _prove(domain, installation, look), repaired


def _prove(domain: Domain, installation: Installation, look: _Look) -> Reconciliation:
    with batch_progress(quiet=look.quiet) as progress:
        task = progress.add_task(domain.name, total=None)

        def step(what: str, done: int, total: int) -> None:
            progress.update(task, description=escape(what), completed=done, total=total)

        return reconcile([domain], installation=installation, level=look.level, share=look.share, step=step)


def _show(domain: Domain, seen: Reconciliation, repaired: Sequence[BatchRef]) -> None:
    for ref in repaired:
        say(f"repaired {ref}")
    for problem in seen.problems:
        say((str(problem.ref), "bold red"), f": {problem.what}")
    verdict = "everything adds up" if not seen.problems else f"{len(seen.problems)} problems"
    if seen.unproved:
        say(f"not proved: {seen.unproved:,} batches in tables, committed before contents were kept")
    for why, batches in seen.skipped.items():
        say(f"not judged again: {count_batches(batches)}: {why}")
    again = f", {seen.recomputed:,} judged again" if seen.level is Level.RECOMPUTE else ""
    say(f"{domain.name}: {count_batches(seen.batches)}, {seen.rows:,} rows looked at{again}: {verdict}")
    if seen.problems:
        say_next(seen.problems[0].way_out)


def _value(domain: Domain, seen: Reconciliation, repaired: Sequence[BatchRef]) -> dict[str, Any]:
    return {
        "domain": domain.name,
        "level": seen.level.value,
        "batches": seen.batches,
        "rows": seen.rows,
        "unproved": seen.unproved,
        "recomputed": seen.recomputed,
        "skipped": dict(seen.skipped),
        "problems": [
            {
                "table": str(problem.ref.table),
                "batch": problem.ref.batch,
                "level": problem.level.value,
                "what": problem.what,
                "way_out": problem.way_out,
            }
            for problem in seen.problems
        ],
        "repaired": [{"table": str(ref.table), "batch": ref.batch} for ref in repaired],
    }
