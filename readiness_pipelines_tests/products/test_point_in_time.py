"""Features as they were known: equal to looking at every row for every label, whatever was late, corrected or gone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness_pipelines.products import AT, LABEL, FeatureHistory, Mode, join_features
from readiness_pipelines.sql import utc_connection

BATCHES = ("b0", "b1", "b2")
START = datetime(2026, 11, 1, tzinfo=UTC)
AS_OF = START + timedelta(hours=9)
ENTITIES = ("a", "b", None)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@dataclass(frozen=True)
class Version:
    """A row of a history, in hours."""

    entity: str | None
    event: int | None
    declared: int | None
    value: int
    batch: int
    known: int
    until: int | None
    row: int

    def order(self, by_event: bool) -> tuple[int, int, int, int]:
        return (self.event or 0 if by_event else self.batch, self.known, self.batch, self.row)


hours = st.integers(0, 11)
versions = st.builds(
    Version,
    entity=st.sampled_from(ENTITIES),
    event=st.none() | hours,
    declared=st.none() | hours,
    value=st.integers(0, 99),
    batch=st.integers(0, 2),
    known=hours,
    until=st.none(),
    row=st.just(0),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Versions as deliveries leave them: one that was withdrawn ends after it began; some are put in its place then."""
    found: list[Version] = []
    for one in draw(st.lists(versions, max_size=8)):
        until = draw(st.none() | st.integers(one.known, 11))
        found.append(Version(**{**vars(one), "until": until, "row": len(found)}))
        if until is not None and draw(st.booleans()):
            found.append(Version(**{**vars(one), "known": until, "value": one.value + 100, "row": len(found)}))
    return found


def known_then(history: list[Version], entity: str | None, at: int, *, mode: Mode, event: bool, declared: bool) -> Any:
    """What a label is given: by a look at every row."""
    seen = []
    for one in history:
        if one.entity is None or one.entity != entity or hour(one.known) > AS_OF or (event and one.event is None):
            continue
        same = [
            other.known
            for other in history
            if (other.entity, other.batch) == (one.entity, one.batch)
            and hour(other.known) <= AS_OF
            and (not event or other.event == one.event)
        ]
        first = min(same)
        if declared and one.declared is None:
            continue
        if mode is Mode.AS_CORRECTED:
            if one.until is not None and hour(one.until) <= AS_OF:
                continue
            since, until = one.declared if declared else first, None
        else:
            since, until = one.known, one.until
            if declared:
                since = one.declared if one.known == first else max(one.declared or 0, one.known)
        assert since is not None
        if since <= at and (not event or (one.event or 0) <= at) and (until is None or at < until):
            seen.append(one)
    return max(seen, key=lambda one: one.order(event)).value if seen else None


@pytest.mark.parametrize("mode", Mode)
@settings(deadline=None)
@given(
    history=histories(),
    labels=st.lists(st.tuples(st.sampled_from(ENTITIES), st.none() | hours), max_size=6),
    event=st.booleans(),
    declared=st.booleans(),
)
def test_each_label_comes_back_once_with_what_a_look_at_every_row_gives(
    mode: Mode, history: list[Version], labels: list[tuple[str | None, int | None]], event: bool, declared: bool
) -> None:
    moment = pa.timestamp("us", tz="UTC")

    def times(values: list[int | None]) -> pa.Array:
        return pa.array([None if one is None else hour(one) for one in values], moment)

    rows = pa.table(
        {
            "entity": pa.array([one.entity for one in history], pa.string()),
            "event": times([one.event for one in history]),
            "declared": times([one.declared for one in history]),
            "value": pa.array([one.value for one in history], pa.int64()),
            "_batch": pa.array([BATCHES[one.batch] for one in history], pa.string()),
            "_row": pa.array([one.row for one in history], pa.int64()),
            "_known_at": times([one.known for one in history]),
            "_known_until": times([one.until for one in history]),
        }
    )
    given_labels = pa.table(
        {
            LABEL: pa.array(range(len(labels)), pa.int64()),
            "entity": pa.array([entity for entity, _ in labels], pa.string()),
            AT: times([at for _, at in labels]),
        }
    )
    facts = FeatureHistory(
        rows="history",
        entity=("entity",),
        columns={"value": "value"},
        event_time="event" if event else None,
        known_at="declared" if declared else None,
        batches=BATCHES,
    )
    with utc_connection() as engine:
        engine.from_arrow(rows).create_view("history")
        engine.from_arrow(given_labels).create_view("labels")
        join_features(engine, "labels", facts, mode=mode, as_of=AS_OF, name="joined")
        joined = engine.sql(f"SELECT {LABEL}, value FROM joined ORDER BY 1").fetchall()
    expected = [
        (number, None if at is None else known_then(history, entity, at, mode=mode, event=event, declared=declared))
        for number, (entity, at) in enumerate(labels)
    ]
    assert joined == expected
