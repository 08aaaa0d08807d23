"""Decisions as an operator writes them in Dagster's launchpad."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, assert_never

import dagster as dg
from pydantic import Field

from readiness_pipelines.decisions import Approval, Correction, Discarding, Undoing, Waiver, What, read_cells
from readiness_pipelines.errors import DeclarationError


class WholeDecision(dg.Config):
    """One decision that names no values. Dagster keeps for ever what is written in its launchpad."""

    action: Literal["correct", "waive", "discard", "undo", "approve"] = Field(
        description="What is decided. Rows are named in a file, or on the command line: readiness quarantine."
    )
    file: str = Field(
        default="",
        description="correct: a CSV or Parquet file with _row and the columns to set, in the project's folder.",
    )
    rule: str = Field(default="", description="waive: the rule, or 'tolerance'.")
    until: str = Field(default="", description="waive: when it ends, in UTC, as 2026-11-30 or 2026-11-30T12:00.")
    decision: int = Field(default=0, description="undo, approve: the decision's number.")


class OneDecision(WholeDecision):
    """One decision about a batch, where no column of the domain is classified."""

    column: str = Field(default="", description="correct: the column to set.")
    expression: str = Field(default="", description="correct: a DuckDB expression over the row's columns.")
    where: str = Field(default="", description="Which rows: a DuckDB condition; empty for the whole batch.")


class WholeDraftConfig(dg.Config):
    """Decisions about one batch, kept together, and replayed once; without values of classified columns."""

    batch: str = Field(description="The batch.")
    table: str = Field(
        default="", description="The table's name in the domain; not needed where the domain has one source."
    )
    why: str = Field(description="The reason, kept for ever.")
    who: str = Field(description="Who decides.")
    dry_run: bool = Field(
        default=False, description="Whether only to show what would become of the batch; nothing is kept or replayed."
    )
    decisions: list[WholeDecision] = Field(
        default_factory=list, description="What is decided, in order; none to replay the batch as it is."
    )


class DraftConfig(WholeDraftConfig):
    """Decisions about one batch, kept together, and replayed once."""

    decisions: list[OneDecision] = Field(  # type: ignore[assignment]  # the same, with more that can be said
        default_factory=list, description="What is decided, in order; none to replay the batch as it is."
    )


def decision_of(config: WholeDecision) -> What:
    """What is decided.

    Raises:
        DeclarationError: Something that the decision needs is not given, or a file that cannot be read.
    """
    said = config if isinstance(config, OneDecision) else None
    where = (said.where if said else "") or None
    match config.action:
        case "correct":
            if config.file:
                return read_cells(_in_project(config.file))
            if said is None or not said.column or not said.expression:
                raise DeclarationError(
                    "a correction says nothing to correct", way_out="give a file, or a column and an expression"
                )
            return Correction(column=said.column, expression=said.expression, where=where)
        case "waive":
            return Waiver(rule=config.rule, where=where, until=_time(config.until))
        case "discard":
            return Discarding(where=where)
        case "undo":
            return Undoing(decision=config.decision)
        case "approve":
            return Approval(decision=config.decision)
        case _:
            assert_never(config.action)


def _in_project(name: str) -> Path:
    """A file in the folder where the code runs: who may launch a run may not read any other."""
    folder = Path.cwd().resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder):
        raise DeclarationError(f"{name} is not in the project's folder", way_out=f"put it somewhere below {folder}")
    return file


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise DeclarationError(f"{text!r} is not a time", way_out="write it as 2026-11-30T12:00, in UTC") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
