"""Files that land under the landing folder, as a declaration."""

from typing import Literal

from pydantic import Field, field_validator

from readiness_pipelines.frozen import Frozen

FileFormat = Literal["csv", "jsonl", "parquet"]

BATCH_PLACEHOLDER = "{batch}"


class FileDrop(Frozen):
    """Files that land under the landing folder, one set per batch.

    Attributes:
        pattern: Glob relative to the landing folder, with ``{batch}`` where the batch's key stands
            (``encounters/{batch}/*.csv.gz``). ``**`` is allowed.
        missing: Text that means "no value" (``?``, ``N/A``). Raw keeps it as it came; the gate reads it as null.
            The empty field is always missing in CSV.
        format: ``None`` reads it from the file's name (``.csv``, ``.jsonl``/``.ndjson``, ``.parquet``, before ``.gz``
            or ``.zst``).
        delimiter: CSV only: one character.
        quote: CSV only: one character.
    """

    pattern: str
    missing: tuple[str, ...] = ()
    format: FileFormat | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)

    def __init__(self, pattern: str | None = None, /, **fields: object) -> None:
        """Accept the pattern as the only positional argument."""
        if pattern is not None:
            fields["pattern"] = pattern
        super().__init__(**fields)

    @field_validator("missing", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("pattern")
    @classmethod
    def _names_its_batch(cls, value: str) -> str:
        if BATCH_PLACEHOLDER not in value:
            raise ValueError(f"the pattern {value!r} has no {BATCH_PLACEHOLDER}: every batch would read the same files")
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError(f"the pattern {value!r} must stay below the landing folder")
        return value
