"""What is wrong with declarations, found without a row: their gates are built, their transforms tried on no rows."""

import ast
import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

import readiness_pipelines
from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts import Computed, Domain, GatedTable, Kpi, SchemaChange, Table
from readiness_pipelines.contracts.protections import key_of
from readiness_pipelines.contracts.serving_models import ServingVersions
from readiness_pipelines.delivery.classes import refuse_unreviewed, strongest_class
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.delivery.reading import errors_of_transform, transformed, with_row_identity
from readiness_pipelines.errors import DeclarationError, ReadinessError, UnknownNameError, suggestion
from readiness_pipelines.gates import Gate, known_columns, protected_columns
from readiness_pipelines.masking import PLAIN, handling
from readiness_pipelines.products import NoTotalError, kpi_schema
from readiness_pipelines.settings import Settings
from readiness_pipelines.workspaces import workspace

_NO_BATCH = "no rows"
_OWN = f"{Path(readiness_pipelines.__file__).parent}{os.sep}"
_PYTHON = f"{Path(inspect.__file__).parent}{os.sep}"
_OF_THE_CODE = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
    NameError,
    AttributeError,
    ImportError,
)
"""What a transform raises on no rows that it would raise on any. Other errors may be about there being none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong with what is declared.

    Attributes:
        table: The table, as ``domain.table``; ``None`` where none could be declared.
        file: The file; "" where it is not known.
        line: The line where the schema, function or call begins that is wrong; ``None`` where it is not known.
        what: What is wrong.
        way_out: What to do about it.
        code: The error's code.
    """

    table: str | None
    file: str
    line: int | None
    what: str
    way_out: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCode:
    """What came of a check.

    Attributes:
        tables: How many tables and products were looked at.
        rules: How many rules their gates have.
        tried: How many transforms were tried on no rows.
        untried: The tables and products whose transforms were not: what columns an input has, or which version of a
            model serves, only rows tell.
        mistakes: What is wrong.
    """

    tables: int
    rules: int
    tried: int
    untried: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


def check_domains(domains: Iterable[Domain], settings: Settings) -> CheckedCode:
    """Build every gate, and try every transform on no rows of its inputs' columns.

    Args:
        domains: The domains.
        settings: Which engine judges, and what memory it may have.
    """
    gates: dict[Table, Gate] = {}
    mistakes: list[Mistake] = []
    untried: list[str] = []
    tried = 0
    tables = [table for domain in domains for table in domain.tables]
    for table in tables:
        try:
            gates[table] = gate_of(table, default_engine=settings.engine)
        except ReadinessError as error:
            mistakes.append(_mistake(table, error, source=table.transform if isinstance(table, Kpi) else table.schema))
        else:
            mistakes += [*_key_mistakes(table, gates[table], settings), *_class_mistakes(table)]
            mistakes += _consumer_mistakes(table, gates[table])
        if isinstance(table, GatedTable):
            mistakes += _connection_mistakes(table, settings)
        elif (inputs := _inputs(table)) is None:
            untried.append(str(table.id))
        else:
            tried += 1
            mistakes += _transform_mistakes(table, inputs, gates.get(table), settings)
    rules = sum(len(gate.rules) for gate in gates.values())
    return CheckedCode(tables=len(tables), rules=rules, tried=tried, untried=tuple(untried), mistakes=tuple(mistakes))


def import_mistakes(error: ReadinessError) -> tuple[Mistake, ...]:
    """What an error says that a module's import raised, with the line of the user's code that it comes from.

    An import that lacks a name ends the whole module: all names that its file imports and that are not there are
    named at once.
    """
    cause = error.__cause__ or error
    if isinstance(cause, SyntaxError):
        file, line = cause.filename or "", cause.lineno
    else:
        file, line = _last_line(cause.__traceback__)
    if isinstance(cause, ImportError) and (missing := tuple(_missing_imports(file))):
        return missing
    return (Mistake(table=None, file=_shown(file), line=line, what=error.what, way_out=error.way_out, code=error.code),)


