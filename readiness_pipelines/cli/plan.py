"""`readiness plan`: what the code would do to past batches before it is deployed; evaluated, written, carried out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.contract_report import contract_sections, contract_value
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    ERR,
    AsJson,
    count_batches,
    errors_for_people,
    print_json,
    say,
    say_next,
)
from readiness_pipelines.cli.plan_report import (
    evaluation_sections,
    evaluation_value,
    markdown_of,
    plan_sections,
    plan_value,
    print_sections,
)
from readiness_pipelines.cli.replaying import ReplayReport, run_replays, run_what_follows
from readiness_pipelines.cli.running import batch_progress
from readiness_pipelines.cli.stopping import Stop, signals_end_after_a_batch
from readiness_pipelines.cli.words import Chosen, What, find
from readiness_pipelines.commands import plan_command, reconcile_command
from readiness_pipelines.compatibility.verdict import ContractVerdict
from readiness_pipelines.contracts import Table, downstream
from readiness_pipelines.delivery import Evaluation, drop_environment, evaluate
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import DeclarationError, PlanOutdatedError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.interop.odcs.baseline import ENDING, FOLDER, known_contracts
from readiness_pipelines.interop.odcs.checking import check_contracts
from readiness_pipelines.lakehouse import WAY_OUT_OF_OTHER_TYPES
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import (
    SAMPLE,
    FrozenPlan,
    Plan,
    PlanProgress,
    freeze,
    otherwise_than_foretold,
    plan_changes,
    plan_progress,
    read_plan,
    sample,
    undeclared_tables,
    write_plan,
)
from readiness_pipelines.reports.markdown import escape_markdown
from readiness_pipelines.settings import Settings

SHOWN_DIFFERENCES = 10
IDENTITY_DIGITS = 12
SECONDS_A_RUN = 0.8
"""What a run of Dagster takes beside its deliveries, about."""


def plan(
    what: What = None,
    evaluated: Annotated[
        bool, typer.Option("--evaluate", help="Judge past batches again, without publishing: which rows would move.")
    ] = False,
    batches: Annotated[
        int | None, typer.Option(min=1, help=f"Evaluate so many of each table's batches; {SAMPLE} unless said.")
    ] = None,
    all_batches: Annotated[bool, typer.Option("--all", help="Evaluate all of them.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, to be applied.")] = None,
    apply: Annotated[
        Path | None, typer.Option(help="Replay what the plan in this file says, and nothing else.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is applied, for the trail.")] = "",
    environment: Annotated[
        str | None,
        typer.Option("--env", help="Evaluate into tables of this environment: dev for shop__dev.orders."),
    ] = None,
    dropped: Annotated[str | None, typer.Option("--drop-env", help="Drop the tables of this environment.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the code would do to past batches: which gates and transforms differ, and what would be judged again.

    The exit code is 0 where nothing would change, 1 where something would, and 2 where that cannot be told; of --apply
    0 where all went as foretold, 1 where it did not, and 2 where the plan is not true any more. Nothing is written
    unless --apply says so.
    """
    with errors_for_people():
        settings = Settings()
        installation, run = Installation.open(settings), Run(who=who_types())
        if sum(one is not None for one in (apply, dropped, environment or out)) > 1:
            raise DeclarationError(
                "--apply, --drop-env, and --env or --out are of different commands", way_out="give one of them"
            )
        if dropped is not None:
            _drop(dropped, installation, as_json=as_json)
            return
        if apply is None:
            chosen = find(what, settings)
            found = plan_changes(chosen.tables, installation=installation, run=run)
            seen = None
            if evaluated or environment or batches or all_batches:
                size = None if all_batches else batches or SAMPLE
                seen = _evaluate(chosen, found, size, environment, installation, run, quiet=as_json)
            if out is not None:
                _refuse_other_types(found)
                made_at = datetime.now(UTC)
                write_plan(freeze(found, what=what, made_at=made_at, made_by=run.who, evaluation=seen), out)
            gone = undeclared_tables(chosen.domains, installation=installation) if chosen.table is None else {}
            _show(what, chosen, found, gone, seen, out, environment, as_json=as_json, markdown=markdown)
            if found.decides:
                raise typer.Exit(BROKEN_EXIT)
            return
        _apply(apply, reason, settings, installation, run, as_json=as_json)


