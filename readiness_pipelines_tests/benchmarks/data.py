"""Orders made up from hashes: the same rows on every machine, with a share of them bad in four ways."""

import duckdb

COLUMNS = ("id", "customer", "amount", "currency", "status", "code", "days", "score", "day", "mail", "flag", "note")
FRAMEWORK = ("_batch", "_row", "_file")

WAYS = 5
"""A repeated key makes two rows bad, each other way one."""


def make_orders(file: str, *, rows: int, bad: float) -> None:
    """Write typed orders as a Parquet file, as ingestion leaves them.

    Args:
        file: Where to.
        rows: How many.
        bad: Share that breaks a rule, 0 to 1: a negative amount, an unknown currency, a malformed code, a repeated id.
    """
    step = bad / WAYS
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            COPY (
                SELECT CASE WHEN h BETWEEN {3 * step} AND {4 * step} AND i % 2 = 0 AND i + 1 < {rows}
                        THEN i + 1 ELSE i END AS id,
                    (hash(i) % 1000000)::BIGINT AS customer,
                    CASE WHEN h < {step} THEN -1.0 ELSE (hash(i + 1) % 100000) / 100.0 END::DOUBLE AS amount,
                    CASE WHEN h BETWEEN {step} AND {2 * step} AND {bad} > 0 THEN 'ZZZ'
                        ELSE ['EUR', 'USD', 'GBP', 'CHF'][1 + (hash(i + 2) % 4)::INT] END AS currency,
                    ['new', 'paid', 'shipped', 'returned'][1 + (hash(i + 3) % 4)::INT] AS status,
                    CASE WHEN h BETWEEN {2 * step} AND {3 * step} AND {bad} > 0 THEN 'bad-code'
                        ELSE 'C' || lpad((hash(i + 4) % 10000)::VARCHAR, 5, '0') END AS code,
                    (1 + hash(i + 5) % 14)::INTEGER AS days,
                    ((hash(i + 6) % 1000) / 1000.0)::DOUBLE AS score,
                    DATE '2024-01-01' + (hash(i + 7) % 700)::INT AS day,
                    'user' || (hash(i + 8) % 100000) || '@example.org' AS mail,
                    hash(i + 9) % 2 = 0 AS flag,
                    CASE WHEN hash(i + 10) % 10 > 0 THEN 'note ' || (hash(i + 11) % 1000) END AS note,
                    'bench' AS _batch, i AS _row, 'orders.parquet' AS _file,
                    NULL::VARCHAR AS _unreadable, NULL::VARCHAR AS _unreadable_reason
                FROM (SELECT i, (hash(i + 99) % 1000000) / 1000000.0 AS h FROM range({rows}) t(i))
            ) TO '{file}' (FORMAT parquet, COMPRESSION zstd)
            """
        )


def land_orders(orders: str, file: str) -> None:
    """Write the orders of `make_orders` as a source sends them: a CSV or Parquet file of their own columns."""
    written = "(FORMAT csv, HEADER)" if file.endswith(".csv") else "(FORMAT parquet, COMPRESSION zstd)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {', '.join(COLUMNS)} FROM '{orders}') TO '{file}' {written}")


def bad_rows(file: str, key: str = "_row") -> tuple[int, int]:
    """How many rows of a file are bad, and the sum of a column of them: the rules written again by hand."""
    with duckdb.connect() as connection:
        ((count, total),) = connection.execute(
            f"""
            SELECT count(*), coalesce(sum({key}::BIGINT), 0)::BIGINT FROM '{file}'
            WHERE amount < 0 OR currency NOT IN ('EUR', 'USD', 'GBP', 'CHF')
                OR NOT regexp_full_match(code, 'C[0-9]{{5}}')
                OR id IN (SELECT id FROM '{file}' GROUP BY id HAVING count(*) > 1)
            """
        ).fetchall()
    return count, total


def written_rows(files: list[str], key: str = "_row") -> tuple[int, int]:
    """How many rows some Parquet files hold, and the sum of a column of them."""
    if not files:
        return 0, 0
    with duckdb.connect() as connection:
        ((count, total),) = connection.execute(
            f"SELECT count(*), coalesce(sum({key}::BIGINT), 0)::BIGINT FROM read_parquet($files, union_by_name = true)",
            {"files": files},
        ).fetchall()
    return count, total
