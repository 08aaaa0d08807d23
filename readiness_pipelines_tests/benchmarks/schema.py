"""The orders' schema: ten rules beside types and nullability."""

import pandera.pyarrow as pa
import pyarrow as arrow


class Order(pa.DataFrameModel):
    """One order."""

    id: arrow.int64() = pa.Field(unique=True)
    customer: arrow.int64() = pa.Field(ge=0)
    amount: arrow.float64() = pa.Field(ge=0)
    currency: arrow.string() = pa.Field(isin=["EUR", "USD", "GBP", "CHF"])
    status: arrow.string() = pa.Field(isin=["new", "paid", "shipped", "returned"])
    code: arrow.string() = pa.Field(str_matches=r"^C\d{5}$")
    days: arrow.int32() = pa.Field(in_range={"min_value": 1, "max_value": 14})
    score: arrow.float64() = pa.Field(in_range={"min_value": 0, "max_value": 1})
    day: arrow.date32()
    mail: arrow.string() = pa.Field(str_contains="@")
    flag: arrow.bool_()
    note: arrow.string() = pa.Field(nullable=True)
