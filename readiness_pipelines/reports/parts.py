"""What pages are made of: figures, charts, tables; and the templates that hold them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup, escape

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
    """A picture, or the words that stand in its place where there is nothing to draw.

    Attributes:
        name: Its name in the page.
        title: What it shows.
        svg: For a desk; ``None`` where there is nothing to draw.
        small: The same for a phone; ``None`` where one serves both.
        words: How to read it, in one line.
        empty: What stands in its place.
    """

    name: str
    title: str
    svg: Markup | None
    small: Markup | None = None
    words: str = ""
    empty: str = ""


def drawn_chart(
    name: str, title: str, draw: Callable[[int], str], *, width: int, words: str = "", phone: int | None = None
) -> Chart:
    """A chart drawn for a desk and for a phone; readers that see no pictures are told its title.

    Args:
        name: Its name in the page.
        title: What it shows.
        draw: Draws it for a width.
        width: The desk's.
        words: How to read it.
        phone: The phone's width; ``None`` where the desk's picture serves both.
    """

    def picture(pixels: int) -> Markup:
        named = f'<svg role="img" aria-label="{escape(title)}" '
        return Markup(draw(pixels).replace("<svg ", named, 1))  # noqa: S704  # the charting library escapes what it draws

    return Chart(
        name=name,
        title=title,
        svg=picture(width),
        small=picture(phone) if phone is not None else None,
        words=words,
    )


class Link(str):
    """A cell's text that leads somewhere.

    Attributes:
        address: Where; "" for nowhere.
    """

    __slots__ = ("address",)

    address: str

    def __new__(cls, text: str, address: str) -> "Link":
        """A text that leads to an address."""
        link = super().__new__(cls, text)
        link.address = address
        return link


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table, or the words that stand in its place where it has no row; a folded one is shown when it is asked for."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    empty: str
    folded: bool = False


def environment() -> Environment:
    """The templates; what they are given is text, whatever it looks like."""
    environment = Environment(
        loader=PackageLoader("readiness_pipelines.reports"),
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["md"] = markdown_cell
    return environment


def _breakable(name: str) -> Markup:
    """A name that a line may be broken in after an underscore or a dot."""
    return Markup(re.sub(r"([_.])", r"\1<wbr>", str(escape(name))))  # noqa: S704  # it is escaped


def markdown_cell(value: object) -> str:
    """A value in Markdown: text, or a link where it leads somewhere."""
    text = escape_markdown(value)
    return f"[{text}]({value.address})" if isinstance(value, Link) and value.address else text


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
