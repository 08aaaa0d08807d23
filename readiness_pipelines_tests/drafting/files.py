"""Foreign files, small and real: bytes by name, what should be guessed of them, and how many rows pass."""

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40


@dataclass(frozen=True)
class Case:
    """A file, or several of one table.

    Attributes:
        files: Their bytes, by name.
        fields: What the page has of a column after its name.
        said: What else is on the page.
        published: Rows that pass.
        quarantined: Rows that wait.
        table: The table's name.
    """

    files: Mapping[str, bytes]
    fields: Mapping[str, str]
    said: tuple[str, ...]
    published: int
    quarantined: int = 0
    table: str = ""
    unsaid: tuple[str, ...] = field(default=())


def lines(*rows: str, encoding: str = "utf-8") -> bytes:
    return ("\n".join(rows) + "\n").encode(encoding)


def german() -> bytes:
    """Semicolons, decimal commas, Windows' umlauts, yes and no in German, days first."""
    rows = [
        f"{n:04};{'Müller' if n % 2 else 'Köhler'};{1000 + n}.{n:03}"[:-4] + f";1.{n:03},50 €;{n % 28 + 1:02}.03.2026;"
        f"{'ja' if n % 3 else 'nein'}"
        for n in range(ROWS)
    ]
    return lines("Kundennr;Nachname;Punkte;Umsatz (€);Datum;Aktiv", *rows, encoding="cp1252")


def french() -> bytes:
    rows = [f"{n}|{n},{n % 10}|{'oui' if n % 2 else 'non'}|{n % 12 + 1:02}/{n % 28 + 1:02}/2026" for n in range(ROWS)]
    return lines("numéro|prix|payé|jour", *rows)


def three_dates() -> bytes:
    spelled = ("2026-03-{0:02}", "{0:02}.03.2026", "{0:02} Mar 2026")
    unclear = [f"0{n % 9 + 1}/0{n % 7 + 1}/2026" for n in range(ROWS)]
    rows = [f"{n},{spelled[n % 3].format(n % 28 + 1)},{unclear[n]}" for n in range(ROWS)]
    return lines("id,day,unclear", *rows)


def nulls() -> bytes:
    words = ("-", "NA", "n/a", "?")
    rows = [
        f"{n},{words[n % 4] if n % 5 == 0 else n * 1.5},{words[n % 4] if n % 7 == 0 else f'note {n}'},"
        f"{('NA', 'AT', 'DE')[n % 3]}"
        for n in range(ROWS)
    ]
    return lines("id,amount,note,country", *rows)


def odd_names() -> bytes:
    header = "Order No.,class,Größe (cm),name,Name,_row,pa,validate,2nd,$%"
    rows = [",".join([str(n), *(f"v{n % 3}{column}" for column in range(9))]) for n in range(ROWS)]
    return lines(header, *rows)


def huge() -> bytes:
    rows = [f"{10**24 + n},{2**62 + n},0.{'1234567890' * 2}{n:02},1e{n}" for n in range(ROWS)]
    return lines("serial,big,precise,wide", *rows)


def zones() -> bytes:
    offsets = ("Z", "+01:00", "-05:00")
    rows = [
        f"{n},2026-03-01T{n % 24:02}:00:00{offsets[n % 3]},2026-03-01 {n % 24:02}:30:00,{n % 24:02}:15,{1772323200 + n}"
        for n in range(ROWS)
    ]
    return lines("id,at,local,clock,created_ts", *rows)


def json_lines() -> bytes:
    rows = [
        {"id": n, "price": n / 4, "tags": ["a", "b"][: n % 3], "ok": n % 2 == 0, "to": {"x": n}} for n in range(ROWS)
    ]
    return lines(*map(json.dumps, rows))


