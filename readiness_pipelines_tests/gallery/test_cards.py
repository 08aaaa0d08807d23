"""An implausible value is held, the last good one stays, and a waiver publishes it."""

import json

from readiness_pipelines.batches import BatchState
from readiness_pipelines.decisions import Waiver
from readiness_pipelines.delivery import decide, kpi_values, replay_batch
from readiness_pipelines.delivery.gates import gate_of
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.gallery.cards import cards, fraud_rate
from readiness_pipelines_tests.gallery.running import record, run, write

DAY = "2026-01-01"


def land(installation: Installation, frauds: int, of: int = 100) -> None:
    write(installation, f"cards/{DAY}.jsonl", *(json.dumps({"payment": n, "fraud": n < frauds}) for n in range(of)))


def values(installation: Installation) -> list[float | None]:
    return [value.value for value in kpi_values(fraud_rate, installation=installation)]


def test_a_value_that_nobody_believes_is_held(installation: Installation) -> None:
    land(installation, 1)
    run(cards, installation=installation)
    land(installation, 87)
    assert run(cards, installation=installation) == {"payments": [DAY], "fraud_rate": [DAY]}
    held = record(installation, fraud_rate, DAY)
    assert held.state is BatchState.HELD
    assert held.reason is not None
    (rule,) = [rule.name for rule in gate_of(fraud_rate).rules if "in_range" in rule.name]
    assert rule in held.reason
    assert values(installation) == [0.01]

    who = Run(who="ann")
    decide(fraud_rate, Waiver(rule=rule), batch=DAY, why="an attack, it is true", installation=installation, run=who)
    replay_batch(fraud_rate, batch=DAY, installation=installation, run=who)
    assert values(installation) == [0.87]
    assert run(cards, installation=installation) == {}
