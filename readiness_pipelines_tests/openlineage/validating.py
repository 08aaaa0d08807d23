"""Events held against the specification's own JSON schemas, which lie beside this file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

SPEC = Path(__file__).parent / "spec"


@cache
def _registry() -> Any:
    schemas = [json.loads(file.read_text()) for file in (SPEC / "OpenLineage.json", *(SPEC / "facets").glob("*.json"))]
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
    return Registry().with_resources(resources)


def problems(value: Any, address: str) -> list[str]:
    """What is wrong with a value by a schema, in words."""
    validator = Draft202012Validator({"$ref": address}, registry=_registry(), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def facets_in(event: Any) -> list[Any]:
    """All facets of an event."""
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    return [
        facet
        for holder in holders
        for kind in ("facets", "inputFacets", "outputFacets")
        for facet in holder.get(kind, {}).values()
    ]


def event_problems(event: Any) -> list[str]:
    """What is wrong with an event, and with each of its facets by the schema that it names."""
    found = problems(event, event["schemaURL"])
    for facet in facets_in(event):
        found += problems(facet, facet["_schemaURL"])
    return found
