"""Numbers as pictures: whatever a value is, there is a picture, and a point of it for each value that has a place."""

import re
from math import inf, nan

import pytest

from readiness_pipelines.products import KpiValue
from readiness_pipelines.web.charts import line_chart, spark_line


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([1.0, inf, 2.0, nan], 2),
        ([1e-13, 3e-13], 2),
        ([5e-324, 1e-323], 2),
        ([0.3, 0.1 + 0.2], 2),
        ([1.0, -1e308, 1e308, 3.0], 2),
        ([-1e300, 1e300], 2),
        ([1e16, 1e16 + 2], 2),
        ([inf, -inf], 0),
    ],
)
def test_values_that_are_infinite_tiny_or_almost_the_same_leave_the_rest_of_a_chart(
    values: list[float], points: int
) -> None:
    some = [
        KpiValue(batch="b", dimensions={}, value=one, numerator=None, denominator=None, target=None, met=None)
        for one in values
    ]
    drawn = line_chart(some, "EUR", "")
    assert drawn.count("<circle") == points
    for picture in (drawn, spark_line(some, "")):
        places = re.findall(r' (?:points|x\d?|y\d?|cx|cy)="([^"]*)"', picture)
        assert all(-100 < float(one) < 1000 for place in places for one in re.split("[, ]", place))
