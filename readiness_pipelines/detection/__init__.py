"""Which columns are about persons: what values and names say, for people to decide."""

from readiness_pipelines.detection.detector import MOST_ROWS, VERSION, detect, in_sample, personal_by_name
from readiness_pipelines.detection.names import words_of
from readiness_pipelines.detection.proposals import Certainty, Evidence, Proposal
from readiness_pipelines.detection.second_opinion import SecondOpinion, second_opinions

__all__ = [
    "MOST_ROWS",
    "VERSION",
    "Certainty",
    "Evidence",
    "Proposal",
    "SecondOpinion",
    "detect",
    "in_sample",
    "personal_by_name",
    "second_opinions",
    "words_of",
]
