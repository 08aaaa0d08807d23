"""`readiness features`: feature views, their latest values by key, and whether those are what is published."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, say, say_next
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import find_called
from readiness_pipelines.contracts import Domain, FeatureView
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.online.checking import SAMPLED, OnlineCheck, check_online
from readiness_pipelines.delivery.online.columns import kept_features, online_views
from readiness_pipelines.delivery.online.keeping import is_overtaken, refresh_online, stale_batches_of
from readiness_pipelines.delivery.online.looking_up import LatestValues, latest_values
from readiness_pipelines.domains import load_domains
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run, utc_now
from readiness_pipelines.interop.feast import export_to_feast
from readiness_pipelines.serving.answers import plain_value
from readiness_pipelines.serving.features import features_value
from readiness_pipelines.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Feature views: their latest values by key, looked up, kept and checked.")

Name = Annotated[str, typer.Argument(help="The feature view, as domain.name, or its name alone.")]
Names = Annotated[
    list[str] | None, typer.Argument(help="The feature views, as domain.name or by name; all that keep values if none.")
]


@app.command("list")
def list_views(as_json: AsJson = False) -> None:
    """Show all feature views: whom they are about, and how far their latest values are kept."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        found = [_view_value(view, installation) for view in _views(load_domains(settings))]
        if as_json:
            print_json(found)
            return
        grid = plain_table("feature views")
        for column in ("name", "entity", "features", "latest values", "keys", "per record"):
            grid.add_column(column, overflow="fold")
        for one in found:
            grid.add_row(
                one["name"],
                ", ".join(one["entity"]),
                ", ".join(one["features"]),
                _standing(one),
                f"{one['keys']:,}" if one["online"] else "",
                "yes" if one["per_record"] else "no",
            )
        OUT.print(grid)


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a feature view: its columns, its latest values, and what of it can be computed for one record."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        view = _find(name, load_domains(settings))
        one = _view_value(view, installation)
        if as_json:
            print_json(one)
            return
        say((one["name"], "bold"), f"  {one['description']}" if one["description"] else "")
        say(f"about {', '.join(one['entity'])}: {', '.join(one['features'])}")
        say(f"latest values: {_standing(one)}" + (f", of {one['keys']:,} keys" if one["online"] else ""))
        for column, why in one["left_out"].items():
            say((f"  without {column}: it is {why}, and nothing protects it", "yellow"))
        if one["ttl"]:
            say(f"a value counts for {one['ttl']}")
        say(f"for one record: {_per_record_text(one)}")
        if one["online"]:
            say_next(f"readiness features get {one['name']} " + " ".join(f"{key}=…" for key in one["entity"]))


@app.command("get")
def get(
    name: Name,
    key: Annotated[list[str], typer.Argument(help="The key: its value, or column=value for each of its columns.")],
    as_json: AsJson = False,
) -> None:
    """Look up the latest values of a key. The exit code is 1 where there are none."""
    with errors_for_people():
        settings = Settings()
        installation = Installation.open(settings)
        view = _find(name, load_domains(settings))
        (found,) = latest_values(installation, view, [_key(view, key)])
        if as_json:
            print_json(features_value(found))
        else:
            _show_values(view, found)
    if found.status != "known":
        raise typer.Exit(1)


