"""What data there is, as JSON."""

from collections.abc import Sequence
from typing import Any

from readiness_pipelines.overview import CatalogEntry, ReadingLines, SearchHit, TableFacts, plain_value


def search_value(query: str, hits: Sequence[SearchHit]) -> dict[str, Any]:
    """What a search found."""
    return {"query": query, "hits": plain_value(hits)}


def table_value(entry: CatalogEntry, facts: TableFacts, lines: ReadingLines) -> dict[str, Any]:
    """All that is known of a table: what is declared, what the ledger knows, and how to read it."""
    value: dict[str, Any] = {**plain_value(entry), "facts": plain_value(facts), "read": plain_value(lines)}
    value["facts"]["months"] = [{**plain_value(month), "pass_share": month.pass_share} for month in facts.months]
    if facts.kept is not None:
        value["facts"]["kept"]["share"] = facts.kept.share
    return value
