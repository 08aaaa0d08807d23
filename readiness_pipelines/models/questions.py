"""The questions of Annex IV of the EU AI Act (technical documentation), as the card's form has them."""

from typing import NamedTuple


class Question(NamedTuple):
    """A question of the form.

    Attributes:
        key: Its name, by which a model's declaration answers it.
        place: Where the Annex has it.
        text: The question.
    """

    key: str
    place: str
    text: str


ANNEX_IV = (
    Question("purpose", "1(a)", "What is it for, who provides it, and which version is it?"),
    Question("interaction", "1(b)", "With what hardware and software does it interact?"),
    Question("software", "1(c)", "Which versions of software does it need?"),
    Question("form", "1(d)", "In what form is it put into service?"),
    Question("hardware", "1(e)", "On what hardware does it run?"),
    Question("instructions", "1(g)–(h)", "What does whoever uses it see, and what are they told?"),
    Question("development", "2(a)", "How was it made, and with what pre-trained parts?"),
    Question("design", "2(b)", "What does it optimise for, and what was chosen and traded off?"),
    Question("architecture", "2(c)", "How do its parts hang together?"),
    Question("data", "2(d)", "What data did it learn from: provenance, scope, selection, labels, cleaning?"),
    Question("human_oversight", "2(e)", "How do people oversee it, and what lets them understand what it says?"),
    Question("planned_changes", "2(f)", "Which changes of it are planned in advance?"),
    Question("validation", "2(g)", "How was it validated: on what data, by which metrics, and for whom is it worse?"),
    Question("cybersecurity", "2(h)", "How is it kept from being tampered with?"),
    Question("limits", "3", "What can it not do, and what may go wrong?"),
    Question("monitoring", "3", "How is it watched and controlled?"),
    Question("metrics", "4", "Why are these metrics the right ones?"),
    Question("risk_management", "5", "How are risks managed (Article 9)?"),
    Question("changes", "6", "What changed over its life?"),
    Question("standards", "7", "Which harmonised standards are applied?"),
    Question("declaration", "8", "Where is the EU declaration of conformity?"),
    Question("post_market", "9", "How is it watched in use (Article 72)?"),
)
