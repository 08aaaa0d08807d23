"""How to read a table: lines that run as they are."""

import json
from dataclasses import dataclass

from sqlalchemy import URL, make_url

from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings

_ICEBERG_RUNTIME = "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLines:
    """How to read a table.

    Attributes:
        pyiceberg: Python that reads it as an Arrow table, ``rows``.
        duckdb: Python that asks it something in SQL; it begins with what reads it.
        spark: A command that shows it in Spark SQL, with Iceberg's own runtime.
    """

    pyiceberg: str
    duckdb: str
    spark: str


def reading_lines(table: TableId, settings: Settings) -> ReadingLines:
    """How to read a table. A password is in no line: it comes from the variable that the settings come from.

    Args:
        table: The table.
        settings: Where the catalog is.
    """
    url, warehouse = settings.catalog_url, settings.warehouse
    if url.startswith("http"):
        given, imports = {"type": _quoted("rest"), "uri": _quoted(url)}, ""
    else:
        secret = make_url(url).password is not None
        uri = 'os.environ["READINESS_CATALOG_URL"]' if secret else _quoted(url)
        given = {"type": _quoted("sql"), "uri": uri, "warehouse": _quoted(warehouse)}
        imports = "import os\n" if secret else ""
    arguments = "".join(f"    {name}={value},\n" for name, value in given.items())
    read = (
        f"{imports}from pyiceberg.catalog import load_catalog\n\n"
        f'catalog = load_catalog(\n    "readiness",\n{arguments})\n'
        f'rows = catalog.load_table("{table}").scan().to_arrow()\n'
    )
    return ReadingLines(
        pyiceberg=read,
        duckdb=f'import duckdb\n{read}duckdb.sql("SELECT * FROM rows LIMIT 10").show()\n',
        spark=_spark(table, url, warehouse),
    )


def _spark(table: TableId, url: str, warehouse: str) -> str:
    name = "spark.sql.catalog.readiness"
    if url.startswith("http"):
        given = {"type": "rest", "uri": url}
    else:
        parsed = make_url(url)
        address = f"jdbc:{_bare(parsed)}".replace("sqlite:///", "sqlite:")
        given = {"type": "jdbc", "uri": address, "warehouse": warehouse}
        if parsed.username:
            given["jdbc.user"] = parsed.username
        if parsed.password is not None:
            given["jdbc.password"] = "$READINESS_CATALOG_PASSWORD"  # a shell's variable
    lines = [
        f"spark-sql --packages {_ICEBERG_RUNTIME}",
        f'--conf "{name}=org.apache.iceberg.spark.SparkCatalog"',
        *(f'--conf "{name}.{key}={value}"' for key, value in given.items()),
        f'-e "SELECT * FROM readiness.{table} LIMIT 10"',
    ]
    return " \\\n  ".join(lines) + "\n"


def _bare(url: URL) -> str:
    """An address without who logs in."""
    return url._replace(drivername=url.get_backend_name(), username=None, password=None).render_as_string()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
