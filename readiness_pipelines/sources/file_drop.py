"""Files that land under the landing folder: declared, listed and read."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from readiness_pipelines.batches import Batches, Scope
from readiness_pipelines.columns import RESERVED_COLUMNS
from readiness_pipelines.contracts.readers import Arrival, Places, RawBatch
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.sources.batch_pattern import BatchPattern
from readiness_pipelines.sources.text_files import check_encoding

FileFormat = Literal["csv", "jsonl", "json", "fixed", "parquet", "arrow", "excel"]


class FileDrop(Frozen):
    r"""Files that land under the landing folder, one set per batch.

    Attributes:
        pattern: Glob relative to the landing folder, with ``{batch}`` where the batch's key stands
            (``encounters/{batch}/*.csv.gz``), or ``{batch:%m-%d-%Y}`` where the time that it begins at is spelled in
            another way, in the batches' zone. ``**`` is allowed. A table of `Versions` may leave ``{batch}`` out:
            then each content of the files is a version, keyed by the time at which the newest file was changed.
        settles: How long a batch's files must have been quiet, by the times of their changes, before they are read
            (``"5s"``, ``"10m"``); by default the setting ``READINESS_SETTLES``.
        complete_when: A file by which the sender says that the batch is whole: ``"_SUCCESS"`` in the batch's folder,
            ``"{batch}.done"`` beside its files, or a path below the landing folder, with ``{batch}`` and wildcards. The
            batch is read as soon as it is there, and not before, unless `settles` is given, too. Files that changed
            after it must be quiet as without it. It is no row of the batch, even where the pattern matches it.
        missing: Text that means "no value" (``?``, ``N/A``). Raw keeps it as it came; the gate reads it as null.
            The empty field is always missing in CSV, fixed width and Excel.
        format: By default what the file's name says (``.csv``, ``.jsonl``/``.ndjson``, ``.json``, ``.parquet``,
            ``.arrow``/``.feather``, ``.xlsx``, before ``.gz`` or ``.zst``). Of a ``.zip``, all members are read. JSON
            lines are ``jsonl``, an array of records (or one within an object: `record_path`) is ``json``.
        encoding: Any codec that Python knows; a byte order mark is read past. A line that cannot be decoded is kept as
            a row that cannot be parsed.
        delimiter: CSV only: one character.
        quote: CSV only: one character; "" where quotes mean nothing.
        header: Whether the first line names the columns. By default it does, unless a fixed-width layout names them.
        columns: Names of the columns, in order, in place of those in the header line, which is then skipped. For fixed
            width also ``{name: (start, width)}``, in characters, the first of a line being 0.
        widths: Fixed width only: the width of each column, from the start of the line.
        skip_lines: Lines before the header that are not read.
        skip_after_header: Lines between the header and the first row that are not read (a line of units).
        comment: Lines that begin with it are not read.
        ignore_blank: Drop rows without a single value after the last row that has one (``;;;;`` at the end of an
            export). Such rows between others are kept.
        sheet: Excel only: the sheet; the first one by default.
        record_path: JSON only: the keys that lead to the array of records, with dots between them (``data.items``).
        rename: New names of columns, by their names as they arrive. Two spellings may become one name.
        ignore: Columns that are not read, by name or glob; "" is a column without a name.

    Example:
        FileDrop("orders/{batch}/*.csv", delimiter=";", missing=("?", "N/A"), rename={"Order No.": "order_id"})
    """

    pattern: str
    settles: Duration | None = Field(default=None, ge=timedelta(0))
    complete_when: str | None = Field(default=None, min_length=1)
    missing: tuple[str, ...] = ()
    format: FileFormat | None = None
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    header: bool | None = None
    columns: tuple[str, ...] | dict[str, tuple[int, int]] | None = None
    widths: tuple[int, ...] = ()
    skip_lines: int = Field(default=0, ge=0)
    skip_after_header: int = Field(default=0, ge=0)
    comment: str = ""
    ignore_blank: bool = True
    sheet: str | None = None
    record_path: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    def __init__(self, pattern: str | None = None, /, **fields: object) -> None:
        """Accept the pattern as the only positional argument."""
        if pattern is not None:
            fields["pattern"] = pattern
        super().__init__(**fields)

    @field_validator("missing", "ignore", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("pattern")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        BatchPattern(value)
        return value

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        return check_encoding(value)

    @field_validator("rename")
    @classmethod
    def _renames_to_names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value.values():
            if not name.strip() or name in RESERVED_COLUMNS:
                raise ValueError(f"no column can be renamed to {name!r}")
        return value

    @model_validator(mode="after")
    def _marker_names_batch(self) -> "FileDrop":
        marker = self.marker
        if marker is not None and marker.names_batch != BatchPattern(self.pattern).names_batch:
            ways = "write {batch} in it, or give the batches folders of their own: orders/{batch}/*.csv"
            no_batch = "the pattern has no {batch}, so that the marker of its files has none either"
            raise ValueError(
                f"complete_when={self.complete_when!r} would be one file for all batches: {ways}"
                if not marker.names_batch
                else f"complete_when={self.complete_when!r}: {no_batch}"
            )
        return self

    @model_validator(mode="after")
    def _options_fit(self) -> "FileDrop":
        if self.widths and (min(self.widths) < 1 or isinstance(self.columns, dict)):
            raise ValueError("widths are at least 1, and are given in place of {name: (start, width)}, not beside it")
        if isinstance(self.columns, dict) and any(start < 0 or width < 1 for start, width in self.columns.values()):
            raise ValueError("a column is (start, width), from 0 on, and at least 1 wide")
        if (self.widths or isinstance(self.columns, dict)) and self.format not in (None, "fixed"):
            raise ValueError(f"widths and starts are of fixed-width files, not of {self.format}")
        if self.format == "fixed" and not self.widths and not isinstance(self.columns, dict):
            raise ValueError("a fixed-width file needs widths=(…), or columns={name: (start, width)}")
        if self.widths and self.columns and len(self.columns) != len(self.widths):
            raise ValueError(f"there are {len(self.widths)} widths and {len(self.columns)} columns")
        if self.header is False and not self.columns:
            raise ValueError("files without a header need columns=(…)")
        if self.columns and len({name.lower() for name in self.columns}) < len(self.columns):
            raise ValueError("two columns have one name, or names that differ in letter case only")
        if len(self.delimiter.encode()) == 1 and self.delimiter in "\r\n":
            raise ValueError("a line's end cannot be the delimiter")
        return self

    @property
    def header_line(self) -> bool:
        """Whether files begin with a line that names the columns."""
        return not isinstance(self.columns, dict) if self.header is None else self.header

    @property
    def column_names(self) -> tuple[str, ...] | None:
        """The names that replace those of the header; ``None`` where the header's hold."""
        return tuple(self.columns) if self.columns else None

    def check(self, batches: Batches) -> None:
        """Refuse a pattern that cannot tell batches of a kind from each other.

        Raises:
            DeclarationError: It names no batch, or spells several batches alike.
        """
        pattern = BatchPattern(self.pattern)
        if not pattern.names_batch and batches.scope is not Scope.TABLE:
            raise DeclarationError(
                f"the pattern {self.pattern!r} has no {{batch}}: every batch would read the same files",
                way_out="write {batch} where the batch's key stands, or declare batches=Versions()",
            )
        for one in filter(None, (pattern, self.marker)):
            if one.names_batch and (alike := one.spelled_alike(batches)) is not None:
                raise DeclarationError(f"the pattern {one.text!r} does not fit {batches.name} batches: {alike}")

    def arrivals(self, places: Places) -> Iterable[Arrival]:
        """What each batch has in the landing folder now, from old to new: one listing, whatever the number of batches.

        Keys that are not of the table's batches are among them.

        Raises:
            LandingError: The folder cannot be read.
        """
        from readiness_pipelines.sources.landing import file_arrivals  # noqa: PLC0415  # it imports this module

        return file_arrivals(self, places)

    def open(self, batch: str, places: Places) -> RawBatch:
        """Open a batch's files; each one is examined before the first row is given.

        Raises:
            BatchNotLandedError: No file is there; names the nearest batch that is.
            FileUnreadableError: A file is damaged, of another format or encoding, or its columns cannot be told apart.
            LandingError: The landing folder cannot be read, or a file's name does not tell its format.
        """
        from readiness_pipelines.sources.reading import read_files  # noqa: PLC0415  # it imports this module

        return read_files(self, batch, places)

    def describe(self) -> str:
        """The pattern."""
        return f"files {self.pattern}"

    @property
    def marker(self) -> BatchPattern | None:
        """The pattern of the file by which the sender says that a batch is whole."""
        return None if self.complete_when is None else BatchPattern(self.pattern).marker(self.complete_when)

    def renamed(self, name: str) -> str:
        """The name of a column that arrives as `name`."""
        return self.rename.get(name, name)

    def ignores(self, name: str) -> bool:
        """Whether a column is not read."""
        return any(glob == name or (glob != "" and _glob(glob).fullmatch(name)) for glob in self.ignore)


def _glob(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(one) or re.escape(one) for one in text), re.DOTALL)
