"""The batches that one is held against: published before it, each where nobody complains about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readiness_pipelines.batches import in_order
from readiness_pipelines.contracts import Table
from readiness_pipelines.gates import UsualRange
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import UNLIKE, profile_digest
from readiness_pipelines.observability import (
    MOST_BATCHES,
    BatchProfile,
    ColumnKind,
    ColumnProfile,
    Past,
    central_range,
)
from readiness_pipelines.recent import Recent

_PARSED: Recent[str, BatchProfile] = Recent(most=2_048)
"""Profiles by their digest: each batch is held against up to hundred others, which the one before it was, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a batch is held against.

    Attributes:
        batches: The batches before it, oldest first.
        restarts: From which place of them on a column counts, or the rows (``None``): somebody said that what was
            unusual then is normal since.
    """

    batches: tuple[Past, ...]
    restarts: Mapping[str | None, int]

    @property
    def ranges(self) -> Mapping[str, UsualRange]:
        """Where the numbers of each column were."""
        found: dict[str, list[ColumnProfile]] = {}
        for place, past in enumerate(self.batches):
            for name, column in past.profile.columns.items():
                counts = name not in past.unlike and place >= self.restarts.get(name, 0)
                if column.kind is ColumnKind.NUMBER and column.quantiles and counts:
                    found.setdefault(name, []).append(column)
        ranges = {}
        for name, every in found.items():
            columns = every[-MOST_BATCHES:]
            low, high = central_range([one.quantiles for one in columns], [one.rows - one.nulls for one in columns])
            ranges[name] = UsualRange(low=low, high=high, batches=len(columns))
        return ranges


def profiles_of(table: Table, batches: Sequence[str], *, installation: Installation) -> Mapping[str, BatchProfile]:
    """The profiles of some batches, as far as there are any.

    Raises:
        LedgerError: The ledger cannot be reached.
        ValueError: A profile cannot be read.
    """
    ledger = installation.ledger
    found = {batch: _PARSED.find(digest) for batch, digest in ledger.profile_digests(table.id, batches).items()}
    missing = [batch for batch, profile in found.items() if profile is None]
    for batch, text in (ledger.profiles(table.id, missing) if missing else {}).items():
        found[batch] = _PARSED.keep(profile_digest(text), BatchProfile.from_json(text))
    return {batch: profile for batch, profile in found.items() if profile is not None}


def baseline_of(table: Table, *, batch: str, installation: Installation) -> Baseline:
    """What a batch is held against.

    Raises:
        LedgerError: The ledger cannot be reached.
        ValueError: A profile cannot be read.
    """
    batches_of = table.batches
    found = installation.ledger.findings.of(tables=[table.id])
    unlike: dict[str, set[str | None]] = {}
    for one in found:
        if one.finding.kind in UNLIKE and one.normal_at is None:
            unlike.setdefault(one.ref.batch, set()).add(one.finding.column)
    ordered = in_order(batches_of, {*installation.ledger.visible_batches(table.id), batch})
    chosen = _needed(ordered[: ordered.index(batch)], unlike)
    profiles = profiles_of(table, chosen, installation=installation)
    batches = tuple(
        Past(profile=profiles[b], weekday=batches_of.season(b), unlike=frozenset(unlike.get(b, ())))
        for b in chosen
        if b in profiles
    )
    restarts: dict[str | None, int] = {}
    for one in found:
        since = batches_of.order(one.ref.batch)
        if one.normal_at is not None and since < batches_of.order(batch):
            before = sum(batches_of.order(past.profile.batch) < since for past in batches)
            restarts[one.finding.column] = max(before, restarts.get(one.finding.column, 0))
    return Baseline(batches=batches, restarts=restarts)


def _needed(before: Sequence[str], unlike: Mapping[str, set[str | None]]) -> list[str]:
    """The newest batches, and for each column that was unlike the others in some of them, older ones in their place."""
    wanted = set(before[-MOST_BATCHES:])
    for column in {column for columns in unlike.values() for column in columns}:
        wanted |= set([one for one in before if column not in unlike.get(one, ())][-MOST_BATCHES:])
    return [one for one in before if one in wanted]
