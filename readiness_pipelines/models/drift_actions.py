"""What to do about a model that drifts: signs in batches, and what was done before, in; one step out.

The laws: a held batch says nothing; one batch, however far away, is told and no more; a world that has changed, which
is the same sign in several published batches after each other, has the model trained anew, or waits for a person.
While a retraining is wanted, cools down or is over its budget, no other is wanted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readiness_pipelines.contracts.models import DriftResponse


class DriftTier(StrEnum):
    """How bad it is. ``MILD``: somebody may look; ``MODERATE``: the world changed; ``SEVERE``: the model misleads."""

    NONE = "none"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class DriftSubject(StrEnum):
    """Where a sign was seen: what the model is given, what it says, how good that was, and how good it should be."""

    INPUT = "input"
    PREDICTION = "prediction"
    QUALITY = "quality"
    ESTIMATE = "estimated quality"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DriftSign:
    """Something in one batch that is not as the model knows it.

    Attributes:
        subject: Where it was seen.
        column: The column, or the metric.
        seen: What was seen, for people, without a value of a classified column.
        lost: The share of what the model is worth that is gone, of quality; 0 of inputs and predictions.
    """

    subject: DriftSubject
    column: str
    seen: str = ""
    lost: float = 0.0

    @property
    def about(self) -> tuple[DriftSubject, str]:
        """What it is a sign about: several batches with one about the same are a run."""
        return (self.subject, self.column)

    @property
    def text(self) -> str:
        """For people: ``input age: median 75``, ``quality auc 0.61 of 900 rows``."""
        named = self.seen if self.seen.startswith(self.column) else f"{self.column}: {self.seen}"
        return f"{self.subject} {named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftingBatch:
    """A batch that the model scored, or was to score.

    Attributes:
        batch: Its key.
        published: Whether consumers see it: what its gate held says nothing about the world.
        signs: What is in it that is not as the model knows it.
    """

    batch: str
    published: bool = True
    signs: tuple[DriftSign, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRetraining:
    """A retraining that was wanted before, because of drift or not.

    Attributes:
        at: When, in UTC.
        running: Whether nobody has trained, allowed or declined it yet.
    """

    at: datetime
    running: bool


class DriftStep(StrEnum):
    """What to do. ``NOTHING``; ``TELL``; ``RETRAIN``; ``REVIEW``: a person decides; ``WAIT``: it is being done."""

    NOTHING = "nothing"
    TELL = "tell"
    RETRAIN = "retrain"
    REVIEW = "review"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDecision:
    """What to do about a model, and why.

    Attributes:
        tier: How bad it is.
        step: What to do.
        why: The reason, for people.
        signs: The signs that it rests on: those that stayed, or those of the newest batch.
        batches: The batches that showed them, oldest first.
    """

    tier: DriftTier
    step: DriftStep
    why: str
    signs: tuple[DriftSign, ...] = ()
    batches: tuple[str, ...] = ()


SEVERE_LOSS = 0.5
"""With so much of what it is worth gone, a model misleads."""

SEVERE_INPUTS = 0.5
"""With so many of its inputs elsewhere, a model is asked about another world."""


def decide_about_drift(
    batches: Sequence[DriftingBatch],
    *,
    inputs: int,
    response: DriftResponse,
    earlier: Iterable[EarlierRetraining] = (),
    now: datetime,
) -> DriftDecision:
    """What to do about a model.

    Args:
        batches: The batches since the version that serves, oldest first.
        inputs: How many columns the model is given.
        response: What its page says of drift.
        earlier: The retrainings that were wanted before.
        now: The time, in UTC.
    """
    published = [one for one in batches if one.published]
    if not published or not published[-1].signs:
        return DriftDecision(tier=DriftTier.NONE, step=DriftStep.NOTHING, why="the newest batch is as usual")
    stayed = tuple(sorted(sign for sign in published[-1].signs if _run(published, sign) >= response.after))
    tier = _tier(stayed, inputs)
    if tier is DriftTier.MILD:
        return DriftDecision(
            tier=tier,
            step=DriftStep.TELL,
            why=f"{_spelled(published[-1].signs)} in {published[-1].batch}; fewer than {response.after} batches say so",
            signs=tuple(sorted(published[-1].signs)),
            batches=(published[-1].batch,),
        )
    length = max(_run(published, sign) for sign in stayed)
    told = f"{_spelled(stayed)} in {length} batches after each other"
    wanted = DriftStep(response.severe if tier is DriftTier.SEVERE else response.moderate)
    step, why = _in_turn(wanted, response, tuple(earlier), now)
    return DriftDecision(
        tier=tier,
        step=step,
        why=f"{told}: {why}" if why else told,
        signs=stayed,
        batches=tuple(one.batch for one in published[-length:]),
    )


def _run(published: Sequence[DriftingBatch], sign: DriftSign) -> int:
    """In how many of the newest batches after each other there is a sign about the same."""
    length = 0
    for one in reversed(published):
        if all(other.about != sign.about for other in one.signs):
            break
        length += 1
    return length


def _tier(stayed: Sequence[DriftSign], inputs: int) -> DriftTier:
    if not stayed:
        return DriftTier.MILD
    moved = len({sign.column for sign in stayed if sign.subject is DriftSubject.INPUT})
    if any(sign.lost >= SEVERE_LOSS for sign in stayed) or (moved > 1 and moved >= SEVERE_INPUTS * inputs):
        return DriftTier.SEVERE
    return DriftTier.MODERATE


def _in_turn(
    wanted: DriftStep, response: DriftResponse, earlier: Sequence[EarlierRetraining], now: datetime
) -> tuple[DriftStep, str]:
    """What is wanted, unless it is being done, was done just now, or too often."""
    if wanted not in (DriftStep.RETRAIN, DriftStep.REVIEW):
        return wanted, ""
    if any(one.running for one in earlier):
        return DriftStep.WAIT, "a retraining is wanted already"
    last = max((one.at for one in earlier), default=None)
    if last is not None and now < last + response.pause:
        return DriftStep.WAIT, f"the last retraining was wanted on {last:%Y-%m-%d}, and cools down"
    lately = sum(one.at > now - response.period for one in earlier)
    if wanted is DriftStep.RETRAIN and lately >= response.budget:
        return DriftStep.REVIEW, f"the budget of {response.budget} retrainings is spent: a person decides"
    return wanted, ""


def _spelled(signs: Sequence[DriftSign]) -> str:
    first = min(signs)
    more = f", and {len(signs) - 1} more" if len(signs) > 1 else ""
    return f"{first.subject} {first.column} drifts{more}"
