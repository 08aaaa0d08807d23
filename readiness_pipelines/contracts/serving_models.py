"""The table of a model's serving versions, and what scores a batch by it.

What serves is data: each promotion, rollback, shadow or canary is a version of the table ``domain.model``, with the
artefacts in it. A scored table reads it as it reads any other input. So a batch's predictions follow from the batch and
the model's version, which the ledger records among its inputs, and a replay finds both again.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pyarrow as pa

from readiness_pipelines.columns import RAW_COLUMNS
from readiness_pipelines.contracts.readers import Arrival, Origin, Places, RawBatch
from readiness_pipelines.errors import BatchNotLandedError, DeclarationError, LandingError, first_line
from readiness_pipelines.names import TableId

FOLDER = "_models"
"""The folder below the landing folder in which what serves lands."""

PART_CHARACTERS = 200_000
"""An artefact's text is kept in parts of so many characters, a row each."""

SERVING_COLUMNS = pa.schema(
    [
        ("role", pa.string()),
        ("version", pa.int64()),
        ("share", pa.float64()),
        ("checksum", pa.string()),
        ("part", pa.int64()),
        ("content", pa.string()),
    ]
)
"""A row a part of an artefact: its role (``champion``, ``canary``, ``shadow``), version, share of rows, and text."""

SCORE_COLUMNS = ("prediction", "model_version", "model_role", "shadow_prediction", "shadow_version")
"""What a scored table has beside the columns that it keeps."""

_LONG_SETTLED = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class ServingVersions:
    """Reads what serves, as `promote_model` and the others let it land.

    Attributes:
        model: The model.
        missing: Nothing is spelled as missing.
    """

    model: TableId
    missing: tuple[str, ...] = ()

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """The versions that landed."""
        try:
            files = sorted(places.landing.files(self._folder), key=lambda file: file.name)
        except OSError as error:
            raise LandingError(f"{self.describe()} cannot be listed: {first_line(error)}") from error
        for file in files:
            key = file.name.rpartition("/")[2].removesuffix(".parquet")
            if file.name.endswith(".parquet") and places.batches.has(key):
                yield Arrival(batch=key, fingerprint=str(file.size_bytes), settled_since=_LONG_SETTLED)

    def open(self, batch: str, places: Places) -> RawBatch:
        """Read a version."""
        import pyarrow.parquet as pq  # noqa: PLC0415  # who declares a model reads none

        name = f"{self._folder}/{batch}.parquet"
        if places.landing.facts(name) is None:
            raise BatchNotLandedError(f"{name} is not there", way_out=f"readiness model serve {self.model}")
        try:
            with places.landing.read(name) as file:
                content = file.read()
            rows = pq.read_table(pa.BufferReader(content))
        except (OSError, pa.ArrowInvalid) as error:
            raise LandingError(f"{name} cannot be read: {first_line(error)}") from error
        columns = rows.schema.remove_metadata()
        schema = pa.schema([*columns, *RAW_COLUMNS])
        values = {
            "_batch": pa.repeat(pa.scalar(batch, pa.string()), rows.num_rows),
            "_row": pa.arange(0, rows.num_rows),
            "_file": pa.repeat(pa.scalar(name, pa.string()), rows.num_rows),
        }
        full = [values.get(field.name, pa.nulls(rows.num_rows, field.type)) for field in RAW_COLUMNS]
        whole = pa.table([*rows.columns, *full], schema=schema)
        origin = Origin(name=name, fingerprint=sha256(content).hexdigest(), bytes=len(content))
        return RawBatch(
            origins=(origin,),
            columns=columns,
            rows=pa.RecordBatchReader.from_batches(schema, whole.to_batches()),
        )

    def describe(self) -> str:
        """Which model's."""
        return f"serving versions of {self.model}"

    @property
    def _folder(self) -> str:
        return f"{FOLDER}/{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """One model version that serves.

    Attributes:
        role: ``champion``, ``canary`` or ``shadow``.
        version: Its number.
        share: The share of rows that a canary scores; ``None`` for the others.
        checksum: The artefact's.
        content: The artefact.
    """

    role: str
    version: int
    share: float | None
    checksum: str
    content: bytes


def serving_rows(serving: Sequence[Serving]) -> pa.Table:
    """What serves, as rows of the table."""
    rows: list[dict[str, Any]] = []
    for one in serving:
        text = base64.b64encode(one.content).decode()
        parts = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)]
        rows += [
            {
                "role": one.role,
                "version": one.version,
                "share": one.share,
                "checksum": one.checksum,
                "part": number,
                "content": part,
            }
            for number, part in enumerate(parts)
        ]
    return pa.Table.from_pylist(rows, schema=SERVING_COLUMNS)


def serving_of(rows: pa.Table) -> dict[str, Serving]:
    """What serves, by role, from rows of the table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.select(SERVING_COLUMNS.names).to_pylist():
        found.setdefault(row["role"], []).append(row)
    return {role: _joined(role, parts) for role, parts in found.items()}


