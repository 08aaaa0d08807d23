"""Tables drafted from real databases run unedited, and what cannot be read is refused without the address."""

import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import NullPool, create_engine, text

from readiness_pipelines.drafting import DomainDraft, domain_page, draft_database
from readiness_pipelines.errors import DeclarationError, LandingError, ReadinessError
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.databases import new_postgres_database
from readiness_pipelines_tests.drafting.running import run_unedited

ROWS = 120
STATEMENTS = (
    "CREATE TABLE customers (id BIGINT, email VARCHAR(40))",
    "INSERT INTO customers VALUES (1, 'a@shop.example'), (2, 'b@shop.example')",
    'CREATE TABLE "order" ("No." BIGINT, amount DOUBLE PRECISION, status VARCHAR(20), seen TIMESTAMP, note VARCHAR(9))',
    *(
        f"INSERT INTO \"order\" VALUES ({n}, {-1 if n == 7 else n}.5, '{'paid' if n % 4 else 'refunded'}', "
        f"'2026-01-{n % 28 + 1:02} 10:00:00', {'NULL' if n % 2 else repr('-' if n % 4 else 'x')})"
        for n in range(ROWS)
    ),
)


@pytest.fixture(params=["sqlite", "postgres", "duckdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with two tables."""
    if request.param == "postgres":
        url = new_postgres_database()
        with create_engine(url, poolclass=NullPool).begin() as connection:
            for statement in STATEMENTS:
                connection.execute(text(statement))
        return url
    file = tmp_path / "shop.db"
    opened = sqlite3.connect(file) if request.param == "sqlite" else duckdb.connect(file)
    for statement in STATEMENTS:
        opened.execute(statement)
    if isinstance(opened, sqlite3.Connection):
        opened.commit()
    opened.close()
    return f"{request.param}:///{file}"


def drafted(url: str, *tables: str) -> DomainDraft:
    return draft_database("drafted_shop", tables, url=url, connection="billing")


def bare(text: str) -> str:
    """A text without quotes, which lines break and Python doubles."""
    return re.sub(r"""[\\"']""", "", text)


def test_tables_of_a_database_run_unedited(
    url: str, tmp_path: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = drafted(url, "order", "customers")
    page = domain_page(draft)
    plain = " ".join(line.strip().removeprefix("# ") for line in page.splitlines())
    for words in (
        '''SELECT "No." AS no, "amount", "status", "seen", "note" FROM "order"''',
        'connection="billing",  # see readiness.toml',
        'missing="-"',
        "no: arrow.int64() = pa.Field(unique=True)",
        "1 of 120 rows fail amount_greater_than_or_equal_to: '-1.5'",
        'SqlQuery(…, cursor="seen", overlap="2d"), DailyBatches(start=…)',
        '"SELECT * FROM customers"',
    ):
        assert words.replace('"', "").replace("'", "") in plain.replace('"', "").replace("'", "").replace("\\", ""), (
            page
        )
    assert "FileDrop" not in page
    monkeypatch.setenv("READINESS_CONNECTIONS", json.dumps({"billing": url}))
    connected = replace(installation, connection={"billing": url}.__getitem__)
    deliveries = run_unedited("drafted_shop", draft, page, tmp_path, connected)
    assert sorted(
        (one.ref.table.name, one.counts.ingested, one.counts.published, one.counts.quarantined) for one in deliveries
    ) == [("customers", 2, 2, 0), ("order", ROWS, ROWS - 1, 1)]


def test_what_cannot_be_read_is_refused_without_the_address(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as opened:
        opened.execute("CREATE TABLE orders (id INTEGER, ID2 INTEGER, _row INTEGER)")
    opened.close()
    refused: list[tuple[str, tuple[str, ...], type[ReadinessError], str]] = [
        (f"sqlite:///{file}", ("nowhere",), LandingError, "the table nowhere: .*no such table"),
        (f"sqlite:///{file}", ("orders",), LandingError, "_row"),
        (f"sqlite:///{file}", ("orders", "orders"), DeclarationError, "given twice"),
        ("mysql://me:secret@host/shop", ("orders",), DeclarationError, "cannot be read: mysql"),
        (
            "postgresql://me:secret@127.0.0.1:1/shop",
            ("orders",),
            LandingError,
            "the table orders: connection 'billing'",
        ),
    ]
    for url, tables, error, says in refused:
        with pytest.raises(error, match=says) as caught:
            drafted(url, *tables)
        assert "secret" not in str(caught.value)
