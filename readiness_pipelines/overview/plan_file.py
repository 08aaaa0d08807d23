"""A plan written to a file, and whether it is still true: the same code, the same batches, or those done already."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from readiness_pipelines.batches import BatchRef, BatchState, Counts
from readiness_pipelines.contracts import Table
from readiness_pipelines.delivery import Evaluation
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.plan import Plan, PlannedBatch, TableCode, code_of, given_of

FORMAT = 1
"""Of the file: raised when a program of another version could not read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """Where a batch would stand, as it was evaluated; ``digests`` of what its places would hold."""

    state: BatchState | None
    counts: Counts
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPlan:
    """A plan to be carried out as it is, or not at all.

    Attributes:
        what: The domain or table that was planned; ``None`` for all.
        made_at: When, in UTC.
        made_by: By whom.
        code: What the code had for each table.
        batches: The batches to judge again, in order.
        downstream: The batches that are computed again where their inputs change.
        foretold: What was foretold of the batches that were evaluated.
    """

    what: str | None
    made_at: datetime
    made_by: str
    code: Mapping[TableId, TableCode]
    batches: tuple[PlannedBatch, ...]
    downstream: tuple[PlannedBatch, ...]
    foretold: Mapping[BatchRef, Foretold]

    @property
    def identity(self) -> str:
        """Tells the plan from any other: SHA-256 of all that it depends on, and of all that it does."""
        return sha256(json.dumps(_essence(self), sort_keys=True).encode()).hexdigest()

    @property
    def refs(self) -> frozenset[BatchRef]:
        """All batches that may change."""
        return frozenset(one.ref for one in (*self.batches, *self.downstream))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProgress:
    """How far a plan is, and whether it may go on.

    Attributes:
        left: The batches to judge again.
        done: The batches that the plan's code has judged already.
        differs: What is not as the plan says, for people; empty where it is still true.
    """

    left: tuple[BatchRef, ...]
    done: tuple[BatchRef, ...]
    differs: tuple[str, ...]


def freeze(
    plan: Plan, *, what: str | None, made_at: datetime, made_by: str, evaluation: Evaluation | None
) -> FrozenPlan:
    """A plan as it is carried out, with what was foretold of it."""
    evaluated = (*evaluation.judged, *evaluation.followed) if evaluation else ()
    return FrozenPlan(
        what=what,
        made_at=made_at,
        made_by=made_by,
        code=plan.code,
        batches=plan.batches,
        downstream=plan.downstream,
        foretold={
            one.ref: Foretold(state=one.after.state, counts=one.after.counts, digests=one.after.digests)
            for one in evaluated
            if not one.error
        },
    )


def write_plan(plan: FrozenPlan, path: Path) -> None:
    """Write a plan to a file.

    Raises:
        OSError: The file cannot be written.
    """
    value = {
        "format": FORMAT,
        "identity": plan.identity,
        "what": plan.what,
        "made_at": plan.made_at.isoformat(),
        "made_by": plan.made_by,
        **_essence(plan),
        "foretold": [
            {**_ref(ref), "state": one.state, "rows": asdict(one.counts), "digests": dict(one.digests)}
            for ref, one in plan.foretold.items()
        ],
    }
    path.write_text(json.dumps(value, indent=1) + "\n")


def read_plan(path: Path) -> FrozenPlan:
    """Read a plan from its file.

    Raises:
        DeclarationError: Not a plan, one of another program, or one that was changed since it was written.
        OSError: The file cannot be read.
    """
    way_out = f"readiness plan --out {path}"
    try:
        stored = json.loads(path.read_text())
        if stored["format"] != FORMAT:
            raise DeclarationError(f"{path} is a plan of another version of this program", way_out=way_out)
        plan = _plan(stored)
    except (KeyError, TypeError, ValueError) as error:
        raise DeclarationError(f"{path} is not a plan: {type(error).__name__} {error}", way_out=way_out) from error
    if plan.identity != stored["identity"]:
        raise DeclarationError(f"{path} was changed after it was written", way_out=way_out)
    return plan


def plan_progress(
    plan: FrozenPlan, tables: Mapping[TableId, Table], *, installation: Installation, run: Run
) -> PlanProgress:
    """Hold a plan against the code and the ledger. Nothing is written.

    A batch that stands as the plan found it is left to do. One that was judged since by the code of the plan, of the
    same rows and decisions, is done. Whatever else is not as the plan says is named.

    Args:
        plan: The plan.
        tables: The tables that are declared.
        installation: Where the ledger is.
        run: Tells the time, which decides about waivers that expire.

    Raises:
        GateBuildError: A table's schema cannot become a gate.
        LedgerError: The ledger cannot be reached.
    """
    if differs := tuple(_other_code(plan, tables, installation)):
        return PlanProgress(left=(), done=(), differs=differs)
    wanted = [(tables[one.ref.table], one.ref) for one in (*plan.batches, *plan.downstream)]
    now = given_of(wanted, plan.refs, installation=installation, run=run)
    judged_by = _judged_by({one.ref.table for one in plan.batches}, installation)
    left: list[BatchRef] = []
    done: list[BatchRef] = []
    found: list[str] = []
    for one in plan.batches:
        ref, here = one.ref, now[one.ref]
        if here.given != one.given:
            found.append(f"{ref} has other rows, inputs or decisions than the plan saw")
        elif here.attempt == one.attempt:
            left.append(ref)
        elif judged_by.get(ref) == plan.code[ref.table]:
            done.append(ref)
        else:
            found.append(f"{ref} was judged since by other code than the plan's")
    found += [
        f"{one.ref} would be computed from other inputs than the plan saw"
        for one in plan.downstream
        if now[one.ref].given != one.given
    ]
    return PlanProgress(left=tuple(left), done=tuple(done), differs=tuple(found))


