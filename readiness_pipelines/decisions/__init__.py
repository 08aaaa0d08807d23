"""What on-call does about what waits: correct, waive, discard, and take it back."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.decisions.approve import Approval
    from readiness_pipelines.decisions.correct_cells import MOST_CELLS, CellCorrection, read_cells
    from readiness_pipelines.decisions.correct_expression import Correction
    from readiness_pipelines.decisions.decision import (
        KINDS,
        Decision,
        What,
        decisions_about,
        decisions_about_each,
        keep_decision,
        keep_decisions,
        new_decision,
        parse,
    )
    from readiness_pipelines.decisions.discard import Discarding
    from readiness_pipelines.decisions.in_force import (
        check_conditions,
        corrected,
        gate_decisions,
        in_force,
        undone_by,
        waits_for_approval,
    )
    from readiness_pipelines.decisions.row_numbers import about_delivery, check_deliveries, names_deliveries
    from readiness_pipelines.decisions.undo import Undoing
    from readiness_pipelines.decisions.waive import UNWAIVABLE, Waiver
else:
    import_on_demand(__name__)

__all__ = [
    "KINDS",
    "MOST_CELLS",
    "UNWAIVABLE",
    "Approval",
    "CellCorrection",
    "Correction",
    "Decision",
    "Discarding",
    "Undoing",
    "Waiver",
    "What",
    "about_delivery",
    "check_conditions",
    "check_deliveries",
    "corrected",
    "decisions_about",
    "decisions_about_each",
    "gate_decisions",
    "in_force",
    "keep_decision",
    "keep_decisions",
    "names_deliveries",
    "new_decision",
    "parse",
    "read_cells",
    "undone_by",
    "waits_for_approval",
]
