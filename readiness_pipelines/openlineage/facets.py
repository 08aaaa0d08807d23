"""The facets of OpenLineage events, as the specification's JSON schemas have them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from readiness_pipelines.lineage import ColumnLineage, Influence
from readiness_pipelines.version import __version__

Json = dict[str, Any]

PRODUCER = f"urn:readiness-pipelines:{__version__}"
"""Who made an event."""

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
_FACETS = "https://openlineage.io/spec/facets"


def facet(schema: str, **content: Any) -> Json:
    """A facet.

    Args:
        schema: Its version and name in the specification: ``1-0-1/OwnershipJobFacet``.
        content: What is in it; what is ``None`` is left out.
    """
    version, _, name = schema.partition("/")
    address = f"{_FACETS}/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": address, **_present(content)}


def own_facet(**content: Any) -> Json:
    """A facet that is not in the specification, which allows for others."""
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}#/$defs/RunFacet", **_present(content)}


def _present(content: Mapping[str, Any]) -> Json:
    return {name: value for name, value in content.items() if value is not None}


def time_text(at: datetime) -> str:
    """A time as events have it: in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def schema_facet(fields: Iterable[tuple[str, str, str]]) -> Json:
    """The columns of a table: name, type, and what it is for people, which may be empty."""
    columns = [
        {"name": name, "type": kind, **({"description": words} if words else {}), "ordinal_position": place}
        for place, (name, kind, words) in enumerate(fields, 1)
    ]
    return facet("1-2-0/SchemaDatasetFacet", fields=columns)


def column_lineage_facet(lineage: ColumnLineage, columns: Sequence[str], namespace: str) -> Json:
    """What the columns of a table are made of.

    Args:
        lineage: That.
        columns: Its columns.
        namespace: The namespace of all tables.
    """
    fields = {
        name: {"inputFields": list(_input_fields(lineage.columns[name], namespace))}
        for name in columns
        if name in lineage.columns
    }
    return facet(
        "1-2-0/ColumnLineageDatasetFacet", fields=fields, dataset=list(_input_fields(lineage.rows, namespace)) or None
    )


def _input_fields(found: Iterable[Influence], namespace: str) -> Iterable[Json]:
    by_column: dict[tuple[str, str], list[Json]] = {}
    for one in sorted(found):
        by_column.setdefault((str(one.table), one.column), []).append(_transformation(one))
    for (table, column), transformations in by_column.items():
        yield {"namespace": namespace, "name": table, "field": column, "transformations": transformations}


def _transformation(one: Influence) -> Json:
    return {
        "type": "DIRECT" if one.how.direct else "INDIRECT",
        "subtype": one.how.value.upper(),
        **({} if one.resolved else {"description": "any column of the table: it is not known which"}),
        "masking": one.masking,
    }


def statistics_facet(*, output: bool, rows: int | None, size: int | None, files: int | None) -> Json:
    """How much was read or written."""
    schema = "1-0-2/OutputStatisticsOutputDatasetFacet" if output else "1-0-0/InputStatisticsInputDatasetFacet"
    return facet(schema, rowCount=rows, size=size, fileCount=files)


def ownership_facet(owners: Iterable[tuple[str, str]], *, job: bool) -> Json:
    """Who answers: name and what for."""
    schema = "1-0-1/OwnershipJobFacet" if job else "1-0-1/OwnershipDatasetFacet"
    return facet(schema, owners=[{"name": name, "type": kind} for name, kind in owners])


def documentation_facet(text: str, *, job: bool) -> Json:
    """What it is, for people."""
    schema = "1-1-0/DocumentationJobFacet" if job else "1-1-0/DocumentationDatasetFacet"
    return facet(schema, description=text, contentType="text/markdown")


def parent_facet(run: str, namespace: str, job: str) -> Json:
    """The run that a delivery is part of."""
    return facet("1-2-0/ParentRunFacet", run={"runId": run}, job={"namespace": namespace, "name": job})


def tags_facet(tags: Iterable[tuple[str, str, str]]) -> Json:
    """Tags of a table's columns: column, key and value."""
    found = [{"key": key, "value": value, "source": "READINESS", "field": field} for field, key, value in tags]
    return facet("1-0-0/TagsDatasetFacet", tags=found)
