"""The latest values of a feature view for some keys, with how old they are and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.online.columns import kept_features
from readiness_pipelines.delivery.online.encoding import as_text, from_text, hash_of, key_value
from readiness_pipelines.errors import DeclarationError, UpstreamNotPublishedError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.ledger import OnlineMark, OnlineRow, OnlineView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Availability(StrEnum):
    """Whether there are values for a key.

    ``KNOWN``: there are; a null among them is a null that was published. ``UNKNOWN``: nothing is published of the key.
    ``EXPIRED``: what is published of it is older than the view's time-to-live.
    """

    KNOWN = "known"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestValues:
    """The latest values of a feature view for one key.

    Attributes:
        status: Whether there are any.
        values: The features by name; empty unless the status is known.
        known_at: Since when they are known, in UTC; ``None`` where nothing is published of the key.
        event_at: When what they tell happened, in UTC; ``None`` where the view has no event time, too.
        age_seconds: How old they are: since their event time, or since they were known where the view has none.
        batch: The batch that published them.
        snapshot: The snapshot that published it.
    """

    status: Availability
    values: Mapping[str, Any]
    known_at: datetime | None = None
    event_at: datetime | None = None
    age_seconds: float | None = None
    batch: str | None = None
    snapshot: int | None = None


def latest_values(
    installation: Installation, view: FeatureView, keys: Sequence[Any], *, at: datetime | None = None
) -> tuple[LatestValues, ...]:
    """Look up the latest values of a feature view.

    Args:
        installation: Where the ledger is.
        view: The view; it is declared with ``online=True``.
        keys: The keys: each a mapping of the entity's columns to values, or, where the entity is one column, its value.
            Values are as they are published: of a protected column, what the protection made of them. They may be
            given as text.
        at: The time by which values are old; ``None`` for now.

    Returns:
        The values, in the order of the keys.

    Raises:
        DeclarationError: The view keeps no values, or a key that lacks a column or has a value of another kind.
        UpstreamNotPublishedError: Nothing of the view is kept yet.
        LedgerError: The ledger cannot be reached.
    """
    state = kept_state(installation, view)
    texts = [key_text(view, state, key) for key in keys]
    hashes = [hash_of(text) for text in texts]
    online = installation.ledger.online_values
    rows = online.get(view.id, list(dict.fromkeys(hashes)))
    marks = online.marks(view.id, {row.batch for row in rows.values()})
    moment = at or utc_now()
    return tuple(_values(view, rows.get(one), marks, moment) for one in hashes)


def kept_state(installation: Installation, view: FeatureView) -> OnlineView:
    """How far the values of a view are kept.

    Raises:
        DeclarationError: The view keeps none.
        UpstreamNotPublishedError: None are kept yet.
    """
    if not view.online:
        raise DeclarationError(f"{view.id} keeps no latest values", way_out="@domain.features(…, online=True)")
    state = installation.ledger.online_values.view(view.id)
    if state is None:
        raise UpstreamNotPublishedError(
            f"no latest values of {view.id} are kept yet", way_out=f"readiness features refresh {view.id}"
        )
    return state


def key_text(view: FeatureView, state: OnlineView, key: Any) -> str:
    """What a key is kept as.

    Raises:
        DeclarationError: It lacks a column, or has a value of another kind.
    """
    given = key if isinstance(key, Mapping) else {view.entity[0]: key}
    if lacking := [name for name, _ in state.entity if name not in given]:
        raise DeclarationError(
            f"a key of {view.id} lacks {lacking[0]}", way_out=f"give {', '.join(name for name, _ in state.entity)}"
        )
    return as_text([key_value(name, given[name], kind) for name, kind in state.entity])


def _values(
    view: FeatureView, row: OnlineRow | None, marks: Mapping[str, OnlineMark], moment: datetime
) -> LatestValues:
    if row is None:
        return LatestValues(status=Availability.UNKNOWN, values={})
    known_at = _time(row.known_us)
    event_at = None if row.event_us is None else _time(row.event_us)
    age = (moment - (event_at or known_at)).total_seconds()
    expired = view.ttl is not None and age > view.ttl.total_seconds()
    features = {} if expired else from_text(row.features)
    # A column may have been classified since it was kept.
    shown = kept_features(view, features)[0]
    mark = marks.get(row.batch)
    return LatestValues(
        status=Availability.EXPIRED if expired else Availability.KNOWN,
        values={name: features[name] for name in shown},
        known_at=known_at,
        event_at=event_at,
        age_seconds=age,
        batch=row.batch,
        snapshot=mark.snapshot if mark else None,
    )


def _time(micros: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # an infinite time
        return datetime.min.replace(tzinfo=UTC)
