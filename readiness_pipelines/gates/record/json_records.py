"""A record as JSON, judged as the same line of a file would be: its values are texts, as they are written."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from readiness_pipelines.contracts.gating import SchemaChange
from readiness_pipelines.errors import RecordRefusedError
from readiness_pipelines.gates.record.records import Known, RecordGate
from readiness_pipelines.gates.record.verdicts import RecordVerdict
from readiness_pipelines.gates.schema.columns import SchemaSpec
from readiness_pipelines.limits import Limits
from readiness_pipelines.recent import Recent
from readiness_pipelines.sources.json_values import MARK, NestingError, RepeatedKeyError, parse_json, value_text
from readiness_pipelines.sources.layout import odd_name, plain_name

Named = Callable[[str], str | None]
"""What a key is called from here on; ``None`` for one that is not read."""

KNOWN_KEYS = 1_024


class JsonRecords:
    """Judges records that come as JSON.

    Args:
        records: Judges their texts.
        spec: The schema.
        change: What a changed source means.
    """

    def __init__(self, records: RecordGate, spec: SchemaSpec, change: SchemaChange) -> None:
        self._records = records
        self._spec = spec
        # A column that the schema does not name changes nothing here: records that differ in it are of one shape.
        self._drops_others = not spec.strict and change is not SchemaChange.EVOLVE
        self._keys: Recent[tuple[Named, tuple[str, ...]], tuple[tuple[str, str], ...]] = Recent(KNOWN_KEYS)

    def check(self, body: bytes | str, *, named: Named, limits: Limits, known: Known) -> RecordVerdict:
        """Judge one record of JSON."""
        record = read_record(body, limits)
        if isinstance(record, str):
            return self._records.unreadable(record)
        return self.check_parsed(record, named=named, limits=limits, known=known)

    def check_parsed(self, record: Mapping[str, Any], *, named: Named, limits: Limits, known: Known) -> RecordVerdict:
        """Judge a record as `parse_json` gives it."""
        keys = tuple(record)
        kept = self._keys.find((named, keys))
        if kept is None:
            kept = self._keys.keep((named, keys), self._kept(keys, named, limits))
        return self._records.check_texts({name: value_text(record[key]) for key, name in kept}, known)

    def _kept(self, keys: tuple[str, ...], named: Named, limits: Limits) -> tuple[tuple[str, str], ...]:
        """The keys that are read, with what they are called from here on.

        Raises:
            RecordRefusedError: Too many, or names that no table tells apart.
        """
        found = [(key, name) for key in keys if (name := named(key)) is not None]
        if len(found) > limits.most_columns:
            raise RecordRefusedError(
                f"the record has {len(found):,} keys, more than {limits.most_columns:,}",
                way_out="send those that the table reads, or raise the limit most_columns",
            )
        seen: dict[str, str] = {}
        for key, name in found:
            if (odd := odd_name(name)) is not None:
                raise RecordRefusedError(
                    f"the key {key[:80]!r} {odd}", way_out="give it another name, or leave it away"
                )
            other = seen.setdefault(name.lower(), key)
            if other != key:
                raise RecordRefusedError(
                    f"the keys {other!r} and {key!r} are one column's name", way_out="leave one of them away"
                )
        if self._drops_others:
            found = [(key, name) for key, name in found if any(c.matches(name) for c in self._spec.columns)]
            if not self._spec.ordered:
                found.sort(key=lambda one: one[1])
        return tuple(found)


def read_record(body: bytes | str, limits: Limits) -> Mapping[str, Any] | str:
    """A record of JSON as `parse_json` gives it, or why it is none, which breaks ``readable``.

    Raises:
        RecordRefusedError: It is too large.
    """
    if len(body) > limits.most_record_bytes:
        raise RecordRefusedError(
            f"the record is larger than {limits.most_record_mb:g} MB",
            way_out="send less, or raise the limit most_record_mb",
        )
    try:
        text = body.decode() if isinstance(body, bytes) else body
        record = parse_json(text.removeprefix(MARK), most_nesting=limits.most_nesting)
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except json.JSONDecodeError as error:
        return f"it is not JSON ({error})"
    except (RepeatedKeyError, NestingError) as error:
        return str(error)
    return record if isinstance(record, dict) else "it is not a JSON object"


def as_written(key: str) -> str:
    """A key without blanks around it, its accents composed: what a column is called whose reader renames nothing."""
    return plain_name(key)
