"""The scorecard of an installation, a domain or a product: answers, the stage that they prove, and what to do next."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.domains import tables_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.overview.scorecard import layers, operation
from readiness_pipelines.overview.scorecard import questions as asked
from readiness_pipelines.overview.scorecard.answering import unknown
from readiness_pipelines.overview.scorecard.gathered import Gathered, gather_evidence
from readiness_pipelines.overview.scorecard.questions import (
    ASKED,
    STAGES,
    Answer,
    Area,
    Grade,
    Proof,
    Question,
)
from readiness_pipelines.overview.scorecard.slas import SlaMonth

_WORST = (Grade.FAILS, Grade.NO_EVIDENCE, Grade.PASSES)

WHOLE = ""
"""The scope of the whole installation."""

_ANSWERS: Mapping[Question, Callable[[Gathered], Answer]] = {
    asked.CATALOG: operation.catalog,
    asked.SLAS: operation.slas,
    asked.GATES: operation.gates,
    asked.FEATURES: operation.features,
    asked.MODELS: operation.models,
    asked.DRIFT: operation.drift,
    asked.REVIEWS: operation.reviews,
    asked.ACCESS: operation.access,
    asked.STANDARDS: operation.standards,
    asked.STAFFED: operation.staffed,
    asked.PIPELINE: layers.pipeline,
    asked.VECTORS: layers.vectors,
    asked.RETRIEVAL: layers.retrieval,
    asked.SECURITY: layers.security,
    asked.LLM: layers.llm,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """Something to do, and what it would gain.

    Attributes:
        question: The question that it answers.
        way_out: What to do, for people.
        gain: How many answers would pass that do not: the question's own, a layer that asks the same, and the stages
            that lack nothing else.
        missing: How many things have to be put right for it; 0 where nobody knows.
    """

    question: str
    way_out: str
    gain: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """How ready the data of a scope is.

    Attributes:
        scope: A domain's name, a product's ``domain.name``; "" for the whole installation.
        at: When it was reckoned, in UTC.
        stage: The stage that is proved: it, and all below it; 0 where not even the first is.
        answers: The answers: points of operation, layers, then stages.
        next: What to do next, what gains most first.
        slas: What its products promised, and what it was, month by month.
    """

    scope: str
    at: datetime
    stage: int
    answers: tuple[Answer, ...]
    next: tuple[NextStep, ...]
    slas: tuple[SlaMonth, ...]

    def part(self, part: Area) -> tuple[Answer, ...]:
        """The answers of a part."""
        return tuple(one for one in self.answers if one.question.part is part)

    def count(self, verdict: Grade) -> int:
        """How many questions have a verdict; stages, which are made of them, are not counted."""
        return sum(one.verdict is verdict for one in self.answers if one.question.part is not Area.STAGES)


def scorecards(
    domains: Iterable[Domain],
    *,
    installation: Installation,
    identity_required: bool,
    now: datetime,
    only: Collection[str] | None = None,
) -> Mapping[str, Scorecard]:
    """The scorecards of an installation, of its domains, and of their products, by scope; the whole first.

    Nothing is answered by what somebody says of themselves: each verdict names what proves it.

    Args:
        domains: The domains.
        installation: Where the ledger is.
        identity_required: Whether the settings demand that who decides proves it.
        now: The time.
        only: The scopes that are reckoned; ``None`` for all.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    given = tuple(domains)
    scopes: dict[str, Sequence[Table]] = {}
    for domain in given:
        scopes[domain.name] = domain.tables
        scopes |= {str(product.id): [product] for product in domain.kpis}
    whole = only is None or WHOLE in only
    wanted = [scope for scope in scopes if only is None or scope in only]
    tables = tables_of(given).values() if whole else [table for scope in wanted for table in scopes[scope]]
    facts = gather_evidence(tables, installation=installation, identity_required=identity_required, now=now)
    found = {WHOLE: _card(WHOLE, facts)} if whole else {}
    return found | {scope: _card(scope, facts.of(scopes[scope])) for scope in wanted}


def _card(scope: str, facts: Gathered) -> Scorecard:
    answers = tuple(_answer(question, facts) for question in ASKED)
    stages = tuple(_stages(answers))
    return Scorecard(
        scope=scope,
        at=facts.now,
        stage=_proved(stages),
        answers=(*answers, *stages),
        next=_next(answers, stages),
        slas=tuple(month for months in facts.slas.values() for month in months if month.kept is not None),
    )


def _answer(question: Question, facts: Gathered) -> Answer:
    if not facts.delivered:
        return unknown(question, "nothing was delivered yet", way_out="deliver something: readiness run")
    return _ANSWERS[question](facts)


def _stages(answers: Sequence[Answer]) -> Iterable[Answer]:
    """Each stage is proved by all of its questions: one that fails disproves it; without evidence, it stays open."""
    for number, stage in enumerate(STAGES, start=1):
        own = sorted(
            (one for one in answers if one.question.stage == number), key=lambda one: _WORST.index(one.verdict)
        )
        worst, lacking = own[0].verdict, [one for one in own if one.verdict is not Grade.PASSES]
        yield Answer(
            question=stage,
            verdict=worst,
            evidence=tuple(
                Proof(text=f"{one.question.id}: {one.verdict}", against=one.verdict is Grade.FAILS) for one in own
            ),
            missing=len(lacking),
            next=f"answer: {', '.join(one.question.id for one in lacking)}" if lacking else "",
        )


def _proved(stages: Sequence[Answer]) -> int:
    """The highest stage below which none is missing."""
    proved = 0
    for stage in stages:
        if stage.verdict is not Grade.PASSES:
            break
        proved += 1
    return proved


def _next(answers: Sequence[Answer], stages: Sequence[Answer]) -> tuple[NextStep, ...]:
    """What to do next: what gains most answers first, of equals what the lower stage needs, then what is less work."""
    lacking = [one for one in answers if one.verdict is not Grade.PASSES]
    mirrored = {asked.SECURITY: asked.ACCESS}
    found: list[tuple[tuple[int, int, int, int], NextStep]] = []
    for place, one in enumerate(lacking):
        if one.question in mirrored:
            continue  # it is answered with what it mirrors
        answered = {one.question, *(layer for layer, point in mirrored.items() if point is one.question)}
        rest = {other.question.stage for other in lacking if other.question not in answered}
        stage = one.question.stage not in rest and stages[one.question.stage - 1].verdict is not Grade.PASSES
        gain = len(answered) + int(stage)
        step = NextStep(question=one.question.id, way_out=one.next, gain=gain, missing=one.missing)
        # What no declaration can give yet comes last: nobody can do anything about it.
        later = int(not one.question.possible)
        found.append(((later, -gain, one.question.stage * 1_000 + min(one.missing, 999), place), step))
    return tuple(step for _, step in sorted(found, key=lambda one: one[0]))
