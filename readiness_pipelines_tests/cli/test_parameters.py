"""Parameters of a model, as they are typed."""

from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from readiness_pipelines.cli.parameters import read_parameters
from readiness_pipelines.contracts import Model
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines_tests.models.clinic import clinic, model_of


class Ward(StrEnum):
    """A ward."""

    A = "a"
    B = "b"


USUAL = {
    "steps": 60,
    "rate": 0.1,
    "kind": "tree",
    "flip": False,
    "layers": [8, 8],
    "pair": (1, 2),
    "limits": None,
    "price": Decimal("0.1"),
    "ward": Ward.A,
}


@pytest.fixture(scope="module")
def model() -> Model:
    return replace(model_of(clinic()), params=USUAL)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("steps=80", 80), ("rate=1", 1.0), ("kind=a=b", "a=b"), ("kind=", ""), ("flip=true", True),
        ("layers=[32, 16]", [32, 16]), ("pair=[3, 4]", (3, 4)), ("limits={\"a\": 1}", {"a": 1}), ("limits=null", None),
        ("limits=sqrt", "sqrt"), ("price=0.5", Decimal("0.5")), ("ward=b", Ward.B),
    ],
)  # fmt: skip
def test_a_value_is_of_the_type_of_the_models_own(model: Model, given: str, value: Any) -> None:
    found = read_parameters(model, [given])[given.partition("=")[0]]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "given", ["steps=x", "steps=1.5", "flip=yes", "layers=32", "layers=abc", "pair={}", "price=x", "ward=c"]
)
def test_a_value_of_another_type_is_refused(model: Model, given: str) -> None:
    with pytest.raises(DeclarationError, match="--param") as caught:
        read_parameters(model, [given])
    assert caught.value.way_out.startswith("write ")


@pytest.mark.parametrize("given", ["step=1", "steps"])
def test_another_name_and_none_are_refused(model: Model, given: str) -> None:
    with pytest.raises(UnknownNameError):
        read_parameters(model, [given])
