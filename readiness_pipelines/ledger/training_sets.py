"""Training sets that were built: what each is made of, and where its labels went. Their rows are in the lakehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from readiness_pipelines.ledger.database import Database
from readiness_pipelines.ledger.tables import TRAINING_SETS
from readiness_pipelines.names import TableId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrainingSet:
    """A training set that was built.

    Attributes:
        id: The hash of all that its rows follow from.
        name: The training set's identity.
        built_at: When it was first built, in UTC.
        who: The person or service it was built for.
        run_id: The run that built it.
        facts: All that is kept of it, as JSON.
    """

    id: str
    name: TableId
    built_at: datetime
    who: str
    run_id: str | None
    facts: Mapping[str, Any]


class TrainingSets:
    """The training sets that were built."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, one: KeptTrainingSet) -> KeptTrainingSet:
        """Keep a training set, unless it is kept already: the first one stays.

        Returns:
            The one that is kept.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            there = connection.execute(select(TRAINING_SETS).where(TRAINING_SETS.c.id == one.id)).one_or_none()
            if there is not None:
                return _kept(there)
            connection.execute(
                insert(TRAINING_SETS).values(
                    id=one.id,
                    table_name=str(one.name),
                    built_at=one.built_at,
                    who=one.who,
                    run_id=one.run_id,
                    facts=dict(one.facts),
                )
            )
        return one

    def get(self, training_set: str) -> KeptTrainingSet | None:
        """The training set of an id; ``None`` where none was built.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(TRAINING_SETS).where(TRAINING_SETS.c.id == training_set)).one_or_none()
        return None if row is None else _kept(row)

    def of(self, name: TableId) -> tuple[KeptTrainingSet, ...]:
        """All builds of a training set, oldest first.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        query = select(TRAINING_SETS).where(TRAINING_SETS.c.table_name == str(name)).order_by(TRAINING_SETS.c.built_at)
        with self._database.reading() as connection:
            return tuple(map(_kept, connection.execute(query)))

    def all(self) -> tuple[KeptTrainingSet, ...]:
        """All builds of all training sets, oldest first.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.reading() as connection:
            return tuple(map(_kept, connection.execute(select(TRAINING_SETS).order_by(TRAINING_SETS.c.built_at))))

    def replace_facts(self, training_set: str, facts: Mapping[str, Any]) -> None:
        """Put other facts in place of those of a training set: rows of it were erased.

        Raises:
            LedgerError: The ledger cannot be reached.
        """
        with self._database.writing() as connection:
            chosen = update(TRAINING_SETS).where(TRAINING_SETS.c.id == training_set)
            connection.execute(chosen.values(facts=dict(facts)))


def _kept(row: Any) -> KeptTrainingSet:
    return KeptTrainingSet(
        id=row.id,
        name=TableId.parse(row.table_name),
        built_at=row.built_at,
        who=row.who,
        run_id=row.run_id,
        facts=row.facts,
    )
