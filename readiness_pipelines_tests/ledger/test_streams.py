"""Who reads a shard of a stream, and the windows that are open."""

from datetime import timedelta
from typing import Any

import pytest

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerBusyError, StreamFencedError
from readiness_pipelines.ledger import Ledger, StreamState
from readiness_pipelines_tests.ledger.samples import NOW, ORDERS, REF, a_record

MINUTE = timedelta(minutes=1)


def test_a_shard_has_one_process_and_the_one_before_is_heard_no_more(ledger: Ledger) -> None:
    streams = ledger.streams
    first = streams.begin(ORDERS, "0/2", holder="a", at=NOW, silent_after=MINUTE)
    assert streams.begin(ORDERS, "1/2", holder="b", at=NOW, silent_after=MINUTE) == first + 1
    with pytest.raises(LedgerBusyError, match="is read by a, last heard of 60 s ago"):
        streams.begin(ORDERS, "0/2", holder="c", at=NOW + MINUTE, silent_after=MINUTE)
    second = streams.begin(ORDERS, "0/2", holder="c", at=NOW + 2 * MINUTE, silent_after=MINUTE)
    assert second == first + 2
    said: Any = {
        "at": NOW + 2 * MINUTE,
        "window": "day_1",
        "positions": {0: 7},
        "records": 7,
        "lag": 1,
        "watermark": NOW,
    }
    with pytest.raises(StreamFencedError, match="another process has taken shard 0/2"):
        streams.beat(ORDERS, "0/2", epoch=first, **said)
    streams.end(ORDERS, "0/2", epoch=first, at=NOW, error="it was late")
    streams.beat(ORDERS, "0/2", epoch=second, **said)
    (shard, _) = streams.shards([ORDERS])
    assert (shard.state, shard.positions, shard.lag, shard.watermark) == (StreamState.RUNNING, {0: 7}, 1, NOW)
    streams.end(ORDERS, "0/2", epoch=second, at=NOW + 3 * MINUTE)
    (shard, _) = streams.shards()
    assert (shard.state, shard.error, shard.silent_for(NOW + 9 * MINUTE)) == (StreamState.ENDED, "", timedelta(0))


def test_an_open_window_is_in_the_trail_once_and_a_verdict_closes_it(ledger: Ledger) -> None:
    raw = a_record(BatchState.OPEN, BatchRef(ORDERS.raw, "day_1"))
    for _ in range(3):
        ledger.streams.keep_open([raw, a_record(BatchState.OPEN)], who="me")
    assert [(entry.ref, entry.what) for entry in ledger.trail()] == [(raw.ref, "opened"), (REF, "opened")]
    ledger.record(a_record(BatchState.PUBLISHED), what="published", who="me")
    ledger.streams.keep_open([a_record(BatchState.OPEN)], who="me")
    now = ledger.get(REF)
    assert now is not None
    assert now.state is BatchState.PUBLISHED
