"""A model: what it learns from, who may let it serve, and how it is held against the one that serves now."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from readiness_pipelines.contracts.tables import DerivedTable, GatedTable, Table
from readiness_pipelines.durations import parse_duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.names import TableId

if TYPE_CHECKING:
    from readiness_pipelines.contracts.domain import Domain

Given = Literal["rows", "matrix"]
"""What a training function, and later its predictor, is given: Arrow rows, or a matrix of numbers."""

DriftAction = Literal["tell", "retrain", "review"]
"""What is done about drift: nothing but an alert, a retraining, or a wait for a person."""

_ACTIONS = ("tell", "retrain", "review")

METRICS: Mapping[str, bool] = {
    "auc": True,
    "accuracy": True,
    "log_loss": False,
    "brier": False,
    "rmse": False,
    "mae": False,
}
"""The metrics, and whether more is better."""

_ARGUMENTS = ("rows", "x", "y", "features", "label", "seed", "params")


class RiskTier(StrEnum):
    """How much harm a wrong prediction can do, after the EU AI Act.

    ``MINIMAL``: none to speak of. ``LIMITED``: people must know that a model speaks. ``HIGH``: it decides about persons
    in a field of the Act's Annex III (health, credit, work, education …): a named approver, who is not the author, lets
    it serve. What the Act prohibits (Article 5) is refused, and has no tier here.
    """

    MINIMAL = "minimal"
    LIMITED = "limited"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class NotWorse:
    """A candidate may serve where it is not worse than the champion on the candidate's own holdout.

    The champion is scored on the same rows. Both are compared on bootstrap samples of them, drawn by a fixed seed: the
    candidate passes where, at the level of confidence, it is not worse by more than the margin.

    Args:
        metric: What is compared: ``"auc"``, ``"accuracy"``, ``"log_loss"``, ``"brier"``, ``"rmse"``, ``"mae"``.
        by: How much worse it may be, in the metric's own unit.
        bootstrap: The level of confidence, between 0.5 and 1.
        samples: How many bootstrap samples are drawn.

    Raises:
        UnknownNameError: No such metric; names the nearest.
        DeclarationError: A margin below 0, a level that is none, or too few samples.

    Example:
        rule = NotWorse("auc", by=0.002, bootstrap=0.95)
    """

    metric: str
    by: float = 0.0
    bootstrap: float = 0.95
    samples: int = 1_000

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise UnknownNameError("metric", str(self.metric), METRICS)
        if not self.by >= 0 or not 0.5 <= self.bootstrap < 1 or self.samples < 100:  # noqa: PLR2004  # see the text
            raise DeclarationError(
                f"NotWorse({self.metric!r}, by={self.by}, bootstrap={self.bootstrap}, samples={self.samples}) compares"
                " nothing",
                way_out="give by=0.002, bootstrap=0.95 (from 0.5 up to 1), samples=1000 (from 100), say",
            )

    def __str__(self) -> str:
        return f"{self.metric} not worse by more than {self.by:g}, at {self.bootstrap:.0%} confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftResponse:
    """What is done where a model's inputs, predictions or quality drift. Mild drift is always told.

    One batch alone is mild, however far away it is; a held one is nothing at all. Several published batches after each
    other are moderate, and severe where half of what the model is worth is lost, or half of its inputs drift.

    Args:
        moderate: What is done about moderate drift: ``"tell"``, ``"retrain"`` or ``"review"``.
        severe: What is done about severe drift.
        after: So many batches after each other drift before anything but telling is done; at least two.
        cool_down: How long after a retraining was wanted none is wanted again.
        budget: So many retrainings are wanted without a person; the next one waits for a review.
        per: The time that the budget is for.

    Raises:
        UnknownNameError: No such action; names the nearest.
        DeclarationError: One batch is to be enough, a budget below 0, or a duration that is none.

    Example:
        drift = DriftResponse(moderate="retrain", severe="review", cool_down="7d", budget=2, per="30d")
    """

    moderate: DriftAction = "retrain"
    severe: DriftAction = "review"
    after: int = 3
    cool_down: str | timedelta = "7d"
    budget: int = 2
    per: str | timedelta = "30d"

    def __post_init__(self) -> None:
        for action in (self.moderate, self.severe):
            if action not in _ACTIONS:
                raise UnknownNameError("response to drift", str(action), _ACTIONS)
        if self.after < 2 or self.budget < 0:  # noqa: PLR2004  # one batch never triggers a retraining
            raise DeclarationError(
                f"DriftResponse(after={self.after}, budget={self.budget}): one batch is no drift, and a budget is not"
                " negative",
                way_out="give after=3 (at least 2), and budget=2, say",
            )
        if min(self.pause, self.period) < timedelta(0):
            raise DeclarationError("a duration of a DriftResponse is negative", way_out='write it as "7d" or "12h"')

    @property
    def pause(self) -> timedelta:
        """How long after a retraining was wanted none is wanted again."""
        return _duration_of(self.cool_down, "cool_down")

    @property
    def period(self) -> timedelta:
        """The time that the budget is for."""
        return _duration_of(self.per, "per")


def _duration_of(value: str | timedelta, name: str) -> timedelta:
    try:
        found = parse_duration(value)
    except ValueError:
        found = None
    if isinstance(found, timedelta):
        return found
    raise DeclarationError(f"{name} of a DriftResponse is {value!r}", way_out='write it as "7d" or "12h"')


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A model over a training set: a product that is trained, compared, approved, and serves. It can be called.

    Attributes:
        id: Its identity, ``domain.name``; the table of that name has the versions that serve.
        domain: Its domain.
        training: The training set that it learns from.
        train: The user's function: training rows in, a predictor out.
        given: Whether the function takes Arrow rows, or a matrix and labels.
        risk: How much harm a wrong prediction can do.
        approver: Who lets it serve, where the tier wants somebody; "" where it does not.
        promote: What a candidate must hold against the champion.
        drift: What is done where it drifts.
        metrics: What is measured on the holdout, the promotion's metric first.
        slices: Columns of the training set by whose values it is measured, too: to see bias.
        seed: What random numbers begin with.
        params: Parameters of the training.
        owner: Who answers for it.
        purpose: What it is for, for people; the card says it.
        limits: What it must not be used for, and what is known to be weak; the card says it.
        answers: Answers to the form's questions that only people can give, by the question's key: text, or the address
            of the evidence.
        description: For people.
        serving: The table of what serves: each promotion, rollback, shadow or canary is a version of it.
    """

    id: TableId
    domain: "Domain" = field(repr=False)
    training: Any = field(repr=False)
    train: Callable[..., Any] = field(repr=False)
    given: Given
    risk: RiskTier
    approver: str
    promote: NotWorse
    drift: DriftResponse
    metrics: tuple[str, ...]
    slices: tuple[str, ...]
    seed: int
    params: Mapping[str, Any]
    owner: str
    purpose: str
    limits: str
    answers: Mapping[str, str]
    description: str
    serving: GatedTable = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in its domain."""
        return self.id.name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the training function, as it was written."""
        return self.train(*arguments, **named)


