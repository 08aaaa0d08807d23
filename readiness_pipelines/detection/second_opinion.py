"""A second opinion about columns: Presidio's, with a model of a language for names and places. An extra; slow."""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from readiness_pipelines.detection.leaves import Leaf, LeafType, leaves_of
from readiness_pipelines.errors import DeclarationError

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

MOST_VALUES = 200
"""So many different values of a column are read: Presidio reads some forty a second."""

_LEAST_SHARE = 0.3
_LEAST_SCORE = 0.5
_FETCHES_A_LIST = ("EmailRecognizer", "UrlRecognizer")
"""They fetch a list of domains from the network at their first value; addresses are found by our own patterns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """What Presidio says of a column.

    Attributes:
        path: The column, or the path within one.
        entity: What it calls it: ``PERSON``, ``LOCATION`` …
        matched: Different values in which it found one.
        sampled: Different values that it read.
    """

    path: str
    entity: str
    matched: int
    sampled: int

    def to_json(self) -> dict[str, Any]:
        """The opinion, for programs."""
        return {"path": self.path, "entity": self.entity, "matched": self.matched, "sampled": self.sampled}


def second_opinions(rows: pa.Table, *, model: str) -> tuple[SecondOpinion, ...]:
    """What Presidio finds in the texts of a sample; nothing leaves this process.

    Args:
        rows: The sample.
        model: The spaCy model that it finds names with: an installed package, or a folder. English is what Presidio's
            own patterns are for; another language's model finds its names.

    Returns:
        The most frequent entity of each column of texts in which at least 30 % of the values have one.

    Raises:
        DeclarationError: Presidio or the model is not installed.
    """
    analyzer = _analyzer(model)
    return tuple(opinion for leaf in leaves_of(rows) for opinion in _opinion(leaf, analyzer))


def _analyzer(model: str) -> "AnalyzerEngine":
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise DeclarationError(
            "a second opinion needs Presidio, which is not installed",
            way_out="pip install 'readiness-pipelines[presidio]', and a model of spaCy",
        )
    if importlib.util.find_spec(model) is None and not Path(model).is_dir():
        raise DeclarationError(
            f"spaCy's model {model!r} is not installed", way_out=f"pip install it: python -m spacy download {model}"
        )
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415  # an extra, and slow to import
    from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415  # as above

    models = [{"lang_code": "en", "model_name": model}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    for recognizer in _FETCHES_A_LIST:
        analyzer.registry.remove_recognizer(recognizer)
    return analyzer


def _opinion(leaf: Leaf, analyzer: "AnalyzerEngine") -> Iterator[SecondOpinion]:
    if leaf.type is not LeafType.TEXT or not leaf.texts:
        return
    values = list(leaf.texts)[:MOST_VALUES]
    found = Counter(
        entity
        for value in values
        for entity in {one.entity_type for one in analyzer.analyze(value, "en", score_threshold=_LEAST_SCORE)}
    )
    for entity, matched in found.most_common(1):
        if matched >= _LEAST_SHARE * len(values):
            yield SecondOpinion(path=leaf.path, entity=entity, matched=matched, sampled=len(values))
