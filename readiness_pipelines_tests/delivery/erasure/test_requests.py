"""A person who asks for it is erased: nothing tells of them any more, and every other row is as it was."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

from readiness_pipelines import Domain, FileDrop, Pseudonym, Source, Steward, Tolerance, Versions
from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts.classification import protect
from readiness_pipelines.decisions import CellCorrection, Discarding
from readiness_pipelines.delivery import Level, audit, decide, deliver, due_work, ingest, reconcile, replay_batch
from readiness_pipelines.delivery.clones import cloned
from readiness_pipelines.delivery.erasure.certificate import Certificate
from readiness_pipelines.delivery.erasure.requests import (
    apply_register,
    count_rows,
    erase,
    export_register,
    import_register,
    resume,
)
from readiness_pipelines.errors import DeclarationError, LedgerError, RegisterKeyError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ErasureState
from readiness_pipelines.names import TableId
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.conftest import settings_in
from readiness_pipelines_tests.delivery.erasure.clinic import ANNA, DAY_1, DAY_2, Visit, clinic, land, rows_of
from readiness_pipelines_tests.samples import gated

CLINIC = clinic()
RUN = Run(who="dpo")
VISITS = CLINIC.table("visits").id


def opened(folder: Path) -> Installation:
    return Installation.open(settings_in(folder))


def erased(installation: Installation, domain: Domain = CLINIC, value: str = ANNA, **options: Any) -> Certificate:
    return erase([domain], [value], why="asked", ground="gdpr-17", installation=installation, run=RUN, **options)


def problems(installation: Installation, domain: Domain = CLINIC) -> tuple[object, ...]:
    found = reconcile([domain], installation=installation, level=Level.RECOMPUTE).problems
    return (*found, *audit(installation=installation).problems)


def files_with(folder: Path, text: str) -> list[str]:
    """The files below a folder that have a text in their bytes, whatever its case."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if text.lower().encode() in file.read_bytes().lower()]


def test_a_person_is_gone_from_everywhere_and_all_other_rows_are_as_they_were(tmp_path: Path) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    run_domains(CLINIC, installation=installation)
    before = rows_of(installation)
    other = land_and_run_without(ANNA, tmp_path / "other")
    counted = count_rows([CLINIC], [ANNA], installation=installation, at=datetime.now(UTC))
    assert counted["clinic_raw.visits"] == {"day_1": 3}
    assert counted["landing"] == {"visits/day_1.csv": 3}
    certificate = erased(installation)
    assert certificate.open_ends == ()
    assert certificate.scan.by_text
    assert certificate.scan.files > 20
    assert certificate.found == {name: rows for name, rows in counted.items() if name != "clinic.stays"}
    after = rows_of(installation)
    for table in ("clinic_raw.visits", "clinic_quarantine.visits", "clinic.visits", "clinic.stays"):
        assert set(after[table]) == {row for row in before[table] if ANNA not in str(row).upper()}
    # What is made of all rows is what it would be, had the person never been there.
    assert after["clinic.loads"] == other["clinic.loads"]
    assert after["clinic.share_of_a"] == other["clinic.share_of_a"]
    assert problems(installation) == ()
    assert due_work([CLINIC], installation=installation, now=datetime.now(UTC)) == ()
    record = installation.ledger.get(BatchRef(VISITS, "day_1"))
    assert record is not None
    assert record.counts == Counts(ingested=8, published=4, quarantined=1, erased=3)
    assert files_with(tmp_path, "P-CANARY") == []
    (request,) = installation.ledger.erasures.requests()
    assert request.state is ErasureState.DONE
    (done,) = (one for one in installation.ledger.trail() if one.what == "erasure done")
    assert (done.who, done.why, done.details["certificate"]["ground"]) == ("dpo", "asked", "gdpr-17")


