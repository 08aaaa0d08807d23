"""`readiness model`: train, compare, promote; which serve, and what changed under them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.model_report import say_drift, say_superseded, say_version, serving_text, versions_grid
from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.parameters import read_parameters
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import BatchKey, find_table
from readiness_pipelines.commands import model_command
from readiness_pipelines.contracts import Model
from readiness_pipelines.domains import load_domains, tables_of
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.models import (
    card_value,
    drift_value,
    entry_value,
    explained_value,
    retraining_value,
    serving_value,
    superseded_value,
    version_value,
)
from readiness_pipelines.json_values.text import json_text
from readiness_pipelines.models import (
    ServingDecision,
    act_on_drift,
    affected_versions,
    allow_retraining,
    built_for,
    canary_model,
    changes_under,
    decline_retraining,
    end_retrainings,
    explain_prediction,
    look_at_drift,
    model_card,
    promote_model,
    reject_model,
    rollback_model,
    serve_decided,
    shadow_model,
    train_model,
    withdraw_model,
)
from readiness_pipelines.names import TableId
from readiness_pipelines.reports.model_card import card_html, card_markdown
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Models: train, compare and promote them; what changed under them.")

Name = Annotated[str, typer.Argument(help="The model, as domain.name.", metavar="MODEL")]
AnyModel = Annotated[
    str | None, typer.Argument(help="The model, as domain.name; all where none is named.", metavar="MODEL")
]
Version = Annotated[int, typer.Argument(help="The version's number.", metavar="VERSION", min=1)]
AnyVersion = Annotated[
    int | None, typer.Argument(help="The version's number; the champion's where none is given.", metavar="VERSION")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept for ever.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; by default who is logged in.")]
Number = Annotated[int, typer.Argument(help="The request's number.", metavar="REQUEST")]

SHOWN_BATCHES = 10
SHOWN_FILES = 3


class CardFormat(StrEnum):
    """What a card is written as."""

    HTML = "html"
    MD = "md"
    JSON = "json"


@app.callback()
def _models() -> None:
    """Models: train, compare and promote them; what changed under them."""


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """The models, with what serves where."""
    with errors_for_people():
        settings = Settings()
        installation, models = Installation.open(settings), _all(settings)
        states = [installation.ledger.models.serving(model.id) for model in models]
        scored = [[str(one.id) for one in model.serving.readers] for model in models]
        if as_json:
            print_json(
                [
                    {**serving_value(state), "risk": model.risk.value, "owner": model.owner, "scores": tables}
                    for model, state, tables in zip(models, states, scored, strict=True)
                ]
            )
            return
        if not models:
            say("no domain declares a model")
            return
        grid = plain_table("models", lines=True)
        for column in ("model", "risk", "champion", "others", "newest", "scores"):
            grid.add_column(column, overflow="fold")
        for model, state, tables in zip(models, states, scored, strict=True):
            versions = installation.ledger.models.versions(model.id)
            others = [f"{role} v{number}" for role, number in state.serving.items() if role != "champion"]
            last = versions[-1] if versions else None
            newest = f"v{last.version} {state.role(last.version) or last.state}" if last else "–"
            champion = f"v{state.champion}" if state.champion else "–"
            grid.add_row(str(model.id), model.risk.value, champion, ", ".join(others), newest, ", ".join(tables))
        OUT.print(grid)


@app.command("train")
def train(
    name: Name,
    seed: Annotated[int | None, typer.Option("--seed", help="What random numbers begin with.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="A parameter in place of the model's own: name=value.")
    ] = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Build the training set, train a candidate, register it, compare it with the champion. It serves nobody yet."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        built = built_for(model, installation=installation, run=run)
        version = train_model(
            model, built, installation=installation, run=run, seed=seed, params=read_parameters(model, param or ())
        )
        end_retrainings(model, version, installation=installation, run=run)
        state = installation.ledger.models.serving(model.id)
        if as_json:
            print_json(version_value(version, state, changes_under(version, installation=installation)))
            return
        say_version(version, state)
        if version.validation.get("passed") and not state.role(version.version):
            say_next(f'{model_command("promote", model.id, version.version)} --reason "…"')


@app.command("show")
def show(name: Name, version: AnyVersion = None, as_json: AsJson = False) -> None:
    """A model with its versions and what serves; or one version with its metrics, comparison and what changed since."""
    with errors_for_people():
        installation, model, _ = _opened(name, None, acts=False)
        ledger = installation.ledger.models
        state, versions = ledger.serving(model.id), ledger.versions(model.id)
        if version is not None:
            versions = (ledger.get(model.id, version),)
        changed = {one.version: changes_under(one, installation=installation) for one in versions}
        if as_json:
            values = [version_value(one, state, changed[one.version]) for one in versions]
            print_json(values[0] if version is not None else {**serving_value(state), "versions": values})
            return
        if version is not None:
            say_version(versions[0], state)
            say_superseded(changed[version])
            return
        say((str(model.id), "bold"), f": {model.risk.value} risk, {model.owner} answers for it")
        if state.revision != state.served_revision:
            say(("decided, not delivered yet: ", "yellow"), model_command("serve", model.id))
        OUT.print(versions_grid(model, versions, state, changed))


@app.command("promote")
def promote(
    name: Name,
    version: Version,
    reason: Reason,
    despite: Annotated[
        bool,
        typer.Option("--despite", help="Though the comparison failed, or data changed since: the trail says so."),
    ] = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Let a candidate serve in place of the champion, where its promotion rule holds."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        done = promote_model(model, version, why=reason, installation=installation, run=run, despite=despite)
        _say_decided(done, as_json=as_json)


@app.command("reject")
def reject(name: Name, version: Version, reason: Reason, who: Who = None, as_json: AsJson = False) -> None:
    """Say that a version may not serve."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        found = reject_model(model, version, why=reason, installation=installation, run=run)
        if as_json:
            print_json(version_value(found, installation.ledger.models.serving(model.id), ()))
            return
        say(f"version {version} of {model.id} is rejected")


