"""A stream is as fresh as what it shows of its open window; one that waits for messages is not late."""

from datetime import timedelta

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, FindingKind
from readiness_pipelines.observability import FreshnessState
from readiness_pipelines.overview import observe
from readiness_pipelines_tests.streaming.payments import START, payments_domain, payments_table

TABLE = payments_table(payments_domain())


def _beat(
    installation: Installation, hours: float, *, lag: int | None, watermark: float | None, shard: str = "0/1"
) -> None:
    streams, at = installation.ledger.streams, START + timedelta(hours=hours)
    streams.beat(
        TABLE.id,
        shard,
        epoch=max(one.epoch for one in streams.shards() if one.shard == shard),
        at=at,
        window="",
        positions={0: 1},
        records=1,
        lag=lag,
        watermark=None if watermark is None else START + timedelta(hours=watermark),
    )


def _open(installation: Installation, *, published: int, quarantined: int) -> None:
    record = BatchRecord(
        ref=BatchRef(TABLE.id, "2026-11-02-10:00"),
        state=BatchState.OPEN,
        counts=Counts(ingested=published + quarantined, published=published, quarantined=quarantined),
        run_id="r",
        updated_at=START,
    )
    installation.ledger.streams.keep_open([record], who="ann")


def _state(installation: Installation, hours: float) -> FreshnessState:
    found = observe([TABLE], installation=installation, now=START + timedelta(hours=hours, seconds=10))
    return found.freshness[TABLE.id].state


def test_an_open_window_counts_an_idle_topic_is_not_late_and_one_that_is_behind_is(installation: Installation) -> None:
    begin = installation.ledger.streams.begin
    begin(TABLE.id, "0/1", holder="one", at=START, silent_after=timedelta(minutes=1))
    _beat(installation, 9, lag=0, watermark=None)
    assert _state(installation, 9) is FreshnessState.FRESH  # nothing ever came, and no window is open
    _open(installation, published=3, quarantined=1)
    _beat(installation, 9, lag=0, watermark=0)
    assert _state(installation, 9) is FreshnessState.FRESH
    for lag in (7, None):
        _beat(installation, 9, lag=lag, watermark=8.5)
        assert _state(installation, 9) is FreshnessState.FRESH  # behind, and less than what is promised
        _beat(installation, 9, lag=lag, watermark=7.5)
        assert _state(installation, 9) is FreshnessState.LATE
        _beat(installation, 9, lag=lag, watermark=2)
        assert _state(installation, 9) is FreshnessState.FAILED
    _beat(installation, 9, lag=0, watermark=2)
    assert _state(installation, 9.1) is FreshnessState.FAILED  # nobody has heard of its process for minutes
    _open(installation, published=0, quarantined=4)
    _beat(installation, 9, lag=0, watermark=2)
    assert _state(installation, 9) is FreshnessState.FAILED  # all that came waits in quarantine


def test_a_shard_that_nobody_reads_makes_a_stream_as_old_as_what_is_known(installation: Installation) -> None:
    begin = installation.ledger.streams.begin
    begin(TABLE.id, "0/1", holder="one", at=START, silent_after=timedelta(minutes=1))
    begin(TABLE.id, "0/2", holder="two", at=START + timedelta(hours=1), silent_after=timedelta(minutes=1))
    _beat(installation, 9, lag=0, watermark=5, shard="0/2")
    assert _state(installation, 9) is FreshnessState.FAILED
    begin(TABLE.id, "1/2", holder="three", at=START + timedelta(hours=2), silent_after=timedelta(minutes=1))
    _beat(installation, 9, lag=0, watermark=5, shard="1/2")
    assert _state(installation, 9) is FreshnessState.FRESH  # the shard of before, 0/1, is not asked any more


def test_an_event_in_the_future_keeps_no_stream_fresh_of_which_nothing_is_heard(installation: Installation) -> None:
    _open(installation, published=4, quarantined=0)
    installation.ledger.streams.begin(TABLE.id, "0/1", holder="one", at=START, silent_after=timedelta(minutes=1))
    _beat(installation, 1, lag=3, watermark=1_000_000)
    assert _state(installation, 24) is FreshnessState.FAILED


def test_a_division_that_began_and_ended_beside_the_one_that_reads_hides_nothing_of_it(
    installation: Installation,
) -> None:
    streams, minute = installation.ledger.streams, timedelta(minutes=1)
    epochs = {
        shard: streams.begin(TABLE.id, shard, holder=shard, at=START, silent_after=minute) for shard in ("0/2", "1/2")
    }
    by_mistake = streams.begin(TABLE.id, "0/1", holder="a laptop", at=START + 10 * minute, silent_after=minute)
    streams.end(TABLE.id, "0/1", epoch=by_mistake, at=START + 11 * minute)
    for shard, epoch in epochs.items():
        streams.beat(
            TABLE.id,
            shard,
            epoch=epoch,
            at=START + 30 * minute,
            window="",
            positions={},
            records=0,
            lag=0,
            watermark=START,
        )
    found = observe([TABLE], installation=installation, now=START + 90 * minute).findings
    assert FindingKind.STREAM in {one.kind for one in found}


def test_killed_processes_of_an_earlier_division_are_asked_no_more_and_hold_no_files_back(
    installation: Installation,
) -> None:
    streams = installation.ledger.streams
    for shard in ("0/2", "1/2"):
        streams.begin(TABLE.id, shard, holder="gone", at=START, silent_after=timedelta(minutes=1))
    _beat(installation, 1, lag=0, watermark=1, shard="1/2")
    streams.begin(TABLE.id, "0/1", holder="one", at=START + timedelta(hours=2), silent_after=timedelta(minutes=1))
    _beat(installation, 30, lag=0, watermark=30)
    found = observe([TABLE], installation=installation, now=START + timedelta(hours=30, seconds=10)).findings
    assert [one.seen for one in found if one.kind is FindingKind.STREAM] == []
    assert [one.shard for one in streams.running(START + timedelta(hours=24.5))] == ["0/1", "1/2"]
    assert [one.shard for one in streams.running(START + timedelta(hours=30))] == ["0/1"]