def land_and_run_without(person: str, folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """What is published where a person's rows never were."""
    land(folder, {"day_1": tuple(row for row in DAY_1 if person not in row.upper()), "day_2": DAY_2})
    installation = opened(folder)
    run_domains(CLINIC, installation=installation)
    return rows_of(installation, "clinic.loads", "clinic.share_of_a")


def test_a_person_who_lands_again_is_left_out_and_counted_and_leaves_the_files_when_the_register_is_applied(
    tmp_path: Path,
) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    run_domains(CLINIC, installation=installation)
    erased(installation)
    shown = rows_of(installation)
    land(tmp_path)  # the sender sends all of it again
    land(tmp_path, {"day_2": (*DAY_2, f"3,{ANNA},4,b")})
    run_domains(CLINIC, installation=installation)
    again = rows_of(installation)
    assert again == shown
    raw = installation.ledger.get(BatchRef(VISITS.raw, "day_2"))
    assert raw is not None
    assert raw.counts == Counts(ingested=3, erased=1)
    assert problems(installation) == ()
    certificate = apply_register([CLINIC], why="sent again", installation=installation, run=RUN)
    assert certificate.open_ends == ()
    assert certificate.done.files.rewritten == {"visits/day_1.csv": 3, "visits/day_2.csv": 1}
    assert rows_of(installation) == shown
    assert due_work([CLINIC], installation=installation, now=datetime.now(UTC)) == ()
    assert problems(installation) == ()
    assert files_with(tmp_path, "P-CANARY") == []


def test_a_restored_backup_has_the_person_until_the_register_is_applied(tmp_path: Path) -> None:
    folder = tmp_path / "now"
    land(folder)
    run_domains(CLINIC, installation=opened(folder))
    shutil.copytree(folder, tmp_path / "backup")
    erased(opened(folder))
    shown, register = rows_of(opened(folder)), export_register(opened(folder))
    key = (folder / "warehouse" / "readiness.db.register-key").read_bytes()
    assert ANNA not in register
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    shutil.rmtree(tmp_path / "backup")
    restored = opened(folder)
    with pytest.raises(RegisterKeyError):
        import_register(register, installation=restored)
    (folder / "warehouse" / "readiness.db.register-key").write_bytes(key)
    assert import_register(register, installation=restored) > 0
    assert import_register(register, installation=restored) == 0
    found = reconcile([CLINIC], installation=restored).problems
    assert {one.way_out for one in found} == {"readiness erase --apply-register"}
    assert apply_register([CLINIC], why="restored", installation=restored, run=RUN).open_ends == ()
    assert rows_of(restored) == shown
    assert problems(restored) == ()
    assert files_with(tmp_path, "P-CANARY") == []
    # The same request again: it searches by the text as well.
    assert erased(restored).open_ends == ()


def test_a_held_batch_loses_the_rows_that_wait_and_those_it_published_before(tmp_path: Path) -> None:
    strict = clinic(ratio=0.3)
    land(tmp_path, {"day_1": ("1,P-1,1,a", f"2,{ANNA},1,a", "3,P-2,1,b")})
    installation = opened(tmp_path)
    run_domains(strict, installation=installation)
    land(tmp_path, {"day_1": (f"1,{ANNA},-1,a", "2,P-1,-1,a", "3,P-2,1,b")})
    run_domains(strict, installation=installation)
    record = installation.ledger.get(BatchRef(VISITS, "day_1"))
    assert record is not None
    assert record.state is BatchState.HELD
    assert erased(installation, strict).open_ends == ()
    shown = rows_of(installation, "clinic.visits", "clinic_quarantine.visits", "clinic.stays")
    # Of the older rows, the first is not hers, whatever its number.
    assert [row[:2] for row in shown["clinic.visits"]] == [("1", "P-1"), ("3", "P-2")]
    assert [row[:2] for row in shown["clinic_quarantine.visits"]] == [("2", "P-1"), ("3", "P-2")]
    assert [row[0] for row in shown["clinic.stays"]] == ["P-1", "P-2"]
    assert problems(installation, strict) == ()
    assert files_with(tmp_path, "P-CANARY") == []


def test_what_a_sender_keeps_in_an_archive_ends_the_request_only_once_somebody_answers_for_it(tmp_path: Path) -> None:
    zipped = clinic(pattern="visits/{batch}.zip")
    land(tmp_path)
    for day in ("day_1", "day_2"):
        file = tmp_path / "landing" / "visits" / f"{day}.csv"
        with ZipFile(file.with_suffix(".zip"), "w", ZIP_DEFLATED) as archive:
            archive.write(file, f"{day}.csv")
        file.unlink()
    other = tmp_path / "landing" / "other.zip"
    with ZipFile(other, "w", ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", f"seen: {ANNA}")
    installation = opened(tmp_path)
    run_domains(zipped, installation=installation)
    left = erased(installation, zipped)
    assert {one.rpartition("/")[2] for one in left.open_ends} == {
        "day_1.csv is part of an archive",
        "day_1.csv: 3 rows of a landed file",
        "day_1.zip: it has it, unpacked",
        "other.zip: it has it, unpacked",
    }
    assert left.acceptable == left.open_ends
    asked: dict[str, Any] = {"why": "asked", "ground": "gdpr-17", "installation": installation}
    with pytest.raises(DeclarationError, match="names the person"):
        erase([zipped], [ANNA], run=RUN, accept=f"{ANNA} stays", **asked)
    done = erase([zipped], [ANNA], run=Run(who="chief"), accept="the sender deletes them: case 7", **asked)
    assert done.open_ends == ()
    assert installation.ledger.erasures.requests(state=ErasureState.OPEN) == ()
    (entry,) = [one for one in installation.ledger.trail() if one.what == "erasure done"]
    assert entry.details["certificate"]["accepted"] == {
        "who": "chief",
        "why": "the sender deletes them: case 7",
        "what": list(left.open_ends),
    }
    assert "chief: the sender deletes them: case 7" in done.to_markdown()
    # What stays in the archive is left out and counted whenever it is read again, and nothing of it is published.
    for store in ("clinic_raw.visits", "clinic.visits"):
        assert not any(ANNA in str(row).upper() for row in rows_of(installation, store)[store])
    ingest(gated(zipped, "visits"), batch="day_1", installation=installation, run=RUN)
    deliver(gated(zipped, "visits"), batch="day_1", installation=installation, run=RUN)
    record = installation.ledger.get(BatchRef(VISITS, "day_1"))
    assert record is not None
    assert (record.counts.ingested, record.counts.erased) == (8, 3)
    assert problems(installation, zipped) == ()
    # A trace that is not in a landed file is nobody's to accept.
    (tmp_path / "warehouse" / "forgotten.txt").write_text(ANNA)
    again = erase([zipped], [ANNA], run=RUN, accept="the same", **asked)
    assert [one.rpartition("/")[2] for one in again.open_ends] == ["forgotten.txt: its bytes have it"]


def test_a_request_of_before_the_declarations_changed_ends_when_a_search_by_the_value_finds_nothing(
    tmp_path: Path,
) -> None:
    class Plain(Visit):
        """Visits without the cleansing that makes another value of the person's."""

        patient: arrow.string() = pa.Field(metadata=protect("pii.id", subject=True))

    installation = opened(tmp_path)
    note = tmp_path / "landing" / "note.txt"
    note.parent.mkdir(exist_ok=True)
    note.write_text(f"seen {ANNA}")
    asked: dict[str, Any] = {"why": "asked", "ground": "gdpr-17", "installation": installation, "run": RUN}
    assert erase([clinic(Plain)], [ANNA], **asked).open_ends
    note.unlink()
    assert erase([CLINIC], [ANNA], **asked).open_ends == ()
    assert [one.open_ends for one in resume([CLINIC], installation=installation, run=RUN)] == [()]


def test_what_a_search_by_text_found_is_not_certified_by_one_without_and_reasons_are_somebodys_to_accept(
    tmp_path: Path,
) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    run_domains(CLINIC, installation=installation)
    note = tmp_path / "landing" / "note.txt"
    note.write_text(f"seen: {ANNA}")
    decide(
        CLINIC.table("visits"),
        Discarding(where="patient = 'P-5'"),
        batch="day_2",
        why=f"as {ANNA} says",
        installation=installation,
        run=RUN,
    )
    left = erased(installation)
    assert left.acceptable == left.open_ends
    assert len(left.open_ends) > 1
    for _ in range(2):
        (cut,) = resume([CLINIC], installation=installation, run=RUN, accept="case 7")
        assert [f"found it in {len(left.open_ends)} places" in one for one in cut.open_ends] == [True]
    assert erased(installation).open_ends == left.open_ends
    assert sum(one.what == "erasure searched by text" for one in installation.ledger.trail()) == 1
    note.unlink()
    reasons = erased(installation).open_ends
    assert {one.partition(":")[0].rpartition("/")[2] for one in reasons} == {
        "ledger_trail",
        "ledger_decisions",
        "readiness.db",
    }
    done = erased(installation, accept="case 7: the reason stays")
    assert done.open_ends == ()
    assert done.accepted is not None
    assert done.accepted.what == reasons


class NumberedVisit(Visit):
    """A visit of a patient with a number."""

    patient: arrow.int64() = pa.Field(metadata=protect("pii.id", subject=True))


@pytest.mark.parametrize("given", ["12", "012", "12.0"])
def test_values_are_compared_as_the_column_has_them(tmp_path: Path, given: str) -> None:
    numbered = clinic(NumberedVisit)
    land(tmp_path, {"day_1": ("1,12,1,a", "2,012,1,a", "3,120,1,b", "4,x 12 y,1,b", "12,7,1,a")})
    installation = opened(tmp_path)
    run_domains(numbered, installation=installation)
    counted = count_rows([numbered], [given], scope="clinic.visits.patient", installation=installation, at=RUN.clock())
    assert counted["clinic_raw.visits"] == {"day_1": 2}
    certificate = erased(installation, numbered, given, scope="clinic.visits")
    assert certificate.open_ends == ()
    assert not certificate.scan.by_text
    assert [row[0] for row in rows_of(installation, "clinic.visits")["clinic.visits"]] == ["12", "3"]
    assert problems(installation, numbered) == ()


def test_what_cannot_be_erased_is_refused_before_anything_is_noted(installation: Installation) -> None:
    wrong: tuple[tuple[Callable[[], object], type[Exception], str], ...] = (
        (lambda: erased(installation, scope="clinic.stays"), UnknownNameError, "clinic.stays"),
        (lambda: erased(installation, scope="clinic.visits.ward"), UnknownNameError, "clinic.visits.ward"),
        (lambda: erased(installation, value=" "), DeclarationError, "nobody"),
        (
            lambda: erase([CLINIC], [ANNA], why=f"of {ANNA}", ground="", installation=installation, run=RUN),
            DeclarationError,
            "the reason names the person",
        ),
        (
            lambda: erase([CLINIC], [ANNA], why=" ", ground="", installation=installation, run=RUN),
            LedgerError,
            "no reason",
        ),
        (lambda: import_register("{}", installation=installation), DeclarationError, "not a register"),
    )
    for call, kind, what in wrong:
        with pytest.raises(kind, match=what):
            call()
    assert installation.ledger.erasures.requests() == ()
    assert resume([CLINIC], installation=installation, run=RUN) == ()


@pytest.mark.parametrize(
    ("value", "why", "ground", "refused"),
    [
        ("17", "request 2026-17 of 2017", "gdpr-17", ""),
        ("2026", "request 2026-117", "Art. 17", ""),
        ("17", "of patient 17.", "gdpr-17", "the reason names"),
        ("P-CANARY", "asked", "law of p-canary-1", "the ground names"),
        ("1234567890", "asked", "gdpr-17, customer 1234567890", "the ground names"),
        ("Ann", "asked", "gdpr-17 for Ann", "the ground names"),
        ("1234567890", "letter of cust-1234567890", "gdpr-17", "the reason names"),
    ],
)
def test_a_short_number_names_a_person_only_where_it_stands_alone(
    installation: Installation, value: str, why: str, ground: str, refused: str
) -> None:
    with nullcontext() if not refused else pytest.raises(DeclarationError, match=refused):
        erase([CLINIC], [value], why=why, ground=ground, installation=installation, run=RUN)
    assert len(installation.ledger.erasures.requests()) == (not refused)


def test_without_its_key_the_register_stops_what_it_cannot_check(tmp_path: Path) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    run_domains(CLINIC, installation=installation)
    erased(installation)
    key = tmp_path / "warehouse" / "readiness.db.register-key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_text("another key, made by chance")
    land(tmp_path, {"day_2": DAY_2})
    with pytest.raises(RegisterKeyError, match="was made with the key"):
        run_domains(CLINIC, installation=installation)


def test_what_decisions_say_of_a_person_goes_and_replays_say_so_where_they_need_it(tmp_path: Path) -> None:
    land(tmp_path)
    installation = opened(tmp_path)
    run_domains(CLINIC, installation=installation)
    visits = CLINIC.table("visits")
    for batch, what in (
        ("day_1", CellCorrection(cells={"days": {"3": "1", "4": "2"}}, file="cells.csv")),
        ("day_2", Discarding(where=f"patient IN ('{ANNA}', 'P-5')")),
    ):
        decide(visits, what, batch=batch, why="known", installation=installation, run=RUN)
        replay_batch(visits, batch=batch, installation=installation, run=RUN)
    shown = rows_of(installation, "clinic.visits")["clinic.visits"]
    certificate = erased(installation)
    # Her cell and the condition that names her.
    assert certificate.done.decision_values == 2
    assert certificate.open_ends == ()
    after = rows_of(installation, "clinic.visits")["clinic.visits"]
    assert set(after) == {row for row in shown if ANNA not in row}
    assert ("5", "P-3", "2", "b", "day_1", "4", "visits/day_1.csv") in after
    assert files_with(tmp_path, "P-CANARY") == []
    # What is left of the numbers is of the same delivery, also where its files, written anew, are ingested again.
    ingest(gated(CLINIC, "visits"), batch="day_1", installation=installation, run=RUN, again=True)
    replay_batch(visits, batch="day_1", installation=installation, run=RUN)
    assert rows_of(installation, "clinic.visits")["clinic.visits"] == after
    with pytest.raises(DeclarationError, match="its values were erased"):
        replay_batch(visits, batch="day_2", installation=installation, run=RUN)


def test_numbers_of_rows_stay_where_files_lose_all_of_theirs_and_what_is_refused_keeps_the_request_open(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "landing" / "visits" / "day_1"
    folder.mkdir(parents=True)
    head = "visit,patient,days,ward\n"
    (folder / "a.csv").write_text(f"{head}1,{ANNA},1,a\n2,{ANNA},2,a\n")
    (folder / "b.csv").write_text(f"{head}3,P-1,1,a\n4,{ANNA},1,b\n5,P-2,1,b\n")
    (folder / "c.json").write_text(f'[{{"visit": 6, "patient": "{ANNA}", "days": 1, "ward": "a"}}]')
    many = clinic(pattern="visits/{batch}/*")
    installation = opened(tmp_path)
    run_domains(many, installation=installation)
    before = rows_of(installation, "clinic_raw.visits")["clinic_raw.visits"]
    certificate = erased(installation, many)
    assert [one.partition(":")[0] for one in certificate.open_ends[:1]] == ["visits/day_1/c.json"]
    (request,) = installation.ledger.erasures.requests()
    assert request.state is ErasureState.OPEN
    left = rows_of(installation, "clinic_raw.visits")["clinic_raw.visits"]
    assert set(left) == {row for row in before if ANNA not in row}
    ingest(gated(many, "visits"), batch="day_1", installation=installation, run=RUN, again=True)
    assert rows_of(installation, "clinic_raw.visits")["clinic_raw.visits"] == left
    raw = installation.ledger.get(BatchRef(VISITS.raw, "day_1"))
    assert raw is not None
    assert raw.counts == Counts(ingested=6, erased=4)
    (folder / "c.json").unlink()
    run_domains(many, installation=installation)
    assert erased(installation, many).open_ends == ()
    assert problems(installation, many) == ()
    assert files_with(tmp_path, "P-CANARY") == []


class ProtectedVisit(Visit):
    """A visit of which consumers see a pseudonym of the patient."""

    patient: arrow.string() = pa.Field(metadata=protect("pii.id", Pseudonym(key="patients"), subject=True))


def test_a_row_that_is_published_under_a_pseudonym_is_found_in_raw_and_environments_alone_are_dropped(
    tmp_path: Path,
) -> None:
    domain = clinic(ProtectedVisit)
    key = tmp_path / "patients.key"
    key.write_text("0123456789abcdef" * 4)
    land(tmp_path)
    settings = settings_in(tmp_path).model_copy(update={"keys": {"patients": f"file:{key}"}})
    installation = Installation.open(settings)
    run_domains(domain, installation=installation)
    with cloned([domain.table("visits")], installation=installation, environment="dev"):
        pass
    # An older version took a domain of this name.
    kept = TableId("clinic_", "visits").raw
    installation.lakehouse.ensure(kept, arrow.schema({"_batch": arrow.string()}))
    before = rows_of(installation, "clinic.visits", "clinic.stays")
    assert len(before["clinic.visits"]) == 7
    assert not any(ANNA in str(row) for rows in before.values() for row in rows)
    certificate = erased(installation, domain)
    assert certificate.done.environments == ("dev",)
    assert installation.lakehouse.exists(kept)
    assert any("clinic__raw was not searched" in one for one in certificate.open_ends)
    installation.lakehouse._catalog.drop_table(str(kept))
    # Without cleansing, what is written in small letters is another text; the search finds it.
    assert any("clinic_raw" in one for one in certificate.open_ends)
    both = [ANNA, ANNA.lower()]
    assert erase([domain], both, why="asked", ground="", installation=installation, run=RUN).open_ends == ()
    assert erased(installation, domain).open_ends == ()
    after = rows_of(installation, "clinic.visits", "clinic.stays")
    for table in before:
        assert set(after[table]) < set(before[table])
        assert len(after[table]) == len(before[table]) - 1
    assert not any(table.in_environment for table in installation.lakehouse.tables())
    assert problems(installation, domain) == ()
    assert files_with(tmp_path, "P-CANARY") == []


class Patient(pa.DataFrameModel):
    """One patient of a list that is sent whole each time."""

    patient: arrow.string() = pa.Field(unique=True, metadata=protect("pii.id", subject=True))
    ward: arrow.string() = pa.Field(isin=["a", "b"])


def test_a_person_is_gone_from_every_version_of_a_table_and_from_the_restricted_warehouse(tmp_path: Path) -> None:
    domain = Domain("clinic", owner="clinic@example.org")
    desk = Steward("Clinic", "clinic@example.org")
    domain.gated(
        "patients",
        source=Source(origin="Clinic", steward=desk, reader=FileDrop("patients.csv", settles="0s")),
        schema=Patient,
        batches=Versions(),
        tolerance=Tolerance(quarantined_ratio=0.5),
    )
    (tmp_path / "landing").mkdir()
    file = tmp_path / "landing" / "patients.csv"
    settings = settings_in(tmp_path).model_copy(update={"restricted_warehouse": str(tmp_path / "restricted")})
    installation = Installation.open(settings)
    for hour, rows in enumerate((f"P-1,a\n{ANNA},b\nP-2,c\n", f"P-1,a\n{ANNA},c\nP-3,b\nP-4,b\n", "P-1,b\nP-4,b\n")):
        file.write_text(f"patient,ward\n{rows}")
        os.utime(file, (3_600 * hour + 1_700_000_000,) * 2)  # each a version of its own
        run_domains(domain, installation=installation)
    before = rows_of(installation, "clinic_versions.patients")["clinic_versions.patients"]
    assert len(before) == 7
    assert len(files_with(tmp_path / "restricted", "P-CANARY")) >= 2
    certificate = erased(installation, domain)
    assert certificate.open_ends == ()
    assert certificate.done.batches
    assert files_with(tmp_path, "P-CANARY") == []
    shown = rows_of(installation, "clinic.patients", "clinic_versions.patients")
    assert len(shown["clinic.patients"]) == 2
    assert {row[0] for row in shown["clinic_versions.patients"]} == {"P-1", "P-3", "P-4"}
    assert problems(installation, domain) == ()
