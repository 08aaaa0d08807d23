"""Table: where its batches stand, what is declared, its rules, what is near it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Kpi, Table, answers_for, products_of
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.observability import promise_text
from readiness_pipelines.overview import (
    CatalogEntry,
    Standing,
    TableFacts,
    catalog_entry,
    guidance_of,
    pass_share,
    plain_rule,
    reading_lines,
    standing_of,
    table_facts,
)
from readiness_pipelines.web.map_picture import picture_of
from readiness_pipelines.web.pages.product import kind_of, reads_of
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site

SIZE = 50


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in plain words."""

    name: str
    words: str
    route: str


def show(request: Request, site: Site) -> Response:
    """A table."""
    table = site.table(request.path_params["domain"], request.path_params["table"])
    known = sorted(
        site.installation.ledger.glances(tables=[table.id]),
        key=lambda one: table.batches.order(one.ref.batch),
        reverse=True,
    )
    number = page_number(request)
    entry = facts = None
    with suppress(GateBuildError):  # the rest is shown all the same
        entry, facts = catalog_entry(table), table_facts(table, installation=site.installation, now=site.clock())
    counted = site.installation.ledger.counted_batches([table.id]).get(table.id, {})
    findings = [one for one in site.now.today().findings if one.table == table.id]
    return page(
        "table",
        request,
        site,
        table=table,
        standing=worst(site, table),
        answers=answers_for(table),
        is_product=isinstance(table, Kpi),
        counted=[(state.value, counted[state]) for state in sorted(counted)],
        findings=[(one, standing_of(one).value) for one in findings],
        batches=known[number * SIZE : (number + 1) * SIZE],
        number=number,
        size=SIZE,
        total=len(known),
        address=f"{request.url.path}?",
        declared=list(_declared(table)),
        guidance=guidance_of(table, now=site.clock()),
        entry=entry,
        facts=facts,
        columns=_columns(entry, facts),
        pass_share=pass_share(facts.counts) if facts else None,
        reading=reading_lines(table.id, site.settings),
        rules=list(_rules(table)),
        picture=picture_of(near(table), site),
        ref_of=lambda batch: BatchRef(table.id, batch),
    )


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A column: what is declared of it, and how many values are missing in the newest batch."""

    name: str
    type: str
    classification: str
    nulls: str
    means: str


def _columns(entry: CatalogEntry | None, facts: TableFacts | None) -> list[ColumnLine]:
    profile = {one.name: one for one in facts.profile} if facts else {}
    return [
        ColumnLine(
            name=one.label,
            type=one.type,
            classification=one.classification,
            nulls=f"{profile[one.name].nulls:.1%}" if one.name in profile else "",
            means="; ".join(
                part
                for part in (one.description, one.protection, f"all that match {one.name}" if one.pattern else "")
                if part
            ),
        )
        for one in (entry.columns if entry else ())
    ]


def worst(site: Site, table: Table) -> str:
    """How a table stands, by what was found of it alone."""
    found = [standing_of(one) for one in site.now.today().findings if one.table == table.id]
    order = list(Standing)
    if found:
        return min(found, key=order.index).value
    return (Standing.FINE if site.now.publications().get(table.id) else Standing.NOTHING).value


def near(table: Table) -> tuple[Table, ...]:
    """A table, what it reads, what its rules compare with, and who reads it."""
    read = [one.table for one in (*table.reads.values(), *table.references.values())]
    return tuple({one.id: one for one in (*read, table, *table.readers)}.values())


def _declared(table: Table) -> Iterator[tuple[str, str]]:
    yield "Kind", f"{kind_of(table)}, {table.batches.name} batches"
    yield "Reads", reads_of(table)
    if isinstance(table, GatedTable):
        source = table.source
        yield "How it is read", source.reader.describe()
        yield "Steward", str(source.steward)
        yield "Classification", source.classification.value
        if source.refresh:
            yield "Delivers every", format_duration(source.refresh)
        if source.known_issues:
            yield "Known issues", "; ".join(source.known_issues)
    if classified := [f"{name}: {one.level.value}" for name, one in table.classified.items()]:
        yield "Classified columns", ", ".join(classified)
    if table.freshness is not None:
        yield "Promises freshness", promise_text(table.freshness)
    if table.latency is not None:
        yield "May take", format_duration(table.latency)
    if table.tags:
        yield "Tags", ", ".join(table.tags)
    if table.synonyms:
        yield "Also called", ", ".join(table.synonyms)
    for one in table.consumers:
        columns = f" ({', '.join(one.columns)})" if one.columns else ""
        yield "Relied on by", f"{one.name} <{one.contact}>{columns} {one.purpose}".rstrip()
    if products := products_of(table):
        yield "Feeds", ", ".join(products)


def _rules(table: Table) -> Iterator[RuleLine]:
    try:
        gate = gate_of(table)
    except GateBuildError:
        return
    for rule in gate.rules:
        yield RuleLine(rule.name, plain_rule(rule.reason, rule.columns), rule.route.value)
