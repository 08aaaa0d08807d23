"""From files, or tables of a database, to a draft of a domain: columns, keys, rules, batches, and the gate's word."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from readiness_pipelines.detection import Certainty, Proposal, detect, in_sample, personal_by_name
from readiness_pipelines.drafting.columns import ColumnDraft, as_text, draft_column, sampled_texts
from readiness_pipelines.drafting.dates import order_of_days
from readiness_pipelines.drafting.families import draft_families
from readiness_pipelines.drafting.judging import judge_draft
from readiness_pipelines.drafting.keys import KeyDraft, draft_key
from readiness_pipelines.drafting.naming import PAGE_NAMES, ColumnName, class_name
from readiness_pipelines.drafting.placing import Placement, place_files
from readiness_pipelines.drafting.python_text import type_text
from readiness_pipelines.drafting.query import cursor_notes, read_table
from readiness_pipelines.drafting.readings import Conversions, usual_readings
from readiness_pipelines.drafting.rules import draft_rules, span
from readiness_pipelines.drafting.sample import MOST_ROWS, FileSample, read_sample
from readiness_pipelines.drafting.table import TableDraft
from readiness_pipelines.errors import DeclarationError, GateBuildError, printable
from readiness_pipelines.gates.schema.rules import rule_name
from readiness_pipelines.sql import locked_connection

MOST_FAILING = 0.05
"""A rule that more of the rows break is a wrong guess, and left out."""
MOST_FORESEEN = 20_000
"""So many texts are asked about at once: what is known of them is kept in memory."""

_CHECKS = {
    "ge": "greater_than_or_equal_to", "le": "less_than_or_equal_to", "isin": "isin", "str_matches": "str_matches",
    "str_length": "str_length",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDraft:
    """What is proposed for a domain.

    Attributes:
        name: Its name.
        tables: Its tables, one for each layout of the files.
    """

    name: str
    tables: tuple[TableDraft, ...]

    @property
    def files(self) -> Mapping[Path, str]:
        """The path of each file below the landing folder."""
        return {path: landed for table in self.tables for path, landed in table.placement.files.items()}


def draft_domain(name: str, paths: Sequence[Path], *, now: datetime) -> DomainDraft:
    """Read a sample of files, and propose the tables that they are of.

    Args:
        name: The domain's name.
        paths: The files.
        now: The time, by which the newest file is old or new.

    Raises:
        DeclarationError: A file that is not there, empty, or given twice.
        FileUnreadableError: One of which no reader can make anything.
    """
    resolved = [path.resolve() for path in paths]
    if len(set(resolved)) < len(resolved):
        raise DeclarationError("a file is given twice", way_out="give each file once")
    most = max(1_000, MOST_ROWS // max(len(paths), 1))
    groups: dict[Any, list[FileSample]] = {}
    for path in paths:
        sample = read_sample(path, most_rows=most)
        groups.setdefault(_layout(sample), []).append(sample)
    placed: list[tuple[Sequence[FileSample], Placement]] = []
    for samples in groups.values():
        taken = sorted(placement.table for _, placement in placed)
        placed.append((samples, place_files([sample.path for sample in samples], taken, now=now)))
    return _drafted(name, placed)


def draft_database(name: str, tables: Sequence[str], *, url: str, connection: str) -> DomainDraft:
    """Read a sample of tables of a database, and propose the tables that they become.

    Args:
        name: The domain's name.
        tables: The tables, with their schemas where they need one.
        url: The database: ``postgresql://…``, ``sqlite:///…`` or ``duckdb:///…``.
        connection: What the settings will call it.

    Raises:
        DeclarationError: A table is given twice, or has nothing that a gate could judge.
        LandingError: The database cannot be reached, or has no such table.
    """
    if len(set(tables)) < len(tables):
        raise DeclarationError("a table is given twice", way_out="give each table once")
    placed: list[tuple[Sequence[FileSample], Placement]] = []
    for table in tables:
        taken = sorted(placement.table for _, placement in placed)
        most = max(1_000, MOST_ROWS // len(tables))
        sample, placement = read_table(table, url=url, connection=connection, taken=taken, most_rows=most)
        placed.append(([sample], placement))
    return _drafted(name, placed)


def _drafted(name: str, placed: Sequence[tuple[Sequence[FileSample], Placement]]) -> DomainDraft:
    tables: list[TableDraft] = []
    with locked_connection() as engine:
        for samples, placement in placed:
            tables.append(_draft_table(samples, placement, [one.model for one in tables], engine))
    return DomainDraft(name=name, tables=tuple(tables))


def _layout(sample: FileSample) -> Any:
    """What files of one table have in common: columns, and how they are written; of plain ASCII not its encoding."""
    options = {name: value for name, value in sample.options.items() if name != "encoding"}
    return tuple(sample.columns.names), repr(sorted(options.items())), str(sample.columns.types)


def _draft_table(
    samples: Sequence[FileSample], placement: Placement, models: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> TableDraft:
    first = next((one for one in samples if not one.ascii_only), samples[0])
    encodings = {one.options.get("encoding", "utf-8") for one in samples if not one.ascii_only}
    if len(encodings) > 1:
        raise DeclarationError(
            f"files of the same columns are written in {' and '.join(sorted(encodings))}: one table reads one encoding",
            way_out="give those of each encoding by themselves, or save them alike",
        )
    rows = _as_batches(samples, placement)
    declared = [one for one in first.names if type_text(_type_of(rows, one.name)) is not None]
    left_out = {
        one.name: f"a gate has no type for {printable(str(rows.schema.field(one.name).type))[:60]}"
        for one in first.names
        if one not in declared
    }
    if not declared:
        raise DeclarationError(
            f"{samples[0].path} has no column that a gate could judge: {', '.join(left_out.values())}",
            way_out="give a file with plain columns",
        )
    read = rows.filter(pc.is_null(rows.column("_unreadable")))  # the others wait, whatever is drafted
    columns = _draft_columns([(one, read.column(one.name)) for one in declared], first, connection)
    options = {**first.options, **_missing(columns)}  # of the families, too
    families = draft_families(columns)
    together = {column.names.name for family in families for column in family.columns}
    columns = [column for column in columns if column.names.name not in together]
    values = {column.names.name: _values(column, read) for column in columns}
    if placement.query:
        placement = replace(placement, notes=(*placement.notes, *cursor_notes(columns)))
    table = TableDraft(
        model=class_name(placement.table, [*models, *PAGE_NAMES]),
        placement=placement,
        options=options,
        notes=dict(first.notes),
        columns=tuple(columns),
        rules={column.names.name: draft_rules(column, values[column.names.name]) for column in columns},
        spans={column.names.name: span(column, values[column.names.name]) for column in columns},
        key=draft_key(read, columns),
        left_out=left_out,
        families=families,
        rows=rows.num_rows,
        whole=all(one.whole for one in samples),
    )
    return _judged(_without_bounds_of_keys(table), rows)


def _type_of(rows: pa.Table, name: str) -> pa.DataType:
    kind = rows.schema.field(name).type
    return pa.string() if pa.types.is_null(kind) else kind


def _as_batches(samples: Sequence[FileSample], placement: Placement) -> pa.Table:
    """The rows of all files, with the batch that each is of, numbered over all."""
    tables = []
    for sample in samples:
        keys = pa.repeat(pa.scalar(placement.keys[sample.path]), sample.rows.num_rows)
        tables.append(sample.rows.set_column(sample.rows.schema.get_field_index("_batch"), "_batch", keys))
    rows = pa.concat_tables(tables)
    return rows.set_column(rows.schema.get_field_index("_row"), "_row", pa.arange(0, rows.num_rows))


def _draft_columns(
    named: Sequence[tuple[ColumnName, pa.ChunkedArray]], sample: FileSample, connection: duckdb.DuckDBPyConnection
) -> list[ColumnDraft]:
    """The columns; those that are ambiguous by themselves a second time, as the others of the file are written."""
    by_name = personal_by_name([names.arrived for names, _ in named])
    proposals = _proposals(named)
    conversions = Conversions(connection)

    def draft(names: ColumnName, values: pa.ChunkedArray, **hints: Any) -> ColumnDraft:
        proposal = proposals.get(names.arrived)
        sure = proposal is not None and proposal.certainty is Certainty.SURE
        return draft_column(
            names,
            values,
            conversions=conversions,
            personal=sure or names.arrived in by_name,
            proposal=proposal,
            **hints,
        )

    columns: list[ColumnDraft] = []
    for some in _foreseen(named, conversions):
        columns += [draft(names, values) for names, values in some]
    marks = {column.decimal for column in columns if column.decimal}
    orders = {found for column in columns if (found := order_of_days(column.reading)) is not None}
    decimal = marks.pop() if len(marks) == 1 else None
    if decimal is None and sample.options.get("delimiter") == ";":
        decimal = ","
    day_first = orders.pop() if len(orders) == 1 else None
    missing = frozenset(word.strip() for column in columns if not column.is_text for word in column.null_words)
    return [
        draft(names, values, decimal=decimal, day_first=day_first, missing_elsewhere=missing)
        if column.is_ambiguous or any(word.strip() in missing for word in column.doubtful_words)
        else column
        for column, (names, values) in zip(columns, named, strict=True)
    ]


def _foreseen(
    named: Sequence[tuple[ColumnName, pa.ChunkedArray]], conversions: Conversions
) -> Iterator[Sequence[tuple[ColumnName, pa.ChunkedArray]]]:
    """The columns, some at a time, of which is known by then what the usual readings make of their texts."""
    readings, texts, first = usual_readings(), set[str](), 0
    for place, (_, values) in enumerate(named, start=1):
        texts.update(sampled_texts(values, conversions))
        if len(texts) >= MOST_FORESEEN or place == len(named):
            conversions.foresee(texts, readings)
            yield named[first:place]
            texts.clear()
            first = place


def _proposals(named: Sequence[tuple[ColumnName, pa.ChunkedArray]]) -> Mapping[str, Proposal]:
    """What columns look like that are about persons, by the names with which they arrived."""
    sample = in_sample(pa.table({names.arrived: values for names, values in named}))
    return {one.column: one for one in reversed(detect(sample))}


def _missing(columns: Sequence[ColumnDraft]) -> dict[str, Any]:
    """Words that mean "no value" in every column that has them: those of other columns stand at these columns."""
    kept = {word for column in columns for word in column.doubtful_words}
    plain = {word for column in columns for word in column.null_words if word == word.strip()}
    words = sorted(plain - kept)
    return {"missing": tuple(words) if len(words) > 1 else words[0]} if words else {}


def _values(column: ColumnDraft, rows: pa.Table) -> Mapping[Any, int]:
    """The values of a column as they would be published, with how many rows have each."""
    if column.texts is not None:
        counts: dict[Any, int] = {}
        for text, value in column.texts.converted(column.reading).items():
            counts[value] = counts.get(value, 0) + column.texts.counts[text]
        return counts
    if pa.types.is_nested(column.reading.type):
        return {}
    found = pc.value_counts(rows.column(column.names.name).drop_null())
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def _without_bounds_of_keys(table: TableDraft) -> TableDraft:
    """A key's numbers are names: bounds and lists say nothing of them."""
    names = {
        name for name in table.key.columns if not any(one.is_text for one in table.columns if one.names.name == name)
    }
    return replace(table, rules={name: () if name in names else rules for name, rules in table.rules.items()})


