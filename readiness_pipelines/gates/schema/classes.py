"""What the columns of a schema are to persons: the classes in its metadata, and those that the table declares."""

from collections.abc import Mapping
from dataclasses import replace

from readiness_pipelines.contracts.classification import Classified
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates.schema.columns import SchemaSpec


def classify(spec: SchemaSpec, given: Mapping[str, Classified]) -> SchemaSpec:
    """A schema with the classes of both places.

    Args:
        spec: The schema, with the classes of its metadata.
        given: The table's own, by column; by the pattern's text, or its field's name, for a pattern of columns.

    Raises:
        UnknownNameError: A class for a column that the schema does not have.
        GateBuildError: A column that is classified twice, and not alike.
    """
    if not given:
        return spec
    known = {name for column in spec.columns for name in (column.name, column.label)}
    for name in given:
        if name not in known:
            raise UnknownNameError("column in classified", name, [column.label for column in spec.columns])
    columns = []
    for column in spec.columns:
        own = given.get(column.name, given.get(column.label))
        if own is not None and column.classified is not None and own != column.classified:
            raise GateBuildError(
                f"column {column.label!r} is {column.classified.describe()} in the schema, and {own.describe()} on the "
                "table",
                way_out="classify it in one place",
            )
        columns.append(replace(column, classified=own) if own is not None else column)
    return replace(spec, columns=tuple(columns))
