"""Queries with the lineage of their columns, labelled by hand before any program looked at them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

ORDERS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5, 6, 7, 8], pa.int64()),
        "email": ["a@x", "b@x", "a@x", "c@x", None, "b@x", "e@x", "a@x"],
        "amount": pa.array([10.0, 25.0, 7.5, 40.0, 12.0, 3.25, 99.0, 60.5], pa.float64()),
        "currency": ["EUR", "USD", "EUR", "CHF", "USD", "EUR", "CHF", "USD"],
        "status": ["paid", "open", "paid", "refunded", "paid", "open", "refunded", "paid"],
        "day": pa.array([1, 2, 3, 4, 5, 6, 7, 8], pa.int64()),
        "tags": pa.array(
            [["x", "y"], ["y"], ["z"], ["x"], ["w", "x"], ["y", "z"], ["q"], ["x"]], pa.list_(pa.string())
        ),
        "address": pa.array(
            [{"city": f"c{n % 3}", "zip": f"{n}00"} for n in range(8)],
            pa.struct([("city", pa.string()), ("zip", pa.string())]),
        ),
    }
)
RATES = pa.table(
    {
        "currency": ["EUR", "USD", "CHF", "USD"],
        "rate": pa.array([1.0, 0.9, 1.1, 0.95], pa.float64()),
        "since": pa.array([1, 1, 2, 4], pa.int64()),
    }
)
CUSTOMERS = pa.table(
    {
        "email": ["a@x", "b@x", "c@x", "d@x"],
        "name": ["Ann", "Ben", "Cleo", "Dan"],
        "country": ["AT", "DE", "AT", "CH"],
        "vip": [True, False, False, True],
    }
)
TABLES: Mapping[str, pa.Table] = {"orders": ORDERS, "rates": RATES, "customers": CUSTOMERS}


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A query, or a function of relations, and what its columns are made of.

    Columns are written short: ``o.amount`` of orders, ``r.rate`` of rates, ``c.name`` of customers.

    Attributes:
        name: What it shows.
        query: SQL, or a function of the three relations.
        made: The columns whose values are in each of its columns.
        decided: The columns that decide about the values of one of them.
        rows: The columns that decide which rows there are.
    """

    name: str
    query: str | Callable[[Any, Any, Any], Any]
    made: Mapping[str, str]
    decided: Mapping[str, str] = field(default_factory=dict)
    rows: str = ""


