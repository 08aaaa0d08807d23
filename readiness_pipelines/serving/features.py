"""Latest values of feature views, looked up for requests: in a thread, for the ledger's database may be slow."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.online.keeping import is_overtaken, stale_batches_of
from readiness_pipelines.delivery.online.looking_up import LatestValues, kept_state, key_text, latest_values
from readiness_pipelines.errors import DeclarationError, LedgerError, RequestRefusedError, UnknownNameError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.serving.answers import plain_value

_Found = TypeVar("_Found")
_WANTED = re.compile(r"(?P<view>[^()]+)(\((?P<columns>[^()]*)\))?")
_STALE_SECONDS = 5.0
"""So long it is not looked again whether what is kept is what is published."""
_WAITS = 0.25
"""The part of the time of a look-up that is waited for this: the values are there, and are what was asked for."""


@dataclass(frozen=True, slots=True)
class WantedFeatures:
    """A view whose values a request wants for its records.

    Attributes:
        view: The view.
        columns: What a record calls the columns of the view's entity, in their order.
    """

    view: FeatureView
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A look whether what is kept is what is published: what it found, of what, and when it had ended."""

    stale: bool
    of: tuple[object, ...]
    at: float


class Features:
    """The latest values of some feature views.

    Args:
        views: The views that keep them.
        installation: Where the ledger is; not needed where there are no views.
        most_seconds: How long a look-up may take.
    """

    def __init__(
        self, views: Sequence[FeatureView] = (), installation: Installation | None = None, *, most_seconds: float = 2.0
    ) -> None:
        self.views: Mapping[str, FeatureView] = {str(view.id): view for view in views}
        self._installation = installation
        self._most_seconds = most_seconds
        self._about: dict[str, tuple[float, dict[str, Any]]] = {}
        self._looked: dict[str, _Looked] = {}
        self._under_way: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def view(self, name: str) -> FeatureView:
        """The view of a name.

        Raises:
            UnknownNameError: There is none that keeps values.
        """
        if (found := self.views.get(name)) is None:
            raise UnknownNameError("feature view with latest values", name[:200], self.views)
        return found

    def wanted(self, query: bytes) -> tuple[WantedFeatures, ...]:
        """The views that a request names: ``features=shop.baskets``, or with other names ``shop.baskets(payer)``.

        Raises:
            UnknownNameError: A view that keeps no values.
            RequestRefusedError: As many columns as the entity has are not named.
        """
        found = []
        for name, value in parse_qsl(query.decode("latin-1")):
            matched = _WANTED.fullmatch(value.strip()) if name == "features" else None
            if name != "features":
                continue
            view = self.view(matched["view"].strip() if matched else value)
            columns = (
                tuple(one.strip() for one in matched["columns"].split(",")) if matched and matched["columns"] else ()
            )
            if columns and len(columns) != len(view.entity):
                raise RequestRefusedError(
                    422, f"{view.id} is looked up by {len(view.entity)} columns", way_out=", ".join(view.entity)
                )
            found.append(WantedFeatures(view, columns or view.entity))
        return tuple(found)

    async def look_up(self, view: FeatureView, keys: Sequence[Mapping[str, Any] | None]) -> list[dict[str, Any]]:
        """The values for some keys, as JSON; ``None`` is a key that a record does not have.

        Raises:
            RequestRefusedError: The ledger's database did not answer in time.
            DeclarationError: A key that lacks a column, or has a value of another kind.
            UpstreamNotPublishedError: Nothing of the view is kept yet.
            LedgerError: The ledger cannot be reached.
        """
        return await self._in_thread(lambda: self._values(view, keys))

    async def about(self, view: FeatureView) -> dict[str, Any]:
        """When values of a view were last kept, and whether something newer is published, as of the last look.

        Where there are so many batches that the first look lasts, it is ``None``: the values do not wait for it.

        Raises:
            As `look_up`.
        """
        return await self._in_thread(lambda: self._kept(view))

    async def usable_keys(
        self, wanted: WantedFeatures, records: Sequence[Mapping[str, Any]]
    ) -> list[tuple[Mapping[str, Any] | None, str]]:
        """The key in each record, or why it has none."""
        return await self._in_thread(lambda: self._keys(wanted, records))

    async def _in_thread(self, function: Callable[[], _Found]) -> _Found:
        try:
            async with asyncio.timeout(self._most_seconds):
                return await asyncio.to_thread(function)
        except TimeoutError:
            raise RequestRefusedError(503, "the values could not be looked up in time", way_out="ask again") from None

    def _keys(
        self, wanted: WantedFeatures, records: Sequence[Mapping[str, Any]]
    ) -> list[tuple[Mapping[str, Any] | None, str]]:
        state = kept_state(self._ledger, wanted.view)
        found: list[tuple[Mapping[str, Any] | None, str]] = []
        for record in records:
            key = {
                name: record[column]
                for name, column in zip(wanted.view.entity, wanted.columns, strict=True)
                if column in record
            }
            try:
                key_text(wanted.view, state, key)
                found.append((key, ""))
            except DeclarationError as error:
                found.append((None, error.what))
        return found

    @property
    def _ledger(self) -> Installation:
        assert self._installation is not None  # noqa: S101  # there are views
        return self._installation

    def _values(self, view: FeatureView, keys: Sequence[Mapping[str, Any] | None]) -> list[dict[str, Any]]:
        found = iter(latest_values(self._ledger, view, [key for key in keys if key is not None]))
        return [features_value(next(found)) if key is not None else {} for key in keys]

    def _kept(self, view: FeatureView) -> dict[str, Any]:
        name, now = str(view.id), time.monotonic()
        if name in self._about and now - self._about[name][0] < _STALE_SECONDS:
            return self._about[name][1]
        state = kept_state(self._ledger, view)
        now_there = (*self._ledger.ledger.pulse(), state.kept_at)
        looked = self._look(view, now_there)
        stale = is_overtaken(state, utc_now()) or (looked.stale if looked else None)
        said = {"view": name, "kept_at": state.kept_at.isoformat(), "stale": stale}
        if looked is not None and looked.of == now_there:
            self._about[name] = (time.monotonic(), said)
        return said

    def _look(self, view: FeatureView, now_there: tuple[object, ...]) -> _Looked | None:
        """The last look; where something happened since, another one begins, and whoever began it waits a moment."""
        name = str(view.id)
        with self._lock:
            last = self._looked.get(name)
            # Nothing becomes stale without an entry in the trail; what is stale is kept without one.
            if last is not None and ((last.of == now_there and not last.stale) or _is_young(last)):
                return last
            under_way = self._under_way.get(name)
            begins = under_way is None
            if under_way is None:
                under_way = self._under_way[name] = threading.Event()
                threading.Thread(target=self._look_now, args=(view, now_there, under_way), daemon=True).start()
        if begins:
            under_way.wait(self._most_seconds * _WAITS)
        return self._looked.get(name)

    def _look_now(self, view: FeatureView, now_there: tuple[object, ...], over: threading.Event) -> None:
        name = str(view.id)
        try:
            with self._turn:  # one view after the other: it takes the interpreter from those who answer
                stale = bool(stale_batches_of(view, self._ledger))
            self._looked[name] = _Looked(stale, now_there, time.monotonic())
        except LedgerError:
            pass  # whoever asks for values is told, and looks again
        finally:
            with self._lock:
                del self._under_way[name]
            over.set()


def _is_young(looked: _Looked) -> bool:
    return time.monotonic() - looked.at < _STALE_SECONDS


def features_value(one: LatestValues) -> dict[str, Any]:
    """The latest values of a key, as JSON; a snapshot is text, for its number is larger than JavaScript's."""
    return {
        "status": one.status.value,
        "values": {name: plain_value(value) for name, value in one.values.items()},
        "known_at": one.known_at.isoformat() if one.known_at else None,
        "event_at": one.event_at.isoformat() if one.event_at else None,
        "age_seconds": None if one.age_seconds is None else round(one.age_seconds, 3),
        "batch": one.batch,
        "snapshot": None if one.snapshot is None else str(one.snapshot),
    }


def as_key(record: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """A record of a request as a key.

    Raises:
        RequestRefusedError: It is not a JSON object.
    """
    if isinstance(record, str):
        raise RequestRefusedError(400, "a key is not a JSON object", way_out='send {"column": value} for each key')
    return record
