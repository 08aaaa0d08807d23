"""`readiness plan`: told by the exit code, evaluated, written, applied once, refused when it is not true any more."""

import importlib
import json
import shutil
import sys
from pathlib import Path

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.main import app
from readiness_pipelines.installation import Installation
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.cli.calling import RUNNER, as_json, call
from readiness_pipelines_tests.orchestration.samples import DEFINITIONS


def declare(project: Path, domain: str) -> None:
    """Let a project's code have another domain."""
    file = next(project.glob("order_project_*.py"))
    file.write_text(DEFINITIONS.format(domain=domain))
    shutil.rmtree(project / "__pycache__", ignore_errors=True)
    sys.modules.pop(file.stem, None)
    importlib.invalidate_caches()


def test_changed_code_is_planned_evaluated_applied_as_foretold_and_then_nothing_is_left(delivered: Path) -> None:
    declare(delivered, "order_domain()")
    assert "no batch would be judged again: nothing changes" in call("plan")
    declare(delivered, "order_domain(ratio=0.1)")
    assert "tightened tolerance: quarantined_ratio 0.5 0.1" in call("plan", "shop.orders", code=1)
    assert "3 batches were judged by other gates than the code has" in call("status")
    assert "→ readiness plan shop.orders --evaluate" in call("status", "shop.orders")
    assert len(as_json("status")["other_gates"]) == 3
    written = call("plan", "--evaluate", "--out", "plan.json", code=1)
    assert "judging 3 of 3 batches again: 12 rows, about" in written
    assert "3 rows would move to quarantine, 0 rows to published" in written
    assert "shop.orders[day_1] partly published → held 3 → 0 3 0" in written
    assert "next: readiness plan --apply plan.json --reason 'as planned'" in written
    markdown = RUNNER.invoke(app, ["plan", "--batches", "1", "--markdown"])
    assert "| tightened | tolerance: quarantined_ratio | 0.5 | 0.1 |" in markdown.stdout
    assert "1 of 3 batches; 0 would come out otherwise" in markdown.stdout
    evaluated = as_json("plan", "--all", code=1)["evaluated"]
    assert [(one["batch"], one["differs"]) for one in evaluated["judged"]] == [
        ("day_1", True),
        ("day_2", False),
        ("day_3", False),
    ]

    assert "a plan is applied for a reason" in call("plan", "--apply", "plan.json", code=2)
    applied = as_json("plan", "--apply", "plan.json", "--reason", "stricter")
    assert applied["done"] == [f"shop.orders[day_{number}]" for number in (1, 2, 3)]
    assert (applied["otherwise"], applied["broken"], applied["foretold"]) == ([], [], 3)
    again = call("plan", "--apply", "plan.json", "--reason", "stricter")
    assert "0 of 3 batches judged again, 3 were before" in again
    assert "no batch would be judged again" in call("plan")
    trail = Installation.open(Settings()).ledger.trail(ref=BatchRef(TableId("shop", "orders"), "day_1"))
    identity = json.loads(Path("plan.json").read_text())["identity"]
    assert [one.why for one in trail if one.what == "replay requested"] == [f"stricter (plan {identity[:12]})"]

    declare(delivered, "order_domain(ratio=0.9)")
    refused = call("plan", "--apply", "plan.json", "--reason", "stricter", code=2)
    assert "is not true any more: the code has the gate" in refused
    assert "plan again: readiness plan --evaluate --out plan.json" in refused

    assert "namespaces that end in __dev" in call("plan", "--env", "dev", code=1)
    assert as_json("plan", "--drop-env", "dev")["dropped"][0] == "shop__dev.orders"
    assert "there is no table of dev" in call("plan", "--drop-env", "dev")
    assert "of different commands" in call("plan", "--apply", "plan.json", "--env", "dev", code=2)
