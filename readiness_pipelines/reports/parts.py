"""What pages are made of: figures, charts, tables; and the templates that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from readiness_pipelines.ledger import FoundFinding
from readiness_pipelines.reports.markdown import escape_markdown

SHOWN_COLUMNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that stands for itself: its name, what to add to it in words, and whether it is good or bad."""

    name: str
    value: str
    words: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture, or the words that stand in its place where there is nothing to draw."""

    name: str
    title: str
    svg: Markup | None
    empty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table, or the words that stand in its place where it has no row."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    empty: str


def environment() -> Environment:
    """The templates; what they are given is text, whatever it looks like."""
    environment = Environment(
        loader=PackageLoader("readiness_pipelines.reports"),
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escape_markdown
    return environment


def unusual_rows(found: Sequence[FoundFinding]) -> list[tuple[str, ...]]:
    """One line for the columns of a batch of which the same was measured: what is missing may miss in fifty."""
    grouped: dict[tuple[str, str, str, str], list[FoundFinding]] = {}
    for one in found:
        key = one.ref.batch, str(one.ref.table), one.finding.kind.value, one.finding.measured
        grouped.setdefault(key, []).append(one)
    lines: list[tuple[str, ...]] = []
    for (batch, table, kind, measured), ones in grouped.items():
        columns = [one.finding.column for one in ones if one.finding.column]
        more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
        where = f" of {', '.join(columns[:SHOWN_COLUMNS])}{more}" if columns else ""
        lines.append((batch, table, f"{kind}: {measured}{where}", ones[0].finding.promised, ones[0].finding.seen))
    return lines
