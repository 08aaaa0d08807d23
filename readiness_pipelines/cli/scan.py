"""`readiness scan`: which columns look like they are about persons, and whether somebody says so."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from readiness_pipelines.cli.output import BROKEN_EXIT, OUT, AsJson, count_of, errors_for_people, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import find
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings

if TYPE_CHECKING:
    from readiness_pipelines.overview.scanning import Scan, SeenColumn


def scan(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, tables as domain.table, or domains; all tables where nothing is named.", metavar="WHAT"
        ),
    ] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="The batch to look at; by default the newest.")] = None,
    presidio: Annotated[
        str | None,
        typer.Option(
            "--presidio",
            help="A second opinion by Presidio, with this model of spaCy: en_core_web_sm.",
            metavar="MODEL",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which columns look like they are about persons, by values and names, and propose classes for them.

    No value is shown. The exit code is 1 where a column surely is about persons and nobody classified it.
    """
    from readiness_pipelines.overview.scanning import open_columns  # noqa: PLC0415  # not for --help

    with errors_for_people():
        scans = _scans(what or [], batch, presidio)
        left = open_columns(scans)
        if as_json:
            print_json({"scans": list(map(_value, scans)), "unclassified": len(left)})
        else:
            for one in scans:
                _show(one)
            _say_verdict(len(left))
    if left:
        raise typer.Exit(BROKEN_EXIT)


def _scans(what: list[str], batch: str | None, presidio: str | None) -> "list[Scan]":
    from readiness_pipelines.overview.scanning import scan_file, scan_table  # noqa: PLC0415  # as above

    files = [word for word in what if Path(word).is_file()]
    scans = [scan_file(Path(word), presidio=presidio) for word in files]
    words = [word for word in what if word not in files]
    if words or not what:
        settings = Settings()
        chosen = [find(word, settings) for word in words] if words else [find(None, settings)]
        installation = Installation.open(settings)
        for one in chosen:
            named = one.table is not None
            tables = [t for t in one.tables if named or (isinstance(t, GatedTable) and _has_batches(t, installation))]
            scans += [scan_table(table, batch=batch, installation=installation, presidio=presidio) for table in tables]
    if not scans:
        raise DeclarationError("nothing was ingested that could be looked at", way_out="readiness run --all")
    return scans


def _has_batches(table: GatedTable, installation: Installation) -> bool:
    return installation.ledger.latest(table.id.raw) is not None


def _show(scan: "Scan") -> None:
    where = f"[{scan.batch}]" if scan.batch else ""
    looks = f"{len(scan.seen)} of {scan.columns:,} columns look personal"
    say((f"{scan.what}{where}", "bold"), f": {looks}, in {count_of(scan.rows, 'row')}")
    _show_opinions(scan)
    if not scan.seen:
        return
    table = plain_table("")
    for head in ("column", "looks like", "class", "how sure", "because", "declared"):
        table.add_column(head, overflow="fold")
    for one in scan.seen:
        found = one.proposal
        table.add_row(
            Text(found.path),
            Text(found.what),
            Text(str(found.classified)),
            Text(found.certainty.value, style="bold" if one.is_open else ""),
            Text(found.because),
            Text(str(one.declared) if one.declared else "nobody did", style="bold red" if one.is_open else ""),
        )
    OUT.print(table)


def _show_opinions(scan: "Scan") -> None:
    for one in scan.opinions:
        say(f"  Presidio: {one.path} has {one.entity} in {one.matched:,} of {one.sampled:,} different values")


def _say_verdict(left: int) -> None:
    if not left:
        say(("each column that surely is about persons is classified", "green"))
        return
    columns, them = ("1 column surely is", "it") if left == 1 else (f"{left} columns surely are", "them")
    say((f"{columns} about persons, and nobody classified {them}", "bold red"))
    say('classify on the table, classified={"email": "pii.direct"}, or in the schema, metadata=protect("pii.direct")')
    say('what is not about persons after all is "internal"')


def _value(scan: "Scan") -> dict[str, object]:
    return {
        "what": scan.what,
        "batch": scan.batch,
        "rows": scan.rows,
        "columns": scan.columns,
        "seen": list(map(_seen_value, scan.seen)),
        "presidio": [one.to_json() for one in scan.opinions],
    }


def _seen_value(seen: "SeenColumn") -> dict[str, object]:
    declared = str(seen.declared) if seen.declared else None
    return {**seen.proposal.to_json(), "declared": declared, "unclassified": seen.is_open}
