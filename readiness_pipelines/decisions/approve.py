"""An approval: a second person agrees to a decision that alone would not hold."""

from dataclasses import dataclass
from typing import ClassVar

from readiness_pipelines.decisions.about_decision import AboutDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(AboutDecision):
    """A second person's agreement to a waiver or discarding about the same batch; it can be undone."""

    kind: ClassVar[str] = "approve"
    verb: ClassVar[str] = "approve"
