"""Latest values of feature views, looked up for requests: in a thread, for the ledger's database may be slow."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.online.keeping import is_overtaken, stale_batches_of
from readiness_pipelines.delivery.online.looking_up import LatestValues, kept_state, key_text, latest_values
from readiness_pipelines.errors import DeclarationError, RequestRefusedError, UnknownNameError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.serving.answers import plain_value

_Found = TypeVar("_Found")
_WANTED = re.compile(r"(?P<view>[^()]+)(\((?P<columns>[^()]*)\))?")
_STALE_SECONDS = 5.0
"""So long it is not looked again whether what is kept is what is published."""


@dataclass(frozen=True, slots=True)
class WantedFeatures:
    """A view whose values a request wants for its records.

    Attributes:
        view: The view.
        columns: What a record calls the columns of the view's entity, in their order.
    """

    view: FeatureView
    columns: tuple[str, ...]


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
        """When values of a view were last kept, and whether something newer is published.

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
        stale = bool(stale_batches_of(view, self._ledger)) or is_overtaken(state, utc_now())
        self._about[name] = (now, {"view": name, "kept_at": state.kept_at.isoformat(), "stale": stale})
        return self._about[name][1]


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
