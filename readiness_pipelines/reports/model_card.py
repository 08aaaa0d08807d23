"""A model's card as a page, and as Markdown."""

from typing import Any

from readiness_pipelines.models import ModelCard
from readiness_pipelines.reports.parts import Part, environment


def card_html(card: ModelCard) -> str:
    """The card as one HTML file that needs no server."""
    return environment().get_template("model_card.html.j2").render(**_common(card))


def card_markdown(card: ModelCard) -> str:
    """The card as Markdown."""
    return environment().get_template("model_card.md.j2").render(**_common(card))


def _common(card: ModelCard) -> dict[str, Any]:
    parts = [Part(name=one.key, title=one.title, head=one.head, rows=one.rows, empty=one.empty) for one in card.tables]
    form = Part(
        name="form",
        title="Technical documentation (EU AI Act, Annex IV)",
        head=("place", "question", "answer", "evidence"),
        rows=[(one.place, one.question, one.answer, "; ".join(one.evidence) or "–") for one in card.form],
        empty="nothing is asked",
    )
    return {"card": card, "at": f"{card.at:%Y-%m-%d %H:%M} UTC", "parts": [*parts, form]}
