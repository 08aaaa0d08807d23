"""Requests to erase a person: begun, taken up again, counted without one, and the register applied after a restore."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from readiness_pipelines.contracts import Domain, GatedTable
from readiness_pipelines.delivery.erasure.certificate import AcceptedRemainder, Certificate, certificate_of
from readiness_pipelines.delivery.erasure.erasing import (
    LANDED,
    Step,
    affected_tables,
    forget_past,
    rewrite_tables,
    subject_tables,
    unwatched,
)
from readiness_pipelines.delivery.erasure.landing import LandedFiles, landed_rows
from readiness_pipelines.delivery.erasure.matching import (
    check_key,
    covers,
    matcher_of,
    may_cover,
    persons_of,
    subject_specs,
)
from readiness_pipelines.delivery.erasure.needles import LEAST_CHARACTERS
from readiness_pipelines.delivery.erasure.scanning import scan
from readiness_pipelines.delivery.erasure.searching import rows_in_stores
from readiness_pipelines.delivery.erasure.undeclared import left_in_undeclared
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import EVERYWHERE, REGISTER, Erasure, ErasureState, RegisteredPerson
from readiness_pipelines.masking import quoted


def erase(
    domains: Sequence[Domain],
    values: Sequence[str],
    *,
    scope: str = EVERYWHERE,
    why: str,
    ground: str,
    installation: Installation,
    run: Run,
    step: Step = unwatched,
    accept: str = "",
) -> Certificate:
    """Erase a person, and prove it. The same call again finishes what was cut off.

    Args:
        domains: All domains: what is computed from a table may be another's.
        values: The values that name the person.
        scope: Where: `EVERYWHERE`, a table, or a column of one.
        why: The reason; without the value.
        ground: The legal ground (``gdpr-17``).
        installation: What the person is erased from.
        run: Who, and when.
        step: Called before each step.
        accept: Why it is accepted that landed files, or tables that are not declared any more, keep the person which
            cannot be written without her, or reasons which are kept for ever; "" where it is not.

    Returns:
        What was done; where something is left (`Certificate.open_ends`), the request stays open.

    Raises:
        DeclarationError: No value, one in the reason, or none that the columns could have.
        UnknownNameError: No such table, or no column that names persons.
        CommitConflictError: Another run delivers one of the batches: do it again.
        LakehouseError: A table cannot be read or written.
        RegisterKeyError: The register's key is not there.
    """
    tables = _chosen(domains, scope)
    _check_said(values, {"reason": why, _GROUND: ground, "reason why something may stay": accept})
    persons = _persons(values, tables, scope, installation=installation, at=run.clock())
    request = installation.ledger.erasures.begin(
        persons, tables=[table.id for table in tables], who=run.who, why=why, ground=ground, at=run.clock()
    )
    return _carry_out(
        request, domains, tables, persons, values, installation=installation, run=run, step=step, accept=accept
    )


def resume(
    domains: Sequence[Domain], *, installation: Installation, run: Run, step: Step = unwatched, accept: str = ""
) -> tuple[Certificate, ...]:
    """Finish the requests that are open, by what the register knows of the persons; oldest first.

    Their values are not known to anybody here: what was searched is the columns that name persons. The call of `erase`
    that began a request searches by the text as well, and what it found last keeps the request open: only the same call
    tells that it is gone.

    Raises:
        LakehouseError: A table cannot be read or written.
        RegisterKeyError: The register's key is not there, or is another one.
    """
    done = []
    for request in installation.ledger.erasures.requests(state=ErasureState.OPEN):
        register = installation.ledger.erasures.register()
        persons = None if REGISTER in request.scopes else tuple(p for p in register if p.erasure == request.id)
        tables = tuple(
            table
            for table in subject_tables(domains)
            if persons is None or any(covers(one.scope, table) for one in persons)
        )
        done.append(
            _carry_out(
                request, domains, tables, persons, (), installation=installation, run=run, step=step, accept=accept
            )
        )
    return tuple(done)


def apply_register(
    domains: Sequence[Domain],
    *,
    why: str,
    installation: Installation,
    run: Run,
    step: Step = unwatched,
    accept: str = "",
) -> Certificate:
    """Erase everybody again whom the register knows: after a backup was restored, which has them.

    Raises:
        LedgerError: No reason.
        LakehouseError: A table cannot be read or written.
        RegisterKeyError: The register's key is not there, or is another one.
    """
    tables = subject_tables(domains)
    ledger = installation.ledger.erasures
    request = ledger.begin_applying(tables=[table.id for table in tables], who=run.who, why=why, at=run.clock())
    return _carry_out(request, domains, tables, None, (), installation=installation, run=run, step=step, accept=accept)


def count_rows(
    domains: Sequence[Domain],
    values: Sequence[str],
    *,
    scope: str = EVERYWHERE,
    installation: Installation,
    at: datetime,
) -> dict[str, dict[str, int]]:
    """How many rows an erasure would take out: by Iceberg table and batch, and by landed file. Nothing is noted.

    Raises:
        DeclarationError: No value, or none that the columns could have.
        UnknownNameError: No such table, or no column that names persons.
        LakehouseError: A table cannot be read.
    """
    tables = _chosen(domains, scope)
    _check_said(values, {})
    persons = _persons(values, tables, scope, installation=installation, at=at)
    found = rows_in_stores(affected_tables(tables), persons, installation=installation)
    counts = {str(store): {batch: len(rows) for batch, rows in batches.items()} for store, batches in found.items()}
    for table in tables:
        if (matcher := matcher_of(table, installation, persons)) is None:
            continue
        for files in landed_rows(table, matcher, LandedFiles(), installation=installation).values():
            counts.setdefault(LANDED, {}).update({name: len(rows) for name, rows in files.items()})
    return counts


def export_register(installation: Installation) -> str:
    """The register as JSON, to be kept with the key beside backups: keyed hashes, and nobody's value."""
    persons = installation.ledger.erasures.register()
    return json.dumps(
        {
            "readiness_register": 1,
            "persons": [
                {"scope": one.scope, "digest": one.digest, "key_id": one.key_id, "at": one.at.isoformat()}
                for one in persons
            ],
        },
        indent=1,
    )


