"""A contract written as the standard has it, in 3.1: what it has a place for in its place, the rest in properties."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import yaml

from readiness_pipelines.compatibility.arrow_types import iceberg_type, logical_type, type_from_text
from readiness_pipelines.compatibility.contract import Contract, ContractColumn, Guarantee, to_plain
from readiness_pipelines.durations import format_duration
from readiness_pipelines.interop.odcs.library import library_form, logical_options

WRITTEN = "v3.1.0"
OURS = "readiness"
"""Begins the names of the properties that the standard has no place for, and is the engine of the rules."""

_DIMENSIONS = {"unique": "uniqueness", "not_nullable": "completeness", "null_share": "completeness"}
_REFERENCES = {"ExistsIn": "consistency", "NotInOtherBatches": "uniqueness"}


def odcs_text(contract: Contract) -> str:
    """The contract as YAML, the same for the same contract."""
    text: str = yaml.dump(
        odcs_document(contract),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=110,
        default_flow_style=False,
    )
    return text


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # PyYAML has no types
    """Writes each value out where it stands: nobody reads anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's own signature
        return True


_NUMBER_TO_OTHERS = re.compile(r"[-+]?[0-9][0-9_.]*(?:[eE][-+]?[0-9]+)?")


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """A text, in quotes where YAML 1.2 would read a number: a version such as ``1234e5678``."""
    style = "'" if _NUMBER_TO_OTHERS.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


def odcs_document(contract: Contract) -> dict[str, Any]:
    """The contract as the standard's mappings and lists."""
    domain, _, name = contract.table.partition(".")
    known = {one.name for one in contract.columns}
    by_column: dict[str, list[Guarantee]] = {}
    of_table = []
    for rule in contract.guarantees:
        if len(rule.columns) == 1 and rule.columns[0] in known:
            by_column.setdefault(rule.columns[0], []).append(rule)
        else:
            of_table.append(rule)
    document = {
        "apiVersion": WRITTEN,
        "kind": "DataContract",
        "id": contract.table,
        "name": contract.table,
        "version": contract.version,
        "status": "active",
        "domain": domain,
        "description": _filled(
            {
                "purpose": contract.description,
                "limitations": "\n".join(contract.limitations),
                "usage": f"Read the published table {contract.table}: what its gate refused is not in it.",
            }
        ),
        "servers": [
            {
                "server": "lakehouse",
                "type": "custom",
                "description": f"Apache Iceberg table {contract.table}",
                "customProperties": [{"property": "format", "value": "iceberg"}],
            }
        ],
        "schema": [
            _filled(
                {
                    "name": name,
                    "physicalName": contract.table,
                    "physicalType": "table",
                    "logicalType": "object",
                    "description": contract.description,
                    "tags": list(contract.tags),
                    "dataGranularityDescription": _granularity(contract),
                    "properties": [_property(column, by_column.get(column.name, [])) for column in contract.columns],
                    "quality": [_quality(one) for one in of_table],
                }
            )
        ],
        "support": _support(contract),
        "team": _team(contract),
        "slaProperties": list(_promises(contract)),
        "customProperties": [{"property": key, "value": value} for key, value in _custom(contract) if value],
    }
    return _filled(document)


def _filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping without what is empty."""
    return {key: value for key, value in given.items() if value not in ("", None, [], {}, ())}


def _granularity(contract: Contract) -> str:
    kind = next(iter(contract.source.get("batches", {})), "")
    return f"One batch at a time: {kind}" if kind else ""


def _property(column: ContractColumn, own: Sequence[Guarantee]) -> dict[str, Any]:
    kind = type_from_text(column.type)
    usual = ContractColumn(name=column.name, type=column.type)
    ours = {
        key: value
        for key, value in to_plain(column).items()
        if key in ("required", "pattern", "coerce", "default", "steps", "protection", "subject", "reviewed")
        and value != getattr(usual, key)
    }
    if not (column.required or column.nullable):
        ours["nullable"] = False
    return _filled(
        {
            "name": column.label or column.name,
            "physicalName": column.name,
            "physicalType": iceberg_type(kind),
            "description": column.description,
            "logicalType": logical_type(kind),
            "logicalTypeOptions": logical_options(kind, own),
            "primaryKey": True if column.key else None,
            "primaryKeyPosition": column.key,
            # What need not arrive is laid as nulls, also where it may have none when it does.
            "required": column.required and not column.nullable,
            "unique": True if column.unique else None,
            "classification": column.classification,
            "items": _items(kind),
            "properties": _members(kind),
            "quality": [_quality(one) for one in own],
            "customProperties": [{"property": f"{OURS}Column", "value": {"type": column.type, **ours}}],
        }
    )


def _items(kind: pa.DataType | None) -> dict[str, Any]:
    """What a list's items are; nothing for what is none."""
    if kind is None or not pa.types.is_list(kind):
        return {}
    inner = kind.value_type
    nested = {"items": _items(inner), "properties": _members(inner)}
    return _filled({"logicalType": logical_type(inner), "physicalType": iceberg_type(inner), **nested})


