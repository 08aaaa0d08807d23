"""An array inside a document, values inside values, and elements that are not records."""

import json

from readiness_pipelines.delivery import kpi_values
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.gallery.movies import by_genre, films, middle_stars, movies
from readiness_pipelines_tests.gallery.running import rows, run, write


def test_an_array_of_nested_records(installation: Installation) -> None:
    items = [
        {"id": 1, "title": "Alien", "genres": ["horror", "space"], "rating": {"stars": 8.5, "votes": 10}},
        {"id": 2, "title": "Solaris", "genres": ["space"], "rating": None},
        "not a film",
        {"id": 3, "title": "Moon", "genres": ["space"], "rating": {"stars": 7.5}},
    ]
    write(installation, "films/page_1.json", json.dumps({"data": {"items": items}}, indent=1))
    write(installation, "films/page_2.json", json.dumps({"data": {"items": items[:1]}}))
    run(movies, installation=installation)
    assert rows(installation, by_genre.id, "id", "genre", "stars", batch="page_1") == [
        (1, "horror", 8.5),
        (1, "space", 8.5),
        (2, "space", None),
        (3, "space", 7.5),
    ]
    (waiting,) = rows(installation, films.id.quarantine)
    assert waiting["_batch"] == "page_1"
    assert waiting["_errors"][0]["rule"] == "readable"
    values = kpi_values(middle_stars, installation=installation, batches=["page_1"])
    assert [(value.dimensions.get("genre"), value.value) for value in values] == [
        (None, 8.5),
        ("horror", 8.5),
        ("space", 8),
    ]