@app.command("refresh")
def refresh(
    names: Names = None,
    who: Annotated[str | None, typer.Option("--who", help="Who refreshes them; the user by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the latest values anew from what is published, and forget those of views that keep none any more."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        run = Run(who=who_types(who))
        chosen = [_find(one, domains) for one in names] if names else list(online_views(domains))
        done = {}
        for view in chosen:
            if not view.online:
                raise DeclarationError(f"{view.id} keeps no latest values", way_out="@domain.features(…, online=True)")
            kept = refresh_online(view, installation=installation, run=run)
            done[str(view.id)] = {"changed": kept.changed, "batches": len(kept.batches)}
        dropped = []
        if not names:
            declared = {view.id for view in online_views(domains)}
            own = {domain.name for domain in domains}
            for ident in installation.ledger.online_values.views():
                if ident not in declared and ident.domain in own:
                    installation.ledger.online_values.drop(ident)
                    dropped.append(str(ident))
        if as_json:
            print_json({"refreshed": done, "dropped": dropped})
            return
        for one, facts in done.items():
            say((one, "bold"), f"  {facts['changed']:,} keys changed, of {facts['batches']:,} batches")
        for one in dropped:
            say((one, "bold"), "  its values are gone: it keeps none any more")


@app.command("check")
def check(
    names: Names = None,
    sample: Annotated[int, typer.Option(min=2, help="Keys that are compared in each view.")] = SAMPLED,
    as_json: AsJson = False,
) -> None:
    """Compare sampled keys with what is published. The exit code is 1 where they differ, or anything is stale."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        chosen = [_find(one, domains) for one in names] if names else list(online_views(domains))
        found = [check_online(view, installation=installation, run=Run(), sampled=sample) for view in chosen]
        if as_json:
            print_json([{**asdict(one), "view": str(one.view), "equal": one.equal} for one in found])
        else:
            for one in found:
                _show_check(one)
    if not all(one.equal for one in found):
        raise typer.Exit(1)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Option("--feast", help="Write a Feast feature repository into this folder.")],
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Write feature views for Feast: Parquet files with event and created time, and the Python file that names them."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        chosen = [_find(one, domains) for one in names] if names else list(_views(domains))
        written = export_to_feast(chosen, folder, installation=installation)
        if as_json:
            print_json({**written, "folder": str(folder)})
            return
        for name, one in written["views"].items():
            say((name, "bold"), f"  {one['rows']:,} rows in {one['file']}")
            for column, why in one["left_out"].items():
                say((f"  without {column}: it is {why}, and nothing protects it", "yellow"))
        say(f"{folder / 'feature_repo.py'} and feature_store.yaml written; in {folder}: feast apply")


def _views(domains: Sequence[Domain]) -> tuple[FeatureView, ...]:
    return tuple(table for domain in domains for table in domain.tables if isinstance(table, FeatureView))


def _find(name: str, domains: Sequence[Domain]) -> FeatureView:
    return find_called(name, _views(domains), kind="feature view")


def _key(view: FeatureView, given: Sequence[str]) -> dict[str, str]:
    """A key as it is typed: values in the entity's order, or each with its column."""
    key: dict[str, str] = {}
    for place, text in enumerate(given):
        name, equals, value = text.partition("=")
        if equals and name in view.entity:
            key[name] = value
        elif place < len(view.entity):
            key[view.entity[place]] = text
        else:
            raise DeclarationError(
                f"{view.id} is looked up by {', '.join(view.entity)}, and {len(given)} values are given",
                way_out=f"readiness features get {view.id} " + " ".join(f"{one}=…" for one in view.entity),
            )
    return key


def _view_value(view: FeatureView, installation: Installation) -> dict[str, Any]:
    names = [column.name for column in gate_of(view).spec.columns if not column.pattern]
    online = installation.ledger.online_values
    state = online.view(view.id)
    kept, left_out = kept_features(view, names) if view.online else ((), {})
    beside = {*view.entity, view.event_time, view.known_at}
    stale = len(stale_batches_of(view, installation)) if view.online else 0
    return {
        "name": str(view.id),
        "description": view.description,
        "version": view.version,
        "entity": list(view.entity),
        "features": [one for one in names if one not in beside],
        "event_time": view.event_time,
        "known_at": view.known_at,
        "online": view.online,
        "kept": list(kept),
        "left_out": dict(left_out),
        "ttl": format_duration(view.ttl) if view.ttl else None,
        "keys": online.count(view.id) if view.online else 0,
        "kept_at": state.kept_at.isoformat() if state else None,
        "stale_batches": stale,
        "overtaken": state is not None and is_overtaken(state, utc_now()),
        "per_record": view.per_record,
        "per_record_checked": dict(state.per_record) if state and state.per_record else None,
    }


def _standing(one: dict[str, Any]) -> str:
    if not one["online"]:
        return "none are kept"
    if one["kept_at"] is None:
        return "none are kept yet"
    stale = one["stale_batches"] or one["overtaken"]
    return f"kept at {one['kept_at'][:16].replace('T', ' ')} UTC" + (", stale: refresh them" if stale else "")


def _per_record_text(one: dict[str, Any]) -> str:
    if not one["per_record"]:
        return "no, its features are computed by batch"
    checked = one["per_record_checked"]
    if not checked:
        return "yes, as declared; never compared with a batch"
    if checked["different"]:
        return f"refused: {checked['different']} of {checked['entities']} entities of {checked['batch']} differed"
    return f"yes: {checked['entities']} entities of {checked['batch']} were equal"


def _show_values(view: FeatureView, found: LatestValues) -> None:
    if found.known_at is None:
        say(f"nothing is published of this key in {view.id}")
        return
    say(f"{found.status.value}, known since {found.known_at:%Y-%m-%d %H:%M} UTC, of batch {found.batch}")
    for name, value in found.values.items():
        say(f"  {name}: {json.dumps(plain_value(value), ensure_ascii=False)}")
    if found.status == "expired" and view.ttl:
        say(f"older than {format_duration(view.ttl)}: the values do not count")


def _show_check(one: OnlineCheck) -> None:
    if one.under_way:
        say((str(one.view), "bold"), "  not compared: a delivery is under way, or was cut off")
    else:
        wrong = f"{one.missing:,} missing, {one.extra:,} too many, {one.different:,} with other values"
        say((str(one.view), "bold"), f"  {one.keys:,} keys compared: " + (wrong if one.wrong else "all equal"))
        if one.stale:
            say((f"  {one.stale:,} batches are stale", "yellow"))
        if one.wrong or one.stale:
            say_next(f"readiness features refresh {one.view}")
    if (per := one.per_record) is not None:
        said = (
            f"not compared: {per.why_not}" if per.why_not else f"{per.different:,} of {per.entities:,} entities differ"
        )
        say(f"  per record: {said}")
