"""An undoing: an earlier decision taken back."""

from dataclasses import dataclass
from typing import ClassVar

from readiness_pipelines.decisions.about_decision import AboutDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing(AboutDecision):
    """An earlier decision about the same batch taken back; undoing an undoing puts it in force again."""

    kind: ClassVar[str] = "undo"
    verb: ClassVar[str] = "undo"
