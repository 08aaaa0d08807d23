"""The declaration of a contract's table, as text: source, batches, rules, promises, consumers."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from readiness_pipelines.compatibility.contract import Contract, Guarantee
from readiness_pipelines.compatibility.plain_values import python_value
from readiness_pipelines.contracts import Freshness
from readiness_pipelines.drafting.python_text import call, comment, wrapped
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import ReadinessError, printable
from readiness_pipelines.interop.odcs.declarations import (
    BATCHES,
    READERS,
    RULES,
    made_of,
)
from readiness_pipelines.interop.odcs.page.python_values import Writing, literal_text, made_text, text_of

_OF_FRAME = ("row_count", "null_share")


def table_text(contract: Contract, model: str, tables: Mapping[str, str], writing: Writing) -> list[str]:
    """The declaration of a table.

    Args:
        contract: Its contract.
        model: The name of its model on the page.
        tables: The names of the page's tables, by those in the contracts.
        writing: What the page uses and loses.
    """
    name = tables[contract.table]
    source, lines = contract.source, []
    batches, whole = _batches(contract, writing)
    kind = source.get("kind")
    if kind in ("derived", "kpi"):
        reads = ", ".join(map(str, source.get("reads", ()) if isinstance(source.get("reads"), list) else ()))
        lines += [*_flat(writing.lose(f"{contract.table} is computed there, of {reads}: here it is what arrives"))]
    lines += [f"{name} = domain.gated(", f"    {text_of(name)},", *_source(contract, name, whole, writing)]
    lines += [f"    schema={model},", *batches]
    rules, notes = _table_rules(contract, tables, writing)
    lines += notes
    if rules:
        lines += ["    rules=[", *(line for rule in rules for line in wrapped(f"{rule},", "        ")), "    ],"]
    lines += [*_routes(contract, writing), *_tolerance(contract, writing), *_plain_settings(contract, writing)]
    lines += _freshness(contract, writing)
    if contract.latency is not None:
        lines.append(f'    latency="{format_duration(contract.latency)}",')
    lines += wrapped(f"tags={text_of(list(contract.tags))},", "    ") if contract.tags else []
    lines += wrapped(f"synonyms={text_of(list(contract.synonyms))},", "    ") if contract.synonyms else []
    if contract.runbook.strip() and not contract.runbook.strip().endswith(".md"):
        lines.append(f"    runbook={text_of(contract.runbook)},")
    if contract.sla:
        lines += writing.lose(f"what {contract.table} promises for each month: only products promise that")
    if contract.retention is not None:
        lines += writing.lose(f"rows are kept for {format_duration(contract.retention)}: see docs/settings.md")
    lines.append(")")
    return [*lines, *_consumers(contract, name)]


def _flat(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines)


def _source(contract: Contract, name: str, whole: bool, writing: Writing) -> list[str]:
    source = contract.source
    steward, contact = contract.steward
    origin = source.get("origin") if isinstance(source.get("origin"), str) else ""
    reader, notes = "", []
    if source.get("reader") is not None:
        try:
            given = dict(source["reader"])
            ((kind, arguments),) = given.items()
            _check_pair(given, contract.source.get("batches"))
            reader = made_text({kind: arguments}, READERS, writing, first="pattern" if kind == "FileDrop" else "query")
        except (ValueError, TypeError, AttributeError) as error:
            notes += writing.lose(f"how {name} is read: {error}")
    missing = contract.settings.get("missing")
    if not reader:
        words = [one for one in missing if isinstance(one, str)] if isinstance(missing, list) else []
        told = f", missing={literal_text(words, writing)}" if words else ""
        reader = f"FileDrop({text_of(f'{name}/*' if whole else f'{name}/{{batch}}/*')}{told})"
        writing.names.add("FileDrop")
        notes += comment("where it arrives; another reader may fit better: SqlQuery, Function", " " * 8)
    lines = ["    source=Source(", f"        origin={text_of(origin or f'Where {name} comes from')},"]
    known = contact or contract.owner or "steward@example.org"
    lines.append(f"        steward=Steward({text_of(steward or 'Whoever sends it')}, {text_of(known)}),")
    lines += [
        *(f"    {line}" if line.startswith("    #") else line for line in notes),
        *wrapped(f"reader={reader},", " " * 8),
    ]
    refresh = source.get("refresh")
    try:
        every = python_value(refresh)
    except ValueError:
        every = None
    if isinstance(every, timedelta) and every > timedelta(0):
        lines.append(f'        refresh="{format_duration(every)}",')
    level = source.get("classification")
    if level in ("public", "confidential", "pii", "phi"):
        writing.names.add("Classification")
        lines.append(f"        classification=Classification.{str(level).upper()},")
    if contract.limitations:
        issues = "".join(f"{text_of(' '.join(printable(one).split()))}, " for one in contract.limitations)
        lines += wrapped(f"known_issues=({issues.strip()}),", " " * 8)
    if isinstance(source.get("schema_version"), str) and source["schema_version"]:
        lines.append(f"        schema_version={text_of(source['schema_version'])},")
    return [*lines, "    ),"]


def _check_pair(reader: Any, batches: Any) -> None:
    """Refuse a reader that cannot read such batches.

    Raises:
        ValueError: With the reason.
    """
    made = made_of(reader, READERS)
    try:
        made.check(made_of(batches, BATCHES) if batches is not None else made_of({"Versions": {}}, BATCHES))
    except ReadinessError as error:
        raise ValueError(error.what) from error


def _batches(contract: Contract, writing: Writing) -> tuple[list[str], bool]:
    """The argument for a table's batches, and whether each delivery is the whole."""
    given, notes = contract.source.get("batches"), []
    if given is not None:
        try:
            return wrapped(f"batches={made_text(given, BATCHES, writing)},", "    "), "Versions" in given
        except ValueError as error:
            notes = writing.lose(f"the batches of {contract.table}: {error}")
    told = (
        "each delivery replaces the whole; where files only bring what is new: DailyBatches(start=…), and {batch} in "
        "the path"
    )
    writing.names.add("Versions")
    return [*(notes or comment(told)), "    batches=Versions(),"], True


