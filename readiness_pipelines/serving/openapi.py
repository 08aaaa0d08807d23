"""The OpenAPI document: an address for each table, with the columns that its gate reads and the rules that it has."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.online.columns import kept_features
from readiness_pipelines.delivery.online.looking_up import Availability
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.serving.tables import ServedTable
from readiness_pipelines.version import __version__

_ERROR = {"$ref": "#/components/schemas/Error"}
_TEXT = {"type": "string"}
_NAMES = {"type": "array", "items": _TEXT}
_TIME = {"type": "string", "format": "date-time"}
_WANTED = {
    "name": "features",
    "in": "query",
    "schema": _NAMES,
    "description": "Feature views whose latest values each record is given: DOMAIN.VIEW, by the columns of its entity,"
    " or DOMAIN.VIEW(COLUMN,…) where the record calls them otherwise.",
}


def openapi(
    tables: Mapping[str, ServedTable], serve: Serve, views: Mapping[str, FeatureView] | None = None
) -> dict[str, Any]:
    """The document, as OpenAPI 3.1 has it."""
    paths: dict[str, Any] = {f"/gates/{name}/check": {"post": _check(name, one, serve)} for name, one in tables.items()}
    views = views or {}
    paths |= {f"/features/{name}": {"post": _look_up(name, view, serve)} for name, view in views.items()}
    paths["/gates"] = {"get": _get("The gates, their versions, and what they refer to.")}
    paths["/reload"] = {"post": _get("Take the gates as the code has them now.", status="202")}
    paths["/health"] = {"get": _get("Whether it answers; asked without a token.") | {"security": []}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "One record through a gate", "version": __version__},
        "paths": paths,
        "security": [{"token": []}] if serve.tokens else [],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **{name: _record(one) for name, one in tables.items()},
                **{f"{name}.key": _key(view) for name, view in views.items()},
                **{f"{name}.values": _values(view) for name, view in views.items()},
                "Verdict": _VERDICT,
                "Answer": _object({"table": _TEXT, "version": _TEXT, "references": {"type": "array"}}, also=_VERDICT),
                "Answers": _object(
                    {"table": _TEXT, "version": _TEXT, "verdicts": {"type": "array", "items": _VERDICT}}
                ),
                "Error": _object({"error": _object({"code": _TEXT, "what": _TEXT, "way_out": _TEXT})}),
            },
        },
    }


def _object(properties: dict[str, Any], also: Mapping[str, Any] | None = None) -> dict[str, Any]:
    merged = {**properties, **(also["properties"] if also else {})}
    return {"type": "object", "properties": merged, "required": [name for name in merged if name != "references"]}


_BROKEN = _object({"rule": _TEXT, "column": {"type": ["string", "null"]}, "reason": _TEXT, "route": _TEXT})
_VERDICT = _object({"passed": {"type": "boolean"}, "broken": {"type": "array", "items": _BROKEN}, "undecided": _NAMES})


def _check(name: str, served: ServedTable, serve: Serve) -> dict[str, Any]:
    record = {"$ref": f"#/components/schemas/{name}"}
    many = {"type": "array", "items": record, "maxItems": serve.most_records}
    answers = [{"$ref": "#/components/schemas/Answer"}, {"$ref": "#/components/schemas/Answers"}]
    errors = {status: {"description": why, "content": _json(_ERROR)} for status, why in _ERRORS.items()}
    shown = {"name": "record", "in": "query", "schema": {"type": "boolean"}}
    return {
        "summary": f"Judge records of {name}.",
        "description": "\n".join(f"- `{rule.name}` ({rule.route.value}): {rule.reason}" for rule in served.gate.rules),
        "operationId": f"check_{name.replace('.', '_')}",
        "parameters": [
            _WANTED,
            {**shown, "description": "Give the typed values back; those of classified columns redacted."},
        ],
        "requestBody": {"required": True, "content": _json({"oneOf": [record, many]})},
        "responses": {"200": {"description": "The verdict.", "content": _json({"oneOf": answers})}, **errors},
    }


_ERRORS = {
    "400": "It is not JSON.",
    "401": "Nothing proves who asks.",
    "404": "No such table.",
    "408": "The body did not arrive in time.",
    "413": "It is too large.",
    "422": "Keys that cannot be told apart.",
    "500": "The gate cannot be evaluated.",
    "503": "It took too long.",
}


def _look_up(name: str, view: FeatureView, serve: Serve) -> dict[str, Any]:
    key, found = {"$ref": f"#/components/schemas/{name}.key"}, {"$ref": f"#/components/schemas/{name}.values"}
    about = {"view": _TEXT, "kept_at": _TIME, "stale": {"type": ["boolean", "null"]}}
    many = _object({**about, "found": {"type": "array", "items": found}})
    errors = {status: {"description": why, "content": _json(_ERROR)} for status, why in _ERRORS.items()}
    return {
        "summary": f"The latest values of {name}, by key.",
        "description": view.description,
        "operationId": f"features_{name.replace('.', '_')}",
        "requestBody": {
            "required": True,
            "content": _json({"oneOf": [key, {"type": "array", "items": key, "maxItems": serve.most_records}]}),
        },
        "responses": {
            "200": {
                "description": "The values, in the order of the keys.",
                "content": _json({"oneOf": [{"allOf": [_object(about), found]}, many]}),
            },
            **errors,
        },
    }


def _key(view: FeatureView) -> dict[str, Any]:
    columns = {column.name: _column(column) for column in gate_of(view).spec.columns if column.name in view.entity}
    return {"type": "object", "properties": columns, "required": list(view.entity)}


def _values(view: FeatureView) -> dict[str, Any]:
    spec = gate_of(view).spec
    kept = kept_features(view, [column.name for column in spec.columns if not column.pattern])[0]
    columns = {column.name: _column(column) for column in spec.columns if column.name in kept}
    nothing = ["string", "null"]
    return _object(
        {
            "status": {"type": "string", "enum": [one.value for one in Availability]},
            "values": {"type": "object", "properties": columns},
            "known_at": {**_TIME, "type": nothing},
            "event_at": {**_TIME, "type": nothing},
            "age_seconds": {"type": ["number", "null"]},
            "batch": {"type": nothing},
            "snapshot": {"type": nothing},
        }
    )


def _get(summary: str, status: str = "200") -> dict[str, Any]:
    return {"summary": summary, "responses": {status: {"description": "JSON.", "content": _json({"type": "object"})}}}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _record(served: ServedTable) -> dict[str, Any]:
    spec = served.gate.spec
    plain = [column for column in spec.columns if not column.pattern]
    patterns = {column.name: _column(column) for column in spec.columns if column.pattern}
    return {
        "type": "object",
        "properties": {column.name: _column(column) for column in plain},
        **({"patternProperties": patterns} if patterns else {}),
        "required": [column.name for column in plain if not spec.may_lack(column)],
        "additionalProperties": not spec.strict,
    }


def _column(column: ColumnSpec) -> dict[str, Any]:
    """A column: the type that it has, or a text that is read as it."""
    kinds = [*_kinds(column.type), "null"]
    described = f"{column.description}. " if column.description else ""
    return {"type": kinds, "description": f"{described}Read as {column.type or 'text'}."}


def _kinds(kind: pa.DataType | None) -> list[str]:
    if kind is None or pa.types.is_string(kind):
        return ["string", "number", "boolean"]
    if pa.types.is_boolean(kind):
        return ["boolean", "string", "integer"]
    if pa.types.is_integer(kind):
        return ["integer", "string"]
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ["number", "string"]
    return ["string"]
