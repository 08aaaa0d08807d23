"""Whose rows these are: columns and lines held against the register."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts import GatedTable, Table
from readiness_pipelines.contracts.cleansing import ColumnStep
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.delivery.erasure.line_parts import parts_of
from readiness_pipelines.delivery.erasure.persons import ValueKind, canonical_text, digest_of, kind_of
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.engines import dialect_of
from readiness_pipelines.errors import RegisterKeyError
from readiness_pipelines.gates.schema.columns import ColumnSpec
from readiness_pipelines.installation import Installation
from readiness_pipelines.keys import key_id
from readiness_pipelines.ledger import EVERYWHERE, RegisteredPerson
from readiness_pipelines.sql import utc_connection

_KEPT_VERDICTS = 200_000


@dataclass(frozen=True, slots=True)
class SubjectColumn:
    """A column that names persons.

    Attributes:
        name: Its name.
        kind: How its values are compared.
        steps: Its cleansing: values are compared as they arrive, and as they are after it.
        nested: Whether lists or records are declared. A text that arrives in their place, as from JSON, is not one of
            them: persons are looked for in it as in a line that could not be parsed.
    """

    name: str
    kind: ValueKind
    steps: tuple[ColumnStep, ...] = ()
    nested: bool = False


def subject_columns(table: Table, columns: pa.Schema) -> tuple[SubjectColumn, ...]:
    """The columns of a table that name the person whom a row is about.

    Args:
        table: The table.
        columns: The columns that are there.
    """
    specs = gate_of(table).spec.columns
    found = []
    for name in columns.names:
        if not is_subject(table, name):
            continue
        spec = next((one for one in specs if one.matches(name)), None)
        kind = kind_of(spec.type if spec else None, columns.field(name).type)
        steps = spec.steps if spec is not None and isinstance(table, GatedTable) else ()
        nested = spec is not None and spec.type is not None and pa.types.is_nested(spec.type)
        found.append(SubjectColumn(name, kind, steps, nested))
    return tuple(found)


def is_subject(table: Table, column: str) -> bool:
    """Whether a column of a table names persons: as declared, or as the column of the same name in an input does."""
    if column in RESERVED_COLUMNS:
        return False
    if isinstance(table, GatedTable):
        return class_of(table, column).subject
    declared = gate_of(table).class_of(column)
    if declared is not None and declared.subject:
        return True
    inputs = [read.table for read in table.reads.values()]
    return any(is_subject(one, column) for one in inputs if any(c.matches(column) for c in gate_of(one).spec.columns))


def subject_specs(table: Table) -> tuple[ColumnSpec, ...]:
    """What a table's schema says of columns that name persons; of a pattern, where columns like it may."""
    return tuple(one for one in gate_of(table).spec.columns if _may_be_subject(table, one))


def _may_be_subject(table: Table, spec: ColumnSpec) -> bool:
    if not spec.pattern:
        return is_subject(table, spec.name)
    if spec.classified is not None and spec.classified.subject:
        return True
    if isinstance(table, GatedTable):
        return False
    # Of two patterns nobody knows whether they have a column in common.
    of_inputs = (one for read in table.reads.values() for one in subject_specs(read.table))
    return any(one.pattern or spec.matches(one.name) for one in of_inputs)


def names_subjects(table: Table) -> bool:
    """Whether a table has a column that names persons, as far as its schema tells."""
    return bool(subject_specs(table))


def covers(scope: str, table: Table, column: str | None = None) -> bool:
    """Whether a scope holds for a table, or for a column of it."""
    if scope in (EVERYWHERE, str(table.id)):
        return True
    return scope.startswith(f"{table.id}.") if column is None else scope == f"{table.id}.{column}"


def may_cover(scope: str, table: Table, spec: ColumnSpec) -> bool:
    """Whether a scope holds for a column that the schema names, or may for one like a pattern."""
    if covers(scope, table, spec.name) or not spec.pattern:
        return covers(scope, table, spec.name)
    return covers(scope, table) and spec.matches(scope.removeprefix(f"{table.id}."))


