"""Latest values are what is published, whatever happens to batches; and nothing of a person leaves unprotected."""

import multiprocessing
import os
import random
import signal
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.decisions import Discarding
from readiness_pipelines.delivery import Level, reconcile
from readiness_pipelines.delivery.erasure.requests import erase
from readiness_pipelines.delivery.online.checking import check_online
from readiness_pipelines.delivery.online.encoding import from_text
from readiness_pipelines.delivery.online.keeping import is_overtaken, keep_online, refresh_online, stale_batches_of
from readiness_pipelines.delivery.online.looking_up import latest_values
from readiness_pipelines.delivery.reconcile import repair
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Ledger, OnlineValues
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.online.market import DAYS, Bought, Market, brute_force
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

WALKS = int(os.environ.get("ONLINE_WALKS", "1"))
STEPS = 8
BUYERS = [f"Canary Zürich {number} 🛒'\"\\" for number in range(6)]
WORKERS = multiprocessing.get_context("forkserver")
KILLS: dict[str, tuple[type, str]] = {
    "before the ledger has the batch": (Ledger, "record"),
    "before anything is kept": (OnlineValues, "change"),
    "before it is noted what was kept": (OnlineValues, "mark"),
}


def kept(market: Market, view: FeatureView) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """All that is looked up, by key."""
    online = market.installation.ledger.online_values
    keys = [tuple(from_text(text)) for part in online.keys(view.id) for _, text in part]
    named = [dict(zip(view.entity, key, strict=True)) for key in keys]
    found = latest_values(market.installation, view, named, at=market.now) if keys else ()
    rows = online.get(view.id, [one for part in online.keys(view.id) for one, _ in part])
    features = {tuple(from_text(row.key)): from_text(row.features) for row in rows.values()}
    return {key: (features[key], one.batch, one.known_at) for key, one in zip(keys, found, strict=True)}


def drawn(chance: random.Random) -> list[Bought]:
    return [
        (chance.choice(BUYERS), chance.choice("ab"), chance.randint(-30, 40), chance.randint(-1, 3))
        for _ in range(chance.randint(0, 9))
    ]


@pytest.mark.parametrize("seed", range(WALKS))
def test_what_is_kept_is_what_a_look_at_every_row_finds_after_each_step(seed: int, installation: Installation) -> None:
    market, chance = Market(installation), random.Random(seed)
    most = 0
    for step in range(STEPS):
        batch = chance.choice(DAYS[: step + 1])
        stalls = sorted({stall for _, stall, _, _ in market.sales.get(batch, [])})
        if stalls and chance.random() < 0.4:
            market.decide(Discarding(where=f"stall = '{chance.choice(stalls)}'"), batch)
        else:
            market.deliver(**{batch: drawn(chance)})
        for view in (market.by_event, market.by_delivery):
            state = installation.ledger.online_values.view(view.id)
            if state is not None and is_overtaken(state, market.now):
                # Nothing was delivered since a row told of a time that has come: as it is every night.
                keep_online(view, installation=installation, run=market.run)
            assert kept(market, view) == brute_force(market, view), (seed, step, batch)
            most = max(most, len(kept(market, view)))
    assert most > 3
    person = BUYERS[0]
    market.deliver(day_4=[(person, "a", -30, 1), (BUYERS[1], "a", -30, 1)])
    before = sum(len(kept(market, view)) for view in (market.by_event, market.by_delivery))
    erase([market.domain], [person], why="a request", ground="Art. 17", installation=installation, run=market.run)
    for view in (market.by_event, market.by_delivery):
        assert kept(market, view) == brute_force(market, view)
        assert check_online(view, installation=installation, run=market.run).equal
        refreshed = refresh_online(view, installation=installation, run=market.run)
        assert (refreshed.changed, refreshed.whole) == (0, True)
    assert sum(len(kept(market, view)) for view in (market.by_event, market.by_delivery)) < before
    assert installation.ledger.file is not None
    assert b"Canary" not in installation.ledger.file.read_bytes()


