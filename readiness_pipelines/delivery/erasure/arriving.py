"""Rows that arrive, without those of erased persons: each of the others keeps its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts import GatedTable, RawBatch
from readiness_pipelines.delivery.erasure.matching import SubjectColumn, TableMatcher, matcher_of, subject_columns
from readiness_pipelines.installation import Installation


@dataclass(slots=True)
class ErasedRows:
    """How many rows of erased persons were left out so far."""

    count: int = 0


def without_erased(
    found: RawBatch, table: GatedTable, installation: Installation
) -> tuple[pa.RecordBatchReader, ErasedRows]:
    """The rows of a batch without those of persons in the register.

    Rows that were taken out of a landed file before count as well, and those after them have the numbers that they had.

    Args:
        found: The batch as it arrives.
        table: The table that it is of.
        installation: Where the register is.

    Returns:
        The rows, and how many were left out, which is known when all of them are read.

    Raises:
        RegisterKeyError: The register's key is not there, or is another one.
    """
    lines = installation.ledger.erasures.lines(found.origins) if found.origins else {}
    matcher = matcher_of(table, installation)
    erased = ErasedRows(sum(len(one) for one in lines.values()))
    if not lines and matcher is None:
        return found.rows, erased
    subjects = {column.name: column for column in subject_columns(table, found.columns)}
    numbers = RowNumbers([origin.name for origin in found.origins], lines)

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in found.rows:
            renumbered = numbers.restore(batch) if lines else batch
            yield _kept(renumbered, matcher, subjects, erased) if matcher else renumbered

    return pa.RecordBatchReader.from_batches(found.rows.schema, rows()), erased


def _kept(
    batch: pa.RecordBatch, matcher: TableMatcher, subjects: Mapping[str, SubjectColumn], erased: ErasedRows
) -> pa.RecordBatch:
    mask = matcher.mask(batch, subjects)
    if not mask.any():
        return batch
    erased.count += int(mask.sum())
    return batch.filter(pa.array(~mask))


class RowNumbers:
    """Gives rows the numbers that they had before rows were taken out of their files.

    Args:
        origins: The files, in the order of their rows.
        lines: The rows that are not in a file any more, by its name: their places in it, from 0.
    """

    def __init__(self, origins: Sequence[str], lines: Mapping[str, Sequence[int]]) -> None:
        self._origins = list(origins)
        self._lines = {name: np.sort(np.asarray(places, dtype=np.int64)) for name, places in lines.items()}
        self._file: str | None = None
        self._first = 0
        self._next = 0
        self._shift = 0

    def restore(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch with the numbers of before; batches come in order."""
        place = batch.schema.names.index("_row")
        rows = np.asarray(batch.column(place))
        files = batch.column("_file").to_pylist()
        numbers = np.empty(len(rows), dtype=np.int64)
        start = 0
        for end in range(1, len(rows) + 1):
            if end < len(rows) and files[end] == files[start]:
                continue
            self._enter(files[start])
            within = rows[start:end] - self._first
            taken = self._lines.get(files[start], _NONE)
            before = np.searchsorted(taken - np.arange(len(taken)), within, side="right")
            numbers[start:end] = rows[start:end] + before + self._shift
            self._next = max(self._next, int(rows[start:end].max()) + 1)
            start = end
        return batch.set_column(place, batch.schema.field(place), pa.array(numbers, pa.int64()))

    def _enter(self, file: str) -> None:
        if file == self._file:
            return
        if file in self._origins:
            # Files before it of which all rows were taken out have none to show.
            begin = 0 if self._file is None else self._origins.index(self._file)
            passed = self._origins[begin : self._origins.index(file)]
            self._shift += sum(len(self._lines.get(one, _NONE)) for one in passed)
        self._file, self._first = file, self._next


_NONE = np.empty(0, dtype=np.int64)
