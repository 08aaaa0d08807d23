"""Profiles: what the published rows of each batch look like, in a few numbers a column."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from sqlalchemy import Connection, delete, func, insert, select

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.ledger.keys import batch_key, is_batch, is_table
from readiness_pipelines.ledger.tables import PROFILES
from readiness_pipelines.names import TableId

_ROWS_AT_ONCE = 200


def profile_digest(profile: str) -> str:
    """SHA-256 of a profile's text, as hexadecimal digits."""
    return sha256(profile.encode()).hexdigest()


def replace_profile(connection: Connection, ref: BatchRef, profile: str | None, *, noted: int) -> None:
    """Put a profile in place of the one that a batch had; none, where there is none of what is published now.

    Args:
        connection: The ledger.
        ref: The batch.
        profile: The profile, as JSON text.
        noted: The row of the trail that tells of the delivery.
    """
    connection.execute(delete(PROFILES).where(is_batch(PROFILES, ref)))
    if profile is not None:
        values = {"noted": noted, "digest": profile_digest(profile), "profile": profile}
        connection.execute(insert(PROFILES).values(**batch_key(ref), **values))


def bring_profiles(connection: Connection, table: TableId, profiles: Mapping[str, str]) -> int:
    """Keep the profiles of those batches that have none; how many they were."""
    there = profile_digests(connection, table, profiles)
    missing = {batch: profile for batch, profile in profiles.items() if batch not in there}
    for batch, profile in missing.items():
        replace_profile(connection, BatchRef(table, batch), profile, noted=0)
    return len(missing)


def profile_digests(connection: Connection, table: TableId, batches: Collection[str]) -> Mapping[str, str]:
    """The digests of the profiles of some batches, as far as there are any: what tells one profile from all others."""
    query = select(PROFILES.c.batch, PROFILES.c.digest).where(is_table(PROFILES, table), PROFILES.c.batch.in_(batches))
    return {row.batch: row.digest for row in connection.execute(query)}


def profiles_of(connection: Connection, table: TableId, batches: Collection[str]) -> Mapping[str, str]:
    """The profiles of some batches, as far as there are any."""
    query = select(PROFILES.c.batch, PROFILES.c.profile).where(is_table(PROFILES, table), PROFILES.c.batch.in_(batches))
    return {row.batch: row.profile for row in connection.execute(query)}


def digested_profiles(connection: Connection, table: TableId) -> Iterator[tuple[str, str]]:
    """The batches of a table that have a profile, each with the digest of what is there; "" where it names another."""
    last = ""
    while True:
        # Not all in memory at once.
        query = select(PROFILES).where(is_table(PROFILES, table), PROFILES.c.batch > last).order_by(PROFILES.c.batch)
        rows = connection.execute(query.limit(_ROWS_AT_ONCE)).all()
        for row in rows:
            yield row.batch, row.digest if row.digest == profile_digest(row.profile) else ""
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1].batch


def newest_profile(connection: Connection, table: TableId) -> int | None:
    """The row of the trail with which a profile of a table was kept last: it grows with each."""
    newest = select(func.max(PROFILES.c.noted)).where(is_table(PROFILES, table))
    found: int | None = connection.execute(newest).scalar_one()
    return found