def _members(kind: pa.DataType | None) -> list[dict[str, Any]]:
    if kind is None or not pa.types.is_struct(kind):
        return []
    return [{"name": kind.field(at).name, **_items(pa.list_(kind.field(at).type))} for at in range(kind.num_fields)]


def _quality(one: Guarantee) -> dict[str, Any]:
    """A rule: as the library's where it has one with the same meaning, else as ours, with its text."""
    about = ", ".join(one.columns)
    rule = {
        "check": one.check,
        "arguments": dict(one.arguments),
        "route": one.route,
        **({"kind": one.kind} if one.kind != "row" else {}),
        **({"columns": list(one.columns)} if len(one.columns) != 1 else {}),
        **({"ofColumn": False} if not one.of_column else {}),
        **({"ignoreNa": False} if not one.ignore_na else {}),
        **({"code": one.code, "uses": dict(one.globals)} if one.code and not one.lost else {}),
        **({"lost": one.lost} if one.lost else {}),
    }
    described = {
        "name": one.name,
        "description": f"{about}: {one.text}" if about else one.text,
        "dimension": _DIMENSIONS.get(one.check) or _REFERENCES.get(one.check, "conformity"),
    }
    severity = {"severity": "warning" if one.route == "warn" else "error"}
    library = library_form(one)
    if library is not None:
        form = {"type": "library", **library}
    elif one.lost:
        form = {"type": "text"}
    else:
        form = {"type": "custom", "engine": OURS, "implementation": rule}
    kept = {} if "implementation" in form else {"customProperties": [{"property": f"{OURS}Rule", "value": rule}]}
    return {**described, **form, **severity, **kept}


def _support(contract: Contract) -> list[dict[str, Any]]:
    if not contract.on_call:
        return []
    return [{"channel": contract.on_call, "description": "Called when it breaks", "scope": "issues"}]


def _team(contract: Contract) -> dict[str, Any]:
    name, contact = contract.steward
    people = [(contract.owner, contract.owner, "owner"), (contact, name, "steward"), (contract.on_call, "", "on-call")]
    members = [_filled({"username": who, "name": name or who, "role": role}) for who, name, role in people if who]
    return _filled({"name": name or contract.owner, "members": members})


def _promises(contract: Contract) -> Iterator[dict[str, Any]]:
    if contract.freshness is not None:
        promise = contract.freshness
        element = {"element": _element(contract, promise.event_time)} if promise.event_time else {}
        schedule = {"schedule": promise.due, "scheduler": "cron"} if promise.due else {}
        what = "after it is due" if promise.due else "old"
        told = f"late {format_duration(promise.warn_after)} {what}, broken {format_duration(promise.fail_after)} {what}"
        yield {
            "property": "freshness", **_measured(promise.fail_after), "description": told,
            "driver": "operational", **element, **schedule,
        }  # fmt: skip
    if contract.latency is not None:
        told = "from a batch's arrival to its publication"
        yield {"property": "latency", **_measured(contract.latency), "description": told, "driver": "operational"}
    if contract.retention is not None:
        yield {"property": "retention", **_measured(contract.retention), "driver": "regulatory"}
    refresh = contract.source.get("refresh")
    if isinstance(refresh, Mapping):
        every = timedelta(seconds=refresh["seconds"])
        yield {"property": "frequency", **_measured(every), "description": "how often the source delivers"}
    for name, shown in (("published", "publishedShare"), ("fresh", "freshShare")):
        if name in contract.sla:
            share = {"value": round(100 * contract.sla[name], 6), "unit": "percent"}
            yield {"property": shown, **share, "description": "of each month", "driver": "operational"}
    if "repaired_within" in contract.sla:
        yield {"property": "timeToRepair", **_measured(contract.sla["repaired_within"]), "driver": "operational"}
    if contract.notice is not None:
        told = "how long before a breaking change consumers hear of it"
        yield {"property": "noticePeriod", **_measured(contract.notice), "description": told, "driver": "operational"}


def _element(contract: Contract, column: str) -> str:
    return f"{contract.table.partition('.')[2]}.{column}"


_UNITS: Sequence[tuple[str, int]] = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def _measured(duration: timedelta) -> dict[str, Any]:
    """A duration in its largest unit that holds it whole."""
    seconds = duration.total_seconds()
    for unit, size in _UNITS:
        if seconds and seconds % size == 0:
            return {"value": int(seconds // size), "unit": unit}
    return {"value": seconds, "unit": "s"}


def _custom(contract: Contract) -> Iterator[tuple[str, Any]]:
    plain = to_plain(contract)
    yield (
        f"{OURS}Gate",
        _filled(
            {
                "version": contract.gate,
                **{key: plain.get(key) for key in ("settings", "routes", "rule_tolerances")},
            }
        ),
    )
    yield f"{OURS}Tolerance", plain.get("tolerance")
    yield f"{OURS}Freshness", plain.get("freshness")
    yield f"{OURS}Sla", plain.get("sla")
    yield f"{OURS}Source", plain.get("source")
    yield "synonyms", list(contract.synonyms)
    yield "runbook", contract.runbook
    yield "consumers", plain.get("consumers")
    yield "announcedChanges", plain.get("announced")
