"""`readiness status`: where every batch stands."""

from collections.abc import Sequence
from typing import Annotated

import typer

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.due import say_due
from readiness_pipelines.cli.erasures import open_erasures
from readiness_pipelines.cli.outdated import say_other_gates, say_undeclared
from readiness_pipelines.cli.output import (
    OUT,
    AsJson,
    count_of,
    errors_for_people,
    print_json,
    print_json_of,
    say,
    say_next,
    show_error,
)
from readiness_pipelines.cli.repeating import HeldOnly, Watch, look_again
from readiness_pipelines.cli.shards import say_shards
from readiness_pipelines.cli.tables import NEWEST, dimensions_table, lane_table, versions_table
from readiness_pipelines.cli.unusual import say_unusual, unusual_of
from readiness_pipelines.cli.words import Chosen, What, find
from readiness_pipelines.commands import quarantine_command, replay_command
from readiness_pipelines.contracts import Domain, Kpi, Table
from readiness_pipelines.installation import Installation
from readiness_pipelines.json_values.status import record_value, status_value, table_value
from readiness_pipelines.ledger import BatchRecord, ErasureState
from readiness_pipelines.overview import BatchStatus, DomainStatus, batches_by_other_gates, status, undeclared_tables
from readiness_pipelines.settings import Settings

Newest = Annotated[int, typer.Option("--newest", min=0, help="Show so many batches of each kind; 0 shows all.")]


def show_status(
    what: What = None,
    newest: Newest = NEWEST,
    held: HeldOnly = False,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Show where every batch of a domain (of all, where none is named) stands: rows, what is held and why, the KPIs.

    Of a KPI, its values by its dimensions.
    """
    with errors_for_people():
        settings = Settings()
        chosen, installation = find(what, settings), Installation.open(settings)
        look_again(
            lambda: _look(chosen, what, installation, newest, held=held, as_json=as_json),
            again=watch and not as_json,
        )


def _look(
    chosen: Chosen, what: str | None, installation: Installation, newest: int, *, held: bool, as_json: bool
) -> None:
    found = [status(domain, installation=installation) for domain in chosen.domains]
    if held:
        _show_held(chosen, found, as_json=as_json)
        return
    older = batches_by_other_gates(chosen.tables, installation=installation)
    unusual = unusual_of(chosen.tables, installation=installation)
    if chosen.table is not None:
        batches = _batches(found[0], chosen.table)
        if as_json:
            print_json(table_value(chosen.table, batches))
        else:
            _show_table(chosen.table, batches, newest)
            say_unusual(unusual)
            say_other_gates(older, str(chosen.table.id))
        return
    gone = undeclared_tables(chosen.domains, installation=installation)
    if as_json:
        print_json_of([status_value(one, older, gone, unusual) for one in found])
        return
    if left := installation.ledger.erasures.requests(state=ErasureState.OPEN):
        error = open_erasures(left)
        show_error(error.what, error.way_out, error.code)
    for domain, one in zip(chosen.domains, found, strict=True):
        _say_reasons(one, held=True)
        show_lanes(domain, one, newest=newest)
        _say_reasons(one, held=False)
    decided = [ref for one in found for ref in one.awaiting_replay]
    for ref in decided:
        say(f"  {ref}: ", ("decided since its last verdict", "bold"), ", not replayed")
    say_shards(chosen.tables, installation)
    say_unusual(unusual)
    say_other_gates(older, what)
    say_undeclared(gone)
    if say_due(chosen.domains, installation):
        say_next("readiness run" + (f" {what}" if what else ""))
    elif decided:
        say_next(replay_command(decided[0]))
    elif first := next((record for one in found for record in _records(one) if record.state == "held"), None):
        say_next(quarantine_command(first.ref))


def _say_reasons(now: DomainStatus, *, held: bool) -> None:
    """Why batches are held, or why of others something waits."""
    for record in _records(now):
        if record.reason and record.state != "ingested" and (record.state == "held") is held:
            style = "bold red" if held else "bold"
            say(f"  {record.ref}: ", (record.state.replace("_", " "), style), f" {record.reason}")


def _show_held(chosen: Chosen, found: Sequence[DomainStatus], *, as_json: bool) -> None:
    """What is held alone."""
    ids = {table.id for table in chosen.tables}
    held = [record for one in found for record in _records(one) if record.state == "held" and record.ref.table in ids]
    if as_json:
        print_json([{"batch": record.ref.batch, **(record_value(record) or {})} for record in held])
        return
    for record in held:
        say(f"{record.ref}: ", ("held", "bold red"), f" {record.reason}")
    if held:
        say_next(quarantine_command(held[0].ref))
    else:
        say("nothing is held")


def show_lanes(domain: Domain, now: DomainStatus, *, newest: int = NEWEST) -> None:
    """One table for each lane of a domain; one for all lanes of a single table that have versions, where several do."""
    single = [lane for lane in now.lanes if lane.replaces]
    for lane in now.lanes:
        if len(single) == 1 or lane not in single:
            OUT.print(lane_table(lane, domain.kpis, newest=newest))
    if len(single) > 1:
        OUT.print(versions_table(f"{now.domain} (versions)", single, domain.kpis))


def _show_table(table: Table, batches: tuple[BatchStatus, ...], newest: int) -> None:
    say((str(table.id), "bold"), f" {table.description}")
    shown = batches[-newest:] if newest else batches
    for batch in shown:
        record = batch.tables[table.id]
        ref = BatchRef(table.id, batch.batch)
        if record is None:
            say((f"  {ref.batch}: never delivered", "dim"))
            continue
        counts = record.counts
        state = "ingested, not judged yet" if record.ref.table != table.id else record.state.replace("_", " ")
        outcome = (
            f" · {count_of(counts.ingested, 'row')}, {counts.published:,} published, {counts.quarantined:,} quarantined"
        )
        outcome += f", {counts.erased:,} erased" if counts.erased else ""
        say(f"  {ref.batch}: ", (state, "bold"), outcome, f" · {record.reason}" if record.reason else "")
    if isinstance(table, Kpi):
        OUT.print(dimensions_table(table, shown))


def _batches(now: DomainStatus, table: Table) -> tuple[BatchStatus, ...]:
    return next(lane.batches for lane in now.lanes if table.id in lane.tables)


def _records(now: DomainStatus) -> list[BatchRecord]:
    found = [record for lane in now.lanes for batch in lane.batches for record in batch.tables.values()]
    return [record for record in found if record is not None]
