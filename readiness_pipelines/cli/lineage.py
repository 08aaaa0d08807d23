"""`readiness lineage`: where data comes from, what depends on it, and events about it for others."""

from typing import Annotated, Any

import typer

from readiness_pipelines.cli.lineage_trees import column_value, impact_lines, impact_value, show_column, show_table
from readiness_pipelines.cli.lineage_trees import table_value as tree_value
from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, count_of, errors_for_people, print_json, say
from readiness_pipelines.cli.row_custody import custody_value, show_custody
from readiness_pipelines.cli.words import find_table
from readiness_pipelines.contracts import Computed, Domain, Table
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import RefusedEvent
from readiness_pipelines.lineage import (
    LineageGraph,
    VerifiedLineage,
    known_lineage,
    row_custody,
    table_links,
    table_tree,
    verify_lineage,
)
from readiness_pipelines.openlineage import EventMaker, SentEvents, receivers_of, send_again, send_events, skip_to_now
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Where data comes from, what depends on it, and events about it.")

Name = Annotated[str, typer.Argument(help="A table (shop.orders), or a column (shop.orders.amount).", metavar="NAME")]
Direct = Annotated[bool, typer.Option("--direct", help="Only columns whose values flow, not those that decide.")]


@app.callback()
def _lineage() -> None:
    """Where data comes from, what depends on it, and events about it."""


@app.command("upstream")
def upstream(name: Name, direct: Direct = False, as_json: AsJson = False) -> None:
    """Show what a table or column comes from, back to the sources, with the batches that were read last."""
    with errors_for_people():
        _show_tree(name, upstream=True, direct=direct, as_json=as_json)


@app.command("downstream")
def downstream(name: Name, direct: Direct = False, as_json: AsJson = False) -> None:
    """Show what is made of a table or column, down to the products."""
    with errors_for_people():
        _show_tree(name, upstream=False, direct=direct, as_json=as_json)


def _show_tree(name: str, *, upstream: bool, direct: bool, as_json: bool) -> None:
    settings = Settings()
    domains = load_domains(settings)
    installation = Installation.open(settings)
    tables = tuple(tables_of(domains).values())
    graph = _graph(domains, installation)
    node = graph.node(_spelled(name, domains))
    if node.column:
        branch = graph.upstream(node, direct=direct) if upstream else graph.downstream(node, direct=direct)
        if as_json:
            print_json(column_value(branch))
        else:
            show_column(branch, graph, upstream=upstream)
        return
    tree = table_tree(node.table, tables, table_links(tables, installation=installation), upstream=upstream)
    if as_json:
        print_json(tree_value(tree))
    else:
        show_table(tree)


def _graph(domains: tuple[Domain, ...], installation: Installation) -> LineageGraph:
    return LineageGraph(tables_of(domains).values(), lambda table: known_lineage(table, installation))


def _spelled(name: str, domains: tuple[Domain, ...]) -> str:
    """A table's name alone stands for the only table of that name."""
    return name if "." in name else str(find_table(name, domains).id)


@app.command("impact")
def impact(
    name: Annotated[str, typer.Argument(help="A column: shop.orders.amount.", metavar="TABLE.COLUMN")],
    as_json: AsJson = False,
) -> None:
    """Show what a change of a column reaches: columns, tables, KPIs, and who relies on them."""
    with errors_for_people():
        settings = Settings()
        domains = load_domains(settings)
        graph = _graph(domains, Installation.open(settings))
        node = graph.node(_spelled(name, domains))
        if not node.column:
            raise DeclarationError(
                f"{node.table} is a table: a change of it reaches all that is made of it",
                way_out=f"name a column, or: readiness lineage downstream {node.table}",
            )
        found = graph.impact(node)
        if as_json:
            print_json(impact_value(found))
            return
        for line in impact_lines(found):
            OUT.print(line)


@app.command("row")
def row(
    table: Annotated[str, typer.Argument(help="The table, as domain.table.", metavar="TABLE")],
    batch: Annotated[str, typer.Argument(help="The batch.", metavar="BATCH")],
    number: Annotated[int, typer.Argument(help="The row's _row.", metavar="ROW", min=0)],
    as_json: AsJson = False,
) -> None:
    """Follow one row: file and checksum, record, raw snapshot, gate, decisions, published snapshot, what uses it.

    No value of the row is shown.
    """
    with errors_for_people():
        settings = Settings()
        domains = load_domains(settings)
        found = row_custody(
            find_table(table, domains),
            batch=batch,
            row=number,
            tables=tuple(tables_of(domains).values()),
            installation=Installation.open(settings),
        )
        if as_json:
            print_json(custody_value(found))
        else:
            show_custody(found)