def model_served_by(table: object) -> Model | None:
    """The model whose versions that serve are a table; ``None`` for any other table."""
    if not isinstance(table, GatedTable):
        return None
    return next((model for model in table.domain.models if model.serving is table), None)


def model_scoring(table: Table) -> Model | None:
    """The model that a table is the predictions of, as ``domain.scored`` declares it; ``None`` for any other table."""
    if not isinstance(table, DerivedTable) or table.reads.keys() != {"rows", "serving"}:
        return None
    return model_served_by(table.reads["serving"].table)


def checked_training(train: Callable[..., Any], what: str) -> Given:
    """What a training function takes.

    Raises:
        DeclarationError: It is not a function, or takes neither ``rows`` nor ``x`` and ``y``.
        UnknownNameError: A parameter that nobody can give; names the nearest.
    """
    if not callable(train):
        raise DeclarationError(f"{what} decorates a {type(train).__name__}", way_out="decorate a function")
    names = tuple(inspect.signature(train).parameters)
    for name in names:
        if name not in _ARGUMENTS:
            raise UnknownNameError(f"parameter of {what}", name, _ARGUMENTS)
    if "rows" in names and not {"x", "y"} & set(names):
        return "rows"
    if {"x", "y"} <= set(names) and "rows" not in names:
        return "matrix"
    raise DeclarationError(
        f"{what} takes {', '.join(names) or 'nothing'}: that is not what it can learn from",
        way_out="take rows (an Arrow table), or x and y (a matrix of numbers and the labels); and seed, params,"
        " features, label where they are of use",
    )


def checked_risk(risk: RiskTier | str, approver: str, what: str) -> RiskTier:
    """A tier, if there is one, with an approver where it wants one.

    Raises:
        UnknownNameError: No such tier.
        DeclarationError: A tier that the AI Act prohibits, or a high one without an approver.
    """
    if str(risk) in ("prohibited", "unacceptable"):
        raise DeclarationError(
            f"{what} is declared as {risk}: what Article 5 of the AI Act prohibits is not built here",
            way_out="do not build it; where the tier is wrong, say which it is: minimal, limited or high",
        )
    if str(risk) not in list(RiskTier):
        raise UnknownNameError(f"risk tier of {what}", str(risk), [tier.value for tier in RiskTier])
    if RiskTier(risk) is RiskTier.HIGH and not approver.strip():
        raise DeclarationError(
            f"{what} is of high risk, and nobody is named who lets it serve",
            way_out='name a person who is not the author: approver="m.weber@clinic.example"',
        )
    return RiskTier(risk)