def _joined(role: str, parts: list[dict[str, Any]]) -> Serving:
    parts = sorted(parts, key=lambda row: int(row["part"]))
    content = base64.b64decode("".join(row["content"] for row in parts))
    first = parts[0]
    return Serving(
        role=role, version=first["version"], share=first["share"], checksum=first["checksum"], content=content
    )


def serving_schema() -> Any:
    """The gate's schema of the table of what serves."""
    import pandera.pyarrow as pandera  # noqa: PLC0415  # only a page with a model pays for it here

    return pandera.DataFrameSchema(
        {
            "role": pandera.Column(pa.string(), pandera.Check.isin(["champion", "canary", "shadow"])),
            "version": pandera.Column(pa.int64(), pandera.Check.ge(1)),
            "share": pandera.Column(pa.float64(), nullable=True),
            "checksum": pandera.Column(pa.string()),
            "part": pandera.Column(pa.int64(), pandera.Check.ge(0)),
            "content": pandera.Column(pa.string()),
        },
        unique=["role", "part"],
        description="The versions of a model that serve, with their artefacts.",
    )


def scoring(model: str, key: tuple[str, ...], keep: tuple[str, ...]) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """The transform of a scored table: rows to score and what serves in, predictions out.

    Args:
        model: The model, for errors.
        key: The columns that tell rows apart: which rows a canary scores follows from them.
        keep: Further columns that the scored table keeps.
    """

    def score(rows: pa.Table, serving: pa.Table) -> pa.Table:
        return scored_rows(rows, serving_of(serving), model=model, key=key, keep=keep)

    return score


def scored_rows(
    rows: pa.Table, serving: dict[str, Serving], *, model: str, key: tuple[str, ...], keep: tuple[str, ...]
) -> pa.Table:
    """Rows with their predictions: by the champion, by the canary for its share of them, by the shadow beside them.

    Raises:
        DeclarationError: Nothing serves, a column is not there, or a predictor breaks.
        LakehouseError: An artefact is not the one that was recorded.
    """
    import numpy as np  # noqa: PLC0415  # only who scores pays for it

    from readiness_pipelines.contracts.predictors import Predictor  # noqa: PLC0415  # as above

    if "champion" not in serving:
        raise DeclarationError(f"no version of {model} serves", way_out=f"readiness model promote {model}")
    if lacking := [name for name in (*key, *keep) if name not in rows.column_names]:
        raise DeclarationError(
            f"the rows that {model} scores have no column {lacking[0]!r}",
            way_out=f"they have {', '.join(rows.column_names)}",
        )

    def predicted(one: Serving, chosen: pa.Table) -> Any:
        what = f"version {one.version} of {model}"
        predictor = Predictor.from_bytes(one.content, checksum=one.checksum, what=what)
        return predictor.predict(chosen, what=what)

    champion, canary, shadow = serving["champion"], serving.get("canary"), serving.get("shadow")
    by_canary = np.zeros(rows.num_rows, dtype=bool)
    values = predicted(champion, rows) if rows.num_rows else np.zeros(0)
    if canary is not None and canary.share:
        by_canary = np.fromiter((point < canary.share for point in _points(rows, key)), dtype=bool)
        if by_canary.any():
            values = values.copy()
            values[by_canary] = predicted(canary, rows.filter(pa.array(by_canary)))
    versions = np.where(by_canary, canary.version if canary else 0, champion.version)
    shadows = pa.array(predicted(shadow, rows) if shadow and rows.num_rows else [None] * rows.num_rows, pa.float64())
    kept = [name for name in ("_row", "_file") if name in rows.column_names]
    result = rows.select([*dict.fromkeys((*key, *keep)), *kept])
    result = result.append_column("prediction", pa.array(values, pa.float64()))
    result = result.append_column("model_version", pa.array(versions, pa.int64()))
    roles = ["canary" if chosen else "champion" for chosen in by_canary]
    result = result.append_column("model_role", pa.array(roles, pa.string()))
    result = result.append_column("shadow_prediction", shadows)
    numbers = [shadow.version if shadow else None] * rows.num_rows
    return result.append_column("shadow_version", pa.array(numbers, pa.int64()))


def _points(rows: pa.Table, key: tuple[str, ...]) -> Iterator[float]:
    """A number from 0 up to 1 for each row, the same wherever and whenever it is scored."""
    for values in zip(*(rows.column(name).to_pylist() for name in key), strict=True):
        digest = hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
        yield int.from_bytes(digest, "big") / 2**64
