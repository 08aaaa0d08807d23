"""A training set's rows as a Parquet file, for whoever trains elsewhere: without values that must not leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.errors import DeclarationError, first_line
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.products import BuiltTrainingSet

ROWS_FILE = "rows.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTrainingSet:
    """A training set whose rows were written to a file.

    Attributes:
        file: The file.
        size_bytes: Its size.
        sha256: SHA-256 of its bytes, as hexadecimal digits.
        schema: Its columns.
        left_out: The columns that it lacks, with their class: classified values that nothing protects.
    """

    file: Path
    size_bytes: int
    sha256: str
    schema: pa.Schema
    left_out: dict[str, str]


def export_rows(
    built: BuiltTrainingSet, tables: Iterable[Table], folder: Path, *, installation: Installation
) -> ExportedTrainingSet:
    """Write a training set's rows as `ROWS_FILE` into a folder.

    A column whose values must not be shown outside the lakehouse is written where a protection has changed them before
    they were published, a pseudonym say, and is left out otherwise.

    Args:
        built: The training set.
        tables: The tables that are declared: they say what columns are to persons.
        folder: Where to; made where it is not there.
        installation: Where the ledger is.

    Raises:
        DeclarationError: A table of a column that is not declared any more: nobody knows what the column is; or a
            folder that cannot be written to.
    """
    left_out = _left_out(built, tables, installation)
    rows = built.rows.drop_columns(list(left_out))
    file = folder / ROWS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.replace_schema_metadata(None), file, compression="zstd")
    except OSError as error:
        raise DeclarationError(
            f"{file} cannot be written: {first_line(error)}", way_out="name a folder that can be written to"
        ) from error
    content = file.read_bytes()
    return ExportedTrainingSet(
        file=file,
        size_bytes=len(content),
        sha256=sha256(content).hexdigest(),
        schema=rows.schema,
        left_out=left_out,
    )


def _left_out(built: BuiltTrainingSet, tables: Iterable[Table], installation: Installation) -> dict[str, str]:
    kept = installation.ledger.training_sets.get(built.id)
    origins = kept.facts["origins"] if kept is not None else {}
    known = {table.id: table for table in tables}
    found: dict[str, str] = {}
    for name, (origin, column) in origins.items():
        table = known.get(TableId.parse(origin))
        if table is None:
            raise DeclarationError(
                f"{origin}, which column {name} of {built.name} is from, is not declared: nothing says what it is",
                way_out="export it where its tables are declared",
            )
        classified = class_of(table, column)
        if not classified.level.shown and classified.protection is None:
            found[name] = str(classified)
    return found
