"""Ratings of films by genre, from an API's answers in JSON with nested values."""

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, Source, StaticBatches, Steward, Value


class Movie(pa.DataFrameModel):
    """One film; `genres` is a list and `rating` an object, both written as JSON."""

    id: arrow.int64() = pa.Field(unique=True)
    title: arrow.string()
    genres: arrow.string()
    rating: arrow.string() = pa.Field(nullable=True)


class MovieGenre(pa.DataFrameModel):
    """One film in one of its genres."""

    id: arrow.int64()
    genre: arrow.string()
    stars: arrow.float64() = pa.Field(ge=0, le=10, nullable=True)


movies = Domain("movies", owner="films@club.example")

films = movies.gated(
    "films",
    source=Source(
        origin="Film API",
        steward=Steward("Film club", "api@club.example"),
        reader=FileDrop("films/{batch}.json", record_path="data.items"),
    ),
    schema=Movie,
    batches=StaticBatches(keys=("page_1", "page_2")),
)


@movies.derived(schema=MovieGenre, key=("id", "genre"))
def by_genre(films: Relation) -> Relation:
    """A row for each genre."""
    return films.project(
        "id, unnest(from_json(genres, '[\"VARCHAR\"]')) AS genre, "
        "CAST(json_extract(rating, '$.stars') AS DOUBLE) AS stars"
    )


@movies.kpi(question="How good are films?", unit="stars", by=["genre"])
def middle_stars(by_genre: Relation) -> Value:  # its only input is what is counted
    """Median of the stars."""
    return Value("median(stars)")