@app.command("rollback")
def rollback(
    name: Name,
    reason: Reason,
    to: Annotated[int | None, typer.Option("--to", help="An earlier champion; by default the one before.")] = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Let the champion of before serve again."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        done = rollback_model(model, why=reason, installation=installation, run=run, version=to)
        _say_decided(done, as_json=as_json)


@app.command("shadow")
def shadow(name: Name, version: Version, reason: Reason, who: Who = None, as_json: AsJson = False) -> None:
    """Let a candidate score beside the champion, unseen."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        _say_decided(shadow_model(model, version, why=reason, installation=installation, run=run), as_json=as_json)


@app.command("canary")
def canary(
    name: Name,
    version: Version,
    reason: Reason,
    share: Annotated[float, typer.Option("--share", help="The share of rows that it scores: 0.05.")] = 0.05,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Let a candidate score a share of the rows in place of the champion."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        done = canary_model(model, version, share=share, why=reason, installation=installation, run=run)
        _say_decided(done, as_json=as_json)


@app.command("withdraw")
def withdraw(name: Name, version: Version, reason: Reason, who: Who = None, as_json: AsJson = False) -> None:
    """Let a shadow or canary score no longer."""
    with errors_for_people():
        installation, model, run = _opened(name, who)
        _say_decided(withdraw_model(model, version, why=reason, installation=installation, run=run), as_json=as_json)


@app.command("serve")
def serve(name: Name, as_json: AsJson = False) -> None:
    """Deliver what was decided about who serves, where a crash or a full disk kept that from happening."""
    with errors_for_people():
        installation, model, run = _opened(name, None)
        state = serve_decided(model, installation=installation, run=run)
        if as_json:
            print_json(serving_value(state))
            return
        say(serving_text(state))


@app.command("history")
def history(name: Name, version: AnyVersion = None, as_json: AsJson = False) -> None:
    """All that happened to a model, or to one version: what, who, why, and by what evidence."""
    with errors_for_people():
        installation, model, _ = _opened(name, None, acts=False)
        entries = installation.ledger.models.history(model.id, version)
        if as_json:
            print_json(list(map(entry_value, entries)))
            return
        for entry in entries:
            why = f" · {entry.why}" if entry.why else ""
            say(f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.ref.batch} {entry.what} · {entry.who}{why}")


@app.command("affected")
def affected(
    table: Annotated[str, typer.Argument(help="The table, as domain.table.", metavar="TABLE")],
    batch: BatchKey,
    as_json: AsJson = False,
) -> None:
    """The versions of models that learned from a batch, or from what was made of it."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        ref = BatchRef(find_table(table, load_domains(settings)).id, batch)
        found = affected_versions(ref, installation=installation)
        values = []
        for version, through in found:
            state = installation.ledger.models.serving(version.model)
            changed = [one for one in changes_under(version, installation=installation) if one.ref in through]
            role = state.role(version.version) or version.state.value
            values.append((version, through, role, changed))
        if as_json:
            print_json(
                [
                    {
                        "model": str(version.model),
                        "version": version.version,
                        "role": role,
                        "training_set": version.training_set,
                        "through": [{"table": str(one.table), "batch": one.batch} for one in through],
                        "superseded": list(map(superseded_value, changed)),
                    }
                    for version, through, role, changed in values
                ]
            )
            return
        if not values:
            say(f"no model learned from {ref}")
        for version, through, role, changed in values:
            by = ", ".join(map(str, through[:SHOWN_BATCHES]))
            say((f"{version.model} v{version.version} ({role}) ", "bold"), f"by {by}")
            say_superseded(changed)


@app.command("explain-prediction")
def explain(
    prediction: Annotated[
        str, typer.Argument(help="The prediction: domain.table/batch/row, the row being its _row.", metavar="ID")
    ],
    as_json: AsJson = False,
) -> None:
    """Say where a prediction comes from: model, training set, batches, files, stewards. No value is shown."""
    with errors_for_people():
        settings = Settings()
        tables = tables_of(load_domains(settings))
        found = explain_prediction(prediction, tables=tables, installation=Installation.open(settings))
        if as_json:
            print_json(explained_value(found))
            return
        version = found.version
        say((found.id, "bold"), f": by {version.model} v{version.version}, the {found.role}")
        if found.custody.file:
            say(f"  the row arrived in {found.custody.file.origin.name}")
        say(f"  artefact {version.checksum}")
        say(f"  trained on {version.training_set} by {version.who} on {version.began_at:%Y-%m-%d}")
        for one in found.learned_from[:SHOWN_BATCHES]:
            files = ", ".join(origin.name for origin in one.origins[:SHOWN_FILES])
            more = f" and {len(one.origins) - SHOWN_FILES} more" if len(one.origins) > SHOWN_FILES else ""
            say(f"  from {one.ref} · snapshot {one.snapshot} · {files}{more} · {', '.join(one.stewards) or 'nobody'}")
        if (more_batches := len(found.learned_from) - SHOWN_BATCHES) > 0:
            say(f"  and {more_batches} batches more: --json has all")
        say_superseded(found.changed)


@app.command("card")
def card(
    name: Name,
    version: AnyVersion = None,
    format_: Annotated[CardFormat, typer.Option("--format", help="What it is written as.")] = CardFormat.MD,
    to: Annotated[Path | None, typer.Option("--to", help="The file to write; by default the terminal.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the card of a model and the datasheet of its training set, from what is recorded."""
    with errors_for_people():
        settings = Settings()
        installation, model = Installation.open(settings), _model(name, settings)
        tables = tables_of(load_domains(settings))
        found = model_card(model, version, tables=tables, installation=installation, at=Run().clock())
        if as_json or (format_ is CardFormat.JSON and to is None):
            print_json(card_value(found))
            return
        if format_ is CardFormat.JSON:
            text = json_text(card_value(found))
        else:
            text = card_html(found) if format_ is CardFormat.HTML else card_markdown(found)
        if to is None:
            typer.echo(text)
            return
        to.write_text(text, encoding="utf-8")
        say(f"{to} is written")


@app.command("drift")
def drift(
    name: Name,
    act: Annotated[bool, typer.Option("--act", help="Want it trained anew, or reviewed, as its page says.")] = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Whether a model drifts: its inputs, its predictions, its quality; and what is to be done about it."""
    with errors_for_people():
        installation, model, run = _opened(name, who, acts=act)
        found = (act_on_drift if act else look_at_drift)(model, installation=installation, run=run)
        if as_json:
            print_json(None if found is None else drift_value(found))
            return
        if found is None:
            say(f"no version of {model.id} serves")
            return
        say_drift(found)


@app.command("retrainings")
def retrainings(
    name: AnyModel = None,
    as_json: AsJson = False,
) -> None:
    """The requests to train models anew: what was seen, and what became of it."""
    with errors_for_people():
        settings = Settings()
        model = None if name is None else _model(name, settings).id
        found = Installation.open(settings).ledger.models.retrainings(model)
        if as_json:
            print_json(list(map(retraining_value, found)))
            return
        if not found:
            say("nobody wants a model to be trained anew")
        for one in found:
            outcome = f" · {one.outcome}" if one.outcome else ""
            say(
                (f"{one.id} {one.model} ", "bold"),
                f"{one.state} · {one.at:%Y-%m-%d %H:%M} {one.who}: {one.why}{outcome}",
            )


@app.command("allow")
def allow(request: Number, reason: Reason, who: Who = None) -> None:
    """Let a request that waits for a person be carried out."""
    with errors_for_people():
        installation, run = Installation.open(Settings()), Run(who=who_types(who))
        found = allow_retraining(request, why=reason, installation=installation, run=run)
        say(f"retraining {found.id} of {found.model} may be carried out")
        say_next(model_command("train", found.model))


@app.command("decline")
def decline(request: Number, reason: Reason, who: Who = None) -> None:
    """Say that a model is not trained anew for a request."""
    with errors_for_people():
        installation, run = Installation.open(Settings()), Run(who=who_types(who))
        found = decline_retraining(request, why=reason, installation=installation, run=run)
        say(f"retraining {found.id} of {found.model} is declined")


def _opened(name: str, who: str | None, *, acts: bool = True) -> tuple[Installation, Model, Run]:
    settings = Settings()
    model = _model(name, settings)
    return Installation.open(settings), model, Run(who=who_types(who)) if acts else Run()


def _all(settings: Settings) -> list[Model]:
    return [model for domain in load_domains(settings) for model in domain.models]


def _model(name: str, settings: Settings) -> Model:
    models: dict[TableId, Model] = {model.id: model for model in _all(settings)}
    found = [model for ident, model in models.items() if name in (str(ident), ident.name)]
    if len(found) != 1:
        raise UnknownNameError("model", name, map(str, models))
    return found[0]


def _say_decided(done: ServingDecision, *, as_json: bool) -> None:
    if as_json:
        print_json({**serving_value(done.state), "registry_problem": done.registry_problem or None})
        return
    say(serving_text(done.state))
    if done.registry_problem:
        say(("MLflow does not show it yet: ", "yellow"), done.registry_problem)