def deliver_until_killed(folder: Path, kill: str) -> None:
    """Deliver a second day, and be killed at the view's step."""
    owner, name = KILLS[kill]
    original = getattr(owner, name)

    def struck(*arguments: Any, **options: Any) -> Any:
        if "by_delivery" in str(arguments[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    market = market_in(folder)
    with patch.object(owner, name, struck):
        market.deliver(day_2=[("buyer 2", "a", 1, 2)])


def market_in(folder: Path) -> Market:
    market = Market(Installation.open(settings_in(folder)))
    market.sales |= {"day_1": [("buyer 1", "a", 0, 1), ("buyer 2", "a", 0, 1)]}
    return market


@pytest.mark.parametrize("kill", KILLS)
def test_a_delivery_that_is_killed_on_the_way_leaves_a_stale_batch_that_is_seen_and_set_right(
    kill: str, tmp_path: Path
) -> None:
    (tmp_path / "landing").mkdir()
    market = market_in(tmp_path)
    market.deliver()
    worker = WORKERS.Process(target=deliver_until_killed, args=(tmp_path, kill))
    worker.start()
    worker.join(LONGEST_SECONDS)
    assert worker.exitcode == -signal.SIGKILL
    view, installation = market.by_delivery, market.installation
    market.sales["day_2"] = [("buyer 2", "a", 1, 2)]
    found = reconcile([market.domain], installation=installation, level=Level.LEDGER)
    assert any(one.ref.table.name == "by_delivery" for one in found.problems)
    if kill != "before the ledger has the batch":
        assert list(stale_batches_of(view, installation)) == ["day_2"]
        assert check_online(view, installation=installation, run=market.run).stale == 1
    if kill == "before anything is kept":
        repair([market.domain], found, installation=installation, run=market.run)
    else:
        market.deliver(day_3=[("buyer 3", "a", 2, 3)])  # another batch: what is stale is kept with it
        market.deliver(day_2=[("buyer 2", "a", 1, 2)])
    assert not stale_batches_of(view, installation)
    assert kept(market, view) == brute_force(market, view)


def test_a_tampered_row_is_found_named_by_counts_and_healed_by_a_refresh(installation: Installation) -> None:
    market = Market(installation)
    market.deliver(day_1=[(buyer, "a", 0, 1) for buyer in BUYERS])
    view = market.by_delivery
    assert installation.ledger.file is not None
    with sqlite3.connect(installation.ledger.file) as database:
        table = "ledger_online_values"
        of_view = f"table_name = '{view.id}'"
        chosen = f"{of_view} AND key_hash = (SELECT min(key_hash) FROM {table} WHERE {of_view})"
        database.execute(f"UPDATE {table} SET features = replace(features, '1', '7') WHERE {chosen}")
    found = check_online(view, installation=installation, run=market.run)
    assert (found.keys, found.different, found.equal) == (6, 1, False)
    (finding,) = installation.ledger.findings.of(tables=[view.id])
    assert finding.finding.seen.startswith("1 of 6 sampled keys differ")
    assert refresh_online(view, installation=installation, run=market.run).changed == 1
    assert check_online(view, installation=installation, run=market.run).equal
    assert installation.ledger.findings.of(tables=[view.id]) == ()


def test_a_view_that_keeps_nothing_says_so_and_forgets_what_it_kept(installation: Installation) -> None:
    market = Market(installation)
    market.deliver(day_1=[("buyer 1", "a", 0, 1)])
    assert installation.ledger.online_values.count(market.by_event.id) == 1
    object.__setattr__(market.by_event, "online", False)
    market.deliver(day_2=[("buyer 2", "a", 0, 1)])
    assert installation.ledger.online_values.view(market.by_event.id) is None
    with pytest.raises(DeclarationError, match="keeps no latest values"):
        latest_values(installation, market.by_event, ["a"])
