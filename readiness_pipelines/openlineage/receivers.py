"""Where events go: a file of JSON lines, an address that each is posted to, or a topic."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple, Protocol

from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.openlineage.facets import Json
from readiness_pipelines.settings import Settings
from readiness_pipelines.version import __version__

_SECONDS = 10
_REFUSALS = frozenset({400, 413, 422})
"""Answers that are about one event, which would get them again. What all events would get (401, 404) is waited for."""

_BACK = 1 << 20


class NotTakenError(Exception):
    """A receiver did not take an event now; it is sent again."""


class RefusedError(Exception):
    """A receiver does not take this event, however often it is sent."""


class LastEvent(NamedTuple):
    """The last event that a receiver has: the trail's entry, how many of the entry's events it has, and the run.

    The entry is 0 where the event was sent before its delivery was in the trail, or never was.
    """

    entry: int
    part: int
    run: str


class Receiver(Protocol):
    """Takes events one by one, in order.

    Attributes:
        name: What the settings call it.
    """

    @property
    def name(self) -> str:
        """What the settings call it."""
        ...

    def last(self) -> LastEvent | None:
        """The last event that it has; ``None`` where it has none, or cannot tell."""
        ...

    def take(self, event: Json) -> None:
        """Take an event.

        Raises:
            NotTakenError: It cannot now.
            RefusedError: It never will.
        """
        ...


def receivers_of(settings: Settings) -> tuple[Receiver, ...]:
    """The receivers that the settings name.

    Raises:
        DeclarationError: An address that is none, or a variable that is not set.
        UnknownNameError: A token of no receiver.
    """
    for name in settings.openlineage_tokens:
        if name not in settings.openlineage:
            raise UnknownNameError("receiver in [settings.openlineage]", name, settings.openlineage)
    return tuple(_receiver(name, settings) for name in settings.openlineage)


def _receiver(name: str, settings: Settings) -> Receiver:
    address = _value(name, settings.openlineage, "openlineage")
    if address.startswith("file:"):
        return EventFile(name, Path(address.removeprefix("file:")))
    if address.startswith(("https://", "http://")):
        token = _value(name, settings.openlineage_tokens, "openlineage_tokens")
        return HttpReceiver(name=name, url=address, token=token)
    if address.startswith("kafka://"):
        from readiness_pipelines.openlineage.kafka_topic import TopicReceiver  # noqa: PLC0415  # an extra

        return TopicReceiver(name, address)
    raise DeclarationError(
        f"the receiver {name!r} in [settings.openlineage] is neither a file, an address nor a topic",
        way_out="write file:PATH, https://…, or kafka://host:9092/topic",
    )


def _value(name: str, given: Mapping[str, str], table: str) -> str:
    value = given.get(name, "")
    if not value.startswith("env:"):
        return value
    variable = value.removeprefix("env:")
    if not (found := os.environ.get(variable)):
        raise DeclarationError(
            f"{name!r} in [settings.{table}] is in the variable {variable}, which is not set", way_out=f"set {variable}"
        )
    return found


class EventFile:
    """A file with an event on each line. Each is there once: the file itself says which was the last.

    Args:
        name: What the settings call it.
        path: The file; it is created where it is missing.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def last(self) -> LastEvent | None:
        """The event of the last whole line; half a line, left by a crash, is cut off.

        Raises:
            NotTakenError: The file cannot be read, or written.
        """
        if not self._path.exists():
            return None
        try:
            with self._path.open("r+b") as file:
                end = file.seek(0, os.SEEK_END)
                start = max(0, end - _BACK)
                file.seek(start)
                text = file.read()
                whole = text.rfind(b"\n") + 1
                if whole < len(text):
                    file.truncate(start + whole)
        except OSError as error:
            raise _of_file(self._path, error) from error
        lines = text[:whole].splitlines()
        if not lines:
            return None
        try:
            event = json.loads(lines[-1])
            entry = int(event["run"]["facets"]["readiness_batch"].get("entry", 0))
            return LastEvent(entry, 1 if event["eventType"] == "START" else 2, event["run"]["runId"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # somebody else's line

    def take(self, event: Json) -> None:
        """Append an event, and see that it is on the disk.

        Raises:
            NotTakenError: The file cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _of_file(self._path, error) from error


def _of_file(path: Path, error: OSError) -> NotTakenError:
    return NotTakenError(f"{path.name}: {error.strerror or type(error).__name__}")


@dataclass(frozen=True, kw_only=True)
class HttpReceiver:
    """An address that each event is posted to, as Marquez and others take them.

    What it answered to and could not be noted is posted again: with the same run id, event type and time, by which
    receivers tell it, and with the same ``Idempotency-Key``.

    Attributes:
        name: What the settings call it.
        url: The address: ``https://marquez.example/api/v1/lineage``.
        token: Sent as ``Authorization: Bearer …``; "" for none.
        seconds: How long an answer may take.
    """

    name: str
    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    seconds: float = _SECONDS

    def last(self) -> LastEvent | None:
        """It cannot tell."""
        return None

    def take(self, event: Json) -> None:
        """Post an event.

        Raises:
            NotTakenError: It does not answer, or says that it cannot now.
            RefusedError: It does not take this event.
        """
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"readiness-pipelines/{__version__}",
            "Idempotency-Key": f"{event['run']['runId']}-{event['eventType']}",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        }
        body = json.dumps(event, separators=(",", ":")).encode()
        request = urllib.request.Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310  # checked
        try:
            with urllib.request.urlopen(request, timeout=self.seconds):  # noqa: S310  # checked where it is made
                return
        except urllib.error.HTTPError as error:
            kind = RefusedError if error.code in _REFUSALS else NotTakenError
            raise kind(f"it answered {error.code} {error.reason}") from error
        except (OSError, ValueError, HTTPException) as error:
            # What is kept of it has no address, which may have a secret.
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise NotTakenError(f"no answer: {type(reason).__name__}") from error
