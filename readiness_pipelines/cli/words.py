"""The words that name domains, tables and batches on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.commands import run_command
from readiness_pipelines.contracts import Domain, FeatureView, GatedTable, Table, TrainingSet
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.errors import DeclarationError, LandingError, UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.overview import waiting_batches
from readiness_pipelines.settings import Settings

What = Annotated[str | None, typer.Argument(help="A domain, or a table as domain.table; all where nothing is named.")]
OfTable = Annotated[
    str | None,
    typer.Argument(
        help="The table, as domain.table, or its domain; not needed where one table alone has the batch.",
        metavar="TABLE",
    ),
]
BatchKey = Annotated[str, typer.Option("--batch", help="The batch.", metavar="BATCH")]
WaitingBatch = Annotated[
    str | None, typer.Option("--batch", help="The batch; not needed where one alone waits.", metavar="BATCH")
]

_Named = TypeVar("_Named", Table, FeatureView, TrainingSet)

SHOWN_WAYS = 3
"""So many commands are named where one of several batches may be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a command was asked about.

    Attributes:
        domains: The domains, as the settings name them.
        tables: The tables: all of those domains, or the one that was named.
        table: The table that was named; ``None`` where a domain, or nothing, was.
    """

    domains: tuple[Domain, ...]
    tables: tuple[Table, ...]
    table: Table | None = None


def find(what: str | None, settings: Settings) -> Chosen:
    """The domains and tables of a word: nothing (all), a domain, ``domain.table``, or a table's name that is unique.

    Raises:
        UnknownNameError: No domain and no table is called that; names the nearest.
        DeclarationError: Tables of several domains are called that.
    """
    domains = load_domains(settings)
    if what is None:
        return Chosen(domains=domains, tables=tuple(tables_of(domains).values()))
    if named := next((domain for domain in domains if domain.name == what), None):
        return Chosen(domains=(named,), tables=named.tables)
    table = find_table(what, domains)
    return Chosen(domains=(table.domain,), tables=(table,), table=table)


def find_table(name: str, domains: Sequence[Domain]) -> Table:
    """The table of a name: ``domain.table``, or its name alone where one domain has such a table.

    Raises:
        UnknownNameError: No such table; names the nearest.
        DeclarationError: Tables of several domains are called that.
    """
    tables = tables_of(domains)
    known = [*(domain.name for domain in domains), *map(str, tables)]
    if "." not in name:
        known += [ident.name for ident in tables]
    return find_called(name, list(tables.values()), kind="table", unknown="domain or table", known=known)


def find_called(
    name: str, every: Sequence[_Named], *, kind: str, unknown: str = "", known: Sequence[str] | None = None
) -> _Named:
    """The one of a name: ``domain.name``, or the name alone where one domain has such a one.

    Args:
        name: As it was typed.
        every: All that there are.
        kind: What they are, for errors: ``training set``.
        unknown: What the name could have been of, where that is more.
        known: The names that it could have been; by default those of all.

    Raises:
        UnknownNameError: There is none; names the nearest.
        DeclarationError: Those of several domains are called that.
    """
    found = [one for one in every if name in (str(one.id), one.id.name)]
    if len(found) == 1:
        return found[0]
    names = [str(one.id) for one in every]
    if found:
        several = ", ".join(str(one.id) for one in found)
        raise DeclarationError(f"several {kind}s are called {name!r}", way_out=f"name one of: {several}")
    raise UnknownNameError(unknown or kind, name, names if known is None else known)


def find_gated(name: str, domains: Sequence[Domain]) -> GatedTable:
    """The table of a name, if a source feeds it.

    Raises:
        UnknownNameError: No such table; names the nearest.
        DeclarationError: A table that is computed.
    """
    table = find_table(name, domains)
    if not isinstance(table, GatedTable):
        fed = ", ".join(str(one.id) for domain in domains for one in domain.tables if isinstance(one, GatedTable))
        raise DeclarationError(f"{table.id} is computed, not fed by a source", way_out=f"name one of: {fed}")
    return table


def batches_of(table: Table, *, installation: Installation) -> list[str]:
    """The batches of a table that landed, or that the ledger knows, from old to new.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    return in_order(table.batches, {*landed_batches(table, installation=installation), *_known(table, installation)})


