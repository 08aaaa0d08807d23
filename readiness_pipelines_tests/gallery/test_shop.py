"""Two grains joined, two KPIs over one table, targets by country, and months over days."""

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.gallery.running import rows, run, write
from readiness_pipelines_tests.gallery.shop import earned, earned_monthly, monthly, return_rate, revenue, shop

HEADER = "order_id,country,currency,cents,returned"


def test_revenue_by_country_and_month(installation: Installation) -> None:
    write(installation, "rates/2026-01-01.csv", "currency,euros", "EUR,1", "CHF,1")
    write(installation, "rates/2026-01-02.csv", "currency,euros", "EUR,1", "CHF,2")
    lines = ("1,CH,CHF,400,false", "2,DE,EUR,1000,false", "3,DE,EUR,500,true", "4,DE,EUR,500,false")
    write(installation, "sold/2026-01-01.csv", HEADER, *lines)
    write(installation, "sold/2026-01-02.csv", HEADER, *lines)
    write(installation, "sold/2026-02-01.csv", HEADER, *lines[:2])
    run(shop, installation=installation)
    assert rows(installation, revenue.id, "_batch", "country", "cents", "euros") == [
        ("2026-01-01", "CH", 400, 4),
        ("2026-01-01", "DE", 2000, 20),
        ("2026-01-02", "CH", 400, 8),
        ("2026-01-02", "DE", 2000, 20),
        ("2026-02-01", "CH", 400, 8),
        ("2026-02-01", "DE", 1000, 10),
    ]
    first = kpi_values(earned, installation=installation, batches=["2026-01-01"])
    assert [(value.dimensions, value.value, value.met) for value in first] == [
        ({}, 24, True),
        ({"country": "CH"}, 4, False),
        ({"country": "DE"}, 20, True),
    ]
    returned = kpi_values(return_rate, installation=installation, batches=["2026-01-01"])
    assert [(value.value, value.met) for value in returned] == [(0.25, True), (0, True), (1 / 3, False)]
    assert rows(installation, monthly.id, "_batch", "country", "cents") == [
        ("2026-01", "CH", 800),
        ("2026-01", "DE", 4000),
        ("2026-02", "CH", 400),
        ("2026-02", "DE", 1000),
    ]
    assert [value.value for value in kpi_values(earned_monthly, installation=installation)] == [52, 18]

    write(installation, "sold/2026-01-03.csv", HEADER, "9,DE,EUR,100,false")
    later = run(shop, installation=installation)
    assert set(later["monthly"]) == set(later["earned_monthly"]) == {"2026-01"}
    assert [value.value for value in kpi_values(earned_monthly, installation=installation)] == [53, 18]