def import_register(text: str, *, installation: Installation) -> int:
    """Put what an exported register knows into this one; how many it did not know.

    Raises:
        DeclarationError: The text is not a register.
        RegisterKeyError: It was made with another key than the one given here.
    """
    try:
        persons = tuple(map(_person, json.loads(text)["persons"]))
    except (ValueError, TypeError, KeyError) as error:
        raise DeclarationError(
            f"that is not a register of erased persons: {quoted(error)}",
            way_out="give what --export-register has written",
        ) from error
    if persons:
        check_key(persons, installation.register_key.read())
    return installation.ledger.erasures.bring(persons)


def _person(stored: Mapping[str, Any]) -> RegisteredPerson:
    return RegisteredPerson(
        scope=str(stored["scope"]),
        digest=str(stored["digest"]),
        key_id=str(stored["key_id"]),
        at=datetime.fromisoformat(stored["at"]),
    )


def _carry_out(
    request: Erasure,
    domains: Sequence[Domain],
    tables: Sequence[GatedTable],
    persons: Sequence[RegisteredPerson] | None,
    values: Sequence[str],
    *,
    installation: Installation,
    run: Run,
    step: Step,
    accept: str,
) -> Certificate:
    ledger = installation.ledger.erasures
    why = f"erasure {request.id}: {request.why}"
    done = rewrite_tables(
        tables,
        persons,
        noted=request.found,
        note=lambda found: _note(request, found, installation),
        why=why,
        installation=installation,
        run=run,
        step=step,
    )
    forget_past(tables, done, since=request.begun_at, why=why, installation=installation, run=run, step=step)
    step("the proof")
    result = scan(affected_tables(tables), persons, values, installation=installation)
    known = ledger.register() if persons is None else persons
    done.undeclared = left_in_undeclared(domains, known, installation=installation)
    certificate = certificate_of(
        ledger.get(request.id),
        sorted({one.digest for one in known}),
        done,
        result,
        who=run.who,
        at=run.clock(),
    )
    if values:
        traces = sum(hit.by_text for hit in result.hits)
        ledger.note_traces(request.id, traces, tables=[table.id for table in tables], who=run.who, at=run.clock())
    else:
        certificate = replace(certificate, not_searched_again=ledger.traces(request.id))
    if accept.strip() and (left := certificate.acceptable):
        certificate = replace(certificate, accepted=AcceptedRemainder(who=run.who, why=accept, what=left))
    if not certificate.open_ends:
        ledger.end(
            request.id, certificate.to_json(), tables=[table.id for table in tables], who=run.who, at=run.clock()
        )
    return certificate


def _note(request: Erasure, found: Mapping[str, Mapping[str, int]], installation: Installation) -> None:
    installation.ledger.erasures.note_found(request.id, found)


def _chosen(domains: Iterable[Domain], scope: str) -> tuple[GatedTable, ...]:
    """The tables that a scope is about.

    Raises:
        UnknownNameError: No such table, or no such column of it, among those that name persons.
    """
    tables = subject_tables(domains)
    chosen = tuple(table for table in tables if covers(scope, table))
    if not chosen:
        raise UnknownNameError("table that names persons (subject=True)", scope, [str(table.id) for table in tables])
    if not any(may_cover(scope, table, spec) for table in chosen for spec in subject_specs(table)):
        columns = {f"{table.id}.{spec.name}" for table in chosen for spec in subject_specs(table)}
        raise UnknownNameError("column that names persons (subject=True)", scope, columns)
    return chosen


def _check_said(values: Sequence[str], said: Mapping[str, str]) -> None:
    """Refuse texts that are kept and name the person, by what they are."""
    if not values or any(not value.strip() for value in values):
        raise DeclarationError("nobody is named who is to be erased", way_out="give the value when it is asked for")
    for what, text in said.items():
        if any(_is_named(value.strip().lower(), text.lower(), in_law=what == _GROUND) for value in values):
            raise DeclarationError(
                f"the {what} names the person: it is kept for ever",
                way_out="name the request by its number, with the year: request 2026-117",
            )


_GROUND = "ground"


def _is_named(value: str, text: str, *, in_law: bool) -> bool:
    """Whether a text has a value; a short one has to stand alone: 17 is not in 2017, nor in 2026-17."""
    if len(value) >= LEAST_CHARACTERS:
        return value in text
    if in_law and value.isdecimal():
        return False  # in a law's name it is an article, or a year
    alone = rf"(?<!\w)(?<!\w[-./]){re.escape(value)}(?!\w)(?![-./]\w)"
    return re.search(alone, text) is not None


def _persons(
    values: Sequence[str], tables: Sequence[GatedTable], scope: str, *, installation: Installation, at: datetime
) -> tuple[RegisteredPerson, ...]:
    key = installation.register_key.read(make=True)
    check_key(installation.ledger.erasures.register(), key)
    persons = [one for value in values for one in persons_of(value, tables, scope=scope, key=key, at=at)]
    if not persons:
        raise DeclarationError(
            "no column that names persons could have this value", way_out="check the value, and the table"
        )
    return tuple(dict.fromkeys(persons))
