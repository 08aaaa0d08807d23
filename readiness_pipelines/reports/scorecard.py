"""The scorecard as tables of a report."""

from collections.abc import Iterator

from readiness_pipelines.overview import Answer, Scorecard
from readiness_pipelines.reports.parts import Part

SHOWN_EVIDENCE = 3
SHOWN_MONTHS = 12


def scorecard_parts(card: Scorecard) -> Iterator[Part]:
    """What is proved of a scope, what to do next, and what its products promised, month by month."""
    yield Part(
        name="scorecard",
        title=f"Scorecard: stage {card.stage} of 4",
        head=("question", "verdict", "evidence"),
        rows=[(answer.question.text, answer.verdict.value, _evidence(answer)) for answer in card.answers],
        empty="nothing is asked",
    )
    yield Part(
        name="next",
        title="What to do next",
        head=("question", "what", "to put right", "answers gained"),
        rows=[(one.question, one.way_out, str(one.missing or "–"), str(one.gain)) for one in card.next],
        empty="everything passes",
    )
    yield Part(
        name="slas",
        title="Data quality SLAs",
        head=("product", "month", "verdict", "measured (promised)"),
        rows=[
            (
                str(month.product),
                month.month if month.over else f"{month.month} so far",
                "kept" if month.kept else "broken",
                "; ".join(map(str, month.measures)),
            )
            for month in card.slas[-SHOWN_MONTHS:]
        ],
        empty="no product promises anything, or nothing was delivered in a month",
    )


def _evidence(answer: Answer) -> str:
    shown = [one.text for one in answer.evidence[:SHOWN_EVIDENCE]]
    more = len(answer.evidence) - SHOWN_EVIDENCE
    return "; ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
