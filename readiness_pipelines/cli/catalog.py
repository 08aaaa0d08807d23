"""`readiness catalog`: what data there is, what it means, how good it was, and how to read it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from readiness_pipelines.cli.output import OUT, AsJson, count_of, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.commands import catalog_command
from readiness_pipelines.contracts import Domain, TrainingSet
from readiness_pipelines.domains import load_domains
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.json_values.catalog import search_value, table_value
from readiness_pipelines.overview import (
    KEPT_DAYS,
    CatalogEntry,
    SearchHit,
    TableFacts,
    TrainingSetEntry,
    Where,
    catalog_entry,
    dcat_catalog,
    pass_share,
    plain_value,
    reading_lines,
    search_catalog,
    table_facts,
    training_set_entry,
)
from readiness_pipelines.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="What data there is: find a table, see what it promises, and what it kept."
)

SHOWN_COLUMNS = 40
SHOWN_HITS = 20
SHOWN_MONTHS = 6
SHOWN_PATTERN = 40
SHOWN_BUILDS = 5

TableWord = Annotated[str, typer.Argument(help="A table or product, as domain.name.", metavar="TABLE")]


@app.command("search")
def search(
    words: Annotated[list[str], typer.Argument(help="What to look for: names, columns, meanings, people.")],
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = SHOWN_HITS,
    as_json: AsJson = False,
) -> None:
    """Find tables and products by name, description, columns, synonyms, tags or who answers; slips do not matter."""
    with errors_for_people():
        query = " ".join(words)
        hits = search_catalog(query, load_domains(Settings()), limit=limit)
        if as_json:
            print_json(search_value(query, hits))
            return
        if not hits:
            say(f"nothing in the catalog is like {query!r}")
            say_next("readiness domain list")
            return
        for hit in hits:
            _say_hit(hit)
        if missing := hits[0].missing:
            say((f"nothing has all of it: {', '.join(missing)} was met nowhere in these", "yellow"))
        say_next(catalog_command(hits[0].table))


@app.command("show")
def show(table: TableWord, as_json: AsJson = False) -> None:
    """Show all that is known of a table: what it means, who answers, its columns, its quality, and how to read it."""
    with errors_for_people():
        settings = Settings()
        domains = load_domains(settings)
        if (one := _training_set(table.lower(), domains)) is not None:
            known = training_set_entry(one, domains, installation=Installation.open(settings))
            if as_json:
                print_json(plain_value(known))
                return
            _say_training_set(known)
            return
        found = find(table.lower(), settings).table  # names have no capitals, and people write them
        if found is None:
            raise DeclarationError(f"{table!r} is a domain", way_out=f"readiness domain show {table.lower()}")
        entry, now = catalog_entry(found), utc_now()
        facts = table_facts(found, installation=Installation.open(settings), now=now)
        lines = reading_lines(found.id, settings)
        if as_json:
            print_json(table_value(entry, facts, lines))
            return
        _say_entry(entry, facts)
        if len(facts.months) > 1:
            OUT.print(_months_table(facts))
        OUT.print(_columns_table(entry, facts))
        if len(entry.columns) > SHOWN_COLUMNS:
            say((f"  {count_of(len(entry.columns) - SHOWN_COLUMNS, 'more column')} in --json", "dim"))
        say(("read it", "bold"), "" if facts.newest else ", as soon as something is published")
        for line in (*lines.duckdb.splitlines(), "", *lines.spark.splitlines()):
            say(f"  {line}".rstrip())


@app.command("export")
def export(
    what: What = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; standard output unless given.")] = None,
) -> None:
    """Write the catalog as DCAT-AP, JSON-LD that data portals read."""
    with errors_for_people():
        settings = Settings()
        chosen = find(what, settings).domains
        published = {}
        with suppress(ReadinessError):  # what is declared can be exported where no ledger can be reached
            tables = [table.id for domain in chosen for table in domain.tables]
            tallies = Installation.open(settings).ledger.tallies(tables)
            published = {table: tally.last_at for table, tally in tallies.items() if tally.gated}
        catalog = dcat_catalog(
            chosen, warehouse=settings.warehouse, web_url=settings.web_url, published=published, at=utc_now()
        )
        text = json.dumps(catalog, indent=2, ensure_ascii=False)
        if out is None:
            typer.echo(text)
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
        say(f"{count_of(len(catalog['dcat:dataset']), 'dataset')} written to {out}")


def _training_set(name: str, domains: Sequence[Domain]) -> TrainingSet | None:
    """The training set of that name: ``domain.name``, or its name alone where nothing else is called that."""
    sets = [one for domain in domains for one in domain.training_sets]
    if (found := next((one for one in sets if str(one.id) == name), None)) is not None:
        return found
    tables = {table.name for domain in domains for table in domain.tables} | {domain.name for domain in domains}
    alike = [one for one in sets if one.name == name and name not in tables]
    return alike[0] if len(alike) == 1 else None


def _say_training_set(entry: TrainingSetEntry) -> None:
    say((str(entry.id), "bold"), f"  {entry.kind} · version {entry.version}")
    features = (f"{view} ({', '.join(columns)})" if columns else str(view) for view, columns in entry.features)
    _say_pairs(
        ("means", entry.description),
        ("also called", ", ".join(entry.synonyms)),
        ("tags", ", ".join(entry.tags)),
        ("answers", f"{entry.answers}; domain {entry.id.domain}, owner {entry.owner}"),
        ("learned", f"{entry.label} of {entry.labels}, about {', '.join(entry.entity)}"),
        ("from", "; ".join(features)),
        ("known after", entry.label_delay),
        ("held out", entry.holdout),
        ("gold", ", ".join(map(str, entry.gold))),
        ("models", ", ".join(map(str, entry.models))),
        ("so far", "" if entry.builds else "it was never built"),
    )
    for build in entry.builds[:SHOWN_BUILDS]:
        more = f", {count_of(len(build.changed) - 1, 'batch')} more" if len(build.changed) > 1 else ""
        changed = f"  {build.changed[0]}{more}" if build.changed else ""
        say(f"  {build.id[:12]}  {build.built_at:%Y-%m-%d %H:%M} UTC by {build.who}")
        say(f"    {build.trained:,} to learn from, {build.held_out:,} held out, {build.waiting:,} waiting")
        if changed:
            say((f"    its data changed since:{changed}", "yellow"))
    say_next(f"readiness training {'show' if entry.builds else 'build'} {entry.id}")


def _say_pairs(*pairs: tuple[str, str]) -> None:
    """Names and texts side by side; what has no text is left out."""
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in pairs:
        if text:
            grid.add_row(f"  {name}", Text(text))
    OUT.print(grid)


def _say_hit(hit: SearchHit) -> None:
    say((str(hit.table), "bold"), f"  {hit.kind} · {hit.answers}")
    if hit.description:
        say(f"  {hit.description}")
    columns = f" {', '.join(hit.columns)}" if hit.columns else ""
    met = (f"{where}{columns}" if where is Where.COLUMN else where for where in hit.where[:3])
    say((f"  met in: {', '.join(met)}", "dim"))


def _say_entry(entry: CatalogEntry, facts: TableFacts) -> None:
    say((str(entry.table), "bold"), f"  {entry.kind} · {entry.batches}")
    _say_pairs(*_declared(entry), *_known(facts, entry))


def _declared(entry: CatalogEntry) -> Iterator[tuple[str, str]]:
    yield "means", entry.description
    if entry.product is not None:
        target = f", target {entry.product.target}" if entry.product.target else ""
        yield "question", f"{entry.product.question} ({entry.product.unit}{target})"
        yield "by", ", ".join(entry.product.by)
    if entry.features is not None:
        yield "about", f"{', '.join(entry.features.entity)}, version {entry.features.version}"
        yield "known", entry.features.known_at
        yield "event time", entry.features.event_time
    if (model := entry.model) is not None:
        yield "for", model.purpose
        yield "not for", model.limits
        yield "risk", f"{model.risk}, {model.approver} lets it serve" if model.approver else model.risk
        yield "learns from", model.training
        yield "promoted", f"where {model.promote}"
        yield "scores", ", ".join(map(str, model.scores))
    yield "also called", ", ".join(entry.synonyms)
    yield "tags", ", ".join(entry.tags)
    yield "answers", f"{entry.answers}; domain {entry.table.domain}, owner {entry.owner}"
    if (source := entry.source) is not None:
        yield "origin", f"{source.origin}: {source.reader}"
        yield "delivers", f"every {format_duration(source.refresh)}" if source.refresh else ""
        yield "layout", source.schema_version or ""
        yield from (("known issue", issue) for issue in source.known_issues)
    yield "reads", ", ".join(entry.reads)
    yield "class", entry.classification
    yield "fresh", entry.freshness
    yield "gate", f"{entry.gate_version}, {count_of(entry.rules, 'rule')}"
    yield "feeds", ", ".join(map(str, (*entry.derived, *entry.products)))
    for consumer in entry.consumers:
        columns = f" ({', '.join(consumer.columns)})" if consumer.columns else ""
        yield "consumer", f"{consumer.name} <{consumer.contact}>{columns} {consumer.purpose}".rstrip()
    yield "runbook", entry.runbook.strip().splitlines()[0].lstrip("# ") if entry.runbook else ""


def _known(facts: TableFacts, entry: CatalogEntry) -> Iterator[tuple[str, str]]:
    if not facts.batches:
        yield "so far", "nothing was delivered"
        return
    yield "batches", ", ".join(f"{n:,} {state.value.replace('_', ' ')}" for state, n in sorted(facts.batches.items()))
    if facts.newest is not None:
        yield "newest", f"{facts.newest}, first published {facts.newest_at:%Y-%m-%d %H:%M} UTC"
    counts, share = facts.counts, pass_share(facts.counts)
    passed = "" if share is None else f" ({share:.2%} of {counts.ingested:,})"
    yield "rows", f"{counts.published:,} published{passed}, {counts.quarantined:,} wait"
    yield "really", _cadence(facts, entry)
    if facts.holds:
        still = sum(hold.until is None for hold in facts.holds)
        took = f", half of the repairs within {_rough(facts.repair_time)}" if facts.repair_time is not None else ""
        yield "held", f"{_times(len(facts.holds))}, {still} still{took}"
    if facts.freshness is not None:
        kept = "" if facts.kept is None else f", kept for {facts.kept.share:.2%} of the last {KEPT_DAYS} days"
        yield "freshness", f"{facts.freshness.state}{kept}"
    if len(facts.shapes) > 1:
        last = facts.shapes[-1]
        yield "columns", f"changed {_times(len(facts.shapes) - 1)}, last {last.at:%Y-%m-%d} by {last.who}"
    for incident in facts.incidents:
        yield "incident", f"#{incident.id} {incident.finding.kind}: {incident.finding.seen}"


def _cadence(facts: TableFacts, entry: CatalogEntry) -> str:
    cadence = facts.cadence
    if cadence is None:
        return ""
    usual = "" if cadence.usual_gap is None else f", usually {_rough(cadence.usual_gap)} apart"
    declared = entry.source.refresh if entry.source else None
    late = ""
    if declared is not None and cadence.longest_gap is not None and cadence.longest_gap > 2 * declared:
        late = f", once {_rough(cadence.longest_gap)}"
    last = f"{cadence.last_at:%Y-%m-%d %H:%M} UTC"
    return f"delivered {_times(cadence.deliveries)}{usual}{late}, last {last}"


def _months_table(facts: TableFacts) -> Grid:
    table = plain_table("quality by month")
    for name in ("month", "batches", "rows", "published", "held", "repaired", "repair took"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for month in facts.months[-SHOWN_MONTHS:]:
        share = month.pass_share
        table.add_row(
            month.month,
            f"{month.batches:,}",
            f"{month.counts.ingested:,}",
            "–" if share is None else f"{share:.2%}",
            f"{month.holds:,}",
            f"{month.repaired:,}",
            "–" if month.repair_time is None else _rough(month.repair_time),
        )
    return table


def _columns_table(entry: CatalogEntry, facts: TableFacts) -> Grid:
    profile = {one.name: one for one in facts.profile}
    title = "columns" + (f", nulls as in {facts.profiled}" if facts.profiled else "")
    table = plain_table(title)
    for name in ("column", "type", "class", "nulls", "means"):
        table.add_column(name, overflow="fold", justify="right" if name == "nulls" else "left")
    for column in entry.columns[:SHOWN_COLUMNS]:
        seen = profile.get(column.name)
        named = f"all that match {_shortened(column.name)}" if column.pattern else ""
        means = "; ".join(part for part in (column.description, column.protection, named) if part)
        table.add_row(
            Text(column.label),
            Text(column.type),
            Text(column.classification, style="dim" if column.inherited else ""),
            "" if seen is None else f"{seen.nulls:.1%}",
            Text(means),
        )
    return table


def _shortened(pattern: str) -> str:
    return pattern if len(pattern) <= SHOWN_PATTERN else f"{pattern[:SHOWN_PATTERN]}…"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _rough(took: timedelta) -> str:
    """A duration in its two greatest units at most: nobody needs the seconds of days."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if took >= 10 * unit:
            return format_duration(timedelta(seconds=round(took / unit) * unit.total_seconds()))
    return format_duration(timedelta(seconds=round(took.total_seconds())))
