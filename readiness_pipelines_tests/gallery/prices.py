"""Prices by shelf: one table written in SQL text, one in Arrow, one that has no rows on most days."""

from datetime import date

import pandera.pyarrow as pa
import pyarrow as arrow
import pyarrow.compute as pc

from readiness_pipelines import DailyBatches, Domain, FileDrop, Source, Steward


class Price(pa.DataFrameModel):
    """The price of an article on some shelves."""

    article: arrow.string() = pa.Field(unique=True)
    cents: arrow.int64() = pa.Field(gt=0)
    shelves: arrow.int64() = pa.Field(ge=0, le=99)


class Label(pa.DataFrameModel):
    """One label on one shelf."""

    article: arrow.string()
    shelf: arrow.int64()
    cents: arrow.int64()


prices = Domain("prices", owner="prices@market.example")

listed = prices.gated(
    "listed",
    source=Source(
        origin="Price list", steward=Steward("Buying", "buying@market.example"), reader=FileDrop("prices/{batch}.csv")
    ),
    schema=Price,
    batches=DailyBatches(start=date(2026, 1, 1)),
)


@prices.derived(schema=Label, language="sql", key=("article", "shelf"))
def labels(listed: str) -> str:  # named in the text
    """A label for each shelf."""
    return "SELECT article, cents, unnest(range(shelves)) AS shelf FROM listed"


@prices.derived(schema=Label, language="arrow", key=("article", "shelf"), allow_empty=True)
def expensive(labels: arrow.Table) -> arrow.Table:
    """Labels of more than ten euros."""
    return labels.filter(pc.greater(labels["cents"], 1000)).select(["article", "shelf", "cents"])
