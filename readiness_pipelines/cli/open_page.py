"""`readiness open`: the page of a batch, or a domain's report, in the browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.batches import BatchRef, in_order
from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.report import write_batch_page, write_pages
from readiness_pipelines.cli.words import Chosen, What, check_ran, find, find_batch
from readiness_pipelines.contracts import Kpi, Table
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.page_addresses import batch_address, product_address, table_address, today_address
from readiness_pipelines.settings import Settings


def open_page(
    what: What = None,
    batch: Annotated[
        str | None, typer.Option("--batch", help="The batch; of a table that is named, the newest one unless given.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="The folder to write into: data/reports where there is no web page.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it; or only say where it is.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open the page of a batch (its verdict, rows, decisions, what to type), or a domain's report, in the browser.

    Where the settings name a web page (web_url), its page is opened. Else one HTML file is written that needs no
    server; values of classified columns are not written to it.
    """
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        chosen = find(what, settings)
        if settings.web_url and to is None:
            _open_address(_address(what, chosen, batch, settings, installation), browser=browser, as_json=as_json)
            return
        to = to or Path("data/reports")
        if batch is None and chosen.table is None:
            pages = [Path(written["html"]) for written in write_pages(chosen.domains, to, settings, installation)]
        else:
            table, key = _batch(what, chosen, batch, settings, installation)
            pages = [write_batch_page(table, key, to, installation)]
        addresses = [page.resolve().as_uri() for page in pages]
        opened = [browser and not as_json and webbrowser.open(address) for address in addresses]
        if as_json:
            print_json([{"file": str(page), "url": url} for page, url in zip(pages, addresses, strict=True)])
            return
        for page, address, seen in zip(pages, addresses, opened, strict=True):
            say((str(page), "bold"), f": {'opened' if seen else 'open'} {address}")


def _address(
    what: str | None, chosen: Chosen, batch: str | None, settings: Settings, installation: Installation
) -> str:
    """Address of what is wanted on the web page: of a batch, of a table or product, or of today."""
    if batch is not None:
        table, key = _batch(what, chosen, batch, settings, installation)
        return batch_address(settings.web_url, BatchRef(table.id, key))
    if chosen.table is None:
        return today_address(settings.web_url)
    of = product_address if isinstance(chosen.table, Kpi) else table_address
    return of(settings.web_url, chosen.table.id)


def _open_address(address: str, *, browser: bool, as_json: bool) -> None:
    opened = browser and not as_json and webbrowser.open(address)
    if as_json:
        print_json([{"url": address}])
    else:
        say(f"{'opened' if opened else 'open'} {address}")


def _batch(
    what: str | None, chosen: Chosen, batch: str | None, settings: Settings, installation: Installation
) -> tuple[Table, str]:
    """The table and batch of which the page is wanted."""
    if batch is None:
        assert chosen.table is not None  # noqa: S101  # else the domain's report is wanted
        known = {one.ref.batch for one in installation.ledger.batches(tables=[chosen.table.id])}
        if not known:
            raise DeclarationError(
                f"no batch of {chosen.table.id} was delivered", way_out=f"readiness run {chosen.table.id}"
            )
        return chosen.table, in_order(chosen.table.batches, known)[-1]
    if chosen.table is not None:
        check_ran(chosen.table, batch, installation=installation)
        return chosen.table, batch
    command = "readiness open {table} --batch {batch}"
    found, ref = find_batch(what, batch, settings, installation=installation, command=command)
    return found, ref.batch