def _table_rules(contract: Contract, tables: Mapping[str, str], writing: Writing) -> tuple[list[str], list[str]]:
    rules: list[str] = []
    notes: list[str] = []
    seen: set[str] = set()
    for one in contract.guarantees:
        if one.of_column or one.code or one.lost or one.check in ("unique", "columns_classified"):
            continue
        try:
            text = _table_rule(one, contract, tables, writing)
        except ValueError as error:
            notes += writing.lose(f"the rule {one.name} of {contract.table}: {error}")
            continue
        if text not in seen:  # one rule about several columns is listed below each of them
            seen.add(text)
            rules.append(text)
    return rules, notes


def _table_rule(one: Guarantee, contract: Contract, tables: Mapping[str, str], writing: Writing) -> str:
    arguments = dict(one.arguments)
    if one.check in _OF_FRAME:
        values = {key: python_value(value) for key, value in arguments.items()}
        if one.check == "row_count":
            whole = {key: value for key, value in values.items() if key in ("at_least", "at_most")}
            if not whole or not all(isinstance(value, int) for value in whole.values()):
                raise ValueError("it has no bounds")
            writing.names.add("row_count")
            return f"row_count({', '.join(f'{key}={value}' for key, value in whole.items())})"
        column, most = values.get("column"), values.get("at_most")
        if not isinstance(column, str) or contract.column(column) is None or not isinstance(most, int | float):
            raise ValueError("it has no column and share")
        writing.names.add("null_share")
        return f"null_share({text_of(column)}, at_most={most!r})"
    for key in ("table", "of"):
        if key in arguments:
            arguments[key] = _referred(str(arguments[key]), tables)
    return made_text({one.check: arguments}, RULES, writing)


def _referred(given: str, tables: Mapping[str, str]) -> str:
    """The name on the page of a table that a rule compares with.

    Raises:
        ValueError: It is not on the page.
    """
    plain = given.replace("_raw.", ".", 1)
    if plain in tables:
        return tables[plain]
    raise ValueError(f"it compares with {given}, which is in none of the contracts: import that, too")