@dataclass(frozen=True, slots=True)
class TableMatcher:
    """Tells the rows of registered persons in one table.

    Attributes:
        table: The table.
        persons: What of the register holds for it.
        key: The register's key.
    """

    table: Table
    persons: tuple[RegisteredPerson, ...]
    key: bytes = field(repr=False)
    _seen: dict[tuple[str, ValueKind, Any], bool] = field(default_factory=dict, repr=False)
    _kinds: dict[ValueKind, None] = field(default_factory=dict, repr=False)
    _digests: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digests", frozenset(one.digest for one in self.persons))

    def mask(self, rows: pa.RecordBatch | pa.Table, subjects: Mapping[str, SubjectColumn]) -> np.ndarray:
        """Which rows are of a registered person.

        Args:
            rows: The rows; lines that could not be parsed are in ``_unreadable``, where there is such a column.
            subjects: The columns that name persons, by what they are called in `rows`.
        """
        found = np.zeros(rows.num_rows, dtype=bool)
        for name, column in subjects.items():
            found |= self._column(rows.column(name), column)
        if "_unreadable" in rows.schema.names:
            lines = rows.column("_unreadable")
            if lines.null_count < len(lines):
                for place, line in enumerate(lines.to_pylist()):
                    if line is not None and not found[place]:
                        found[place] = self.in_line(line)
        return found

    def _column(self, values: Any, column: SubjectColumn) -> np.ndarray:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
        digests = frozenset(one.digest for one in self.persons if covers(one.scope, self.table, column.name))
        if pa.types.is_nested(values.type):
            return np.asarray([self._is_within(value, column, digests) for value in values.to_pylist()], dtype=bool)
        try:
            coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # a type that Arrow does not encode: its texts do
            coded = values.cast(pa.string()).dictionary_encode()
        distinct = coded.dictionary
        hits = [self._is(value, column, digests) for value in distinct.to_pylist()]
        if column.nested and pa.types.is_string(distinct.type):
            texts = distinct.to_pylist()
            hits = [a or (b is not None and self.in_line(b)) for a, b in zip(hits, texts, strict=True)]
        if column.steps and pa.types.is_string(distinct.type):
            hits = [
                a or self._is(b, column, digests) for a, b in zip(hits, cleansed_values(distinct, column), strict=True)
            ]
        if not any(hits):
            return np.zeros(len(values), dtype=bool)
        taken = pc.fill_null(pc.take(pa.array(hits, pa.bool_()), coded.indices), fill_value=False)
        return np.asarray(taken.to_numpy(zero_copy_only=False), dtype=bool)

    def _is(self, value: Any, column: SubjectColumn, digests: frozenset[str]) -> bool:
        if value is None:
            return False
        known = (column.name, column.kind, value)
        if known not in self._seen:
            if len(self._seen) >= _KEPT_VERDICTS:
                self._seen.clear()
            text = canonical_text(value, column.kind)
            self._seen[known] = text is not None and digest_of(text, column.kind, self.key) in digests
        return self._seen[known]

    def _is_within(self, value: Any, column: SubjectColumn, digests: frozenset[str]) -> bool:
        """Whether a list or a record names a registered person anywhere within: as a text, or as what the value is."""
        return any(
            self._is(text, replace(column, kind=kind), digests)
            for text, own in _texts_within(value)
            for kind in dict.fromkeys((ValueKind.TEXT, own))
        )

    def in_line(self, line: str) -> bool:
        """Whether a line that could not be parsed has a registered value in it, as `parts_of` takes it apart."""
        if not self._kinds:
            self._kinds.update(dict.fromkeys(kind_of(one.type) for one in subject_specs(self.table)))
        digests, kinds = self._digests, self._kinds
        return any(
            (text := canonical_text(part, kind)) is not None and digest_of(text, kind, self.key) in digests
            for part in parts_of(line)
            for kind in kinds
        )


