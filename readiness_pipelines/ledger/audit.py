"""The audit of what is append-only: whether its chains hold, its guards are there, and anchors name what is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from readiness_pipelines.ledger.chain import BrokenLink, check_chain, head
from readiness_pipelines.ledger.guards import missing_guards
from readiness_pipelines.ledger.tables import APPEND_ONLY

LINK_DIGITS = 16
"""How many digits of a link an anchor has: enough that no other link begins so."""


@dataclass(frozen=True, slots=True)
class ChainAudit:
    """What was found in one append-only table of the ledger.

    Attributes:
        table: Its name.
        rows: How many rows it has.
        broken: The first broken link; ``None`` where all hold.
        missing_guards: The triggers that should be there and are not.
        links: The links by row number, as far as they hold.
    """

    table: str
    rows: int
    broken: BrokenLink | None
    missing_guards: tuple[str, ...]
    links: Mapping[int, str]


def audit_chains(connection: Connection) -> tuple[ChainAudit, ...]:
    """Follow the chain of each append-only table, and look for its guards."""
    found = []
    for table in APPEND_ONLY:
        proof = check_chain(connection, table)
        missing = missing_guards(connection, table.name)
        found.append(
            ChainAudit(
                table=table.name, rows=proof.rows, broken=proof.broken, missing_guards=missing, links=proof.links
            )
        )
    return tuple(found)


def anchor(connection: Connection) -> str:
    """The last row of each append-only table, as snapshots of tables carry it: ``trail=12:0a1b… decisions=3:…``.

    Tables without rows are left out.
    """
    heads = {table.name.removeprefix("ledger_"): head(connection, table) for table in APPEND_ONLY}
    return " ".join(f"{name}={number}:{link[:LINK_DIGITS]}" for name, (number, link) in heads.items() if number)


def unknown_anchors(audits: Mapping[str, ChainAudit], anchor: str) -> tuple[str, ...]:
    """The parts of an anchor that name a row which is not there, or is another one now; as far as the chains hold.

    Args:
        audits: The audited tables, by name.
        anchor: What a snapshot carries; see `anchor`.
    """
    unknown = []
    for part in anchor.split():
        name, _, last = part.partition("=")
        number, _, link = last.partition(":")
        audit = audits.get(f"ledger_{name}")
        if audit is None or not number.isdigit():
            unknown.append(part)
        elif audit.broken is not None and int(number) >= audit.broken.id:
            continue
        elif audit.links.get(int(number), "")[:LINK_DIGITS] != link:
            unknown.append(part)
    return tuple(unknown)
