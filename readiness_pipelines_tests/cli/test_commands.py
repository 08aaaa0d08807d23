"""The command line: tables for people, JSON for programs, errors with a way out."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from readiness_pipelines import __version__, commands
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.main import app
from readiness_pipelines.cli.output import OUT
from readiness_pipelines.names import TableId
from readiness_pipelines_tests.cli.calling import as_json, call, run_process
from readiness_pipelines_tests.samples import GOOD, land


def test_run_takes_every_landed_batch_and_says_what_is_held(project: Path) -> None:
    text = call("run")
    assert "held shop.orders[day_3]: 3 of 4 rows (75.00%) fail, over the tolerance of 50.00%" in text
    assert "→ readiness quarantine show shop.orders --batch day_3" in text
    assert "next: readiness status shop" in text
    assert "nothing new landed: every batch has a verdict" in call("run")


def test_run_and_status_as_json_account_for_every_row(project: Path) -> None:
    ran = as_json("run", "--all")
    assert [(work["lane"], work["batch"]) for work in ran["ran"]] == [
        ("shop", "day_1"),
        ("shop", "day_2"),
        ("shop", "day_3"),
    ]
    assert ran["broken"] == []
    (lane,) = as_json("status")["lanes"]
    assert (lane["lane"], lane["kind"]) == ("shop", "static")
    assert [(b["batch"], b["ingested"], b["published"], b["quarantined"], b["held"]) for b in lane["batches"]] == [
        ("day_1", 4, 3, 1, False),
        ("day_2", 4, 4, 0, False),
        ("day_3", 4, 0, 4, True),
    ]
    assert lane["total"] == {"ingested": 12, "published": 7, "quarantined": 5, "discarded": 0, "erased": 0}
    assert lane["batches"][1]["kpis"]["shop.refund_rate"] == {
        "value": 0.25,
        "numerator": 1.0,
        "denominator": 4.0,
        "dimensions": {},
        "target": "<= 0.5",
        "met": True,
    }
    assert lane["batches"][2]["tables"]["shop.orders"]["state"] == "held"
    assert list(lane["batches"][0]["tables"]["shop.paid"]["inputs"]) == ["shop.orders"]


def test_run_takes_only_the_batches_that_are_named_and_what_follows_from_them(project: Path) -> None:
    ran = as_json("run", "--batch", "day_2", "--batch", "day_2")["ran"]
    assert {work["batch"] for work in ran} == {"day_2"}
    assert {table for work in ran for table in work["tables"]} == {"shop.orders", "shop.paid", "shop.refund_rate"}
    assert {work["batch"] for work in as_json("run", "shop.orders")["ran"]} == {"day_1", "day_3"}
    again = as_json("run", "shop", "--batch", "day_2")["ran"]
    assert [work["batch"] for work in again] == ["day_2"]


def test_a_batch_whose_declaration_was_mended_is_read_again_where_that_is_asked_for(delivered: Path) -> None:
    land(delivered / "landing", "day_2", *(row.replace(",", ";") for row in GOOD), header="order_id;amount;status;note")
    assert "held shop.orders[day_2]" in call("run")
    (module,) = delivered.glob("order_project_*.py")
    module.write_text(module.read_text().replace("order_domain()", "order_domain(delimiter=';')"))
    sys.modules.pop(module.stem)
    assert "held shop.orders[day_2]" in call("run", "shop.orders", "--batch", "day_2")
    assert "day_2 4 4 0" in call("run", "shop.orders", "--batch", "day_2", "--again")


def test_a_batch_that_cannot_be_judged_is_broken_with_its_way_out_and_the_others_run(project: Path) -> None:
    land(project / "landing", "day_1", "1,2", header="order_id,,amount")
    ran = as_json("run", code=1)
    (broken,) = ran["broken"]
    assert broken["batch"] == "day_1"
    assert broken["code"] == "file-unreadable"
    assert "column 2 has no name" in broken["error"]
    assert "FileDrop(columns=" in broken["way_out"]
    assert ran["next"] == broken["next"] == "readiness run shop.orders --batch day_1"
    assert {work["batch"] for work in ran["ran"]} == {"day_1", "day_2", "day_3"}
    text = call("run", code=1)
    assert "nothing new landed" not in text
    assert (
        "broken[file-unreadable] shop day_1: orders/day_1.csv cannot be read: column 2 has no name → declare FileDrop"
        in text
    )


def test_a_batch_that_is_still_arriving_is_not_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_SETTLES", "1h")
    text = call("run")
    assert "arriving shop.orders day_2: orders/day_2.csv was changed" in text
    assert "nothing new landed" not in text
    (broken,) = as_json("run", "--batch", "day_2", code=1)["broken"]
    assert "batch 'day_2' of shop.orders is still arriving: orders/day_2.csv was changed" in broken["error"]
    assert "READINESS_SETTLES" in broken["way_out"]
    assert [one["batch"] for one in as_json("run")["arriving"]] == ["day_1", "day_2", "day_3"]


def test_what_landed_and_did_not_run_is_not_taken_for_another_batch(delivered: Path) -> None:
    (delivered / "landing/orders/day_2.csv").rename(delivered / "landing/orders/kept")
    assert "did you mean" not in call("history", "--batch", "day_2")


def test_a_batch_that_landed_and_did_not_run_is_said_to_be_so(project: Path) -> None:
    for words in (("history",), ("quarantine", "show"), ("replay",)):
        text = call(*words, "--batch", "day_1", code=2)
        assert (
            "error[declaration] shop.orders[day_1] landed and did not run yet → readiness run shop.orders --batch day_1"
            in text
        )


def test_status_before_any_run_says_what_to_type(project: Path) -> None:
    text = call("status")
    assert "due: 3 batches, shop day_1 first" in text
    assert "next: readiness run" in text


def test_status_of_a_kpi_shows_its_values_as_people_write_them(delivered: Path) -> None:
    text = call("status", "shop.refund_rate")
    assert "How many orders are refunded? (ratio)" in text
    assert "all <= 50.0 % 0.0 % 25.0 %" in text
    value = as_json("status", "refund_rate")
    assert [batch["kpi"] and batch["kpi"]["value"] for batch in value["batches"]] == [0.0, 0.25, None]
    assert "day_3: never delivered" in call("status", "shop.paid")


def test_a_domain_is_listed_and_shown(project: Path) -> None:
    text = call("domain", "show", "shop", "--rules")
    assert "Shop export" in text
    assert "order_id_unique" in text
    steps = as_json("domain", "show")["steps"]
    assert [step["kind"] for step in steps] == ["raw", "gated", "derived", "kpi"]
    assert steps[1]["tolerance"] == {"quarantined_ratio": 0.5, "quarantined_rows": None, "rules": {}}
    assert steps[0]["at_risk"] == ["shop.refund_rate"]
    (domain,) = as_json("domain", "list")
    assert domain["kpis"] == {"shop.refund_rate": "How many orders are refunded?"}
    assert "shop.refund_rate: How many orders are refunded? (ratio, target <= 50.0 %)" in call("domain", "list")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["status", "shopp"], "did you mean 'shop'"),
        (["status", "shop.order"], "did you mean 'shop.orders'"),
        (["status", "ordrs"], "did you mean 'orders'"),
        (["run", "--batch", "day_11"], "did you mean 'day_1'"),
        (["run", "--batch", "day_1", "--all"], "exclude each other"),
        (["run", "--again"], "name it with --batch, or give --all"),
        (["status", "[/x]"], "unknown domain or table '[/x]'"),
        (["adopt", "shop.nothing", "--reason", "r"], "unknown domain or table"),
        (["schema", "show", "shop.paid"], "shop.paid is computed, not fed by a source → name one of: shop.orders"),
    ],
)
def test_wrong_input_is_refused_with_the_nearest_right_one(project: Path, arguments: list[str], says: str) -> None:
    assert says in call(*arguments, code=2)


def test_nothing_landed_says_where_to_put_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINESS_LANDING", str(project / "elsewhere"))
    assert "READINESS_LANDING" in call("run", code=2)


def test_what_landed_under_no_declared_batch_is_named(project: Path) -> None:
    call("run")
    land(project / "landing", "day_9", *GOOD)
    assert "what landed is not a batch that is declared: 'day_9' of shop.orders" in call("run")


def test_every_command_fits_a_terminal_of_eighty_columns(delivered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OUT, "width", 80)
    for words in (("status",), ("domain", "show"), ("quarantine", "list"), ("watch",), ("incidents", "list")):
        text = CliRunner().invoke(app, list(words)).stdout
        grid = [line for line in text.splitlines() if "  " in line.strip() and not line.startswith(("  shop.", "next"))]
        assert max(map(len, grid)) <= 80, text
        assert "…" not in text
    assert "day_3         4          0            4  held            –" in CliRunner().invoke(app, ["status"]).stdout


def test_the_version_is_printed() -> None:
    assert call("--version") == __version__


REF = BatchRef(TableId("shop", "orders"), "day_1")
SPELLED = (
    commands.run_command(REF),
    commands.status_command("shop"),
    commands.history_command(REF),
    commands.quarantine_command(REF),
    commands.replay_command(REF),
    commands.replay_command(REF, dry_run=False),
    commands.reconcile_command("shop"),
    commands.report_command("shop"),
)


@pytest.mark.parametrize("command", SPELLED)
def test_every_command_that_messages_suggest_runs(delivered: Path, command: str) -> None:
    words = command.split()
    assert words[0] == "readiness"
    call(*words[1:])


def test_domain_diff_shows_what_changed_since_a_gate_last_judged(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "shop.orders has judged no batch yet" in call("domain", "diff")
    call("run", "--all")
    assert "shop.orders has the gate that it had before" in call("domain", "diff")
    assert "judged by" not in call("run")
    changed = project / "changed_domain.py"
    changed.write_text("from readiness_pipelines_tests.samples import order_domain\nshop = order_domain(ratio=0.25)\n")
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setenv("READINESS_DOMAINS", "changed_domain:shop")
    ran = call("run")
    assert "were judged by other gates than the code has, and stay as before until judged again" in " ".join(
        ran.split()
    )
    assert "readiness plan shop --evaluate" in ran
    text = call("domain", "diff", "shop.orders")
    assert "tightened" in text
    assert "quarantined_ratio" in text
    (orders,) = as_json("domain", "diff", "orders")
    assert orders["changes"] == [
        {"kind": "tightened", "what": "tolerance: quarantined_ratio", "before": "0.5", "after": "0.25"}
    ]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"READINESS_DOMAINS": "a:b"}, "'a:b', which cannot be imported"),
        ({"READINESS_DOMAINS": "raises:x"}, "RuntimeError: boom [/x]"),
        ({"READINESS_DOMAINS": "[a"}, "domains"),
        ({"READINESS_LANDNG": "x"}, "did you mean 'READINESS_LANDING'"),
        ({"READINESS_ENGINE": "spork"}, "engine"),
        ({"READINESS_CONFIG": "broken.toml"}, "broken.toml is not TOML"),
        ({"READINESS_CONFIG": "latin.toml"}, "UTF-8"),
        ({"READINESS_CONFIG": "."}, "Is a directory"),
        ({"READINESS_LEDGER_URL": "nonsense"}, "URL"),
    ],
)
def test_no_mistake_of_a_user_ends_in_a_traceback(
    project: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    (project / "raises.py").write_text("raise RuntimeError('boom [/x]')\n")
    (project / "broken.toml").write_text("[settings")
    (project / "latin.toml").write_bytes(b"# \xff\n")
    monkeypatch.syspath_prepend(str(project))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 2, done.output + str(done.exception)
    assert re.match(r"error(\[(declaration|unknown-name)\])? ", done.stderr)
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_the_installed_command_ends_a_mistake_with_what_it_says_and_nothing_else(project: Path) -> None:
    done = run_process("status", READINESS_DOMAINS="a:b")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "'a:b', which cannot be imported" in done.stderr


def test_open_writes_the_page_of_a_batch_or_of_a_domain_and_says_where_it_is(
    delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = call("open", "orders", "--batch", "day_3", "--no-browser")
    page = delivered / "data" / "reports" / "shop.orders" / "day_3.html"
    assert f"data/reports/shop.orders/day_3.html: open {page.as_uri()}" in text
    assert "3 of 4 rows (75.00%) fail" in page.read_text(encoding="utf-8")
    (newest,) = as_json("open", "refund_rate")
    assert newest["file"] == "data/reports/shop.refund_rate/day_2.html"
    (report,) = as_json("open", "shop")
    assert report == {"file": "data/reports/shop.html", "url": (delivered / "data/reports/shop.html").as_uri()}
    assert '<a href="shop.orders/day_3.html">day_3</a>' in (delivered / "data/reports/index.html").read_text()
    assert "did you mean 'day_3'?" in call("open", "--batch", "day_33", "--no-browser", code=2)
    monkeypatch.setenv("READINESS_WEB_URL", "https://readiness.example")
    for words, path in (
        (["orders", "--batch", "day_3"], "batches/shop/orders/day_3"),
        (["orders"], "tables/shop/orders"),
        (["refund_rate"], "products/shop/refund_rate"),
        ([], ""),
    ):
        assert as_json("open", *words) == [{"url": f"https://readiness.example/{path}"}]


@pytest.mark.slow
def test_open_hands_the_page_to_the_browser(delivered: Path) -> None:
    browser = delivered / "browser"
    browser.write_text('#!/bin/sh\nprintf %s "$1" > opened\n')
    browser.chmod(0o755)
    done = run_process("open", "orders", "--batch", "day_1", BROWSER=str(browser))
    page = (delivered / "data" / "reports" / "shop.orders" / "day_1.html").as_uri()
    assert done.stdout.split()[-2:] == ["opened", page]
    assert (delivered / "opened").read_text() == page