def _texts_within(value: Any) -> Iterator[tuple[Any, ValueKind]]:
    """The values of a list or a record, at any depth, as one text for all spellings, each with its kind."""
    match value:
        case dict():
            yield from _texts_within(list(value.values()))
        case list() | tuple():
            for one in value:
                yield from _texts_within(one)
        case int() | float() | Decimal():
            yield canonical_text(value, ValueKind.NUMBER), ValueKind.NUMBER
        case date() | time():
            yield canonical_text(value, ValueKind.TIME), ValueKind.TIME
        case _:
            yield value, ValueKind.TEXT


def cleansed_values(values: pa.Array, column: SubjectColumn) -> list[Any]:
    """Texts as a column's cleansing makes them."""
    sql, value = dialect_of("duckdb"), "v"
    for step in column.steps:
        value = sql.cleansed(step, value) or value
    with utc_connection() as connection:
        rows = connection.from_arrow(pa.table({"v": values, "n": range(len(values))}))
        made = rows.project(f"{value} AS v, n").order("n").to_arrow_table()
    return list(made["v"].to_pylist())


def matcher_of(
    table: Table, installation: Installation, persons: Iterable[RegisteredPerson] | None = None
) -> TableMatcher | None:
    """What tells the rows of registered persons in a table; ``None`` where the register says nothing of the table.

    Args:
        table: The table.
        installation: Where the register and its key are.
        persons: A part of the register; all of it where it is not given.

    Raises:
        RegisterKeyError: The key is not there, or is not the one that the register was made with.
    """
    if not names_subjects(table):
        return None
    known = installation.ledger.erasures.register() if persons is None else persons
    held = tuple(one for one in known if covers(one.scope, table))
    if not held:
        return None
    key = installation.register_key.read()
    check_key(held, key)
    return TableMatcher(table, held, key)


def check_key(persons: Iterable[RegisteredPerson], key: bytes) -> None:
    """Refuse a key with which the register cannot be read.

    Raises:
        RegisterKeyError: The register was made with another one.
    """
    there = key_id(key)
    other = {one.key_id for one in persons} - {there}
    if other:
        raise RegisterKeyError(
            f"the register of erased persons was made with the key {', '.join(sorted(other))}, and {there} is given",
            way_out="give the key that it was made with (READINESS_REGISTER_KEY): no other tells who was erased",
        )


def persons_of(value: str, tables: Sequence[Table], *, scope: str, key: bytes, at: Any) -> tuple[RegisteredPerson, ...]:
    """A person's value as the register keeps it, in each way in which the tables would compare it.

    Args:
        value: The value.
        tables: The tables that it is looked for in.
        scope: `EVERYWHERE`, a table, or a column of one.
        key: The register's key.
        at: Since when.
    """
    found: dict[tuple[str, str], None] = {}
    if scope == EVERYWHERE:
        for kind in ValueKind:
            if (text := canonical_text(value, kind)) is not None:
                found[scope, digest_of(text, kind, key)] = None
    for table in tables:
        for spec in subject_specs(table):
            if not may_cover(scope, table, spec):
                continue
            column = SubjectColumn(spec.name, kind_of(spec.type), spec.steps if isinstance(table, GatedTable) else ())
            if (text := canonical_text(value, column.kind)) is not None:
                found[scope, digest_of(text, column.kind, key)] = None
            where = f"{table.id}.{spec.name}"
            if spec.pattern:  # which columns are like it, batches will tell
                where = str(table.id) if scope == EVERYWHERE else scope
            for made in cleansed_values(pa.array([value]), column) if column.steps else ():
                if (text := canonical_text(made, column.kind)) is not None:
                    found[where, digest_of(text, column.kind, key)] = None
    return tuple(RegisteredPerson(scope=where, digest=digest, key_id=key_id(key), at=at) for where, digest in found)
