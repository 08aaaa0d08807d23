"""`readiness contract`: exported, committed, checked before a merge; imported by others; linted."""

import json
import subprocess
from pathlib import Path

import pytest

from readiness_pipelines_tests.cli.calling import as_json, call
from readiness_pipelines_tests.cli.conftest import MakeProject

SHOP = """order_domain(ratio=RATIO)
domain.consumer("finance", contact="f@shop.example", table=domain.table("orders"), columns="amount", notice="30d")"""


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.email=a@b.example", "-c", "user.name=a", *arguments], check=True, stdout=-1)


def test_who_breaks_is_said_before_a_merge_and_the_exit_code_tells(make: MakeProject) -> None:
    make(SHOP.replace("RATIO", "0.5"))
    assert "nothing says what consumers know → readiness contract export" in call("contract", "check", code=2)
    assert "contracts/ has 3 contracts; 3 new or changed" in call("contract", "export")
    assert "0 new or changed" in call("contract", "export")
    git("init", "--quiet")
    git("add", "contracts")
    git("commit", "--quiet", "--message", "contracts")
    assert "0 contracts of 3 changed; 0 breakages: may be merged" in call("contract", "check", "--against", "HEAD")
    # A consumer's own contract may lie beside those that are exported, and one of a table that was.
    file = Path("contracts/shop.orders.odcs.yaml")
    known = file.read_text()
    of_finance = "apiVersion: v3.1.0\nkind: DataContract\nid: f\nversion: 1\ndomain: shop\nschema: [{name: orders}]"
    Path("contracts/finance.odcs.yaml").write_text(of_finance)
    Path("contracts/shop.old.odcs.yaml").write_text(known.replace("shop.orders", "shop.old"))
    assert "contracts/shop.old.odcs.yaml is of a table that is not declared any more" in call("contract", "export")
    assert "breaks finance <f@shop.example>: the table is gone" in call("contract", "check", code=1)
    Path("contracts/shop.old.odcs.yaml").unlink()
    file.write_text(known.replace("quarantined_ratio: 0.5", "quarantined_ratio: 0.1"))
    git("commit", "--quiet", "--all", "--message", "as if consumers had known a tighter tolerance")
    file.write_text(known)
    said = call("contract", "check", "--against", "HEAD", code=1)
    assert "breaks finance <f@shop.example>: tolerance is looser: not announced, 30d before" in said
    assert "computed from it: shop.paid, shop.refund_rate" in said
    assert "| consumers | tolerance | is looser | quarantined\\_ratio 0.1" in call(
        "contract", "check", "--against", "HEAD", "--markdown", code=1
    ).replace("_", "\\_").replace("\\\\_", "\\_")
    told = as_json("contract", "check", "shop.orders", "--against", "HEAD", code=1)
    (table,) = told["tables"]
    assert (told["may_pass"], told["stale"], table["compatibility"], table["breakages"][0]["who"]) == (
        False, [], "backward", "finance",
    )  # fmt: skip
    file.write_text(known.replace("latency", "lateness"))
    assert call("contract", "check", "shop.paid").endswith("may be merged")
    assert "is not a file or folder, and not a commit either" in call(
        "contract", "check", "--against", "nowhere", code=2
    )
    git("checkout", "--quiet", "HEAD", "contracts")
    assert "shop.orders.odcs.yaml is not what the code says" in call("contract", "check", "--against", "HEAD", code=1)
    assert [one["table"] for one in as_json("plan", code=0)["contracts"]] == ["shop.orders"]


def test_a_contract_of_others_becomes_a_page_once(project: Path) -> None:
    call("contract", "export", "shop.orders")
    file = "contracts/shop.orders.odcs.yaml"
    assert call("contract", "lint", file) == "nothing is wrong in 1 contract; an import would list 0 as not mapped"
    said = call("contract", "import", file, "--into", "theirs.py", "--domain", "theirs")
    assert "theirs.py declares the domain theirs: orders" in said
    assert 'domain = Domain("theirs"' in Path("theirs.py").read_text()
    assert "theirs.py is there already" in call("contract", "import", file, "--into", "theirs.py", code=2)
    value = as_json("contract", "import", file, "--into", "more.py")
    assert (value["tables"], value["lost"]) == ({"shop.orders": "orders"}, [])


def test_lint_says_what_is_wrong_of_each_file_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bomb.yaml").write_text("a: &a [*a]")
    Path("wrong.json").write_text(
        json.dumps({"apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "vesion": "1"})
    )
    said = call("contract", "lint", "bomb.yaml", "wrong.json", code=1)
    assert "bomb.yaml:1: &a is within itself → take the alias out" in said
    assert "wrong.json:1: vesion: the standard has no such field → did you mean 'version'?" in said
    assert "3 wrong in 2 contracts" in said
    assert len(as_json("contract", "lint", "bomb.yaml", "wrong.json", code=1)["problems"]) == 3
