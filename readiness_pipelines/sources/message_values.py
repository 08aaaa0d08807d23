"""A message's values by its format: JSON, Avro, and either of them with a change of a row in it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readiness_pipelines.limits import Limits
from readiness_pipelines.sources.avro.schema import RecordSchema
from readiness_pipelines.sources.avro.values import AvroError
from readiness_pipelines.sources.changes.debezium import change_of
from readiness_pipelines.sources.json_values import MARK, NestingError, RepeatedKeyError, check_nesting, parse_json
from readiness_pipelines.sources.layout import plain_name
from readiness_pipelines.sources.registry import SchemaRegistry, registry_of
from readiness_pipelines.sources.topic import Changes, PostgresChanges, StreamReader, Topic
from readiness_pipelines.sources.unreadable import UnreadableError

Document = Callable[[bytes, Limits], tuple[dict[str, Any], Mapping[str, tuple[str, ...]]]]
"""Decodes bytes; gives the values, and former names of those that have been renamed."""

MessageDecoder = Callable[[bytes | None, bytes | None, Mapping[str, str], Limits], dict[str, Any]]
"""The values of a message by its key, its value, the columns that raw has (by their names in small letters) and the
limits. Raises `UnreadableError` with the reason where there are none."""

_HEADER_BYTES = 5


def decoder_of(reader: StreamReader, connection: Callable[[str], str]) -> MessageDecoder:
    """What gives the values of a stream's messages.

    Args:
        reader: The stream.
        connection: Gives an address by its name in the settings.

    Raises:
        UnknownNameError: The registry is a connection that is not there.
        DeclarationError: The registry's address cannot be used.
    """
    document: Document = _json
    if isinstance(reader, Topic) and reader.format == "avro":
        document = avro_document(registry_of(reader.registry, connection))
    if isinstance(reader, Changes | PostgresChanges):
        return change_values(document, reader.key)
    return json_values if document is _json else plain_values(document)


def json_values(key: bytes | None, value: bytes | None, known: Mapping[str, str], limits: Limits) -> dict[str, Any]:
    """The values of a message that is a JSON object."""
    return plain_values(_json)(key, value, known, limits)


def plain_values(document: Document) -> MessageDecoder:
    """Gives what a message's value holds, and nothing of its key."""

    def values(_: bytes | None, value: bytes | None, known: Mapping[str, str], limits: Limits) -> dict[str, Any]:
        if value is None:
            raise UnreadableError("it has no value (a tombstone)")
        found, former = document(value, limits)
        for name, others in former.items():
            if name.lower() not in known:
                kept = next((one for one in others if one.lower() in known and one not in found), None)
                found = {kept if kept and one == name else one: inner for one, inner in found.items()}
        named = {plain_name(name): one for name, one in found.items()}
        if len(named) < len(found):
            raise UnreadableError("two of its keys differ in blanks around them, or in how accents are written, only")
        return named

    return values


def change_values(document: Document, by: Sequence[str]) -> MessageDecoder:
    """Gives the row that a change left, and what it did."""

    def values(key: bytes | None, value: bytes | None, _: Mapping[str, str], limits: Limits) -> dict[str, Any]:
        keys = None
        if key is not None:
            try:
                keys = document(key, limits)[0]
            except UnreadableError:
                if value is None:
                    raise  # nothing else says which row it is
        return change_of(keys, None if value is None else document(value, limits)[0], by)

    return values


def _json(value: bytes, limits: Limits) -> tuple[dict[str, Any], Mapping[str, tuple[str, ...]]]:
    try:
        found = parse_json(value.decode().removeprefix(MARK), most_nesting=limits.most_nesting)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8 (byte {error.start})") from error
    except (RepeatedKeyError, NestingError) as error:
        raise UnreadableError(str(error)) from error
    except json.JSONDecodeError as error:
        raise UnreadableError(f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise UnreadableError("it is not a JSON object")
    return found, {}


def avro_document(registry: SchemaRegistry) -> Document:
    """Decodes Avro behind a zero and the id of its schema, in four bytes."""

    def decode(value: bytes, limits: Limits) -> tuple[dict[str, Any], Mapping[str, tuple[str, ...]]]:
        if len(value) < _HEADER_BYTES or value[0] != 0:
            raise UnreadableError("it does not begin with a zero and a schema's id, as Avro with a registry does")
        number = int.from_bytes(value[1:_HEADER_BYTES], "big")
        schema = registry.schema(number)
        if not isinstance(schema, RecordSchema):
            raise UnreadableError(f"{schema} (schema {number})")
        try:
            found = schema.decode(value, _HEADER_BYTES)
            check_nesting(found, limits.most_nesting)
        except (AvroError, RepeatedKeyError, NestingError) as error:
            raise UnreadableError(f"{error} (schema {number})") from error
        return found, schema.aliases

    return decode