def landed_batches(table: Table, *, installation: Installation) -> list[str]:
    """The batches that a table's source has now; none for a computed table, or where the source cannot be reached."""
    if not isinstance(table, GatedTable):
        return []
    try:
        arrivals = list(table.source.reader.arrivals(installation.places(table.batches)))
    except LandingError:
        return []  # this only helps to say what is there: whoever reads the batch says what is wrong
    return [arrival.batch for arrival in arrivals if table.batches.has(arrival.batch)]


def find_batch(
    what: str | None, batch: str, settings: Settings, *, installation: Installation, command: str
) -> tuple[Table, BatchRef]:
    """The table that a batch is of: the named one, or the only one fed by a source that has the batch.

    Args:
        what: The table or domain, as it was named; ``None`` where it was not.
        batch: The batch.
        settings: Where the domains are named.
        installation: Where the sources and the ledger are.
        command: The command, to spell the candidates: ``readiness history {table} --batch {batch}``.

    Raises:
        UnknownNameError: No table has such a batch; names the nearest that landed or ran.
        DeclarationError: Several tables have it, or it landed and did not run yet.
    """
    chosen = find(what, settings)
    if chosen.table is not None:
        check_ran(chosen.table, batch, installation=installation)
        return chosen.table, BatchRef(chosen.table.id, batch)
    fed = [one for one in chosen.tables if isinstance(one, GatedTable)]
    ran: list[Table] = [one for one in fed if batch in _known(one, installation)]
    computed = [one for one in chosen.tables if not isinstance(one, GatedTable)]
    if not ran:
        ran = [one for one in computed if batch in _known(one, installation)]
    if len(ran) == 1:
        return ran[0], BatchRef(ran[0].id, batch)
    if ran:
        ways = " or: ".join(command.format(batch=batch, table=one.id) for one in ran)
        raise DeclarationError(f"{len(ran)} tables have a batch {batch!r}", way_out=ways)
    if len(fed) == 1:
        check_ran(fed[0], batch, installation=installation)
    for one in fed:
        if batch in landed_batches(one, installation=installation):
            raise _did_not_run(BatchRef(one.id, batch))
    raise UnknownNameError(
        "batch", batch, {key for one in (*fed, *computed) for key in batches_of(one, installation=installation)}
    )


def find_waiting(
    what: str | None, batch: str | None, settings: Settings, *, installation: Installation, command: str
) -> tuple[Table, BatchRef]:
    """As `find_batch`; where no batch is named, the only one that waits.

    Raises:
        DeclarationError: None is named and none waits, or several do.
    """
    if batch is not None:
        return find_batch(what, batch, settings, installation=installation, command=command)
    chosen = find(what, settings)
    waiting = waiting_batches(chosen.tables, installation=installation)
    if len(waiting) == 1:
        tables = {table.id: table for table in chosen.tables}
        return tables[waiting[0].ref.table], waiting[0].ref
    if not waiting:
        raise DeclarationError("nothing waits", way_out="name a batch: --batch …")
    ways = [command.format(table=one.ref.table, batch=one.ref.batch) for one in waiting[:SHOWN_WAYS]]
    more = f" or {len(waiting) - SHOWN_WAYS} more: readiness quarantine list" if len(waiting) > SHOWN_WAYS else ""
    raise DeclarationError(f"{len(waiting)} batches wait, and none is named", way_out=" or: ".join(ways) + more)


def check_ran(table: Table, batch: str, *, installation: Installation) -> None:
    """Refuse a batch that the ledger does not know.

    Raises:
        DeclarationError: It landed and did not run yet; names the command that runs it.
        UnknownNameError: It did not land either; names the nearest that landed or ran.
    """
    if batch in _known(table, installation):
        return
    if batch in landed_batches(table, installation=installation):
        raise _did_not_run(BatchRef(table.id, batch))
    raise UnknownNameError(f"batch of {table.id}", batch, batches_of(table, installation=installation))


def _did_not_run(ref: BatchRef) -> DeclarationError:
    return DeclarationError(f"{ref} landed and did not run yet", way_out=run_command(ref))


def _known(table: Table, installation: Installation) -> set[str]:
    tables: list[TableId] = [table.id, table.id.raw] if isinstance(table, GatedTable) else [table.id]
    return {record.ref.batch for record in installation.ledger.batches(tables=tables)}
