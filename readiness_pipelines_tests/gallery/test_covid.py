"""Cumulative daily files of four layouts, a lookup in versions, and a day that comes late."""

from datetime import date, timedelta

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines.products import combined
from readiness_pipelines_tests.gallery.covid import all_cases, cases, covid, new_cases, seven_days
from readiness_pipelines_tests.gallery.running import record, rows, run, write

HEADERS = (
    ("Province/State,Country/Region,Last Update,Confirmed,Deaths", ",{country},x,{count},0"),
    ("Province/State,Country/Region,Last Update,Confirmed,Latitude,Longitude", ",{country},x,{count},1.5,2.5"),
    ("FIPS,Admin2,Province_State,Country_Region,Last_Update,Lat,Long_,Confirmed", ",,,{country},x,1,2,{count}"),
    ("Province_State,Country_Region,Confirmed,Combined_Key,Case_Fatality_Ratio", ",{country},{count},k,0.1"),
)


def key(number: int) -> str:
    return str(date(2020, 3, 1) + timedelta(days=number - 1))


def land(installation: Installation, number: int, **counts: int) -> None:
    header, line = HEADERS[number % len(HEADERS)]
    day = date.fromisoformat(key(number))
    lines = [line.format(country=country, count=count) for country, count in counts.items()]
    write(installation, f"reports/{day:%m-%d-%Y}.csv", header, *lines)


def test_four_layouts_differences_and_a_late_day(installation: Installation) -> None:
    write(installation, "population/2020-01-01.csv", "country,inhabitants", "Italy,60", "Spain,47")
    for number in (1, 2, 4, 5):
        land(installation, number, Italy=10 * number, Spain=number * number)
    first = run(covid, installation=installation)
    assert first["cases"] == [key(1), key(2), key(4), key(5)]
    assert rows(installation, new_cases.id, "country", "new_cases", batch=key(4)) == [("Italy", 40), ("Spain", 16)]

    land(installation, 3, Italy=30, Spain=9)
    attempts = {number: record(installation, new_cases, key(number)).attempt for number in (1, 2, 4, 5)}
    late = run(covid, installation=installation)
    assert late["cases"] == [key(3)]
    assert set(late["new_cases"]) == {key(3), key(4)}
    assert set(late["seven_days"]) == {key(3), key(4), key(5)}
    assert late["all_cases"] == [key(3)]
    again = {number for number in attempts if record(installation, new_cases, key(number)).attempt != attempts[number]}
    assert again == {4}
    assert rows(installation, new_cases.id, "new_cases", batch=key(4)) == [(10,), (7,)]
    assert rows(installation, seven_days.id, "country", "mean_cases", "days", batch=key(5)) == [
        ("Italy", 10, 5),
        ("Spain", 5, 5),
    ]
    values = kpi_values(all_cases, installation=installation)
    assert [value.value for value in values] == [11, 24, 39, 56, 75]
    assert combined(all_cases, values) is None


def test_a_country_that_was_withdrawn_is_missed_from_then_on(installation: Installation) -> None:
    write(installation, "population/2020-01-01.csv", "country,inhabitants", "Italy,60", "Spain,47")
    write(installation, "population/2020-03-03.csv", "country,inhabitants", "Italy,60")
    for number in (1, 2, 3, 4):
        land(installation, number, Italy=10 * number, Spain=number)
    run(covid, installation=installation)
    missed = rows(installation, cases.id.quarantine, "_batch", "country")
    assert missed == [(key(3), "Spain"), (key(4), "Spain")]
    assert rows(installation, cases.id, "country", batch=key(2)) == [("Italy",), ("Spain",)]

    write(installation, "population/2020-03-04.csv", "country,inhabitants", "Italy,60", "Spain,47")
    assert run(covid, installation=installation)["cases"] == [key(4)]
    assert rows(installation, cases.id.quarantine, "_batch", "country") == [(key(3), "Spain")]