LABELLED = (
    Labelled(
        name="expression and filter",
        query="SELECT id, amount * 2 AS double FROM orders WHERE status = 'paid'",
        made={"id": "o.id", "double": "o.amount"},
        rows="o.status",
    ),
    Labelled(
        name="two named queries, one over the other",
        query="""
            WITH paid AS (SELECT email, amount FROM orders WHERE status = 'paid'),
                 by_person AS (SELECT email, sum(amount) AS spent FROM paid GROUP BY email)
            SELECT upper(email) AS who, spent FROM by_person WHERE spent > 5""",
        made={"who": "o.email", "spent": "o.amount"},
        rows="o.status o.email o.amount",
    ),
    Labelled(
        name="union all, by position",
        query="SELECT id AS n, email AS t FROM orders UNION ALL SELECT since, currency FROM rates",
        made={"n": "o.id r.since", "t": "o.email r.currency"},
    ),
    Labelled(
        name="union by name, distinct",
        query="SELECT email, name FROM customers UNION BY NAME SELECT id, email FROM orders",
        made={"email": "c.email o.email", "name": "c.name", "id": "o.id"},
        rows="c.email c.name o.email o.id",
    ),
    Labelled(
        name="except",
        query="SELECT email FROM customers EXCEPT SELECT email FROM orders WHERE amount > 30",
        made={"email": "c.email"},
        rows="c.email o.email o.amount",
    ),
    Labelled(
        name="join on",
        query="SELECT o.id, c.name FROM orders o LEFT JOIN customers c ON o.email = c.email",
        made={"id": "o.id", "name": "c.name"},
        rows="o.email c.email",
    ),
    Labelled(
        name="join using, the left column is shown",
        query="SELECT currency, id, amount * rate AS value FROM orders JOIN rates USING (currency)",
        made={"currency": "o.currency", "id": "o.id", "value": "o.amount r.rate"},
        rows="o.currency r.currency",
    ),
    Labelled(
        name="full join using, star",
        query="SELECT * FROM (SELECT email, id FROM orders) FULL JOIN (SELECT email, vip FROM customers) USING (email)",
        made={"email": "o.email c.email", "id": "o.id", "vip": "c.vip"},
        rows="o.email c.email",
    ),
    Labelled(
        name="semi join",
        query="SELECT id, amount FROM orders SEMI JOIN customers USING (email)",
        made={"id": "o.id", "amount": "o.amount"},
        rows="o.email c.email",
    ),
    Labelled(
        name="as of",
        query="""
            SELECT o.id, r.rate FROM orders o
            ASOF JOIN rates r ON o.currency = r.currency AND o.day >= r.since""",
        made={"id": "o.id", "rate": "r.rate"},
        rows="o.currency r.currency o.day r.since",
    ),
    Labelled(
        name="star without, replaced and renamed",
        query="""SELECT * EXCLUDE (tags, address, status, day) REPLACE (amount / 100 AS amount) RENAME (id AS number)
                 FROM orders""",
        made={"number": "o.id", "email": "o.email", "amount": "o.amount", "currency": "o.currency"},
    ),
    Labelled(
        name="case does not matter",
        query="SELECT O.ID AS Number, \"AMOUNT\" + Day AS Total FROM Orders AS o WHERE Status <> 'OPEN'",
        made={"Number": "o.id", "Total": "o.amount o.day"},
        rows="o.status",
    ),
    Labelled(
        name="quoted names with blanks and dots",
        query="""WITH "odd.name" AS (SELECT amount AS "the amount", currency AS "a.b" FROM orders)
                 SELECT "odd.name"."the amount" AS "out put", "a.b" FROM "odd.name" """,
        made={"out put": "o.amount", "a.b": "o.currency"},
    ),
    Labelled(
        name="aggregate with filter",
        query="""SELECT currency, sum(amount) FILTER (status = 'paid') AS paid, count(*) AS n
                 FROM orders GROUP BY currency""",
        made={"currency": "o.currency", "paid": "o.amount", "n": ""},
        decided={"paid": "o.status"},
        rows="o.currency",
    ),
    Labelled(
        name="group by all, an ordered aggregate, arg_max",
        query="""SELECT status, string_agg(email, ',' ORDER BY day) AS people, arg_max(id, amount) AS largest
                 FROM orders GROUP BY ALL""",
        made={"status": "o.status", "people": "o.email", "largest": "o.id"},
        decided={"people": "o.day", "largest": "o.amount"},
        rows="o.status",
    ),
    Labelled(
        name="having",
        query="SELECT email, max(amount) AS most FROM orders GROUP BY 1 HAVING count(DISTINCT currency) > 1",
        made={"email": "o.email", "most": "o.amount"},
        rows="o.email o.currency",
    ),
    Labelled(
        name="windows, one of them named",
        query="""SELECT id, sum(amount) OVER w AS running, lag(status) OVER (ORDER BY day) AS before
                 FROM orders WINDOW w AS (PARTITION BY email ORDER BY day)""",
        made={"id": "o.id", "running": "o.amount", "before": "o.status"},
        decided={"running": "o.email o.day", "before": "o.day"},
    ),
    Labelled(
        name="qualify",
        query="""SELECT email, id FROM orders
                 QUALIFY row_number() OVER (PARTITION BY email ORDER BY amount DESC) = 1""",
        made={"email": "o.email", "id": "o.id"},
        rows="o.email o.amount",
    ),
    Labelled(
        name="unnest in the select list",
        query="SELECT id, unnest(tags) AS tag FROM orders",
        made={"id": "o.id", "tag": "o.tags"},
        rows="o.tags",
    ),
    Labelled(
        name="unnest in from, and a lambda",
        query="""SELECT o.email, u.tag, list_transform(o.tags, lambda x: x || o.currency) AS marked
                 FROM orders o, unnest(o.tags) AS u(tag)""",
        made={"email": "o.email", "tag": "o.tags", "marked": "o.tags o.currency"},
        rows="o.tags",
    ),
    Labelled(
        name="struct access",
        query="SELECT address.city AS city, orders.address.zip, (address).zip[1] AS first FROM orders",
        made={"city": "o.address", "zip": "o.address", "first": "o.address"},
    ),
    Labelled(
        name="a struct is made and read again",
        query="""WITH s AS (SELECT id, {'v': amount, 'w': currency} AS pair FROM orders)
                 SELECT id, pair.v AS v FROM s""",
        made={"id": "o.id", "v": "o.amount"},
    ),
    Labelled(
        name="correlated subquery in the select list",
        query="SELECT c.name, (SELECT sum(o.amount) FROM orders o WHERE o.email = c.email) AS spent FROM customers c",
        made={"name": "c.name", "spent": "o.amount"},
        decided={"spent": "o.email c.email"},
    ),
    Labelled(
        name="exists and in",
        query="""SELECT name, email IN (SELECT email FROM orders WHERE amount > 20) AS big FROM customers c
                 WHERE EXISTS (SELECT 1 FROM orders o WHERE o.email = c.email AND o.status = 'paid')""",
        made={"name": "c.name", "big": "c.email o.email"},
        decided={"big": "o.amount"},
        rows="o.email c.email o.status",
    ),
    Labelled(
        name="lateral",
        query="""SELECT c.name, l.id FROM customers c,
                 LATERAL (SELECT id FROM orders o WHERE o.email = c.email ORDER BY amount DESC LIMIT 1) l""",
        made={"name": "c.name", "id": "o.id"},
        rows="o.email c.email o.amount",
    ),
    Labelled(
        name="pivot with values",
        query="PIVOT orders ON status IN ('paid', 'open') USING sum(amount) GROUP BY currency",
        made={"currency": "o.currency", "paid": "o.amount", "open": "o.amount"},
        decided={"paid": "o.status", "open": "o.status"},
        rows="o.currency",
    ),
    Labelled(
        name="unpivot",
        query="""SELECT id, what, n FROM (SELECT id, day, amount::BIGINT AS amount FROM orders)
                 UNPIVOT (n FOR what IN (day, amount))""",
        made={"id": "o.id", "what": "", "n": "o.day o.amount"},
        rows="o.day o.amount",
    ),
    Labelled(
        name="case, coalesce, an alias used again",
        query="""SELECT CASE WHEN status = 'paid' THEN amount ELSE 0 END AS paid, paid * 2 AS twice,
                        coalesce(email, currency) AS contact FROM orders ORDER BY day LIMIT 5""",
        made={"paid": "o.amount", "twice": "o.amount", "contact": "o.email o.currency"},
        decided={"paid": "o.status", "twice": "o.status"},
        rows="o.day",
    ),
    Labelled(
        name="recursive",
        query="""WITH RECURSIVE walk AS (
                     SELECT id, amount AS total FROM orders WHERE id = 1
                     UNION ALL
                     SELECT o.id, w.total + o.amount FROM walk w JOIN orders o ON o.id = w.id + 1)
                 SELECT id, total FROM walk""",
        made={"id": "o.id", "total": "o.amount"},
        rows="o.id",
    ),
    Labelled(
        name="columns by pattern",
        query="SELECT max(COLUMNS('^(id|day)$')) FROM orders",
        made={"id": "o.id", "day": "o.day"},
    ),
    Labelled(
        name="relations: join and aggregate",
        query=lambda orders, rates, customers: orders.join(rates, "currency").aggregate(
            "status, sum(amount * rate) AS value", "status"
        ),
        made={"status": "o.status", "value": "o.amount r.rate"},
        rows="o.status o.currency r.currency",
    ),
    Labelled(
        name="relations: filter, project, a query over them, a union",
        query=lambda orders, rates, customers: (
            orders.filter("amount > 5")
            .project("email, day AS n")
            .query("kept", "SELECT email, n + 1 AS n FROM kept")
            .union(customers.project("email, length(name)::BIGINT"))
        ),
        made={"email": "o.email c.email", "n": "o.day c.name"},
        rows="o.amount",
    ),
    Labelled(
        name="relations: aliases, a condition, distinct",
        query=lambda orders, rates, customers: (
            orders.set_alias("a")
            .join(customers.set_alias("b"), "a.email = b.email AND b.vip", how="left")
            .project("a.currency, b.country")
            .distinct()
        ),
        made={"currency": "o.currency", "country": "c.country"},
        rows="o.email c.email c.vip o.currency c.country",
    ),
)
