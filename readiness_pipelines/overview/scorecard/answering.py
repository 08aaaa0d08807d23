"""How an answer is made of what speaks for and against: nothing passes that nothing proves."""

from collections.abc import Iterable, Sequence

from readiness_pipelines.names import TableId
from readiness_pipelines.overview.scorecard.questions import Answer, Grade, Proof, Question

SHOWN = 5
"""So much is named of what speaks against; the rest is counted."""


def for_it(text: str, *, command: str = "", table: TableId | None = None) -> Proof:
    """Something that speaks for."""
    return Proof(text=text, command=command, table=table)


def against(text: str, *, command: str = "", table: TableId | None = None, incident: int | None = None) -> Proof:
    """Something that speaks against."""
    return Proof(text=text, against=True, command=command, table=table, incident=incident)


def answer(question: Question, proofs: Sequence[Proof], faults: Iterable[Proof], *, way_out: str) -> Answer:
    """The answer where evidence was looked for: faults disprove it, proofs alone prove it.

    Args:
        question: The question.
        proofs: What speaks for it; without any, and without a fault, nobody knows.
        faults: What speaks against it.
        way_out: What to do where it does not pass.
    """
    found = tuple(faults)
    shown = found[:SHOWN]
    if len(found) > SHOWN:
        shown += (against(f"and {len(found) - SHOWN:,} more"),)
    verdict = Grade.FAILS if found else Grade.PASSES if proofs else Grade.NO_EVIDENCE
    return Answer(
        question=question,
        verdict=verdict,
        evidence=(*shown, *proofs),
        missing=len(found),
        next="" if verdict is Grade.PASSES else way_out,
    )


def unknown(question: Question, why: str, *, way_out: str) -> Answer:
    """The answer where there is no evidence.

    Args:
        question: The question.
        why: Why not.
        way_out: What would give some.
    """
    return Answer(question=question, verdict=Grade.NO_EVIDENCE, evidence=(for_it(why),), missing=0, next=way_out)
