"""What `serving` asks: ten checks over nine columns, times as text; and the same by pydantic, and by nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import pandera.polars as pp
import polars as pl
from pydantic import AwareDatetime, BaseModel, Field, NaiveDatetime
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward


class Payment(pp.DataFrameModel):
    """Ten checks over nine columns."""

    id: pl.Int64 = pp.Field(ge=0)
    amount: pl.Decimal(12, 2) = pp.Field(ge=0, le=1_000_000)
    currency: pl.String = pp.Field(isin=["EUR", "USD", "GBP", "CHF"])
    code: pl.String = pp.Field(str_matches=r"^C\d{5}$", str_length={"max_value": 6})
    days: pl.Int32 = pp.Field(ge=1, le=14)
    mail: pl.String = pp.Field(str_contains="@")
    at: pl.Datetime("us", "UTC") = pp.Field(ge=datetime(2020, 1, 1, tzinfo=UTC))
    booked: pl.Datetime("us") = pp.Field(nullable=True)
    day: pl.Date


class PydanticPayment(BaseModel):
    """The same, by pydantic."""

    id: int = Field(ge=0)
    amount: Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=2)]
    currency: Literal["EUR", "USD", "GBP", "CHF"]
    code: str = Field(pattern=r"^C\d{5}$", max_length=6)
    days: int = Field(ge=1, le=14)
    mail: str = Field(pattern="@")
    at: AwareDatetime = Field(ge=datetime(2020, 1, 1, tzinfo=UTC))
    booked: NaiveDatetime | None
    day: date


RECORD = {
    "id": 7,
    "amount": 12.5,
    "currency": "EUR",
    "code": "C00042",
    "days": 3,
    "mail": "user@example.org",
    "at": "2024-03-01T10:11:12.123Z",
    "booked": "2024-03-01 10:11:12",
    "day": "2024-03-01",
}

bank = Domain("bank", owner="bank@bank.example")
bank.gated(
    "payments",
    schema=Payment,
    source=Source(
        origin="Payments", steward=Steward("Bank", "bank@bank.example"), reader=FileDrop("payments/{batch}.jsonl")
    ),
    batches=StaticBatches(keys=("all",)),
)


async def _pydantic(request: Request) -> JSONResponse:
    payment = PydanticPayment.model_validate_json(await request.body())
    return JSONResponse({"passed": payment.id >= 0, "broken": []})


async def _nothing(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"passed": True, "broken": []})


peers = Starlette(
    routes=[Route("/pydantic", _pydantic, methods=["POST"]), Route("/nothing", _nothing, methods=["POST"])]
)
"""What a service by Starlette alone does: parse, and validate by pydantic as FastAPI does; or parse alone."""