def _refuse_other_types(found: Plan) -> None:
    """Refuse to write a plan of which no batch could be published.

    Raises:
        DeclarationError: A table cannot hold the types that the code has.
    """
    for table in found.tables:
        if table.refused:
            columns = ", ".join(f"{one.column} as {one.there}, not {one.given}" for one in table.refused)
            raise DeclarationError(
                f"what is planned cannot be applied: {table.table} has {columns}", way_out=WAY_OUT_OF_OTHER_TYPES
            )


def _evaluate(
    chosen: Chosen,
    found: Plan,
    size: int | None,
    environment: str | None,
    installation: Installation,
    run: Run,
    *,
    quiet: bool,
) -> Evaluation:
    """Judge batches of a plan again, and say before what that costs."""
    batches = sample(found, size)
    refs, readers = [one.ref for one in batches], [one.ref for one in found.downstream]
    share = len(refs) / max(len(found.batches), 1)
    if not quiet:
        rows = sum(one.counts.ingested for one in batches)
        seconds = _seconds([*refs, *readers[: round(len(readers) * share)]], installation)
        takes = f", about {format_duration(timedelta(seconds=seconds))}" if seconds else ""
        cost = f"judging {len(refs):,} of {count_batches(len(found.batches))} again: {rows:,} rows{takes}"
        ERR.print(escape(cost), soft_wrap=True)
    tables = [*chosen.tables, *(reader for table in chosen.tables for reader in downstream(table))]
    with signals_end_after_a_batch() as stop, batch_progress(quiet=quiet) as progress:
        task = progress.add_task("cloning the tables", total=len(refs) + round(len(readers) * share))

        def step(ref: BatchRef) -> None:
            progress.update(task, advance=1, description=escape(str(ref)))
            _end_where_asked(stop)

        return evaluate(tables, refs, readers, installation=installation, run=run, environment=environment, step=step)


def _seconds(refs: Sequence[BatchRef], installation: Installation) -> float:
    """How long deliveries of some batches take, by the last ones of their tables; 0 where none is remembered."""
    usual = installation.ledger.usual_seconds({ref.table for ref in refs})
    return sum(usual.get(ref.table, 0) for ref in refs)


def _end_where_asked(stop: Stop) -> None:
    if stop.asked:
        raise typer.Exit(stop.exit_code)


def _show(
    what: str | None,
    chosen: Chosen,
    found: Plan,
    gone: Mapping[TableId, int],
    seen: Evaluation | None,
    out: Path | None,
    environment: str | None,
    *,
    as_json: bool,
    markdown: bool,
) -> None:
    contracts = _changed_contracts(chosen)
    if as_json:
        more = {"contracts": list(map(contract_value, contracts))} if contracts else {}
        print_json({**plan_value(found, gone), **more, "evaluated": evaluation_value(seen) if seen else None})
        return
    known: dict[TableId, Table] = {one.id: one for table in chosen.tables for one in (table, *downstream(table))}
    sections = [*plan_sections(found, gone), *contract_sections(contracts)]
    if seen is not None and seen.judged:
        sections += evaluation_sections(found, seen, known)
    if markdown:
        typer.echo(f"## What would change: {escape_markdown(what or 'all domains')}\n\n{markdown_of(sections)}")
        return
    print_sections(sections)
    if any(table.refused for table in found.tables):
        return
    if environment is not None:
        say(f"what would be published is in the namespaces that end in __{environment}, until they are dropped")
        say_next(plan_command(drop=environment))
    elif out is not None and found.batches:
        say_next(plan_command(apply=str(out)))
    elif found.batches and seen is None:
        say_next(plan_command(what, evaluate=True))
    elif found.batches:
        say_next(plan_command(what, out="plan.json"))


def _changed_contracts(chosen: Chosen) -> list[ContractVerdict]:
    """What becomes of the contracts that are committed beside the code; nothing where none are."""
    if not any(FOLDER.glob(f"*{ENDING}")):
        return []
    known, today = known_contracts(None), datetime.now(UTC).date()
    verdicts = check_contracts(chosen.tables, known, today=today, whole=chosen.table is None)
    return [one for one in verdicts if one.before and (one.changes or one.breakages)]


def _drop(environment: str, installation: Installation, *, as_json: bool) -> None:
    dropped = drop_environment(environment, installation=installation)
    if as_json:
        print_json({"dropped": list(map(str, dropped))})
    else:
        say(f"dropped {', '.join(map(str, dropped))}" if dropped else f"there is no table of {environment}")


