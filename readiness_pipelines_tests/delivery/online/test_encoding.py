"""Keys are found however they are written: as the column has them, as text, in another zone."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as arrow
import pytest

from readiness_pipelines.delivery.online.encoding import as_text, column_texts, from_text, key_value, kind_of
from readiness_pipelines.errors import DeclarationError

LONG = "1234567890123456789012345678901234.5678"
KATHMANDU = timezone(timedelta(hours=5, minutes=45))
ST_JOHNS = timezone(-timedelta(hours=3, minutes=30))


@pytest.mark.parametrize(
    ("kind", "value", "asked"),
    [
        (arrow.float32(), 0.1, (0.1, "0.1", 0.10000000149011612)),
        (arrow.float64(), -0.0, (0, "-0")),
        (arrow.decimal128(38, 4), Decimal(LONG), (LONG, LONG + "00", Decimal(LONG))),
        (arrow.decimal128(10, 2), Decimal(0), ("-0", -0.0, "0.000")),
        (
            arrow.timestamp("us", "Asia/Kathmandu"),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            ("2026-10-25T07:15:00+05:45", datetime(2026, 10, 24, 22, tzinfo=ST_JOHNS)),
        ),
        (arrow.int64(), -(2**63), (str(-(2**63)),)),
    ],
)
def test_a_key_is_written_as_the_columns_value_is(kind: arrow.DataType, value: Any, asked: tuple[Any, ...]) -> None:
    (text,) = column_texts(arrow.array([value], kind))
    assert [as_text(key_value("k", one, kind_of("k", kind))) for one in asked] == [text] * len(asked)
    assert as_text(from_text(text)) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (arrow.timestamp("us", "UTC"), datetime(1, 1, 1, tzinfo=KATHMANDU)),
        (arrow.timestamp("us", "UTC"), "9999-12-31T23:59:59-03:30"),
        pytest.param(arrow.int64(), 10**5000, id="too many digits"),
        pytest.param(arrow.string(), 10**5000, id="too many digits for a text"),
        (arrow.decimal128(10, 2), "1.001"),
        (arrow.decimal128(10, 2), "Infinity"),
        (arrow.decimal128(10, 2), "1_0"),
        (arrow.float64(), "1_0"),
        (arrow.float64(), "\uff11\uff12"),
    ],
)
def test_a_key_that_no_column_can_have_is_refused(kind: arrow.DataType, value: Any) -> None:
    with pytest.raises(DeclarationError, match="cannot be read as"):
        key_value("k", value, kind_of("k", kind))
