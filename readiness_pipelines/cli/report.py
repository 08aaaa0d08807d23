"""`readiness report`: a domain on one page."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json_of, say
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import scorecards, waiting_batches
from readiness_pipelines.settings import Settings

HELD_PAGES = 10
"""Pages are written of so many held batches of a domain, the newest."""


def write_report(
    what: What = None,
    to: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("data/reports"),
    as_json: AsJson = False,
) -> None:
    """Write what happened in a domain: one HTML file that needs no server, and a Markdown twin."""
    with errors_for_people():
        settings = Settings()
        written = write_pages(find(what, settings).domains, to, settings, Installation.open(settings))
        if as_json:
            print_json_of(written)
            return
        for names in written:
            say(f"{names['domain']}: ", (names["html"], "bold"), f", {names['markdown']}")


def write_pages(
    domains: Iterable[Domain], to: Path, settings: Settings, installation: Installation
) -> list[dict[str, str]]:
    """Write the report of each domain into a folder, the pages of batches that are held, and an index of the products.

    Returns:
        For each: the ``domain``, and its files ``html`` and ``markdown``.
    """
    # Only who writes one pays for charts: half a second to import.
    from readiness_pipelines.reports.facts import gather  # noqa: PLC0415
    from readiness_pipelines.reports.links import Links  # noqa: PLC0415
    from readiness_pipelines.reports.page import html_page, index_page, markdown_page  # noqa: PLC0415

    given, now, written, every = tuple(domains), Run().clock(), [], []
    required = settings.identity.required
    cards = scorecards(given, installation=installation, identity_required=required, now=now)
    to.mkdir(parents=True, exist_ok=True)
    links = Links(web_url=settings.web_url)
    for one in given:
        if not settings.web_url:
            links = replace(links, pages=links.pages | _write_held(one, to, installation))
        facts = gather(one, installation=installation, now=now)
        every.append(facts)
        files = {"html": to / f"{one.name}.html", "markdown": to / f"{one.name}.md"}
        files["html"].write_text(html_page(facts, links, scorecard=cards[one.name]), encoding="utf-8")
        files["markdown"].write_text(markdown_page(facts, links, scorecard=cards[one.name]), encoding="utf-8")
        written.append({"domain": one.name, **{kind: str(file) for kind, file in files.items()}})
    (to / "index.html").write_text(index_page(every, links), encoding="utf-8")
    return written


def _write_held(domain: Domain, to: Path, installation: Installation) -> frozenset[BatchRef]:
    """Write the pages of the newest batches that are held."""
    waiting = waiting_batches(domain.tables, installation=installation)
    held = [record.ref for record in waiting if record.state is BatchState.HELD][-HELD_PAGES:]
    tables = {table.id: table for table in domain.tables}
    for ref in held:
        write_batch_page(tables[ref.table], ref.batch, to, installation)
    return frozenset(held)


def write_batch_page(table: Table, batch: str, to: Path, installation: Installation) -> Path:
    """Write the page of a batch into a folder; its file."""
    # Only who writes one pays for templates.
    from readiness_pipelines.reports.batch_facts import gather_batch  # noqa: PLC0415
    from readiness_pipelines.reports.batch_page import batch_page  # noqa: PLC0415
    from readiness_pipelines.reports.links import page_file  # noqa: PLC0415

    facts = gather_batch(table, batch=batch, installation=installation, now=Run().clock())
    file = to / page_file(facts.ref)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(batch_page(facts), encoding="utf-8")
    return file
