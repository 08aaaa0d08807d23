"""Changes of a Postgres table come once each, whatever ends the process, and what is lost is said aloud."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import LogicalReplicationConnection

from readiness_pipelines import PostgresChanges
from readiness_pipelines.delivery import do_work, due_work, reconcile
from readiness_pipelines.errors import DeclarationError, SlotLostError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.sources.changes.debezium import change_of
from readiness_pipelines.streaming import Progress, Shard, SlotMessages, position_of, read_shard, reading
from readiness_pipelines.streaming.points import Point, Step
from readiness_pipelines_tests.databases import logical_postgres, postgres
from readiness_pipelines_tests.streaming.customers import FROM_SLOT, changes_table, customers_domain
from readiness_pipelines_tests.streaming.payments import Clock, rows_of
from readiness_pipelines_tests.streaming.shop_database import Statements, shop_database
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

READER = FROM_SLOT
LONG = "".join(chr(65 + number * 7 % 26) + str(number) for number in range(4_000))


@pytest.fixture(autouse=True)
def _rests_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RESTS_EVERY_SECONDS", 0.2)


@pytest.fixture
def database() -> Iterator[Statements]:
    with shop_database() as run:
        yield run


class Ended(BaseException):
    """Ends a process at a point, as a kill would."""


def read(
    installation: Installation,
    clock: Clock,
    *,
    records: int,
    step: Step = lambda _: None,
    reader: Any = READER,
    skip_gap: str = "",
) -> Progress:
    table = changes_table(customers_domain(reader))
    progress, ends = Progress(str(table.id), "0/1"), time.monotonic() + LONGEST_SECONDS
    return read_shard(
        table,
        Shard(),
        source=SlotMessages(reader, logical_postgres()),
        installation=installation,
        run=Run(clock=clock),
        stop=lambda: progress.records >= records or time.monotonic() > ends,
        progress=progress,
        step=step,
        skip_gap=skip_gap,
    )


def seal(installation: Installation, clock: Clock) -> None:
    domain = customers_domain(READER)
    clock.now = clock.now.replace(minute=0) + timedelta(hours=1, seconds=15)
    while due := due_work([domain], installation=installation, now=clock.now):
        for work in due:
            do_work(work, installation=installation, run=Run(clock=clock))
    assert reconcile([domain], installation=installation).problems == ()


def now_in(installation: Installation) -> list[Any]:
    current = customers_domain(READER).table("customers")
    return list(rows_of(installation, current.id, "id, name, bio, paid::VARCHAR"))


def test_rows_come_first_then_each_change_once_and_the_current_table_is_the_databases(
    database: Statements, installation: Installation
) -> None:
    clock = Clock()
    database(
        f"INSERT INTO customers VALUES (1, 'Ann', '{LONG}', 1.50), (2, 'Bob', NULL, 'NaN'), (3, 'Cem', 'short', NULL)"
    )
    # Ended at each point on the way, in the snapshot, too: nothing is lost or doubled.
    for point in (Point.TAKEN, Point.LANDED, Point.PUBLISHED):

        def end(at: Point, point: Point = point) -> None:
            if at is point:
                raise Ended

        with pytest.raises(Ended):
            read(installation, clock, records=1, step=end, reader=READER.model_copy(update={"slice_records": 2}))
        database(f"INSERT INTO customers VALUES ({10 + list(Point).index(point)}, 'during', NULL, 0)")
    read(installation, clock, records=1)
    database(
        "BEGIN; UPDATE customers SET name = 'Ann B.' WHERE id = 1; INSERT INTO others VALUES (1);"
        "INSERT INTO customers VALUES (4, 'Dora', NULL, 'Infinity'); COMMIT",
        "UPDATE customers SET id = 30 WHERE id = 3",
        "UPDATE customers SET paid = 7 WHERE id = 2",
        "DELETE FROM customers WHERE id = 10",
        "BEGIN; INSERT INTO customers VALUES (99, 'never', NULL, 0); ROLLBACK",
        "ALTER TABLE customers ADD COLUMN vip boolean",
        "INSERT INTO customers VALUES (5, 'Eva', NULL, 5, true)",
    )
    for point in (Point.LANDED, Point.PUBLISHED):

        def stop(at: Point, point: Point = point) -> None:
            if at is point:
                raise Ended

        with pytest.raises(Ended):
            read(installation, clock, records=9, step=stop, reader=READER.model_copy(update={"slice_records": 2}))
    database("DELETE FROM customers WHERE id = 4")
    read_the_rest(installation, clock, database)
    raw = changes_table(customers_domain(READER)).id.raw
    places = rows_of(installation, raw, "_row, change_op, change_position, id, vip")
    assert [row for row, *_ in places] == list(range(len(places)))
    changed = [one for one in places if one[1] != "snapshot"]
    assert len({one[2] for one in changed}) == len(changed)
    assert places[0][1:] == ("snapshot", places[0][2], "1", None)
    assert ("5", "true") in [one[3:] for one in places]
    seal(installation, clock)
    there = database("SELECT id, name, bio, round(paid, 2)::text FROM customers ORDER BY id")
    assert now_in(installation) == there
    assert {key: bio for key, _, bio, _ in there}[1] == LONG
    database("TRUNCATE customers", "INSERT INTO customers VALUES (7, 'Gil', NULL, 1)")
    read(installation, clock, records=2)
    seal(installation, clock)
    assert now_in(installation) == [(7, "Gil", None, "1.00")]


def test_a_slot_that_another_process_has_not_let_go_of_is_waited_for(
    database: Statements, installation: Installation
) -> None:
    clock = Clock()
    for number in (1, 2):
        database(f"INSERT INTO customers VALUES ({number}, 'Ann', NULL, 1)")
        read(installation, clock, records=1)
    database("INSERT INTO customers VALUES (3, 'Cem', NULL, 1)")
    holder = psycopg2.connect(logical_postgres(), connection_factory=LogicalReplicationConnection)
    holder.cursor().start_replication(
        slot_name="customers", decode=False, options={"proto_version": "1", "publication_names": "shop"}
    )
    release = threading.Timer(2, holder.close)
    release.start()
    read(installation, clock, records=1)
    release.join()
    raw = changes_table(customers_domain(READER)).id.raw
    assert ("3", "insert") in rows_of(installation, raw, "id, change_op")


def read_the_rest(installation: Installation, clock: Clock, database: Statements) -> int:
    """Read all that was written by now, to be known by the slot, which moves on to there; how many records it was."""
    (written,) = database("SELECT pg_current_wal_flush_lsn()::text")
    table, ends = changes_table(customers_domain(READER)), time.monotonic() + LONGEST_SECONDS
    moved_on = f"SELECT confirmed_flush_lsn >= '{written[0]}'::pg_lsn FROM pg_replication_slots"
    progress = read_shard(
        table,
        Shard(),
        source=SlotMessages(READER, logical_postgres()),
        installation=installation,
        run=Run(clock=clock),
        stop=lambda: database(moved_on) == [(True,)] or time.monotonic() > ends,
    )
    assert database(moved_on) == [(True,)]
    return progress.records


@pytest.fixture
def _impatient_server(database: Statements) -> Iterator[None]:
    database("ALTER SYSTEM SET wal_sender_timeout = '2s'", "SELECT pg_reload_conf()")
    yield
    database("ALTER SYSTEM RESET wal_sender_timeout", "SELECT pg_reload_conf()")


@pytest.mark.usefixtures("_impatient_server")
def test_while_its_table_is_quiet_and_others_change_the_slot_is_nowhere_that_raw_does_not_know(
    database: Statements, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "RESTS_EVERY_SECONDS", LONGEST_SECONDS)
    clock, table = Clock(), changes_table(customers_domain(READER))
    database("INSERT INTO customers VALUES (1, 'Ann', NULL, 1)")
    read(installation, clock, records=1)

    def known() -> int:
        position = position_of(installation.lakehouse.properties(table.id.raw), 0)
        assert position is not None
        return int(json.loads(position.mark)["commit"])

    def slot() -> int:
        ((place,),) = database("SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots")
        return int(place)

    looked = 0

    def stop() -> bool:
        nonlocal looked
        looked += 1
        database("CREATE TABLE noise AS SELECT generate_series(1, 100) AS a", "DROP TABLE noise")
        if looked == 4:
            time.sleep(1.4)  # it stands still, so that the server asks, which the driver answers by itself
        if looked == 12:
            database("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        return looked > 14

    source = SlotMessages(READER, logical_postgres())
    read_shard(table, Shard(), source=source, installation=installation, run=Run(clock=clock), stop=stop)
    assert slot() <= known()
    database("INSERT INTO customers VALUES (2, 'Bob', NULL, 1)")
    assert read(installation, clock, records=1).records == 1


def test_a_slot_that_is_gone_or_was_moved_is_an_error_and_never_a_new_snapshot(
    database: Statements, installation: Installation
) -> None:
    clock = Clock()
    database("INSERT INTO customers VALUES (1, 'Ann', NULL, 1)")
    read(installation, clock, records=1)
    database("INSERT INTO customers VALUES (2, 'Bob', NULL, 1)")
    read(installation, clock, records=1)
    # Where nothing of the table changes, the slot moves on all the same, so that the server need not keep its log.
    for number in range(2):
        database(f"CREATE TABLE noise_{number} AS SELECT generate_series(1, 1000) AS a", "SELECT pg_switch_wal()")
        assert read_the_rest(installation, clock, database) == 0
        database(f"DROP TABLE noise_{number}")
    table = changes_table(customers_domain(READER))
    position = position_of(installation.lakehouse.properties(table.id.raw), 0)
    assert position is not None
    assert position.end == 3  # the second came as a row of the snapshot, which was read on, and as insert

    database("INSERT INTO customers VALUES (3, 'Cem', NULL, 1)")
    taken = (
        "pg_logical_slot_get_binary_changes('customers', NULL, NULL, 'proto_version', '1', 'publication_names', 'shop')"
    )
    database(f"SELECT count(*) FROM {taken}")
    with pytest.raises(SlotLostError, match=r"was moved to .* by somebody else\. What changed .* after .* is lost"):
        read(installation, clock, records=1)
    database("INSERT INTO customers VALUES (4, 'Dora', NULL, 1)")
    # The steward knows what was lost, and says so: it goes on with what follows.
    assert read(installation, clock, records=1, skip_gap="3 is Cem, brought by hand").records == 1
    (gap,) = [one for one in installation.ledger.trail() if one.what == "passed over a gap"]
    assert (gap.why, "was moved to" in gap.details["gap"]) == ("3 is Cem, brought by hand", True)
    database("SELECT pg_drop_replication_slot('customers')")
    with pytest.raises(SlotLostError, match="is not there any more"):
        read(installation, clock, records=1)
    assert database("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    assert [key for (key,) in rows_of(installation, table.id.raw, "id")] == ["1", "2", "2", "4"]


def test_rows_are_read_part_by_part_in_the_order_of_their_keys_and_not_of_their_text(database: Statements) -> None:
    database("INSERT INTO customers SELECT n, 'x', NULL, 1 FROM generate_series(1, 12) n")
    source = SlotMessages(READER, logical_postgres())
    source.partitions()
    source.begin({0: 0}, {})
    found = [json.loads(one.value or b"")["after"]["id"] for _ in range(6) for one in source.take(2, 0)]
    source.close()
    assert found == [str(key) for key in range(1, 13)]


def test_changes_that_were_sent_before_the_connection_broke_are_taken_once(
    database: Statements, installation: Installation
) -> None:
    source = SlotMessages(READER, logical_postgres())
    source.partitions()
    source.begin({0: 0}, {})
    assert not source.take(10, 0)
    database(*(f"INSERT INTO customers VALUES ({key}, 'x', NULL, 1)" for key in (1, 2, 3)))
    # All of it is on its way to the client, and after it the end of the connection.
    sent = "SELECT count(*) FROM pg_stat_replication WHERE sent_lsn >= pg_current_wal_lsn()"
    until = datetime.now(UTC) + timedelta(seconds=20)
    while database(sent) == [(0,)]:
        assert datetime.now(UTC) < until
    database("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_replication")
    database("INSERT INTO customers VALUES (4, 'x', NULL, 1)")
    found: list[tuple[int, str]] = []
    while len(found) < 4:
        assert datetime.now(UTC) < until
        found += [(one.offset, json.loads(one.value or b"")["after"]["id"]) for one in source.take(10, 0.2)]
    source.close()
    assert found == [(0, "1"), (1, "2"), (2, "3"), (3, "4")]


def test_a_row_has_the_same_texts_as_snapshot_and_as_change_whatever_its_values_and_names_are(
    database: Statements,
) -> None:
    table = '"Ölçüm 1"'
    database(
        f"DROP TABLE IF EXISTS {table}",
        f"""CREATE TABLE {table} ("Süt İd" inet, "yağ %" char(3), "Açik" boolean, a text[], j jsonb, t timestamptz,
        PRIMARY KEY ("Süt İd", "yağ %"))""",
        f"""INSERT INTO {table} VALUES ('10.0.0.2', 'a', true, '{{"x,y",NULL}}', '{{"a": [1.0, null]}}', 'infinity'),
        ('10.0.0.10', '%s', false, NULL, 'null', '2024-01-01 00:00:00.000001+05:45'),
        ('10.0.0.10', 'b', NULL, NULL, NULL, NULL)""",
        f"""ALTER PUBLICATION shop ADD TABLE {table} WHERE ("yağ %" NOT LIKE 'z%')""",
    )
    key = ("Süt İd", "yağ %")
    reader = PostgresChanges("public.Ölçüm 1", connection="x", publication="shop", slot="odd", key=key)
    source = SlotMessages(reader, logical_postgres())

    def rows(count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        until = datetime.now(UTC) + timedelta(seconds=LONGEST_SECONDS)
        while len(found) < count:
            assert datetime.now(UTC) < until
            found += [change_of(None, json.loads(one.value or b""), key) for one in source.take(1, 0.2)]
        return [{name: one[name] for name in (*key, "Açik", "a", "j", "t", "change_unchanged")} for one in found]

    source.partitions()
    source.begin({0: 0}, {})
    before = rows(3)
    assert [one["yağ %"] for one in before] == ["a  ", "%s ", "b  "]
    database(f"UPDATE {table} SET j = j")
    assert rows(3) == before
    # What stands for a value that was not sent is a value like any other, where a row has it.
    text = "__debezium_unavailable_value"
    database(f"INSERT INTO {table} VALUES ('::1', 'c', NULL, ARRAY['{text}', 'x'], '\"{text}\"')")
    (there,) = rows(1)
    assert (there["a"], there["j"], there["change_unchanged"]) == (f"{{{text},x}}", f'"{text}"', None)
    # A table is itself, also while it is called otherwise.
    database(
        f"ALTER TABLE {table} RENAME TO away",
        "INSERT INTO away VALUES ('::2', 'd')",
        f"ALTER TABLE away RENAME TO {table}",
        f"INSERT INTO {table} VALUES ('::3', 'e')",
    )
    assert [one["Süt İd"] for one in rows(2)] == ["::2", "::3"]
    source.close()
    database(f"DROP TABLE {table}")


def test_a_publication_or_an_identity_of_which_something_would_go_unseen_is_refused(database: Statements) -> None:
    database(
        "CREATE UNIQUE INDEX other_key ON customers (name)",
        "ALTER TABLE customers REPLICA IDENTITY USING INDEX other_key",
    )
    with pytest.raises(DeclarationError, match="a replica identity that is not its primary key") as refused:
        SlotMessages(READER, logical_postgres()).partitions()
    database(refused.value.way_out, "ALTER PUBLICATION shop SET (publish = 'insert, update')")
    with pytest.raises(DeclarationError, match="the publication shop leaves out delete, truncate") as refused:
        SlotMessages(READER, logical_postgres()).partitions()
    database(refused.value.way_out)
    assert SlotMessages(READER, logical_postgres()).partitions() == (0,)


def test_a_database_that_cannot_give_changes_is_refused_with_the_way_out(
    database: Statements, installation: Installation
) -> None:
    with pytest.raises(DeclarationError, match="needs wal_level = logical, and the server has replica"):
        SlotMessages(READER, postgres()).partitions()
    with pytest.raises(DeclarationError, match="not a Postgres database"):
        SlotMessages(READER, "sqlite:///x.db")
    for other, why in (
        ({"publication": "none"}, "the publication none does not have the table"),
        ({"key": ("name",)}, "the primary key of public.customers is id"),
    ):
        with pytest.raises(DeclarationError, match=why):
            SlotMessages(READER.model_copy(update=other), logical_postgres()).partitions()
