"""Which columns of a feature view are kept for look-ups: none whose values must not leave the lakehouse."""

from collections.abc import Iterable
from functools import lru_cache

from readiness_pipelines.contracts import Domain, FeatureView
from readiness_pipelines.delivery.classes import must_stay, refuse_unprotected_keys
from readiness_pipelines.delivery.gates import gate_of

VIEWS_KEPT = 1_024
"""So many views are looked at once."""


def online_views(domains: Iterable[Domain]) -> tuple[FeatureView, ...]:
    """The feature views of some domains whose latest values are kept."""
    return tuple(
        table for domain in domains for table in domain.tables if isinstance(table, FeatureView) and table.online
    )


def kept_features(view: FeatureView, there: Iterable[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The features that are kept, and those that are not, with their class.

    A column whose values must not be shown outside the lakehouse is kept where a protection has changed them before
    they were published.

    Args:
        view: The view.
        there: The columns that its published rows have.

    Raises:
        GateBuildError: A column of the entity whose values must not leave.
    """
    return _kept_features(view, tuple(there))


@lru_cache(maxsize=VIEWS_KEPT)
def _kept_features(view: FeatureView, there: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    spec = gate_of(view).spec
    names = [name for name in there if any(column.matches(name) for column in spec.columns)]
    refuse_unprotected_keys(view)
    left_out = {name: why for name in names if name not in view.entity and (why := must_stay(view, name))}
    beside = {*view.entity, view.event_time, view.known_at}
    return tuple(name for name in names if name not in beside and name not in left_out), left_out
