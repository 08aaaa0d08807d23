"""`readiness report`: a domain on one page."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json_of, say
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.overview import scorecards
from readiness_pipelines.settings import Settings


def write_report(
    what: What = None,
    to: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("data/reports"),
    as_json: AsJson = False,
) -> None:
    """Write what happened in a domain: one HTML file that needs no server, and a Markdown twin."""
    with errors_for_people():
        settings = Settings()
        written = write_pages(find(what, settings).domains, to, Installation.open(settings))
        if as_json:
            print_json_of(written)
            return
        for names in written:
            say(f"{names['domain']}: ", (names["html"], "bold"), f", {names['markdown']}")


def write_pages(domains: Iterable[Domain], to: Path, installation: Installation) -> list[dict[str, str]]:
    """Write the report of each domain into a folder.

    Returns:
        For each: the ``domain``, and its files ``html`` and ``markdown``.
    """
    from readiness_pipelines.reports.facts import gather  # noqa: PLC0415  # only who writes one pays for charts:
    from readiness_pipelines.reports.page import html_page, markdown_page  # noqa: PLC0415  # half a second to import

    written, given, now = [], tuple(domains), Run().clock()
    required = Settings().identity.required
    cards = scorecards(given, installation=installation, identity_required=required, now=now)
    for one in given:
        facts = gather(one, installation=installation, now=now)
        to.mkdir(parents=True, exist_ok=True)
        files = {"html": to / f"{one.name}.html", "markdown": to / f"{one.name}.md"}
        files["html"].write_text(html_page(facts, cards[one.name]), encoding="utf-8")
        files["markdown"].write_text(markdown_page(facts, cards[one.name]), encoding="utf-8")
        written.append({"domain": one.name, **{kind: str(file) for kind, file in files.items()}})
    return written
