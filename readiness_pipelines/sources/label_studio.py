"""Labels that people gave in Label Studio: a row an annotation, with who gave it and how far they agree."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pydantic import Field, field_validator

from readiness_pipelines.batches import Batches
from readiness_pipelines.contracts.readers import Arrival, Origin, Places, RawBatch
from readiness_pipelines.errors import FileUnreadableError, LandingError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.limits import MEGABYTE
from readiness_pipelines.masking import quoted
from readiness_pipelines.sources.agreement import alpha_of
from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.json_values import NestingError, RepeatedKeyError, parse_json, value_text
from readiness_pipelines.sources.landing import file_origins
from readiness_pipelines.sources.names import check_names
from readiness_pipelines.sources.raw_rows import complete, raw_schema

MOST_MEGABYTES = 256
"""An export is read as a whole: how far annotators agree is known at its end."""

_CHOSEN_UNDER = {"pairwise": "selected", "textarea": "text", "videorectangle": "labels"}
"""Types of results that have what was chosen under another name than their own."""

OWN = ("task", "annotator", "label", "annotated_at", "task_agreement", "agreement")


class LabelStudio(Frozen):
    """Exports of Label Studio (the format JSON), one or several files a batch.

    A row is an annotation: the task's own data by which it is found again (`key`), and ``task`` (its number),
    ``annotator``, ``label`` (null where it was skipped), ``annotated_at``, ``task_agreement`` (the share of the task's
    pairs of labels that are the same) and ``agreement`` (Krippendorff's alpha of the whole batch, the same in each row;
    both null where nothing was labelled twice). A rule over ``agreement`` with the route ``hold`` holds a batch whose
    annotators disagree. Tasks that nobody has labelled are no rows.

    Attributes:
        pattern: Where the files land, as for `FileDrop`.
        control: The name of the control whose value is the label (``from_name``); with several chosen, or several
            regions marked, all are joined by ``|``, sorted. Where regions lie is not read.
        key: Fields of the tasks' data that become columns: what tells which row a label is about.
        missing: Nothing is spelled as missing.

    Example:
        LabelStudio("labels/{batch}/*.json", control="reason", key=("of_batch", "of_row"))
    """

    pattern: str
    control: str = Field(min_length=1)
    key: tuple[str, ...] = Field(min_length=1)
    missing: tuple[str, ...] = ()

    def __init__(self, pattern: str | None = None, /, **fields: object) -> None:
        """Accept the pattern as the only positional argument."""
        if pattern is not None:
            fields["pattern"] = pattern
        super().__init__(**fields)

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("key")
    @classmethod
    def _are_free(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name in OWN:
                raise ValueError(f"{name!r} is a column of the annotations themselves")
        return value

    def check(self, batches: Batches) -> None:
        """Refuse a pattern that cannot tell batches of a kind from each other.

        Raises:
            DeclarationError: It names no batch, or spells several batches alike.
        """
        self._drop.check(batches)

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """What each batch has in the landing folder now, from old to new.

        Raises:
            LandingError: The folder cannot be read.
        """
        return self._drop.arrivals(places)

    def open(self, batch: str, places: Places) -> RawBatch:
        """Read a batch's files.

        Raises:
            BatchNotLandedError: No file is there.
            FileUnreadableError: A file is not an export of Label Studio, or is too large.
            LandingError: The landing folder cannot be read.
        """
        origins = file_origins(self._drop, batch, places)
        check_names(self.key, what=self.describe(), way_out="take other fields of the tasks' data")
        tasks = [(origin, task) for origin in origins for task in self._tasks(origin, places)]
        rows = [row for origin, task in tasks for row in self._rows(task, origin)]
        labels: dict[str, list[str]] = {}
        for row in rows:
            if row["label"] is not None:
                labels.setdefault(row["task"], []).append(row["label"])
        alpha = alpha_of(labels.values())
        for row in rows:
            row["agreement"] = alpha
            row["task_agreement"] = _same_pairs(labels.get(row["task"], []))
        columns = pa.schema(
            [
                *((name, pa.string()) for name in (*self.key, *OWN[:4])),
                *((name, pa.float64()) for name in OWN[4:]),
            ]
        )
        by_file = [[row for row in rows if row["_file"] == origin.name] for origin in origins]
        return RawBatch(
            origins=origins,
            columns=columns,
            rows=_in_files(by_file, columns, batch=batch, origins=origins),
        )

    def describe(self) -> str:
        """The pattern."""
        return f"Label Studio's exports {self.pattern}"

    @property
    def _drop(self) -> FileDrop:
        return FileDrop(self.pattern, format="json")

    def _tasks(self, origin: Origin, places: Places) -> list[Mapping[str, Any]]:
        what = f"{origin.name} cannot be read as an export of Label Studio"
        if (origin.bytes or 0) > MOST_MEGABYTES * MEGABYTE:
            raise FileUnreadableError(
                f"{origin.name} has more than {MOST_MEGABYTES} MB", way_out="export fewer tasks a batch"
            )
        try:
            with places.landing.read(origin.name) as file:
                found = parse_json(file.read().decode("utf-8-sig"), most_nesting=places.limits.most_nesting)
        except OSError as error:
            raise LandingError(f"{origin.name} cannot be read: {quoted(error)}") from error
        except (json.JSONDecodeError, UnicodeDecodeError, RepeatedKeyError, NestingError) as error:
            raise FileUnreadableError(f"{what}: {quoted(error)}", way_out="export it as JSON") from error
        if not isinstance(found, list) or not all(isinstance(one, dict) and "annotations" in one for one in found):
            raise FileUnreadableError(
                f"{what}: it is not a list of tasks with annotations", way_out="export it as JSON"
            )
        return found

    def _rows(self, task: Mapping[str, Any], origin: Origin) -> Iterator[dict[str, Any]]:
        data = task.get("data") if isinstance(task.get("data"), dict) else {}
        for one in task["annotations"] if isinstance(task["annotations"], list) else ():
            if not isinstance(one, dict):
                continue
            skipped = one.get("was_cancelled") is True
            yield {
                **{name: value_text((data or {}).get(name)) for name in self.key},
                "task": value_text(task.get("id")) or "",
                "annotator": _annotator(one.get("completed_by")),
                "label": None if skipped else self._label(one.get("result")),
                "annotated_at": value_text(one.get("created_at")),
                "_file": origin.name,
            }

    def _label(self, results: Any) -> str | None:
        """What an annotation says, by the control; ``None`` where nothing was chosen."""
        own = (
            result
            for result in (results if isinstance(results, list) else ())
            if isinstance(result, dict) and result.get("from_name") == self.control
        )
        return "|".join(sorted(label for result in own for label in _chosen(result))) or None


def _chosen(result: Mapping[str, Any]) -> Iterator[str]:
    """What one result chose: its value has that under the name of its type, beside the place of its region."""
    value = result.get("value")
    if not isinstance(value, dict):
        return
    kind = str(result.get("type"))
    chosen = value.get(_CHOSEN_UNDER.get(kind, kind), next(iter(value.values())) if len(value) == 1 else None)
    yield from filter(None, map(value_text, chosen if isinstance(chosen, list) else [chosen]))


def _annotator(found: Any) -> str | None:
    """Who annotated: an address where the export has one, else a number."""
    if isinstance(found, dict):
        return value_text(found.get("email") or found.get("id"))
    return value_text(found)


def _same_pairs(labels: list[str]) -> float | None:
    """The share of the pairs of a task's labels that are the same."""
    pairs = [one == other for place, one in enumerate(labels) for other in labels[:place]]
    return sum(pairs) / len(pairs) if pairs else None


def _in_files(
    rows: list[list[dict[str, Any]]], columns: pa.Schema, *, batch: str, origins: tuple[Origin, ...]
) -> pa.RecordBatchReader:
    """The rows of several files, numbered on."""
    schema, first = raw_schema(columns), 0
    batches: list[pa.RecordBatch] = []
    for origin, some in zip(origins, rows, strict=True):
        table = pa.Table.from_pylist([{name: row[name] for name in columns.names} for row in some], schema=columns)
        with_row = table.append_column("_row", pa.arange(0, table.num_rows))
        batches += complete(with_row, schema, batch=batch, file=origin.name, first=first)
        first += table.num_rows
    return pa.RecordBatchReader.from_batches(schema, batches)
