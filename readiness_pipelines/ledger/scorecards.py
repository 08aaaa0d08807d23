"""Scorecards: what was proved on each day, one a day for each scope, so that one sees how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.tables import SCORECARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptScorecard:
    """A scorecard of a day.

    Attributes:
        scope: Whose: a domain's name, a product's; "" for the whole installation.
        at: When it was reckoned, in UTC.
        stage: The stage that was proved.
        answers: All that it said, as JSON.
    """

    scope: str
    at: datetime
    stage: int
    answers: Mapping[str, Any]


class Scorecards:
    """The scorecards of all days."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, cards: "tuple[KeptScorecard, ...]") -> None:
        """Keep scorecards, each in place of that of the same scope and day (UTC).

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            for card in cards:
                day = card.at.replace(hour=0, minute=0, second=0, microsecond=0)
                connection.execute(
                    delete(SCORECARDS).where(
                        SCORECARDS.c.scope == card.scope,
                        SCORECARDS.c.at >= day,
                        SCORECARDS.c.at < day + timedelta(days=1),
                    )
                )
                values = {"scope": card.scope, "at": card.at, "stage": card.stage, "answers": dict(card.answers)}
                connection.execute(insert(SCORECARDS).values(**values))

    def of(self, scope: str, *, days: int | None = None) -> tuple[KeptScorecard, ...]:
        """The scorecards of a scope, oldest first; with `days`, so many of the newest."""
        query = select(SCORECARDS).where(SCORECARDS.c.scope == scope).order_by(SCORECARDS.c.at.desc()).limit(days)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            KeptScorecard(scope=row.scope, at=row.at, stage=row.stage, answers=row.answers) for row in reversed(rows)
        )

    def scopes_since(self, at: datetime) -> frozenset[str]:
        """The scopes of which a scorecard of a time, or of a later one, is kept."""
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(SCORECARDS.c.scope).where(SCORECARDS.c.at >= at)).scalars())