def _routes(contract: Contract, writing: Writing) -> list[str]:
    """The routes that are not as usual: those that a contract of ours lists, and what a foreign one only warns of."""
    found = {name: route for name, route in contract.routes.items() if route in ("warn", "quarantine", "hold")}
    if not contract.gate:
        found |= {one.name: "warn" for one in contract.guarantees if one.route == "warn" and not one.code}
    lost = {one.name for one in contract.guarantees if one.lost or (one.code and not writing.with_code)}
    found = {name: route for name, route in found.items() if name not in lost}
    if not found:
        return []
    writing.names.add("Route")
    inner = ", ".join(f"{text_of(name)}: Route.{route.upper()}" for name, route in found.items())
    return wrapped(f"routes={{{inner}}},", "    ")


def _tolerance(contract: Contract, writing: Writing) -> list[str]:
    arguments = [f"{key}={value!r}" for key, value in contract.tolerance.items() if _is_bound(key, value)]
    single = []
    for name, bounds in contract.rule_tolerances.items():
        if isinstance(bounds, Mapping) and all(_is_bound(key, value) for key, value in bounds.items()):
            inner = ", ".join(f"{key}={value!r}" for key, value in bounds.items())
            single.append(f"{text_of(name)}: Tolerance({inner})")
    arguments += [f"rules={{{', '.join(single)}}}"] if single else []
    if not arguments:
        return []
    writing.names.add("Tolerance")
    return wrapped(f"tolerance=Tolerance({', '.join(arguments)}),", "    ")


def _is_bound(key: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (key == "quarantined_ratio" or (key in ("quarantined_rows", "over") and isinstance(value, int)))


def _plain_settings(contract: Contract, writing: Writing) -> list[str]:
    settings, lines = contract.settings, []
    if settings.get("schema_change") in ("evolve", "freeze"):
        writing.names.add("SchemaChange")
        lines.append(f"    schema_change=SchemaChange.{settings['schema_change'].upper()},")
    if settings.get("unclassified") == "hold":
        writing.names.add("Route")
        lines.append("    unclassified=Route.HOLD,")
    if settings.get("allow_empty") is True:
        lines.append("    allow_empty=True,")
    return lines


def _freshness(contract: Contract, writing: Writing) -> list[str]:
    promise = contract.freshness
    if promise is None:
        return []
    try:
        Freshness(
            warn_after=promise.warn_after, fail_after=promise.fail_after, due=promise.due, timezone=promise.timezone
        )
    except ReadinessError as error:
        return writing.lose(f"the freshness of {contract.table}: {error.what}")
    warn, fail = format_duration(promise.warn_after), format_duration(promise.fail_after)
    arguments = [f'warn_after="{warn}"', f'fail_after="{fail}"']
    arguments += [f"due={text_of(promise.due)}"] if promise.due else []
    arguments += [f"timezone={text_of(promise.timezone)}"] if promise.timezone != "UTC" else []
    if promise.event_time and contract.column(promise.event_time) is not None and not promise.due:
        arguments.append(f"event_time={text_of(promise.event_time)}")
    writing.names.add("Freshness")
    return wrapped(f"freshness=Freshness({', '.join(arguments)}),", "    ")


def _consumers(contract: Contract, name: str) -> list[str]:
    lines = []
    for one in contract.consumers:
        arguments = [text_of(one.name), f"contact={text_of(one.contact)}", f"table={name}"]
        arguments += [f"columns={text_of(list(one.columns))}"] if one.columns else []
        arguments += [f"rules={text_of(list(one.rules))}"] if one.rules is not None else []
        arguments += [f'freshness="{format_duration(one.freshness)}"'] if one.freshness else []
        arguments += [f'notice="{format_duration(one.notice)}"'] if one.notice else []
        arguments += [f"purpose={text_of(one.purpose)}"] if one.purpose else []
        lines += call("domain.consumer", arguments, "")
    for change in contract.announced:
        arguments = [name, text_of(change.what), f'announced="{change.announced}"', f'effective="{change.effective}"']
        lines += call("domain.announce", [*arguments, f"why={text_of(change.why)}"], "")
    return lines