@app.command("verify")
def verify(
    table: Annotated[str, typer.Argument(help="A computed table or KPI, as domain.table.", metavar="TABLE")],
    batch: Annotated[str | None, typer.Option("--batch", help="The batch; by default the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a table's column lineage against what changes when a batch is computed from changed rows.

    Rows stay in memory, and nothing is written. The exit code is 1 where the lineage is wrong.
    """
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        chosen = find_table(table, load_domains(settings))
        if not isinstance(chosen, Computed):
            raise DeclarationError(f"{chosen.id} is fed by a source, not computed", way_out="name a computed table")
        key = batch or _newest(chosen, installation)
        found = verify_lineage(chosen, batch=key, installation=installation)
        if as_json:
            print_json(_verified_value(found))
        else:
            _show_verified(str(chosen.id), found)
    if found.contradicted:
        raise typer.Exit(BROKEN_EXIT)


def _newest(table: Table, installation: Installation) -> str:
    record = installation.ledger.latest(table.id)
    if record is None:
        raise DeclarationError(f"no batch of {table.id} was computed yet", way_out=f"readiness run {table.id}")
    return record.ref.batch


def _verified_value(found: VerifiedLineage) -> dict[str, Any]:
    def pairs(given: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
        return [{"from": source, "to": output} for source, output in given]

    return {
        "batch": found.batch,
        "runs": found.runs,
        "confirmed": pairs(found.confirmed),
        "contradicted": pairs(found.contradicted),
        "unseen": pairs(found.unseen),
        "unstable": list(found.unstable),
        "unresolved": list(found.unresolved),
    }


def _show_verified(name: str, found: VerifiedLineage) -> None:
    say((name, "bold"), f", batch {found.batch}, computed {count_of(found.runs, 'time')} from changed rows:")
    say(f"  {count_of(len(found.confirmed), 'pair')} of columns changed together, as the lineage says")
    for source, output in found.contradicted:
        say(("  wrong: ", "bold red"), f"{output} changes with {source}, and the lineage does not say so")
    for source, output in found.unseen:
        say(("  not seen: ", "yellow"), f"{output} did not change with {source} in these rows")
    for output in found.unstable:
        say(("  left out: ", "yellow"), f"{output} differs from run to run with nothing changed")
    for why in found.unresolved:
        say(("  not known: ", "yellow"), why)


@app.command("send")
def send(
    to: Annotated[str | None, typer.Option("--to", help="Only this receiver of [settings.openlineage].")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Send again what receivers refused.")] = False,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Send nothing; leave out what happened until now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send OpenLineage events to the receivers in [settings.openlineage]: what happened since the last time.

    The exit code is 1 where a receiver did not take everything; it is sent again, by this command or by the watch.
    """
    with errors_for_people():
        settings = Settings()
        chosen = [one for one in receivers_of(settings) if to in (None, one.name)]
        if not chosen:
            raise DeclarationError(
                f"no receiver {to!r} is named" if to else "no receiver of events is named",
                way_out='write to the settings file: [settings.openlineage] file = "file:data/lineage.jsonl"',
            )
        installation, clock = Installation.open(settings), Run().clock
        maker = EventMaker(load_domains(settings), installation=installation, namespace=settings.openlineage_namespace)
        found: list[SentEvents] = []
        for one in chosen:
            if from_now:
                skip_to_now(one, installation=installation, at=clock())
                found.append(SentEvents(name=one.name))
            elif refused:
                found.append(send_again(one, maker, installation=installation, clock=clock))
            else:
                found.append(send_events(one, maker, installation=installation, clock=clock, now=True))
        left = {one.name: installation.ledger.receivers.refused(one.name) for one in chosen}
        if as_json:
            print_json([_sent_value(sent, left[sent.name]) for sent in found])
        else:
            for sent in found:
                _show_sent(sent, left[sent.name])
    if any(sent.error or left[sent.name] for sent in found):
        raise typer.Exit(BROKEN_EXIT)


def _sent_value(sent: SentEvents, refused: tuple[RefusedEvent, ...]) -> dict[str, Any]:
    return {
        "receiver": sent.name,
        "sent": sent.sent,
        "refused": [{"entry": one.entry, "part": one.part, "error": one.error} for one in refused],
        "error": sent.error or None,
        "busy": sent.busy,
    }


def _show_sent(sent: SentEvents, refused: tuple[RefusedEvent, ...]) -> None:
    if sent.busy:
        say((sent.name, "bold"), ": another sender has it now")
        return
    say((sent.name, "bold"), f": {count_of(sent.sent, 'event')} sent")
    if sent.error:
        say(("  not sent: ", "bold red"), f"{sent.error}; it is kept and tried again")
    if refused:
        say(("  refused: ", "bold red"), f"{count_of(len(refused), 'event')}, the last for: {refused[-1].error}")
        say("  → readiness lineage send --refused")
