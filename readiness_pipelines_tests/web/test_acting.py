"""What is done from a page: decided together, replayed once, taken, revealed; by whom, and by nobody else."""

import json
import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.identity import Identity
from readiness_pipelines.ledger import RequestState
from readiness_pipelines.names import TableId
from readiness_pipelines.web.app import ACTS, build_app
from readiness_pipelines.web.guard import TOKEN_COOKIE, TOKEN_FIELD
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.words import value_text
from readiness_pipelines_tests.web.conftest import Browser
from readiness_pipelines_tests.web.samples import SCRIPT, SECRET, carry_out, shop_domain

DAY = "shop/orders/day_3"
REF = BatchRef(TableId("shop", "orders"), "day_3")
NEGATIVE = {
    "kind__0": "correct",
    "column__0": "amount",
    "expression__0": "ltrim(amount, '-')",
    "where__0": "amount LIKE '-%'",
}
RIGHT = {**NEGATIVE, "cell__0__status": "paid"}


def test_the_on_call_story_held_decided_looked_at_replayed_published_and_in_the_trail(
    ann: Browser, changed_site: Site
) -> None:
    ledger = changed_site.installation.ledger
    before = len(ledger.trail())
    shown = ann.fill(f"/outcome/{DAY}", **RIGHT)
    assert "3 rows</b>" in shown
    assert "would be" in shown
    assert re.search(r"amount: <del>-7</del>.*<ins>7</ins>", shown)
    assert len(ledger.trail()) == before  # it was looked at, and nothing was kept
    foretold = ann.fill(f"/decide/{DAY}", **RIGHT, do="preview")
    then = re.search(r"refund_rate <span class=\"soft\">day_3</span></th><td[^>]*>–</td><td[^>]*>([^<]+)<", foretold)
    assert then is not None
    assert len(ledger.trail()) == before
    page = ann.fill(f"/decide/{DAY}", **RIGHT, do="keep", who="ann", why=f"sign lost {SCRIPT}")
    assert "judged again" in page
    record = ledger.get(REF)
    assert record is not None
    assert (record.state, record.counts.published) == ("published", 4)
    decided = [(one.who, one.verb, one.text) for one in ledger.decisions(REF)]
    value = kpi_values(changed_site.domains[0].kpis[0], installation=changed_site.installation, batches=["day_3"])[0]
    assert value_text(value, "ratio") == then[1]
    assert decided == [
        ("ann (unproved)", "correct", "1 cell of status from the page"),
        ("ann (unproved)", "correct", "amount = ltrim(amount, '-') where amount LIKE '-%'"),
    ]
    assert len(ledger.replay_requests()) == 1
    trail = ann.get(f"/batches/{DAY}").text
    assert "decided to correct" in trail
    assert "replay requested" in trail
    assert SCRIPT not in trail
    assert "shop.orders" not in ann.get("/inbox?show=held").text.partition("<main")[2].partition("<table")[2]
    undone = ann.fill(f"/decide/{DAY}", kind__0="undo", decision__0="2", do="keep", why="no")
    assert "judged again" in undone  # the name is remembered
    again = ledger.get(REF)
    assert again is not None
    assert again.state == "held"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"why": "x", "who": "ann"}, "nothing is decided"),
        ({**NEGATIVE, "who": "ann"}, "has no reason"),
        ({**NEGATIVE, "why": "x"}, "nobody is named who decides"),
        ({**NEGATIVE, "column__0": "amuont", "why": "x", "who": "ann"}, "did you mean &#39;amount&#39;?"),
        ({"kind__0": "waive", "rule__0": "readable", "why": "x", "who": "ann"}, "cannot be waived"),
        ({"kind__0": "waive", "rule__0": "tolerance", "until__0": "soon", "why": "x", "who": "ann"}, "is not a day"),
        ({"cell__0": "x", "why": "x", "who": "ann"}, "is in no row"),
        ({**NEGATIVE, "where__0": f"email = '{SECRET}' AND amount > 'x'::INT", "why": "x", "who": "ann"}, "error"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_what_was_written_stays(
    ann: Browser, changed_site: Site, fields: dict[str, str], told: str
) -> None:
    page = ann.fill(f"/decide/{DAY}", **fields, do="keep")
    assert ann.status == 400
    assert told in page
    assert not changed_site.installation.ledger.decisions(REF)
    if "expression__0" in fields:
        assert "ltrim(amount, &#39;-&#39;)" in page


def test_lines_are_added_and_removed_without_a_script(browser: Browser) -> None:
    page = browser.fill(f"/decide/{DAY}", **NEGATIVE, do="add-waive")
    assert "1. Correct a column" in page
    assert "2. Waive a rule" in page
    assert '<option value="amount" selected>' in page  # its text loses blanks: browsers collapse them
    page = browser.fill(f"/decide/{DAY}", **NEGATIVE, kind__1="waive", do="remove-0")
    assert "1. Waive a rule" in page
    assert "Correct a column" not in page


def test_more_rows_than_one_person_may_decide_about_wait_for_a_second(changed_site: Site) -> None:
    shop, installation = shop_domain(second_person_over=2), changed_site.installation
    start = lambda number: carry_out(number, shop, installation)  # noqa: E731  # a line
    strict = replace(changed_site, domains=(shop,), start_replay=start)
    strict.__dict__.pop("tables", None)
    ann, bob = Browser(build_app(strict)), Browser(build_app(strict))
    waived = {"kind__0": "waive", "rule__0": "amount_greater_than_or_equal_to", "why": "refunds", "do": "keep"}
    page = ann.fill(f"/decide/{DAY}", **waived, who="ann")
    assert "waits for a second person" in page
    assert not installation.ledger.replay_requests()
    approve = {"kind__0": "approve", "decision__0": "1", "why": "looked", "do": "keep"}
    assert "cannot approve it" in ann.fill(f"/decide/{DAY}", **approve, who="Ann")
    assert "judged again" in bob.fill(f"/decide/{DAY}", **approve, who="bob")
    record = installation.ledger.get(REF)
    assert record is not None
    assert record.state == "partly_published"


def test_classified_values_are_shown_for_a_reason_that_the_trail_keeps(ann: Browser, changed_site: Site) -> None:
    ledger = changed_site.installation.ledger
    assert "has no reason" in ann.fill(f"/reveal/{DAY}", who="ann", why=" ")
    page = ann.fill(f"/reveal/{DAY}", who="ann", why="the customer calls")
    assert SECRET in page
    last = ledger.trail(ref=REF)[-1]
    assert (last.what, last.who, last.why) == ("classified values read", "ann (unproved)", "the customer calls")
    assert last.details == {"columns": ["email"], "rows": 4}
    settings = changed_site.settings.model_copy(update={"identity": Identity(header="x-user")})
    proving = Browser(build_app(replace(changed_site, settings=settings)))
    assert SECRET not in proving.fill(f"/reveal/{DAY}", who="ann", why="I may")
    assert proving.status == 403
    assert len(ledger.trail(ref=REF)) == last.id or ledger.trail(ref=REF)[-1] == last


def test_a_batch_is_taken_with_its_incident_and_given_to_somebody(ann: Browser, changed_site: Site) -> None:
    from readiness_pipelines.alerts import AlertSettings, watch  # noqa: PLC0415  # only here

    watch(changed_site.domains, AlertSettings(), installation=changed_site.installation, clock=changed_site.clock)
    assert "held" in ann.get("/incidents").text
    page = ann.fill(f"/take/{DAY}", who="ann", back="inbox")
    assert "ann (unproved)" in page
    (incident,) = [
        one for one in changed_site.installation.ledger.incidents.incidents(active=True) if one.finding.kind == "held"
    ]
    assert incident.acknowledged_by == "ann (unproved)"
    assert "taken by bob" in ann.fill(f"/take/{DAY}", who="ann", person="bob", why="knows the export")
    assert DAY not in ann.get("/inbox?show=mine").text.partition("<table")[2]
    assert "resolved" in ann.fill(f"/incidents/{incident.id}", do="resolve", who="ann", why="known")


def test_every_form_needs_the_token_of_this_browser_and_its_own_origin(browser: Browser, site: Site) -> None:
    browser.get("/")
    own = {TOKEN_FIELD: browser.cookies[TOKEN_COOKIE], "who": "eve", "why": "x", "do": "keep", "kind.0": "discard"}
    before = site.installation.ledger.pulse()
    for path, _ in ACTS:
        address = (
            path.replace("{domain}/{table}/{batch:path}", DAY).replace("{request}", "1").replace("{incident}", "1")
        )
        assert browser.post(address, data={**own, TOKEN_FIELD: "x"}).status_code == 403, path
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            assert browser.post(address, data=own, headers=headers).status_code == 403, (path, headers)
        assert browser.post(address, content=b"x" * 1_100_000).status_code == 400
    for path in (f"/api/decisions/{DAY}", f"/api/outcome/{DAY}"):
        foreign = browser.post(path, json={"decisions": []}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        plain = browser.post(path, content='{"decisions": []}', headers={"content-type": "text/plain"})
        assert plain.status_code == 400
        assert (
            browser.post(path, content="[" * 100_000, headers={"content-type": "application/json"}).status_code == 400
        )
    assert site.installation.ledger.pulse() == before


def test_cookies_of_other_programs_of_the_host_take_no_token_away(site: Site) -> None:
    browser = TestClient(build_app(site))
    token = browser.get("/").cookies[TOKEN_COOKIE]
    browser.cookies.clear()
    sent = {b"cookie": f'theme={{"a":1}}; x=a b; flag; name=ü; {TOKEN_COOKIE}={token}'.encode()}
    assert "set-cookie" not in browser.get("/static/page.css", headers=sent).headers
    form = {TOKEN_FIELD: token, "kind.0": "discard", "do": "preview"}
    assert browser.post(f"/decide/{DAY}", data=form, headers=sent).status_code == 200


def test_nobody_acts_on_a_page_that_is_looked_at_only(site: Site) -> None:
    looked = Browser(build_app(replace(site, read_only=True)))
    assert "Decide and replay" not in looked.get(f"/decide/{DAY}").text
    looked.fill(f"/decide/{DAY}", **NEGATIVE, do="keep", who="eve", why="x")
    assert not site.installation.ledger.decisions(REF)
    assert (
        looked.post(f"/api/decisions/{DAY}", json={"decisions": [{"kind": "discard"}], "who": "eve"}).status_code == 403
    )


def test_programs_decide_by_the_api(ann: Browser, changed_site: Site) -> None:
    draft = {
        "decisions": [
            {"kind": "correct", "column": "amount", "expression": "ltrim(amount, '-')", "where": "amount LIKE '-%'"},
            {"kind": "correct", "cells": {"status": {"0": "paid"}}},
        ],
        "why": "sign lost",
        "who": "robot",
    }
    outcome = ann.post(f"/api/outcome/{DAY}", json=draft).json()
    assert (outcome["would_be"], outcome["changed"]) == ("published", 4)
    kept = ann.post(f"/api/decisions/{DAY}", json=draft).json()
    assert [one["rows"] for one in kept["decisions"]] == [3, 1]
    (wanted,) = kept["replays"]
    assert ann.get(f"/api/replays/{wanted['replay']}").json()["state"] == "done"
    wrong = ann.post(f"/api/outcome/{DAY}", json={"decisions": [{"kind": "wave"}], "who": "robot"})
    assert (wrong.status_code, wrong.json()["way_out"]) == (404, "did you mean 'waive'?")
    for odd in ({"kind": "discard", "where": {"amount": 1}}, {"kind": "undo", "decision": "1e999"}):
        sent = json.dumps({"decisions": [odd], "who": "robot"}).replace('"1e999"', "1e999")
        headers = {"content-type": "application/json"}
        assert ann.post(f"/api/outcome/{DAY}", content=sent, headers=headers).json()["code"] == "declaration"


def test_a_replay_that_nobody_began_or_that_broke_can_be_started_again(changed_site: Site) -> None:
    ledger = changed_site.installation.ledger
    wanted = ledger.request_replay(REF, who="ann", why="x", at=changed_site.clock())
    ann = Browser(build_app(changed_site))
    assert "waits for its turn" in ann.get(f"/replays/{wanted.id}").text
    ledger.move_request(wanted.id, state=RequestState.FAILED, run_id=None, outcome=f"it broke {SCRIPT}")
    page = ann.get(f"/replays/{wanted.id}").text
    assert "it broke &lt;script&gt;" in page
    assert "Start it again" in page
    assert "judged again" in ann.fill(f"/replays/{wanted.id}", who="ann")
    assert [one.state for one in ledger.replay_requests()] == ["failed", "done"]
