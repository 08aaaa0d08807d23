"""`readiness replay`: batches judged again after a decision or with a new gate; first the plan, then the run."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    OUT,
    AsJson,
    count_batches,
    count_of,
    errors_for_people,
    named_error,
    print_json,
    say,
    say_next,
)
from readiness_pipelines.cli.replaying import ReplayReport, run_replays, run_what_follows, tables_and_lanes
from readiness_pipelines.cli.stopping import Stop, signals_end_after_a_batch
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import Chosen, What, check_ran, find
from readiness_pipelines.commands import history_command, quarantine_command, replay_command
from readiness_pipelines.contracts import Table, upstream
from readiness_pipelines.delivery import ReplayPlan, ReplayStep, Selection, moved_rows, plan_replay
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.status import counts_value
from readiness_pipelines.ledger import BatchRecord
from readiness_pipelines.settings import Settings

DEFAULT_REASON = "replayed from the command line"


def replay(
    what: What = None,
    batch: Annotated[list[str] | None, typer.Option(help="A batch; may be given more than once.")] = None,
    held: Annotated[bool, typer.Option("--held", help="All held batches.")] = False,
    older_gate: Annotated[bool, typer.Option("--older-gate", help="All that an older gate version judged.")] = False,
    since: Annotated[datetime | None, typer.Option(help="Judged at this time (UTC) or later.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Judged before this time (UTC).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge the batches and show the plan; write nothing.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the trail.")] = DEFAULT_REASON,
    request: Annotated[bool, typer.Option("--request", help="Leave it to Dagster's daemon.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge batches again: their corrections applied, waived rules waived, by the gate in the code.

    What was computed from them is computed again. It goes through Dagster, so that its checks turn green. The exit code
    is 1 where a batch broke. Ctrl-C ends after the batch under way, a second one at once.
    """
    with signals_end_after_a_batch() as stop:
        with errors_for_people():
            settings = Settings()
            installation = Installation.open(settings)
            if not (batch or held or older_gate or since or until):
                raise DeclarationError(
                    "which batches?", way_out="give --batch, --held, --older-gate, --since or --until"
                )
            chosen, run = find(what, settings), Run(who=who_types())
            selection = Selection(
                batches=tuple(batch or ()),
                held=held,
                older_gate=older_gate,
                since=since.replace(tzinfo=UTC) if since else None,
                until=until.replace(tzinfo=UTC) if until else None,
            )
            _check_batches(chosen, batch or [], installation)
            plan = plan_replay(chosen.tables, selection, installation=installation, run=run, evaluate=dry_run)
            if dry_run:
                _show_plan(plan, as_json=as_json)
                return
            if request:
                replayed = ReplayReport()
                _request(chosen, plan, reason, installation, run, replayed)
            else:
                replayed = _carry_out(chosen, plan, reason, installation, run, stop, quiet=as_json)
            _report(plan, replayed, installation, requested=request, as_json=as_json)
        if stop.asked:
            raise typer.Exit(stop.exit_code)
        if replayed.broken:
            raise typer.Exit(BROKEN_EXIT)