def _apply(path: Path, reason: str, settings: Settings, installation: Installation, run: Run, *, as_json: bool) -> None:
    """Replay what a plan says.

    Raises:
        PlanOutdatedError: Something is not as the plan says; nothing was done.
    """
    if not reason.strip():
        raise DeclarationError("a plan is applied for a reason", way_out='give one: --reason "…"')
    frozen, domains = read_plan(path), load_domains(settings)
    tables = tables_of(domains)
    progress = plan_progress(frozen, tables, installation=installation, run=run)
    if progress.differs:
        more = len(progress.differs) - SHOWN_DIFFERENCES
        differences = [*progress.differs[:SHOWN_DIFFERENCES], *([f"and {more:,} more"] if more > 0 else [])]
        raise PlanOutdatedError(
            f"the plan of {frozen.made_at:%Y-%m-%d %H:%M} is not true any more: {'; '.join(differences)}",
            way_out=f"plan again: {plan_command(frozen.what, out=str(path))}",
        )
    if progress.left and not as_json:
        following = [one.ref for one in frozen.downstream]
        seconds = _seconds([*progress.left, *following], installation) + SECONDS_A_RUN * len(progress.left)
        takes = f", about {format_duration(timedelta(seconds=round(seconds)))}"
        ERR.print(f"judging {count_batches(len(progress.left))} again, each in a run of Dagster{takes}", soft_wrap=True)
    report = ReplayReport()
    with signals_end_after_a_batch() as stop:
        run_replays(
            progress.left,
            domains,
            reason=f"{reason} (plan {frozen.identity[:IDENTITY_DIGITS]})",
            installation=installation,
            run=run,
            report=report,
            stop=stop,
            quiet=as_json,
            only=frozen.refs,
        )
        run_what_follows(
            [tables[table] for table in dict.fromkeys(one.ref.table for one in frozen.batches)],
            [*progress.done, *report.done],
            installation=installation,
            report=report,
            stop=stop,
            quiet=as_json,
            only=frozen.refs,
        )
        ended = not stop.asked
    otherwise = otherwise_than_foretold(frozen, installation=installation) if ended else ()
    _report(frozen, progress, report, otherwise, ended=ended, as_json=as_json)
    _end_where_asked(stop)
    if report.broken or otherwise:
        raise typer.Exit(BROKEN_EXIT)


def _report(
    frozen: FrozenPlan,
    progress: PlanProgress,
    report: ReplayReport,
    otherwise: Sequence[str],
    *,
    ended: bool,
    as_json: bool,
) -> None:
    planned = {one.ref for one in frozen.batches}
    broken = {(one.name, one.batch) for one in report.broken}
    done = [ref for ref in report.done if ref in planned and (str(ref.table), ref.batch) not in broken]
    followed = {
        *(ref for ref in report.done if ref not in planned),
        *(BatchRef(table.id, work.batch) for work in report.after for table in work.tables),
    }
    foretold = sum(ref in frozen.foretold for ref in planned)
    if as_json:
        print_json(
            {
                "plan": frozen.identity,
                "done": list(map(str, done)),
                "done_before": list(map(str, progress.done)),
                "left": list(map(str, report.left)),
                "followed": sorted(map(str, followed)),
                "foretold": foretold,
                "otherwise": list(otherwise),
                "broken": [{"of": one.name, "batch": one.batch, "error": one.what} for one in report.broken],
            }
        )
        return
    before = f", {len(progress.done):,} were before" if progress.done else ""
    say(f"{len(done):,} of {count_batches(len(planned))} judged again{before}; {len(followed):,} followed")
    if report.left:
        say(f"{count_batches(len(report.left))} cannot be computed: what they are made of is not published")
    for one in report.broken:
        say(("broken ", "bold red"), f"{one.name} {one.batch}: {one.what}")
        if one.way_out:
            say(("  → ", "bold"), one.way_out)
    for what in otherwise[:SHOWN_DIFFERENCES]:
        say(("otherwise than foretold ", "bold red"), what)
    if ended and foretold and not otherwise:
        say(f"as foretold: rows and values of all {foretold:,} that were evaluated")
    if not ended:
        say("the same command goes on where it ended")
    elif planned:
        domains = list(dict.fromkeys(ref.table.domain for ref in planned))
        say_next(reconcile_command(domains[0], repair=False))
