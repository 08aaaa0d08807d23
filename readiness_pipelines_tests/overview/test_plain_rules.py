"""Rules in words of people."""

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines.gates import Gate
from readiness_pipelines.overview import rule_words


class Visit(pa.DataFrameModel):
    """A visit, with a column for each kind of earlier visits."""

    age: arrow.int64() = pa.Field(ge=0)
    before: arrow.int64() = pa.Field(alias="^number_(in|out)patient$", regex=True, ge=0)


def test_a_rule_begins_with_what_it_is_about_also_where_a_pattern_names_the_columns() -> None:
    gate = Gate(Visit)
    words = [rule_words(rule, gate) for rule in gate.rules]
    assert "age is at least 0" in words
    assert "each of before is at least 0" in words
    assert "each of before is not missing" in words
