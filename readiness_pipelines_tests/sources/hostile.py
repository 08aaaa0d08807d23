"""Hostile batches from a seed: the same seed makes the same batch."""

import random
from collections.abc import Mapping

from readiness_pipelines_tests.sources import hostile_packed, hostile_text, hostile_typed
from readiness_pipelines_tests.sources.hostile_batch import HostileBatch, Maker

MAKERS: Mapping[str, Maker] = {**hostile_text.MAKERS, **hostile_typed.MAKERS, **hostile_packed.MAKERS}
"""What there is, by its name. Seeds take them in turn."""


def kind_of(seed: int) -> str:
    """The kind of batch that a seed makes."""
    return list(MAKERS)[seed % len(MAKERS)]


def hostile_batch(seed: int) -> HostileBatch:
    """The batch that a seed makes."""
    return MAKERS[kind_of(seed)](random.Random(seed))
