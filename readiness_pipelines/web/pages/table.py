"""Table: where its batches stand, what is declared, its rules, what is near it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import GatedTable, Kpi, Table, answers_for, products_of
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.lineage import Node
from readiness_pipelines.observability import BatchProfile, ColumnProfile, promise_text
from readiness_pipelines.overview import (
    KEPT_DAYS,
    CatalogEntry,
    catalog_entry,
    guidance_of,
    pass_share,
    reading_lines,
    rule_words,
    standing_of,
)
from readiness_pipelines.web.map_picture import picture_of
from readiness_pipelines.web.pages.column import column_address
from readiness_pipelines.web.pages.product import kind_of, reads_of
from readiness_pipelines.web.paging import page_number
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.stream_lines import stream_lines

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
    ledger = site.installation.ledger
    keys = sorted(ledger.batch_keys(table.id), key=table.batches.order, reverse=True)
    number = page_number(request)
    shown = keys[number * SIZE : (number + 1) * SIZE]
    batches = {one.ref.batch: one for one in ledger.glances(tables=[table.id], batches=shown)}
    entry = None
    with suppress(GateBuildError):  # the rest is shown all the same
        entry = catalog_entry(table)
    counted = ledger.counted_batches([table.id]).get(table.id, {})
    findings = [one for one in site.now.today().findings if one.table == table.id]
    return page(
        "table",
        request,
        site,
        table=table,
        standing=site.now.standings()[table.id].value,
        answers=answers_for(table),
        is_product=isinstance(table, Kpi),
        counted=[(state.value, counted[state]) for state in sorted(counted)],
        findings=[(one, standing_of(one).value) for one in findings],
        streams=stream_lines([table], site),
        batches=[batches[key] for key in shown if key in batches],
        number=number,
        size=SIZE,
        total=len(keys),
        address=f"{request.url.path}?",
        declared=list(_declared(table)),
        guidance=guidance_of(table, now=site.clock()),
        columns=_columns(entry, _newest_profile(site, table), site.root),
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
    href: str


def _newest_profile(site: Site, table: Table) -> Mapping[str, ColumnProfile]:
    """What the columns of the newest published batch look like; nothing where it has no profile."""
    published = [one.batch for one in site.now.publications().get(table.id, ())]
    if not published:
        return {}
    newest = max(published, key=table.batches.order)
    text = site.installation.ledger.profiles(table.id, [newest]).get(newest)
    return BatchProfile.from_json(text).columns if text else {}


def _columns(entry: CatalogEntry | None, profile: Mapping[str, ColumnProfile], root: str) -> list[ColumnLine]:
    return [
        ColumnLine(
            name=one.label,
            type=one.type,
            classification=one.classification,
            nulls=f"{profile[one.name].null_ratio:.1%}" if one.name in profile else "",
            means="; ".join(
                part
                for part in (one.description, one.protection, f"all that match {one.name}" if one.pattern else "")
                if part
            ),
            href="" if one.pattern or entry is None else column_address(root, Node(entry.table, one.name)),
        )
        for one in (entry.columns if entry else ())
    ]


def near(table: Table) -> tuple[Table, ...]:
    """A table, what it reads, what its rules compare with, and who reads it."""
    read = [one.table for one in (*table.reads.values(), *table.references.values())]
    return tuple({one.id: one for one in (*read, table, *table.readers)}.values())


def quality(request: Request, site: Site) -> Response:
    """What the ledger knows of a table, which takes longer: a part of its page."""
    table = site.table(request.path_params["domain"], request.path_params["table"])
    facts = site.now.facts(table)
    template = "quality" if request.headers.get("hx-request") else "quality_page"
    share = pass_share(facts.counts)
    return page(template, request, site, table=table, facts=facts, pass_share=share, kept_days=KEPT_DAYS)


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
        yield RuleLine(rule.name, rule_words(rule, gate), rule.route.value)
