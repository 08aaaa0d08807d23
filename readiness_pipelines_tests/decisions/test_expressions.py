"""Expressions that people write: over one row, with the same answer every time, or refused."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandera.pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.decisions import Correction, Decision, Discarding, Waiver, What, check_conditions, corrected
from readiness_pipelines.decisions.allowed_functions import ALLOWED_FUNCTIONS, FUNCTION_NAMES
from readiness_pipelines.decisions.expressions import MOST_CHARACTERS, check_expression
from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.gates import Gate
from readiness_pipelines.names import TableId
from readiness_pipelines.sql import utc_connection

INNOCENT = """
amount
'8'
NULL
amount || 'x'
lpad(amount, 3, '0')
LOWER(trim(name))
coalesce(name, 'none')
ifnull(name, 'none')
nullif(amount, '')
if(amount = '1', 'a', 'b')
CASE WHEN amount = '1' THEN 'a' ELSE 'b' END
CASE amount WHEN '1' THEN 'a' END
CAST(number AS VARCHAR)
TRY_CAST(amount AS INTEGER)
TRY_CAST(amount AS DECIMAL(10, 2))
number::DOUBLE * 1.5
-number + 2 // 3 % 4
abs(number) ** 2
amount IN ('1', '2')
amount NOT IN ('1', '2')
amount IN ['1', '2']
number BETWEEN 1 AND 5
amount IS NULL OR NOT (name = 'a')
amount IS DISTINCT FROM name
amount LIKE '1%' AND name NOT ILIKE '%b'
amount LIKE 'x!%' ESCAPE '!'
amount GLOB '1*'
amount ~ '[0-9]+'
amount SIMILAR TO '[0-9]+'
regexp_full_match(amount, '[0-9]{1,2}')
regexp_replace(amount, 'x', '1', 'g')
extract(year FROM paid)
date_trunc('month', paid)
paid + INTERVAL 1 DAY
date_diff('day', paid, paid)
DATE '2026-01-01' < paid
strftime(paid, '%Y')
split_part(name, '-', 2)
substring(name FROM 1 FOR 2)
position('a' IN name)
greatest(number, 0)
round(number / 3, 2)
"name" = 'now()'
format('{:>8} {{}}', name)
replace(regexp_replace(name, '[a-z]', '', 'g'), 'a', name)
levenshtein(name, 'abc') < 3
TRY(amount)
list_contains(['a'], name)
""".strip().splitlines()

HOSTILE = """
(SELECT 1)
amount IN (SELECT 'x')
EXISTS (SELECT 1)
(SELECT content FROM read_text('/etc/passwd'))
1) UNION SELECT (2
1) FROM range(3) WHERE (true
1) FROM range(3) --
false) OR (true
1), (2
1, 2
1; DROP TABLE x
1 AS other
1) AS other, (2
1 --
1 /*
DISTINCT amount
*
COLUMNS(*)
COLUMNS('a.*')
rows_given.*
$1
?
#1
DEFAULT
count(*)
sum(number)
max(amount)
list(amount)
string_agg(amount, ',')
any_value(amount)
row_number() OVER ()
lag(amount) OVER (ORDER BY number)
sum(number) FILTER (WHERE true)
list_transform([1], lambda x: x + 1)
[x FOR x IN [1, 2]]
random()
uuid()
gen_random_uuid()
now()
current_date
current_time
current_timestamp
localtimestamp
localtime
get_current_timestamp()
transaction_timestamp()
today()
age(paid)
ago(INTERVAL 1 DAY)
current_setting('temp_directory')
getenv('HOME')
getvariable('x')
nextval('x')
txid_current()
current_user
current_database()
version()
pg_sleep(1)
error('x')
hash(amount)
main.lower(amount)
system.main.lower(amount)
read_text('/etc/passwd')
read_blob('/etc/passwd')
glob('/etc/*')
unnest([1, 2])
generate_series(1, 2)
query('SELECT 1')
paid AT TIME ZONE 'Europe/Berlin'
amount COLLATE NOCASE
gone
lowr(amount)
amount || (SELECT 'x')
coalesce((SELECT 1), 2)
CASE WHEN EXISTS (SELECT 1) THEN 1 END
lower(DISTINCT amount)
lower(amount ORDER BY amount)
list_value(number ORDER BY random())
''
'a
)
(
🦆(
""".strip().splitlines()
HOSTILE = [text for text in HOSTILE if text != "''"]
HOSTILE += ["", " ", "lower(" * 900 + "amount" + ")" * 900, "1" + "+1" * 900, "(" * 5000 + "1" + ")" * 5000]
HOSTILE += ["1" * (MOST_CHARACTERS + 1), "NOT " * 2000 + "true", "\0", "1\0", "1\n--\n, 2"]

ROWS = (
    "SELECT * FROM (VALUES (0::BIGINT, '10', 'a', 1, TIMESTAMP '2026-01-01', NULL), (1, 'x', 'b', 0, NULL, NULL), "
    "(2, NULL, NULL, NULL, NULL, '…')) rows_given(_row, amount, name, number, paid, _unreadable)"
)
REF = BatchRef(TableId("shop", "orders"), "day_1")


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with utc_connection() as engine:
        yield engine


@pytest.fixture(scope="module")
def rows(engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    return engine.sql(ROWS)


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate(pa.DataFrameSchema({"amount": pa.Column(str, nullable=True)}), name="shop.orders")


def decision(what: What) -> Decision:
    return Decision(
        id=4, ref=REF, what=what, text=what.describe(), who="ann", why="known", at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def refusal(text: str, rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> ReadinessError:
    try:
        check_expression(text, rows, engine)
    except DeclarationError as error:
        return error
    pytest.fail(f"accepted {text!r}")


def test_innocent_expressions_are_accepted(rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection) -> None:
    for text in INNOCENT:
        check_expression(text, rows, engine)


def test_hostile_expressions_are_refused_with_a_way_out(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    for text in HOSTILE:
        assert refusal(text, rows, engine).way_out, text


def test_a_function_that_is_not_listed_is_named(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(DeclarationError, match="calls the function 'lowr'") as caught:
        check_expression("lowr(amount)", rows, engine)
    assert caught.value.way_out.startswith("did you mean 'lower'?")


def test_every_listed_function_is_one_of_duckdb_and_always_answers_alike(engine: duckdb.DuckDBPyConnection) -> None:
    known: dict[str, set[tuple[str, str | None]]] = {}
    query = "SELECT function_name, function_type, stability FROM duckdb_functions()"
    for name, kind, stability in engine.execute(query).fetchall():
        known.setdefault(name, set()).add((kind, stability))
    syntax = {"coalesce", "ifnull"}  # which DuckDB parses as operators
    assert FUNCTION_NAMES - syntax <= set(known)
    allowed = {("scalar", "CONSISTENT"), ("macro", None)}
    assert {name for name in FUNCTION_NAMES - syntax if not known[name] <= allowed} == set()


def test_the_runbook_lists_the_functions_that_are_allowed() -> None:
    runbook = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
    for group, names in ALLOWED_FUNCTIONS.items():
        (line,) = re.findall(rf"^\| {group} \| (.*) \|$", runbook, re.MULTILINE)
        assert tuple(re.findall("`([^`]*)`", line)) == names


@pytest.mark.parametrize(
    "text",
    [
        "lpad(name, 1000000000, 'x')",
        "rpad(name, number * 1000000, 'x')",
        "left(lpad('', 2000000000, 'x'), 1)",
        "format('{:1000000000d}', number)",
        "format('{:{}d}', number, 1000000000)",
        "printf('%*d', 1000000000, number)",
        f"replace(replace(replace('{'x' * 90}', 'x', '{'x' * 900}'), 'x', '{'x' * 900}'), 'x', '{'x' * 900}')",
        f"regexp_replace(regexp_replace(name, '', '{'x' * 900}', 'g'), '', '{'x' * 900}', 'g')",
        "levenshtein(lpad('', 90000, 'x'), lpad('', 90000, 'y'))",
    ],
)
def test_a_value_that_is_larger_than_any_machine_is_refused_before_it_is_made(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, text: str
) -> None:
    assert refusal(text, rows, engine).way_out


@pytest.mark.parametrize("character", ["\ud800", "\0", "\x1b", "\u202e", "\u2066"])
def test_a_character_that_people_cannot_read_is_refused_by_name(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, character: str
) -> None:
    refused = refusal(f"name = '{character}'", rows, engine)
    assert f"U+{ord(character):04X}" in refused.what
    assert character not in str(refused)


@pytest.mark.parametrize(
    "what", [Waiver(rule="tolerance", where="amount::INTEGER = 1"), Discarding(where="amount::INTEGER = 1")]
)
def test_a_condition_that_fails_in_new_rows_names_its_decision(rows: duckdb.DuckDBPyRelation, what: What) -> None:
    with pytest.raises(DeclarationError, match=r"decision 4 about .* cannot be applied"):
        check_conditions(rows, [decision(what)])


def test_a_cast_that_fails_in_new_rows_names_its_decision(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(DeclarationError, match=r"decision 4 about .* cannot be applied"):
        corrected(rows, [decision(Correction(column="amount", expression="amount::INTEGER"))], engine)


LEAVES = st.sampled_from(
    [
        "amount",
        "number",
        "name",
        "paid",
        "'1'",
        "1",
        "NULL",
        "current_date",
        "*",
        "$1",
        "gone",
        "(SELECT 1)",
        "random()",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = [*sorted(FUNCTION_NAMES), "sum", "now", "random", "unnest", "getenv", "age", "read_text"]
    calls = st.builds(
        lambda name, given: f"{name}({', '.join(given)})", st.sampled_from(functions), st.lists(inner, max_size=3)
    )
    operator = st.sampled_from(["+", "||", "=", "<", "AND", "OR", "LIKE", "IS DISTINCT FROM", ") OR (", ",", "UNION"])
    pairs = st.builds(lambda left, by, right: f"{left} {by} {right}", inner, operator, inner)
    casts = st.builds(lambda value, kind: f"CAST({value} AS {kind})", inner, st.sampled_from(["INT", "DATE", "TEXT"]))
    cases = st.builds(lambda when, then: f"CASE WHEN {when} THEN {then} END", inner, inner)
    return st.one_of(calls, pairs, casts, cases)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(text=st.recursive(LEAVES, _grown, max_leaves=6))
def test_an_expression_is_refused_or_changes_rows_of_the_batch_alone(
    rows: duckdb.DuckDBPyRelation, engine: duckdb.DuckDBPyConnection, gate: Gate, text: str
) -> None:
    what = Correction(column="amount", expression=text, where=f"{text} IS NOT NULL OR true")
    try:
        what.check(rows, engine, gate)
        found = corrected(rows, [decision(what)], engine)
    except ReadinessError:
        return
    first = found.order("_row").fetchall()
    assert [row[0] for row in first] == [0, 1, 2]
    assert [(row[2:]) for row in first] == [row[2:] for row in rows.order("_row").fetchall()]
    assert first == found.order("_row").fetchall()
    assert first[2][1] is None, "a row that could not be parsed has no cell to correct"
