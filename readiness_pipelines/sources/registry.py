"""Schemas by their id, from a registry over HTTP. Its address may hold credentials; no error repeats them."""

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from readiness_pipelines.errors import DeclarationError, RegistryError
from readiness_pipelines.sources.avro.schema import RecordSchema, SchemaError, parse_schema

_VARIABLE = "env:"
_ANSWERS_WITHIN_SECONDS = 10.0
_MOST_BYTES = 8 << 20
_UNKNOWN_STAYS_SECONDS = 30.0
_TRIES, _BETWEEN_SECONDS = 3, 0.3
"""A registry of several machines may know a new schema a moment later than its producer does."""

_MOST_REFERENCES = 100
_NOT_FOUND = 404


class _NotThereYetError(SchemaError):
    """What the registry does not have now, and may have in a moment: a schema, or one that it refers to."""


@dataclass(slots=True)
class SchemaRegistry:
    """A registry, as Confluent's API has it. What it said once of an id stays so, and is not fetched again.

    Attributes:
        url: Its address, without credentials.
        authorization: The header by which it knows who asks; "" where it does not.
    """

    url: str
    authorization: str = field(default="", repr=False)
    known: dict[int, RecordSchema | str] = field(default_factory=dict, repr=False)
    unknown: dict[int, tuple[float, str]] = field(default_factory=dict, repr=False)

    def schema(self, number: int) -> RecordSchema | str:
        """The schema of an id, or why there is none.

        Raises:
            RegistryError: The registry does not answer, or refuses.
        """
        found = self.known.get(number)
        if found is not None:
            return found
        since, nothing = self.unknown.get(number, (-_UNKNOWN_STAYS_SECONDS, ""))
        if time.monotonic() - since < _UNKNOWN_STAYS_SECONDS:
            return nothing
        for left in reversed(range(_TRIES)):
            try:
                self.known[number] = made = self._made(self._get(f"/schemas/ids/{number}"), number)
            except _NotThereYetError as error:
                nothing = str(error)
            else:
                return made
            if left:
                time.sleep(_BETWEEN_SECONDS)
        self.unknown[number] = time.monotonic(), nothing
        return nothing

    def _made(self, said: Mapping[str, Any] | None, number: int) -> RecordSchema | str:
        if said is None:
            raise _NotThereYetError(f"the registry has no schema of its id {number}")
        kind = said.get("schemaType", "AVRO")
        if kind != "AVRO":
            return f"its schema is of the kind {kind}, not Avro"
        try:
            return parse_schema(str(said["schema"]), self._references(said))
        except _NotThereYetError:
            raise
        except SchemaError as error:
            return str(error)

    def _references(self, said: Mapping[str, Any]) -> tuple[str, ...]:
        """The schemas that one refers to, each once, and after those that it refers to itself."""
        found: dict[tuple[str, int], str] = {}
        visited: set[tuple[str, int]] = set()

        def visit(one: Mapping[str, Any]) -> None:
            for reference in one.get("references") or ():
                try:
                    key = (str(reference["subject"]), int(reference["version"]))
                except (KeyError, TypeError, ValueError) as error:
                    raise SchemaError("it refers to a schema without its subject and version") from error
                if key in visited:
                    continue
                visited.add(key)
                if len(visited) > _MOST_REFERENCES:
                    raise SchemaError(f"it refers to more than {_MOST_REFERENCES} schemas")
                other = self._get(f"/subjects/{quote(key[0], safe='')}/versions/{key[1]}")
                if other is None:
                    raise _NotThereYetError(
                        f"the registry has no version {key[1]} of {key[0]!r}, which its schema uses"
                    )
                visit(other)
                found[key] = str(other["schema"])

        visit(said)
        return tuple(found.values())

    def _get(self, path: str) -> Mapping[str, Any] | None:
        """What the registry says; ``None`` where it has no such thing."""
        headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        request = urllib.request.Request(self.url + path, headers=headers)  # noqa: S310  # http(s): registry_of
        try:
            with urllib.request.urlopen(request, timeout=_ANSWERS_WITHIN_SECONDS) as answer:  # noqa: S310
                body = answer.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == _NOT_FOUND and _is_registry_error(error):
                    return None
                raise self._outage(f"HTTP {error.code}") from error
        except (OSError, HTTPException) as error:
            raise self._outage(str(getattr(error, "reason", "") or error or type(error).__name__)) from error
        try:
            said = json.loads(body) if len(body) <= _MOST_BYTES else None
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or "schema" not in said:
            raise self._outage("what it says is not a schema")
        return said

    def _outage(self, why: str) -> RegistryError:
        return RegistryError(
            f"the schema registry {self.url} does not give a schema: {why}",
            way_out="check that it runs and can be reached, and its credentials; the stream goes on by itself then",
        )


def registry_of(address: str, connection: Callable[[str], str]) -> SchemaRegistry:
    """The registry of an address.

    Args:
        address: As `Topic.registry` has it.
        connection: Gives an address by its name in the settings.

    Raises:
        UnknownNameError: No connection has the name.
        DeclarationError: A variable that is not set, or what is not an address of http or https.
    """
    said = address
    if address.startswith(_VARIABLE):
        name = address.removeprefix(_VARIABLE)
        if not (said := os.environ.get(name, "")):
            raise DeclarationError(
                f"the address of a schema registry is in the variable {name}, which is not set", way_out=f"set {name}"
            )
    elif "://" not in address:
        said = connection(address)
    parts = urlsplit(said)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise DeclarationError(
            f"the schema registry of {address!r} is not an address", way_out='"https://registry.company.example:8081"'
        )
    user, _, host = parts.netloc.rpartition("@")
    authorization = ""
    if user:
        name, _, password = user.partition(":")
        pair = f"{unquote(name)}:{unquote(password)}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    return SchemaRegistry(f"{parts.scheme}://{host}{parts.path.rstrip('/')}", authorization)


def _is_registry_error(error: urllib.error.HTTPError) -> bool:
    """Whether a 404 is the registry's own word about a schema, and not that of another server at this address."""
    try:
        said = json.loads(error.read(_MOST_BYTES))
    except (ValueError, RecursionError, OSError, HTTPException):
        return False
    return (
        isinstance(said, dict)
        and str(said.get("error_code", "")).startswith("404")
        and said["error_code"] != _NOT_FOUND
    )