def parquet() -> bytes:
    table = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int32()),
            "paid": pa.array([Decimal(n) / 4 for n in range(ROWS)], pa.decimal128(9, 2)),
            "at": pa.array([datetime(2026, 1, 1, n % 24, tzinfo=UTC) for n in range(ROWS)], pa.timestamp("ns", "UTC")),
            "day": pa.array([date(2026, 1, n % 28 + 1) for n in range(ROWS)]),
            "kind": pa.array(["a", "b"] * (ROWS // 2)).dictionary_encode(),
            "tags": pa.array([["x"]] * ROWS),
            "nested": pa.array([{"x": n} for n in range(ROWS)]),
            "nothing": pa.nulls(ROWS),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def orders() -> bytes:
    """A usual file with a few usual faults: a typing error, a negative amount, an empty key."""
    rows = [f"{n},{n * 2.5},{'paid' if n % 4 else 'refunded'},{n}@shop.example" for n in range(1, 201)]
    rows[17] = rows[17].replace("paid", "piad").replace("refunded", "paid")
    rows[40] = rows[40].replace("102.5", "-102.5")
    return lines("order_id,amount,status,email", *rows)


def days() -> dict[str, bytes]:
    return {
        f"sales_2026030{day}.csv.gz": gzip.compress(lines("id,units", *(f"{n},{n + day}" for n in range(ROWS))))
        for day in (1, 2, 3)
    }


def measures() -> bytes:
    """A day's values, in which NA means that there is none, and numbers that happen to differ."""
    rows = [
        f"2026-{n // 28 + 1:02}-{n % 28 + 1:02},{1000 + n * n},{n * 1.5 if n % 6 else 'NA'},"
        f"{('calm', 'windy', 'NA')[n % 3]},2026-02-{n % 28 + 1:02}"
        for n in range(ROWS)
    ]
    return lines("day,volume,wind,kind,paid", *rows)


def months() -> dict[str, bytes]:
    """Twelve months of which one is nearly all wrong, and another a little."""
    found = {}
    for month in range(1, 13):
        wrong = 20 if month == 7 else 5 if month == 9 else 0
        rows = [f"{n},{-1 if n < wrong else n + 1}" for n in range(30 if wrong == 20 else 400 if not wrong else 50)]
        found[f"sales_2025-{month:02}.csv"] = lines("id,units", *rows)
    return found


CASES: dict[str, Case] = {
    "measures": Case(
        {"weather.csv": measures()},
        {
            "day": "arrow.date32()",
            "volume": "arrow.int64() = pa.Field(ge=0)",
            "wind": "arrow.float64() = pa.Field(nullable=True, ge=0)",
            "kind": 'arrow.string() = pa.Field(nullable=True, isin=["calm", "windy"])',
            "paid": "arrow.date32()",
        },
        ('missing="NA"',),
        ROWS,
        unsaid=("unique", "AMBIGUOUS: 'NA'"),
    ),
    "a month that would be held": Case(
        months(),
        {"id": "arrow.int64() = pa.Field(unique=True)", "units": "arrow.int64() = pa.Field(ge=0)"},
        (
            "in the worst batch 66.67%; 1 of 12 batches would be held (2025-07: 67% of its rows fail)",
            "tolerance=Tolerance(quarantined_ratio=0.12)",
        ),
        10 * 400 + 45,
        30 + 5,
    ),
    "orders": Case(
        {"orders.csv": orders()},
        {
            "order_id": "arrow.int64() = pa.Field(unique=True)",
            "amount": "arrow.float64() = pa.Field(ge=0)",
            "status": 'arrow.string() = pa.Field(isin=["paid", "refunded"])',
            "email": r'arrow.string() = pa.Field(str_matches=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")',
        },
        ("1 of 200 rows fail status_isin: 'piad'", "1 of 200 rows fail amount_", "2 fail (1.00%)", "cation.PII"),
        198,
        2,
    ),
    "german": Case(
        {"kunden.csv": german()},
        {
            "Kundennr": r'arrow.string() = pa.Field(unique=True, str_matches=r"^\d{4}$")',
            "umsatz": """arrow.float64() = pa.Field(
                ge=0, metadata=cleanse(Numbers(decimal=",", thousands=".", currencies=("€",))))""",
            "Datum": 'arrow.date32() = pa.Field(metadata=cleanse(Dates(["%d.%m.%Y"])))',
            "Aktiv": 'arrow.bool_() = pa.Field(metadata=cleanse(Categories({"ja": "true", "nein": "false"})))',
        },
        ('encoding="cp1252"', 'delimiter=";"', "begin with a zero", '"Umsatz (€)": "umsatz"'),
        ROWS,
    ),
    "french": Case(
        {"ventes.csv": french()},
        {
            "prix": 'arrow.float64() = pa.Field(ge=0, metadata=cleanse(Numbers(decimal=",")))',
            "payé": 'arrow.bool_() = pa.Field(metadata=cleanse(Categories({"non": "false", "oui": "true"})))',
            "jour": 'arrow.date32() = pa.Field(metadata=cleanse(Dates(["%m/%d/%Y"])))',
        },
        ('delimiter="|"', "%m/%d/%Y, not %d/%m/%Y"),
        ROWS,
    ),
    "tabs in UTF-16": Case(
        {"export.txt": lines("id\tword", *(f"{n}\tä{n}" for n in range(ROWS)), encoding="utf-16")},
        {"id": "arrow.int64() = pa.Field(unique=True)"},
        ('encoding="utf-16"', 'delimiter="\\t"', 'format="csv"'),
        ROWS,
    ),
    "no header": Case(
        {"plain.csv": lines(*(f"{n},{n / 2},x{n % 2}" for n in range(ROWS)))},
        {
            "column_1": "arrow.int64() = pa.Field(unique=True)",
            "column_3": 'arrow.string() = pa.Field(isin=["x0", "x1"])',
        },
        ("header=False", 'columns=("column_1", "column_2", "column_3")'),
        ROWS,
    ),
    "dates in three formats": Case(
        {"dates.csv": three_dates()},
        {"day": "arrow.date32() = pa.Field(metadata=cleanse(Dates(["},
        ("AMBIGUOUS: every value is a date as", '"%d.%m.%Y"', '"%d %b %Y"'),
        ROWS,
    ),
    "no value in four words": Case(
        {"nulls.csv": nulls()},
        {
            "amount": "arrow.float64() = pa.Field(nullable=True, ge=0",
            "country": 'arrow.string() = pa.Field(isin=["AT", "DE", "NA"])',
        },
        ('missing=("-", "?", "n/a")', "NullTokens([", "AMBIGUOUS: 'NA' may mean that there is no value"),
        ROWS,
    ),
    "odd names": Case(
        {"odd.csv": odd_names()},
        {
            "order_no": "arrow.int64() = pa.Field(unique=True)",
            "class_": 'arrow.string() = pa.Field(alias="class"',
            "größe_cm": "arrow.string()",
            "Name_2": "arrow.string()",
            "validate_": 'arrow.string() = pa.Field(alias="validate"',
            "row": "arrow.string()",
            "column_2nd": "arrow.string()",
        },
        ('"Order No.": "order_no"', '"Name": "Name_2"', '"_row": "row"'),
        ROWS,
    ),
    "huge numbers": Case(
        {"huge.csv": huge()},
        {
            "serial": "arrow.string()",
            "big": "arrow.int64()",
            "precise": "arrow.decimal128(38, 22)",
            "wide": "arrow.float64()",
        },
        ("25 digits, more than 64 bits hold",),
        ROWS,
    ),
    "zones": Case(
        {"zones.csv": zones()},
        {"at": 'arrow.timestamp("us", tz="UTC")', "local": 'arrow.timestamp("us")', "clock": 'arrow.time64("us")'},
        ("'+01:00', '-05:00', 'Z'", "seconds since 1970, it seems: 2026-03-01"),
        ROWS,
    ),
    "JSON lines": Case(
        {"events.jsonl": json_lines()},
        {"id": "arrow.int64() = pa.Field(unique", "price": "arrow.float64() = pa.Field(ge=0)", "ok": "arrow.bool_()"},
        (),
        ROWS,
    ),
    "Parquet": Case(
        {"typed.parquet": parquet()},
        {
            "id": "arrow.int32() = pa.Field(unique=True)",
            "paid": "arrow.decimal128(9, 2) = pa.Field(ge=0)",
            "at": 'arrow.timestamp("us", tz="UTC")',
            "kind": 'arrow.string() = pa.Field(isin=["a", "b"])',
            "tags": "arrow.list_(arrow.string())",
            "nothing": "arrow.string() = pa.Field(nullable=True)",
        },
        ("'nested' is not declared, and not published",),
        ROWS,
    ),
    "thousands beside decimals": Case(
        {"sums.csv": lines("id;sum", *(f"{n};{'12,50' if n % 2 else '1.000'}" for n in range(ROWS)))},
        {"sum": 'arrow.float64() = pa.Field(ge=0, metadata=cleanse(Numbers(decimal=",", thousands=".")))'},
        ("12.5 to 1,000;",),
        ROWS,
    ),
    "a document": Case(
        {"api.json": json.dumps({"data": {"items": [{"id": n} for n in range(ROWS)], "next": None}}).encode()},
        {"id": "arrow.int64() = pa.Field(unique=True)"},
        ('record_path="data.items"',),
        ROWS,
    ),
    "one column": Case(
        {"words.csv": lines("word", *(f"word {n}" for n in range(ROWS)))},
        {"word": "arrow.string()"},
        (),
        ROWS,
    ),
    "a header alone": Case(
        {"nobody.csv": lines("id,name")},
        {"id": "arrow.string() = pa.Field(nullable=True)"},
        ("0 rows looked at",),
        0,
    ),
    "titles and units": Case(
        {"meter.csv": lines("Report of the meter", "", "id;load", ";kW", *(f"{n};{n},5" for n in range(ROWS)))},
        {"load": 'arrow.float64() = pa.Field(ge=0, metadata=cleanse(Numbers(decimal=",")))'},
        ("skip_lines=2", "skip_after_header=1"),
        ROWS,
    ),
    "days": Case(
        days(),
        {"id": "arrow.int64() = pa.Field(unique=True)", "units": "arrow.int64() = pa.Field(ge=0)"},
        ('FileDrop("sales/sales_{batch:%Y%m%d}.csv.gz")', 'DailyBatches(start="2026-03-01")', "# freshness=Freshness("),
        3 * ROWS,
        table="sales",
    ),
}  # fmt: skip
