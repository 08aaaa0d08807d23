"""`readiness training`: what models learn from, built, and shown as it was."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import find_called
from readiness_pipelines.contracts import Domain, TrainingSet
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.interop.croissant import croissant
from readiness_pipelines.products import BuiltTrainingSet, Mode
from readiness_pipelines.settings import Settings
from readiness_pipelines.training import build_training_set, builds_of, export_rows, training_set_of

CROISSANT_FILE = "croissant.json"

app = typer.Typer(no_args_is_help=True, help="What models learn from: build a training set, and show it as it was.")

Name = Annotated[str, typer.Argument(help="The training set, as domain.name, or its name alone.")]
Export = Annotated[
    Path | None, typer.Option("--export", help="Write the rows as Parquet, and croissant.json, into this folder.")
]


@app.command("list")
def list_sets(as_json: AsJson = False) -> None:
    """Show all training sets: what each is made of, and its newest build."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        found = [(one, builds_of(installation, one)) for one in _sets(load_domains(settings))]
        if as_json:
            print_json([{**_declared(one), "builds": [kept.id for kept in kept_ones]} for one, kept_ones in found])
            return
        grid = plain_table("training sets")
        for column in ("name", "labels", "features", "builds", "newest"):
            grid.add_column(column, overflow="fold")
        for one, kept_ones in found:
            newest = kept_ones[-1].id[:12] if kept_ones else ""
            views = ", ".join(str(view.id) for view in one.views)
            grid.add_row(str(one.id), f"{one.labels.id}.{one.label}", views, str(len(kept_ones)), newest)
        OUT.print(grid)


@app.command("build")
def build(
    name: Name,
    as_of: Annotated[
        datetime | None, typer.Option(help="Of what was published by this time, in UTC; now where not given.")
    ] = None,
    mode: Annotated[
        Mode, typer.Option(help="Which values a label sees: those published at its time, or those of today.")
    ] = Mode.AS_KNOWN_THEN,
    export: Export = None,
    who: Annotated[str | None, typer.Option("--who", help="Who builds it; the user by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build a training set of what is published now, and keep it by its id: the same id, the same rows."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        wanted = _find(name, domains)
        moment = as_of.replace(tzinfo=UTC) if as_of is not None and as_of.tzinfo is None else as_of
        built = build_training_set(installation, wanted, as_of=moment, mode=mode, run=Run(who=who_types(who)))
        _show(wanted, built, domains, installation, export=export, as_json=as_json)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The training set (its newest build), or the id of a build.")],
    export: Export = None,
    as_json: AsJson = False,
) -> None:
    """Show a build: where its labels went, and the batches that it is made of."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        wanted = next((one for one in _sets(domains) if name in (str(one.id), one.name)), None)
        if wanted is None:
            built = training_set_of(installation, name)
            wanted = next((one for one in _sets(domains) if one.id == built.name), None)
            if wanted is None:
                raise UnknownNameError("training set", str(built.name), [str(one.id) for one in _sets(domains)])
        else:
            builds = builds_of(installation, wanted)
            if not builds:
                raise DeclarationError(f"{wanted.id} was never built", way_out=f"readiness training build {wanted.id}")
            built = training_set_of(installation, builds[-1].id)
        _show(wanted, built, domains, installation, export=export, as_json=as_json)


def _sets(domains: Sequence[Domain]) -> tuple[TrainingSet, ...]:
    return tuple(one for domain in domains for one in domain.training_sets)


def _find(name: str, domains: Sequence[Domain]) -> TrainingSet:
    return find_called(name, _sets(domains), kind="training set")


def _declared(one: TrainingSet) -> dict[str, Any]:
    return {
        "name": str(one.id),
        "owner": one.owner,
        "description": one.description,
        "tags": list(one.tags),
        "synonyms": list(one.synonyms),
        "version": one.version,
        "labels": str(one.labels.id),
        "label": one.label,
        "entity": list(one.entity),
        "features": [str(view.id) for view in one.views],
        "holdout": str(one.holdout) if one.holdout else None,
        "gold": [str(table.id) for table in one.gold],
    }


def _show(
    wanted: TrainingSet,
    built: BuiltTrainingSet,
    domains: Sequence[Domain],
    installation: Installation,
    *,
    export: Path | None,
    as_json: bool,
) -> None:
    exported = None
    if export is not None:
        exported = export_rows(built, tables_of(domains).values(), export, installation=installation)
        described = croissant(wanted, built, exported)
        text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
        (export / CROISSANT_FILE).write_text(text, encoding="utf-8")
    if as_json:
        print_json(
            {
                **_declared(wanted),
                "id": built.id,
                "built_at": built.built_at.isoformat(),
                "columns": {"entity": built.entity, "label": built.label, "features": built.features},
                "counts": asdict(built.counts),
                "used": [{**asdict(one), "table": str(one.table)} for one in built.used],
                "file": str(exported.file) if exported else None,
                "left_out": exported.left_out if exported else {},
            }
        )
        return
    counts = built.counts
    say((str(built.name), "bold"), f"  {built.id}  built {built.built_at:%Y-%m-%d %H:%M} UTC")
    say(f"{counts.labels:,} labels: {counts.trained:,} to learn from, {counts.held_out:,} held out")
    for what, reasons in (("waiting", counts.waiting), ("excluded", counts.excluded)):
        for why, number in reasons.items():
            say(f"  {number:,} {what}: {why}")
    say(f"learned: {built.label}, about {', '.join(built.entity)}, from {', '.join(built.features)}")
    tables: dict[str, list[str]] = {}
    for one in built.used:
        tables.setdefault(str(one.table), []).append(one.batch)
    for table, batches in tables.items():
        say((f"  {table}: {len(batches):,} batches, {batches[0]} to {batches[-1]}", "dim"))
    if exported is not None:
        say(f"{exported.file} and {CROISSANT_FILE} written")
        for column, why in exported.left_out.items():
            say((f"  without {column}: it is {why}, and nothing protects it", "yellow"))
    else:
        say_next(f"readiness training show {built.id[:12]} --export {built.name.name}")