def otherwise_than_foretold(plan: FrozenPlan, *, installation: Installation) -> tuple[str, ...]:
    """The judged batches of a plan that was carried out which stand otherwise than was foretold, for people.

    Rows are held against what was foretold by the digests of what the tables hold, of tables that a source feeds; a sum
    of floating-point numbers may differ in its last digit.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    wanted = [one.ref for one in plan.batches if one.ref in plan.foretold]
    tables = {ref.table for ref in wanted}
    records = {one.ref: one for one in installation.ledger.batches(tables=tables)}
    contents = installation.ledger.contents(
        [place for table in tables for place in (table, table.versions, table.quarantine)]
    )
    digests = {ref: one.digest for ref, one in contents.items() if one.rows}
    found: list[str] = []
    for ref in wanted:
        foretold, record = plan.foretold[ref], records[ref]
        if (record.state, record.counts) != (foretold.state, foretold.counts):
            found.append(
                f"{ref} is {record.state} with {record.counts.published:,} rows published; "
                f"{foretold.state} with {foretold.counts.published:,} was foretold"
            )
        elif not plan.code[ref.table].transform and (places := _other_places(ref, foretold, digests)):
            found.append(f"{ref} has other rows in {' and '.join(places)} than was foretold")
    return tuple(found)


def _other_places(ref: BatchRef, foretold: Foretold, digests: Mapping[BatchRef, str]) -> list[str]:
    published = digests.get(BatchRef(ref.table.versions, ref.batch)) or digests.get(ref)
    now = {"published": published, "quarantine": digests.get(BatchRef(ref.table.quarantine, ref.batch))}
    return [place for place, digest in now.items() if digest != foretold.digests.get(place)]


def _other_code(plan: FrozenPlan, tables: Mapping[TableId, Table], installation: Installation) -> Iterator[str]:
    for ident, planned in plan.code.items():
        if ident not in tables:
            yield f"{ident} is not declared any more"
            continue
        code = code_of(tables[ident], installation)
        if code.gate != planned.gate:
            yield f"the code has the gate {code.gate} for {ident}, and the plan {planned.gate}"
        elif code.transform != planned.transform:
            yield f"the code computes {ident} by another transform than the plan's"


def _judged_by(tables: Iterable[TableId], installation: Installation) -> Mapping[BatchRef, TableCode]:
    """What judged and computed the batches of some tables last."""
    chosen = list(tables)
    details = {one.ref: one.details for one in installation.ledger.last_verdicts(tables=chosen)}
    return {
        record.ref: TableCode(
            gate=record.gate_version or "", transform=details.get(record.ref, {}).get("transform") or {}
        )
        for record in installation.ledger.batches(tables=chosen)
    }


def _essence(plan: FrozenPlan) -> dict[str, Any]:
    return {
        "code": {str(table): asdict(code) for table, code in plan.code.items()},
        "batches": list(map(_batch_value, plan.batches)),
        "downstream": list(map(_batch_value, plan.downstream)),
    }


def _batch_value(one: PlannedBatch) -> dict[str, Any]:
    return {
        **_ref(one.ref),
        "state": one.state.value if one.state else None,
        "rows": asdict(one.counts),
        "attempt": one.attempt,
        "given": one.given,
    }


def _ref(ref: BatchRef) -> dict[str, str]:
    return {"table": str(ref.table), "batch": ref.batch}


def _plan(stored: Mapping[str, Any]) -> FrozenPlan:
    return FrozenPlan(
        what=stored["what"],
        made_at=datetime.fromisoformat(stored["made_at"]),
        made_by=stored["made_by"],
        code={TableId.parse(table): TableCode(**code) for table, code in stored["code"].items()},
        batches=tuple(map(_batch, stored["batches"])),
        downstream=tuple(map(_batch, stored["downstream"])),
        foretold={
            _stored_ref(one): Foretold(
                state=BatchState(one["state"]) if one["state"] else None,
                counts=Counts(**one["rows"]),
                digests=one["digests"],
            )
            for one in stored["foretold"]
        },
    )


def _batch(stored: Mapping[str, Any]) -> PlannedBatch:
    return PlannedBatch(
        ref=_stored_ref(stored),
        state=BatchState(stored["state"]) if stored["state"] else None,
        counts=Counts(**stored["rows"]),
        attempt=stored["attempt"],
        given=stored["given"],
    )


def _stored_ref(stored: Mapping[str, Any]) -> BatchRef:
    return BatchRef(TableId.parse(stored["table"]), stored["batch"])
