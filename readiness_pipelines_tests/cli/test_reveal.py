"""Who has the key turns tokens back, with a reason, and leaves a trail; nobody else does."""

from importlib import import_module
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from readiness_pipelines.cli.main import app
from readiness_pipelines.delivery import deliver, ingest
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.samples import gated

PAGE = """
import pandera.pyarrow as pa
import pyarrow as arrow
from readiness_pipelines import Domain, FileDrop, Pseudonym, Source, StaticBatches, Steward, Token, protect

class Person(pa.DataFrameModel):
    name: arrow.string() = pa.Field(metadata=protect("pii.direct", Token(key="people")))
    number: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="people")))

tokens_shop = Domain("tokens_shop", owner="a@shop.example")
tokens_shop.gated(
    "people",
    source=Source(origin="Office", steward=Steward("Office", "a@shop.example"), reader=FileDrop("{batch}.csv")),
    schema=Person,
    batches=StaticBatches(keys=("one",)),
)
"""
NAMES = ["Åse Øvre", "王小明", "zq06 kept"]
OF = ("tokens_shop.people.name", "--batch", "one")


def turned_back(tokens: list[str], *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["reveal", *arguments], input="\n".join(tokens))
    return result.exit_code, result.output


def test_tokens_are_turned_back_with_a_reason_that_is_kept_and_by_their_own_key_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokens_shop_page.py").write_text(PAGE)
    (tmp_path / "landing").mkdir()
    lines = ["name,number", *(f"{name},n{place}" for place, name in enumerate(NAMES))]
    (tmp_path / "landing" / "one.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, value in {
        "DOMAINS": "tokens_shop_page:tokens_shop",
        "LANDING": "landing",
        "WAREHOUSE": str(tmp_path / "warehouse"),
        "SETTLES": "0s",
        "KEYS": '{"people": "env:TOKENS_SHOP_KEY"}',
    }.items():
        monkeypatch.setenv(f"READINESS_{name}", value)
    monkeypatch.setenv("TOKENS_SHOP_KEY", "k" * 48)
    monkeypatch.setenv("DAGSTER_HOME", "")
    installation = Installation.open(Settings())
    table = gated(import_module("tokens_shop_page").tokens_shop, "people")
    ingest(table, batch="one", installation=installation, run=Run())
    deliver(table, batch="one", installation=installation, run=Run())
    with duckdb.connect() as connection:
        rows = installation.lakehouse.relation(connection, table.id).order("_row").project("name, number").fetchall()
    tokens = [name for name, _ in rows]
    assert not set(tokens) & set(NAMES)

    code, said = turned_back(tokens, *OF, "--reason", "a court asked", "--who", "ann")
    assert (code, said.splitlines()) == (0, NAMES)
    (look,) = [one for one in installation.ledger.trail() if one.what == "classified values read"]
    assert (look.who, look.why) == ("ann (unproved)", "a court asked")
    assert look.details == {"columns": ["name"], "rows": 3}

    def refused(wrong: str, given: list[str], *arguments: str) -> None:
        code, said = turned_back(given, *arguments, "--reason", "curious")
        assert code != 0
        assert wrong in " ".join(said.split())
        assert not any(name in said for name in NAMES)

    refused(
        "has no tokens that can be turned back", [number for _, number in rows], *OF[1:], "tokens_shop.people.number"
    )
    refused("line 2: not a token of this key", [tokens[0], "rubbish"], *OF)
    refused("nothing", tokens, "tokens_shop.people.name", "--batch", "nothing")
    monkeypatch.setenv("TOKENS_SHOP_KEY", "o" * 48)
    refused("line 1: not a token of this key", tokens, *OF)
    monkeypatch.delenv("TOKENS_SHOP_KEY")
    refused("TOKENS_SHOP_KEY", tokens, *OF)
    assert sum(one.what == "classified values read" for one in installation.ledger.trail()) == 1
