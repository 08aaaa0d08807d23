"""What an operator sees, in a real webserver: by GraphQL always, in headless Chromium where there is one."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import Ledger, ReplayRequest
from readiness_pipelines.names import TableId
from readiness_pipelines.orchestration import launching
from readiness_pipelines.reports.facts import gather
from readiness_pipelines.reports.page import html_page
from readiness_pipelines_tests.alerts.endpoint import Endpoint, listening
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.orchestration.samples import SHOP, make_project, own_home, run_unusual_week
from readiness_pipelines_tests.ports import free_port
from readiness_pipelines_tests.samples import BATCHES, MOSTLY_BAD, WEEKS, land, order_domain
from readiness_pipelines_tests.waiting import LONGEST_SECONDS, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOKS = 3

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    url: str
    runs: dict[str, str]
    project: Path
    home: str

    def ask(self, query: str, *, user: str = "", **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", **({"X-Readiness-User": user} if user else {})}
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:  # noqa: S310  # loopback
            told = json.loads(answer.read())
        assert "errors" not in told, told
        return told["data"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ui")) as found:
        yield found


@contextmanager
def serving(folder: Path, domain: str = SHOP) -> Iterator[Server]:
    """A webserver over an instance in which batches ran: one published in part, one of a single table, and one held."""
    project = make_project(folder, domain)
    runs = {}
    with own_home() as home, launching.open_instance(project) as instance:
        job = launching.find_job("shop", project=project)
        for batch, tables in (("day_1", None), ("day_2", [TableId("shop", "orders")]), ("day_3", None)):
            runs[batch] = launching.run_batch(job, batch, instance=instance, tags={}, tables=tables).run_id
        chosen = home()
    with webserver(project, chosen, runs) as found:
        yield found


@contextmanager
def webserver(project: Path, home: str, runs: dict[str, str]) -> Iterator[Server]:
    """A webserver of a project's code location, on a free port."""
    port = free_port()
    log = (project / "webserver.log").open("wb")
    command = [
        sys.executable,
        "-m",
        "dagster_webserver",
        "-w",
        str(project / "workspace.yaml"),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    process = subprocess.Popen(
        command, cwd=project, env={**os.environ, "DAGSTER_HOME": home}, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        found = Server(f"http://127.0.0.1:{port}", runs, project, home)
        _wait_for(found, process, project / "webserver.log")
        yield found
    finally:
        process.terminate()
        process.wait(LONGEST_SECONDS)
        log.close()


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        try:
            server.ask("{ version }")
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()[-2000:]
            return False
        return True

    wait_until(answers, lambda: log.read_text()[-2000:], every=0.2)


def test_the_graph_has_every_step_in_its_order(server: Server) -> None:
    told = server.ask("{ assetNodes { assetKey { path } dependencyKeys { path } groupName } }")["assetNodes"]
    upstream = {
        "/".join(node["assetKey"]["path"]): ["/".join(k["path"]) for k in node["dependencyKeys"]] for node in told
    }
    assert upstream == {
        "shop_raw/orders": [],
        "shop/orders": ["shop_raw/orders"],
        "shop/paid": ["shop/orders"],
        "shop/refund_rate": ["shop/orders"],
    }
    assert {node["groupName"] for node in told} == {"shop"}


AMOUNT = "amount_greater_than_or_equal_to"


def test_a_check_shows_its_numbers_and_sample_rows(server: Server) -> None:
    told = server.ask(
        """query($key: AssetKeyInput!, $check: String!) {
          assetCheckExecutions(assetKey: $key, checkName: $check, limit: 5) {
            runId evaluation { success severity description partition
              metadataEntries { label ... on IntMetadataEntry { intValue }
                ... on TableMetadataEntry { table { records } } } } } }""",
        key={"path": ["shop", "orders"]},
        check="rows",
    )["assetCheckExecutions"]
    (evaluation,) = [row["evaluation"] for row in told if row["runId"] == server.runs["day_1"]]
    entries = {entry["label"]: entry for entry in evaluation["metadataEntries"]}
    assert evaluation["success"] is False
    assert evaluation["partition"] == "day_1"
    assert entries[f"broken_rows: {AMOUNT}"]["intValue"] == 1
    (sample,) = map(json.loads, entries[f"sample_rows: {AMOUNT}"]["table"]["records"])
    assert sample["amount"] == "-20"


def test_a_held_partition_is_failed_and_its_gate_tells_why(server: Server) -> None:
    told = server.ask(
        """query($key: AssetKeyInput!) {
          assetNodeOrError(assetKey: $key) { ... on AssetNode {
            partitionStats { numMaterialized numFailed numPartitions } } }
          assetCheckExecutions(assetKey: $key, checkName: "gate", limit: 5) {
            runId evaluation { success description metadataEntries { label ... on TextMetadataEntry { text } } } } }""",
        key={"path": ["shop", "orders"]},
    )
    assert told["assetNodeOrError"]["partitionStats"] == {"numMaterialized": 2, "numFailed": 1, "numPartitions": 3}
    (gate,) = [row["evaluation"] for row in told["assetCheckExecutions"] if row["runId"] == server.runs["day_3"]]
    assert gate["success"] is False
    assert gate["description"].startswith("held: 3 of 4 rows (75.00%) fail")
    (command,) = [entry["text"] for entry in gate["metadataEntries"] if entry["label"] == "replay_command"]
    assert command == "readiness replay shop.orders --batch day_3 --dry-run"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; the GraphQL tests see the same")
@pytest.mark.parametrize(
    ("place", "sees"),
    [
        (
            "/assets/shop/orders?view=checks&checkDetail=rows",
            [f"broken_rows: {AMOUNT}", "pass_share", "sample_rows", "Shop team"],
        ),
        (
            "/runs/{day_3}",
            ["held: 3 of 4 rows", "over the tolerance of 50.00%", "products_at_risk", "decide_in_dagster"],
        ),
    ],
    ids=["check", "held run"],
)
def test_a_browser_shows_it(server: Server, tmp_path: Path, place: str, sees: list[str]) -> None:
    text = ""
    # Virtual time does not wait for the worker that lays out a graph, so a busy machine may need another look.
    for _ in range(LOOKS):
        text = _visible_text(server.url + place.format(**server.runs), tmp_path)
        if all(words in text for words in sees):
            break
    for words in sees:
        assert words in text, f"{words!r} is not on the page: {text[:3000]}"


@pytest.fixture(scope="module")
def unusual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A webserver over a path of which the eleventh week is not like the ten before."""
    project, run_id, home = run_unusual_week(tmp_path_factory.mktemp("unusual"))
    with webserver(project, home, {WEEKS[10]: run_id}) as found:
        yield found


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_how_a_column_moved(unusual: Server, tmp_path: Path) -> None:
    page = _page(f"{unusual.url}/assets/shop/orders?view=checks&checkDetail=distribution", tmp_path)
    text = _text(page)
    for words in ("amount: median 40", "as in 10 batches before", "largest_psi", "unusual_columns"):
        assert words in text, text[:3000]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("window", ["1400,1000", "420,900"], ids=["desk", "phone"])
def test_a_browser_shows_a_report_from_a_file(unusual: Server, tmp_path: Path, window: str) -> None:
    installation = Installation.open(settings_in(unusual.project))
    facts = gather(order_domain(batches=WEEKS), installation=installation, now=Run().clock())
    file = tmp_path / "report.html"
    # The browser is asked how wide the page is: one that scrolls sideways is not readable on a phone.
    probe = "<script>document.title = String(document.documentElement.scrollWidth <= window.innerWidth)</script>"
    file.write_text(html_page(facts).replace("</body>", f"{probe}</body>"))
    page = _page(file.as_uri(), tmp_path, window=window)
    assert "<title>true</title>" in page
    for words in ("refund_rate", "KPI over batches", "amount in week_11", "Shop team"):
        assert words in _text(page)
    drawn = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert set(drawn) == {"KPI over batches", "Rows over batches", "amount in week_11"}


ALERTS = """
[[alerts.channels]]
name = "oncall"
url_variable = "ONCALL_URL"
[[alerts.rules]]
channels = ["oncall"]
"""
NOT_LANDED = "day_4"


@pytest.fixture(scope="module")
def on_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Endpoint]]:
    """A webserver behind a proxy that knows who asks, with its daemon, and whom it alerts; one batch has not landed."""
    with ExitStack() as running:
        endpoint = running.enter_context(listening())
        with pytest.MonkeyPatch.context() as monkeypatch:  # both processes have it from when they start
            monkeypatch.setenv("ONCALL_URL", endpoint.url)
            monkeypatch.setenv("READINESS_IDENTITY", '{"header": "X-Readiness-User"}')
            domain = f"order_domain(batches={(*BATCHES, NOT_LANDED)!r})"
            server = running.enter_context(serving(tmp_path_factory.mktemp("on_call"), domain))
            (server.project / "readiness.toml").write_text(ALERTS)
            running.enter_context(daemon(server))
        yield server, endpoint


def test_runs_from_the_command_line_can_be_run_again_from_the_ui(on_call: tuple[Server, Endpoint]) -> None:
    server, _ = on_call
    for batch, assets in (("day_3", None), ("day_2", [["shop", "orders"], ["shop_raw", "orders"]])):
        told = server.ask(
            """mutation($run: ReexecutionParams) { launchRunReexecution(reexecutionParams: $run) {
              __typename ... on LaunchRunSuccess { run { id jobName tags { key value } assetSelection { path } } }
              ... on PythonError { message } } }""",
            run={"parentRunId": server.runs[batch], "strategy": "ALL_STEPS"},
        )["launchRunReexecution"]
        assert told["__typename"] == "LaunchRunSuccess", told
        run = told["run"]
        assert run["jobName"] == "shop"
        assert {"key": "dagster/partition", "value": batch} in run["tags"]
        assert (sorted(one["path"] for one in run["assetSelection"] or []) or None) == assets
        if assets:
            assert _steps(server, run["id"]) == {"shop_raw__orders", "shop__orders"}


def _steps(server: Server, run: str) -> set[str]:
    """The steps of a run, when it has succeeded."""
    told: Any = {}

    def succeeded() -> bool:
        told.update(
            server.ask(
                "query($id: ID!) { runOrError(runId: $id) { ... on Run { status stepStats { stepKey } } } }", id=run
            )["runOrError"]
        )
        assert told["status"] in {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "SUCCESS"}, told
        return bool(told["status"] == "SUCCESS")

    wait_until(succeeded, lambda: told, every=0.5)
    return {step["stepKey"] for step in told["stepStats"]}


DECISION = {
    "batch": "day_1",
    "decisions": [{"action": "correct", "column": "amount", "expression": "'20'", "where": "_row = 1"}],
    "who": "operator",
    "why": "the export's sign was wrong",
}


def test_a_decision_in_the_launchpad_is_of_whom_the_proxy_knows_replayed_and_the_check_turns_green(
    on_call: tuple[Server, Endpoint],
) -> None:
    server, _ = on_call
    told = server.ask(
        """mutation($run: ExecutionParams!) { launchRun(executionParams: $run) {
          __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message }
          ... on RunConfigValidationInvalid { errors { message } } } }""",
        user="ann@shop.example",
        run={
            "selector": {
                "repositoryLocationName": "orders",
                "repositoryName": "__repository__",
                "jobName": "shop_decide",
            },
            "runConfigData": {"ops": {"shop_decision": {"config": DECISION}}},
        },
    )["launchRun"]
    assert told["__typename"] == "LaunchRunSuccess", told
    wait_until(
        lambda: (asked := _request(server)) is not None and asked.state not in {"open", "started"},
        lambda: (_request(server), (server.project / "daemon.log").read_text()[-2000:]),
        every=1,
    )
    request = _request(server)
    assert request is not None
    assert (request.state, request.outcome, request.who) == ("done", "published", "ann@shop.example")
    told = server.ask(
        """query($key: AssetKeyInput!) {
          assetCheckExecutions(assetKey: $key, checkName: "gate", limit: 20) {
            runId evaluation { success partition } } }""",
        key={"path": ["shop", "orders"]},
    )["assetCheckExecutions"]
    green = {"success": True, "partition": "day_1"}
    newest = next(row for row in told if (row["evaluation"] or {}).get("partition") == "day_1")
    assert newest == {"runId": request.run_id, "evaluation": green}


def test_a_file_that_lands_is_gated_and_alerted_on_without_another_command(on_call: tuple[Server, Endpoint]) -> None:
    server, endpoint = on_call
    land(server.project / "landing", NOT_LANDED, *MOSTLY_BAD)
    wait_until(
        lambda: any(f"shop.orders[{NOT_LANDED}] · held" in message["message"] for message in endpoint.received),
        lambda: (server.project / "daemon.log").read_text()[-2000:],
        every=1,
    )


@contextmanager
def daemon(server: Server) -> Iterator[None]:
    """The daemon, whose sensors run what was asked for."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(server.project / "workspace.yaml")]
    with (server.project / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=server.project,
            env={**os.environ, "DAGSTER_HOME": server.home},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(LONGEST_SECONDS)


def _request(server: Server) -> ReplayRequest | None:
    ledger = Ledger.open(settings_in(server.project).ledger_url)
    return next(iter(ledger.replay_requests()), None)


def _visible_text(url: str, profile: Path) -> str:
    return _text(_page(url, profile))


def _page(url: str, profile: Path, window: str = "1500,1200") -> str:
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--window-size={window}",
        f"--user-data-dir={profile / 'chromium'}", "--virtual-time-budget=30000", "--dump-dom", url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=True).stdout


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)))