def _missing_imports(file: str) -> Iterator[Mistake]:
    """The names that a file imports from modules which are there, and do not have them."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in tree.body:
        module = sys.modules.get(node.module or "") if isinstance(node, ast.ImportFrom) and not node.level else None
        if module is None or not isinstance(node, ast.ImportFrom):
            continue
        for one in node.names:
            if one.name != "*" and not hasattr(module, one.name) and not _is_module(f"{node.module}.{one.name}"):
                yield Mistake(
                    table=None,
                    file=_shown(file),
                    line=one.lineno,
                    what=f"{node.module} has no {one.name!r}",
                    way_out=suggestion(one.name, [name for name in dir(module) if not name.startswith("_")]),
                    code=DeclarationError.code,
                )


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _inputs(table: Computed) -> Mapping[str, pa.Schema] | None:
    """The columns of each input; ``None`` where those of one are not known without its rows."""
    inputs = {name: _columns(read.table) for name, read in table.reads.items()}
    known = {name: columns for name, columns in inputs.items() if columns is not None}
    return known if len(known) == len(inputs) else None


def _columns(table: Table) -> pa.Schema | None:
    if table.gating.schema_change is SchemaChange.EVOLVE:
        return None
    if isinstance(table, GatedTable) and isinstance(table.source.reader, ServingVersions):
        return None  # nothing predicts before a version serves, and that is no mistake of the code
    try:
        return known_columns(kpi_schema(table) if isinstance(table, Kpi) else table.schema)
    except ReadinessError:
        return None  # which is a mistake of its own


def _connection_mistakes(table: GatedTable, settings: Settings) -> Iterator[Mistake]:
    if isinstance(name := getattr(table.source.reader, "connection", None), str):
        try:
            settings.connection(name)
        except ReadinessError as error:
            yield _mistake(table, error, source=table.schema)


def _key_mistakes(table: Table, gate: Gate, settings: Settings) -> Iterator[Mistake]:
    """Keys of protections that the settings do not name; whether they can be had is known where they are used."""
    columns = protected_columns(gate.spec)
    protections = [column.classified.protection for column in columns if column.classified]
    for name in dict.fromkeys(key_of(protection) for protection in protections if protection):
        if name is not None and name not in settings.keys:
            error = UnknownNameError("key in [settings.keys]", name, settings.keys)
            yield _mistake(table, error, source=table.transform if isinstance(table, Kpi) else table.schema)


def _consumer_mistakes(table: Table, gate: Gate) -> Iterator[Mistake]:
    """Consumers that rely on columns, rules or contracts that are not there: nothing would ever break them."""
    columns = [column.label for column in gate.spec.columns]
    rules = [rule.name for rule in gate.rules]
    for consumer in table.consumers:
        what = f"of the consumer {consumer.name} of {table.id}"
        errors: list[ReadinessError] = [
            UnknownNameError(f"column {what}", name, columns)
            for name in consumer.columns
            if name not in columns and not any(column.matches(name) for column in gate.spec.columns)
        ]
        errors += [UnknownNameError(f"rule {what}", name, rules) for name in consumer.rules or () if name not in rules]
        if consumer.contract is not None and not consumer.contract.is_file():
            errors.append(DeclarationError(f"the contract {what} is not there", way_out=f"write {consumer.contract}"))
        for error in errors:
            yield _mistake(table, error, source=table.transform if isinstance(table, Kpi) else table.schema)


def _class_mistakes(table: Table) -> Iterator[Mistake]:
    """Columns of a lower class than what they are made of, and dimensions that name somebody."""
    try:
        for read in table.reads.values():
            strongest_class(read.table)
    except ReadinessError:
        return  # an input's own mistake
    try:
        refuse_unreviewed(table)
    except ReadinessError as error:
        yield _mistake(table, error, source=table.transform if isinstance(table, Kpi) else table.schema)


def _transform_mistakes(
    table: Computed, inputs: Mapping[str, pa.Schema], gate: Gate | None, settings: Settings
) -> Iterator[Mistake]:
    """What is wrong with a transform, and with the columns that it gives."""
    memory, places = settings.engine_memory_mb, (settings.warehouse_place.uri,)
    # There is no row of anybody: errors may say all that they say.
    with handling(PLAIN), workspace(memory_mb=memory, reaches=places) as engine:
        try:
            given = {name: engine.from_arrow(columns.empty_table()) for name, columns in inputs.items()}
            with errors_of_transform(table, _NO_BATCH):
                made = transformed(table, given, engine)
                rows = with_row_identity(made, table, batch=_NO_BATCH, engine=engine)
        except NoTotalError:
            return
        except ReadinessError as error:
            if _is_of_the_code(error):
                yield _mistake(table, error, source=table.transform)
            return
        arrived = rows.limit(0).to_arrow_table().schema
    if gate is None:
        return
    columns = pa.schema([field for field in arrived if field.name not in RESERVED_COLUMNS])
    for rule, why in gate.misshapen(columns).items():
        wrong = DeclarationError(
            f"what the transform of {table.id} gives breaks {rule!r} in every batch: {why}",
            way_out="cast or name its columns as the schema says, or change the schema",
        )
        yield _mistake(table, wrong, source=table.transform)


def _is_of_the_code(error: ReadinessError) -> bool:
    """Whether an error on no rows is one on any."""
    cause = error.__cause__
    return isinstance(error, UnknownNameError) or cause is None or isinstance(cause, _OF_THE_CODE)


def _mistake(table: Table, error: ReadinessError, *, source: object) -> Mistake:
    file, line = _place_of(source)
    if not file:
        file, line = getattr(sys.modules.get(table.domain.module), "__file__", None) or "", None
    return Mistake(
        table=str(table.id), file=_shown(file), line=line, what=error.what, way_out=error.way_out, code=error.code
    )


def _place_of(source: object) -> tuple[str, int | None]:
    """The file and the first line of a class or function; nothing for other values."""
    try:
        return inspect.getsourcefile(source) or "", inspect.getsourcelines(source)[1]  # type: ignore[arg-type]  # raises for others
    except (TypeError, OSError):
        return "", None


def _last_line(trace: TracebackType | None) -> tuple[str, int | None]:
    """The last line of a traceback that is the user's own."""
    found: tuple[str, int | None] = ("", None)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((_OWN, "<", _PYTHON)):
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _shown(file: str) -> str:
    """A file's path as it is typed here."""
    return os.path.relpath(file) if file and Path(file).is_relative_to(Path.cwd()) else file