def replay_refs(
    table: Table,
    refs: Sequence[BatchRef],
    reason: str,
    installation: Installation,
    run: Run,
    *,
    as_json: bool,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Replay some batches of a table now, as `readiness replay` does, and report it.

    Args:
        table: The table.
        refs: Its batches.
        reason: Why.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        as_json: For programs.
        beside: What else programs are told.
    """
    with signals_end_after_a_batch() as stop:
        selection = Selection(batches=tuple(ref.batch for ref in refs))
        plan = plan_replay([table], selection, installation=installation, run=run, evaluate=False)
        chosen = Chosen(domains=(table.domain,), tables=(table,), table=table)
        replayed = _carry_out(chosen, plan, reason, installation, run, stop, quiet=as_json)
        _report(plan, replayed, installation, requested=False, as_json=as_json, beside=beside)
        if stop.asked:
            raise typer.Exit(stop.exit_code)
        if replayed.broken:
            raise typer.Exit(BROKEN_EXIT)


def _carry_out(
    chosen: Chosen,
    plan: ReplayPlan,
    reason: str,
    installation: Installation,
    run: Run,
    stop: Stop,
    *,
    quiet: bool,
) -> ReplayReport:
    """Run a plan through Dagster, and what is due because of it."""
    replayed = ReplayReport()
    run_replays(
        [step.ref for step in plan.steps],
        chosen.domains,
        reason=reason,
        installation=installation,
        run=run,
        report=replayed,
        stop=stop,
        quiet=quiet,
    )
    run_what_follows(chosen.tables, replayed.done, installation=installation, report=replayed, stop=stop, quiet=quiet)
    return replayed


def _check_batches(chosen: Chosen, batches: list[str], installation: Installation) -> None:
    """Refuse a batch that no table of those chosen has.

    Raises:
        DeclarationError: It landed and did not run yet.
        UnknownNameError: It is not known; names the nearest.
    """
    for batch in batches:
        refusals: list[ReadinessError] = []
        for table in chosen.tables:
            try:
                check_ran(table, batch, installation=installation)
            except ReadinessError as error:
                refusals.append(error)
            else:
                break
        else:
            # What is said of a table that has something near helps more than of one that has nothing.
            raise next((one for one in refusals if one.way_out), refusals[0])


def _request(
    chosen: Chosen, plan: ReplayPlan, reason: str, installation: Installation, run: Run, replayed: ReplayReport
) -> None:
    """File a request for each batch; what is computed from one in the same run needs none of its own."""
    tables, lanes = tables_and_lanes(chosen.domains)
    for step in plan.steps:
        table, lane = tables[step.ref.table], lanes[step.ref.table]
        before = (BatchRef(one.id, step.ref.batch) for one in upstream(table) if one in lane.tables)
        if any(ref in replayed.requests for ref in before):
            continue
        asked = installation.ledger.request_replay(step.ref, who=run.who, why=reason, at=run.clock())
        replayed.requests[step.ref] = asked.id


def _report(
    plan: ReplayPlan,
    replayed: ReplayReport,
    installation: Installation,
    *,
    requested: bool,
    as_json: bool,
    beside: Mapping[str, Any] | None = None,
) -> None:
    after = {step.ref: installation.ledger.get(step.ref) for step in plan.steps}
    held = _held(replayed, installation)
    if as_json:
        print_json({**(beside or {}), **_report_value(plan, replayed, after, held)})
        return
    if requested:
        for ref, number in replayed.requests.items():
            say(f"request {number} asks for {ref}; Dagster's daemon runs it")
    broken = {(one.name, one.batch) for one in replayed.broken}
    for step in plan.steps:
        record = after[step.ref]
        if record is None or step.ref not in replayed.done or (str(step.ref.table), step.ref.batch) in broken:
            continue
        published = f"{step.counts.published:,} → {record.counts.published:,} rows published"
        states = f"{step.state} → {record.state}"
        say((str(step.ref), "bold"), f": {states}, {published}, {record.counts.quarantined:,} quarantined")
    for one in replayed.broken:
        say((f"{named_error(one.code, 'broken')} ", "bold red"), f"{one.name} {one.batch}: {one.what}")
        if one.way_out:
            say(("  → ", "bold"), one.way_out)
    for work in replayed.after:
        names = ", ".join(f"{table.id}[{work.batch}]" for table in work.tables)
        say(f"then {names}: {work.why}")
    for record in held:
        say(("held ", "bold red"), f"{record.ref}: {record.reason or 'nothing of it is published'}")
        say(("  → ", "bold"), quarantine_command(record.ref))
    if not requested and (left := [step for step in plan.steps if step.ref not in replayed.done]):
        say(f"ended before {count_batches(len(left))}, {left[0].ref} first")
    if plan.steps:
        say_next(replayed.broken[0].command if replayed.broken else history_command(plan.steps[0].ref))
    else:
        say("no batch meets what was asked for")


def _held(replayed: ReplayReport, installation: Installation) -> list[BatchRecord]:
    """The batches that are held, of all that were judged or computed again: a table, or a number made of it."""
    followed = (BatchRef(table.id, work.batch) for work in replayed.after for table in work.tables)
    records = map(installation.ledger.get, dict.fromkeys((*replayed.done, *followed)))
    return [record for record in records if record is not None and record.state is BatchState.HELD]


def _report_value(
    plan: ReplayPlan,
    replayed: ReplayReport,
    after: Mapping[BatchRef, BatchRecord | None],
    held: Sequence[BatchRecord],
) -> dict[str, Any]:
    return {
        "steps": [
            {**_step_value(step), "now": record.state.value, "now_rows": counts_value(record.counts)}
            for step in plan.steps
            if (record := after[step.ref]) is not None
        ],
        "then": [
            {"batch": work.batch, "tables": [str(table.id) for table in work.tables], "why": work.why}
            for work in replayed.after
        ],
        "held": {str(record.ref): record.reason for record in held},
        "requests": {str(ref): number for ref, number in replayed.requests.items()},
        "broken": [one.value for one in replayed.broken],
    }


def _show_plan(plan: ReplayPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "steps": list(map(_step_value, plan.steps)),
                "downstream": [{"table": str(ref.table), "batch": ref.batch} for ref in plan.downstream],
                "moved_rows": moved_rows(plan.steps),
            }
        )
        return
    table = plain_table("what a replay would do")
    for column in ("batch", "table", "is", "would be", "published", "quarantined", "gate"):
        table.add_column(column, overflow="fold")
    for step in plan.steps:
        would = step.would_count
        gate = step.gate_after if step.gate_before == step.gate_after else f"{step.gate_before} → {step.gate_after}"
        table.add_row(
            Text(step.ref.batch),
            str(step.ref.table),
            step.state.replace("_", " "),
            Text((step.would_be or "").replace("_", " ")),
            f"{step.counts.published:,} → {would.published:,}" if would else "–",
            f"{step.counts.quarantined:,} → {would.quarantined:,}" if would else "–",
            Text(gate),
        )
    OUT.print(table)
    for step in plan.steps:
        if step.would_be is None:
            say(f"{step.ref} cannot be judged now: {step.reason}")
        for decision in step.decisions:
            say(f"{step.ref}: decision {decision}")
    say(f"then: {', '.join(map(str, plan.downstream)) or 'nothing'}")
    say(f"{count_of(moved_rows(plan.steps), 'row')} would move from quarantine to published; nothing was written")
    with suppress(IndexError):
        say_next(replay_command(plan.steps[0].ref, dry_run=False))


def _step_value(step: ReplayStep) -> dict[str, Any]:
    return {
        "table": str(step.ref.table),
        "batch": step.ref.batch,
        "state": step.state.value,
        "rows": counts_value(step.counts),
        "gate_before": step.gate_before,
        "gate_after": step.gate_after,
        "decisions": list(step.decisions),
        "would_be": step.would_be.value if step.would_be else None,
        "would_be_rows": counts_value(step.would_count) if step.would_count else None,
        "reason": step.reason,
    }
