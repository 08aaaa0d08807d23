"""The questions of Annex IV of the EU AI Act (technical documentation), as the card's form has them."""

from typing import NamedTuple


class AnnexQuestion(NamedTuple):
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
    AnnexQuestion("purpose", "1(a)", "What is it for, who provides it, and which version is it?"),
    AnnexQuestion("interaction", "1(b)", "With what hardware and software does it interact?"),
    AnnexQuestion("software", "1(c)", "Which versions of software does it need?"),
    AnnexQuestion("form", "1(d)", "In what form is it put into service?"),
    AnnexQuestion("hardware", "1(e)", "On what hardware does it run?"),
    AnnexQuestion("instructions", "1(g)–(h)", "What does whoever uses it see, and what are they told?"),
    AnnexQuestion("development", "2(a)", "How was it made, and with what pre-trained parts?"),
    AnnexQuestion("design", "2(b)", "What does it optimise for, and what was chosen and traded off?"),
    AnnexQuestion("architecture", "2(c)", "How do its parts hang together?"),
    AnnexQuestion("data", "2(d)", "What data did it learn from: provenance, scope, selection, labels, cleaning?"),
    AnnexQuestion("human_oversight", "2(e)", "How do people oversee it, and what lets them understand what it says?"),
    AnnexQuestion("planned_changes", "2(f)", "Which changes of it are planned in advance?"),
    AnnexQuestion("validation", "2(g)", "How was it validated: on what data, by which metrics; for whom is it worse?"),
    AnnexQuestion("cybersecurity", "2(h)", "How is it kept from being tampered with?"),
    AnnexQuestion("limits", "3", "What can it not do, and what may go wrong?"),
    AnnexQuestion("monitoring", "3", "How is it watched and controlled?"),
    AnnexQuestion("metrics", "4", "Why are these metrics the right ones?"),
    AnnexQuestion("risk_management", "5", "How are risks managed (Article 9)?"),
    AnnexQuestion("changes", "6", "What changed over its life?"),
    AnnexQuestion("standards", "7", "Which harmonised standards are applied?"),
    AnnexQuestion("declaration", "8", "Where is the EU declaration of conformity?"),
    AnnexQuestion("post_market", "9", "How is it watched in use (Article 72)?"),
)
