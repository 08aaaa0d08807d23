"""Scorecards as they are kept, one a day for each scope, and how they went."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness_pipelines.contracts import Domain
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import KeptScorecard
from readiness_pipelines.overview.plain_values import plain_value
from readiness_pipelines.overview.scorecard.card import WHOLE, Scorecard, scorecards
from readiness_pipelines.overview.scorecard.questions import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierScorecard:
    """How a scope stood on a day.

    Attributes:
        at: When it was reckoned, in UTC.
        stage: The stage that was proved.
        verdicts: The verdict of each question, by its name.
    """

    at: datetime
    stage: int
    verdicts: Mapping[str, Grade]

    def count(self, verdict: Grade) -> int:
        """How many questions had a verdict; stages are not counted."""
        return sum(found is verdict for name, found in self.verdicts.items() if not name.startswith("stage-"))


def scorecards_to_keep(cards: Iterable[Scorecard]) -> tuple[KeptScorecard, ...]:
    """Scorecards as the ledger keeps them, for ``ledger.scorecards.keep``."""
    return tuple(
        KeptScorecard(scope=card.scope, at=card.at, stage=card.stage, answers=scorecard_value(card)) for card in cards
    )


def scorecards_of_today(
    domains: Iterable[Domain], *, installation: Installation, identity_required: bool, now: datetime
) -> tuple[KeptScorecard, ...]:
    """The scorecards of a day (UTC), for ``ledger.scorecards.keep``, of the scopes of which none of the day is kept.

    Of several code locations with one ledger each keeps its own; the whole is that of the one which looks first.

    Args:
        domains: The domains.
        installation: Where the ledger is.
        identity_required: Whether the settings demand that who decides proves it.
        now: The time.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    given = tuple(domains)
    kept = installation.ledger.scorecards.scopes_since(now.replace(hour=0, minute=0, second=0, microsecond=0))
    if kept >= {WHOLE, *(domain.name for domain in given)}:
        return ()
    cards = scorecards(given, installation=installation, identity_required=identity_required, now=now)
    return scorecards_to_keep(card for scope, card in cards.items() if scope not in kept)


def past_scorecards(scope: str, *, installation: Installation, days: int | None = None) -> tuple[EarlierScorecard, ...]:
    """How a scope stood on each day on which somebody looked, oldest first; with `days`, so many of the newest.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    return tuple(
        EarlierScorecard(
            at=card.at,
            stage=card.stage,
            verdicts={one["question"]["id"]: Grade(one["verdict"]) for one in card.answers["answers"]},
        )
        for card in installation.ledger.scorecards.of(scope, days=days)
    )


def scorecard_value(card: Scorecard) -> dict[str, Any]:
    """A scorecard as JSON has it."""
    value: dict[str, Any] = plain_value(card)
    for month, said in zip(card.slas, value["slas"], strict=True):
        said["kept"] = month.kept
    return value