def _judged(table: TableDraft, rows: pa.Table) -> TableDraft:
    """The draft with the gate's verdict on the sample, without what more rows break than a rule may."""
    try:
        judgement = judge_draft(table, rows)
    except GateBuildError:
        if not any(table.rules.values()):
            raise
        return _judged(replace(table, rules={}), rows)  # a check that Pandera cannot make of such a type
    wrong = {one.rule for one in judgement.broken if one.rows > MOST_FAILING * judgement.rows and judgement.rows > 1}
    fewer = {
        name: tuple(rule for rule in rules if rule_name(name, _CHECKS[rule.argument]) not in wrong)
        for name, rules in table.rules.items()
    }
    if fewer != dict(table.rules) and judgement.rows >= 1 / MOST_FAILING:
        return _judged(replace(table, rules=fewer), rows)
    # One batch of many that is held is a fault of that batch; most of them, a wrong guess.
    wrong_guess = 2 * len(judgement.held) > len(judgement.shares)
    if wrong_guess and (any(table.rules.values()) or table.key.columns):
        return _judged(replace(table, rules={}, key=KeyDraft()), rows)
    if wrong_guess and any(not column.is_text for column in table.columns if column.texts is not None):
        note = "text, for no row converts to what it looked like"
        columns = tuple(as_text(one, note) if one.texts is not None else one for one in table.columns)
        return _judged(replace(table, columns=columns, spans={}), rows)
    return replace(table, judgement=judgement)
