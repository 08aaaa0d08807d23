"""What becomes of a change of contract: who breaks, whether they were told in time, and whether it may be merged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from readiness_pipelines.compatibility.change import Breaks, Compatibility, ContractChange, compatibility
from readiness_pipelines.compatibility.comparing import compare_contracts
from readiness_pipelines.compatibility.contract import (
    AnnouncedChange,
    ConsumerPromise,
    Contract,
    ContractColumn,
    FreshnessPromise,
)
from readiness_pipelines.durations import format_duration

GONE = "the table"
"""The subject of the change by which a table is not there any more."""


class NoticeState(StrEnum):
    """Whether somebody who breaks was told in time.

    ``KEPT``: the change was announced, the notice is over, and its day has come. ``RUNNING``: it was announced, and it
    is too early. ``MISSING``: nobody announced it.
    """

    KEPT = "kept"
    RUNNING = "running"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """Something that breaks somebody.

    Attributes:
        who: The consumer; "" for whoever answers for governance.
        contact: Where they are reached.
        change: The change.
        notice: Whether they were told in time.
        from_day: The first day on which the change may be there; ``None`` where it was not announced.
        needed: How long before they have to know.
    """

    who: str
    contact: str
    change: ContractChange
    notice: NoticeState
    from_day: date | None = None
    needed: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractVerdict:
    """What becomes of a table's change of contract.

    Attributes:
        table: The table.
        before: The version that consumers know; "" where they know none.
        after: The version that would be; "" where the table is gone.
        changes: What changed, what breaks somebody first.
        breakages: Who breaks.
        backdated: Announcements that are new and say that they were made before today, by what they are of.
        readers: The tables and products that are computed from it.
    """

    table: str
    before: str
    after: str
    changes: tuple[ContractChange, ...]
    breakages: tuple[Breakage, ...] = ()
    backdated: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()

    @property
    def compatibility(self) -> Compatibility:
        """How the two contracts fit."""
        return compatibility(self.changes)

    @property
    def breaking(self) -> tuple[ContractChange, ...]:
        """The changes that break consumers, declared ones or not."""
        return tuple(one for one in self.changes if Breaks.CONSUMERS in one.breaks)

    def may_pass(self, *, strict: bool = False) -> bool:
        """Whether the change may be merged.

        Args:
            strict: Whether it must not break consumers that nobody declared, either.
        """
        told = {one.change for one in self.breakages if one.notice is NoticeState.KEPT}
        unnoticed = any(one.notice is not NoticeState.KEPT for one in self.breakages)
        unknown = strict and any(one not in told for one in self.breaking)
        return not (unnoticed or unknown or self.backdated)


def judge_change(
    old: Contract | None,
    new: Contract | None,
    *,
    today: date,
    needs: Mapping[str, Contract] | None = None,
    readers: Sequence[str] = (),
) -> ContractVerdict:
    """Who breaks when a table's contract changes.

    Args:
        old: The contract that consumers know; ``None`` where they know none.
        new: The contract that would be; ``None`` where the table is gone.
        today: The day, which decides whether a notice is over.
        needs: The contracts of consumers that have one of their own, by their names.
        readers: The tables and products that are computed from it.
    """
    needs = needs or {}
    if new is None:
        assert old is not None  # noqa: S101  # nothing was there, and is not: nobody asks
        gone = ContractChange(subject=GONE, what="is gone", breaks=frozenset({Breaks.CONSUMERS}))
        changes: tuple[ContractChange, ...] = (gone,)
        hit = [(one, [gone]) for one in old.consumers]
    else:
        changes = compare_contracts(old, new) if old is not None else ()
        hit = [
            (one, _unmet(needs[one.name], new) if one.name in needs else _relied_on(one, changes, old, new))
            for one in _all_consumers(old, new)
        ]
    known = old.announced if old is not None else ()
    breakages = [_breakage(who, change, known, today) for who, found in hit for change in found]
    if old is not None:
        keeper = ConsumerPromise(name="", contact=old.owner, notice=old.notice)
        broken = [one for one in changes if Breaks.GOVERNANCE in one.breaks]
        breakages += [_breakage(keeper, change, known, today) for change in broken]
    return ContractVerdict(
        table=(new or old).table,  # type: ignore[union-attr]  # one of them is there
        before=old.version if old is not None else "",
        after=new.version if new is not None else "",
        changes=changes,
        breakages=tuple(breakages),
        backdated=_backdated(old, new, today),
        readers=tuple(readers),
    )


def _all_consumers(old: Contract | None, new: Contract) -> list[ConsumerPromise]:
    """Those of both contracts: who is not declared any more relies on it still."""
    found = {one.name: one for one in (old.consumers if old is not None else ())}
    for one in new.consumers:
        before = found.get(one.name)
        found[one.name] = one if before is None else _both(before, one)
    return list(found.values())


def _both(before: ConsumerPromise, after: ConsumerPromise) -> ConsumerPromise:
    """All that a consumer relied on, or does now: a change does not excuse itself."""
    whole = not before.columns or not after.columns
    all_rules = before.rules is None or after.rules is None
    ages = [one.freshness for one in (before, after) if one.freshness is not None]
    notices = [one.notice for one in (before, after) if one.notice is not None]
    return replace(
        after,
        columns=() if whole else tuple(dict.fromkeys((*before.columns, *after.columns))),
        rules=None if all_rules else tuple(dict.fromkeys((*(before.rules or ()), *(after.rules or ())))),
        freshness=min(ages, default=None),
        notice=max(notices, default=None),
    )


def _relied_on(
    who: ConsumerPromise, changes: Iterable[ContractChange], old: Contract | None, new: Contract
) -> list[ContractChange]:
    """The changes that break a consumer, by what it declares that it relies on."""
    found = [one for one in changes if Breaks.CONSUMERS in one.breaks and _touches(who, one)]
    promised = new.freshness.fail_after if new.freshness is not None else None
    if who.freshness is not None and (promised is None or promised > who.freshness):
        told = None if old is None or old.freshness is None else old.freshness.fail_after
        if old is None or told != promised or not any(one.name == who.name for one in old.consumers):
            found = [one for one in found if one.subject != "freshness"]
            found.append(_not_fresh_enough(who.freshness, promised))
    return found


def _not_fresh_enough(needed: timedelta, promised: timedelta | None) -> ContractChange:
    return ContractChange(
        subject="freshness", what="is not what is relied on", before=format_duration(needed),
        after="" if promised is None else format_duration(promised), breaks=frozenset({Breaks.CONSUMERS}),
    )  # fmt: skip


def _touches(who: ConsumerPromise, change: ContractChange) -> bool:
    """Whether a change is about something that a consumer relies on."""
    if change.subject == "freshness":
        # What it needs, where it says so, is compared with the promise itself.
        return who.freshness is not None and what_counts(change)
    if who.columns and change.columns and not set(who.columns) & set(change.columns):
        return False
    if change.rule and who.rules is not None:
        return change.rule in who.rules
    return True


def concerns(announced: AnnouncedChange, who: ConsumerPromise, contract: Contract) -> bool:
    """Whether a change that is announced is about something that a consumer relies on.

    Args:
        announced: The change.
        who: The consumer.
        contract: The contract, as it is before the change.
    """
    kind, _, name = announced.what.partition(" of ") if " of " in announced.what else announced.what.partition(" ")
    rule = next((one for one in contract.guarantees if kind == "rule" and one.name == name), None)
    if announced.what == "freshness":
        return who.freshness is not None
    columns = rule.columns if rule is not None else (name,) if contract.column(name) is not None else ()
    change = ContractChange(
        subject=announced.what, what="", columns=columns, rule=rule.name if rule is not None else ""
    )
    return _touches(who, change)


def what_counts(change: ContractChange) -> bool:
    """Whether a change of freshness is about from when on it counts, and not about how long."""
    return change.what.startswith("counts from")


def _unmet(needs: Contract, new: Contract) -> list[ContractChange]:
    """What a consumer's own contract says that it needs, and a table does not promise.

    What it is silent about it does not need.
    """
    known = {one.name for one in needs.columns}
    quiet = replace(
        new,
        columns=tuple(_as_needed(one, needs) for one in new.columns if one.name in known),
        settings={key: value for key, value in new.settings.items() if key in needs.settings and key != "missing"},
        source={},
        latency=new.latency if needs.latency is not None else None,
        retention=new.retention if needs.retention is not None else None,
        tolerance=new.tolerance if needs.tolerance else {},
        rule_tolerances={},
        freshness=_enough(needs, new),
    )
    asked = replace(
        needs, source={}, announced=(), consumers=(), columns=tuple(replace(c, key=None) for c in needs.columns)
    )
    changes = compare_contracts(asked, quiet)
    return [one for one in changes if Breaks.CONSUMERS in one.breaks and not one.subject.startswith("protection")]


def _as_needed(column: ContractColumn, needs: Contract) -> ContractColumn:
    """A column, with what its consumer says nothing about as the consumer has it."""
    asked = needs.column(column.name)
    kind = column.type if asked is None or asked.type != "any" else "any"
    default = column.default if asked is not None and asked.default is not None else None
    return replace(column, type=kind, key=None, required=column.required, default=default)


def _enough(needs: Contract, new: Contract) -> FreshnessPromise | None:
    """The promise, as far as a consumer needs one: a shorter one than it needs is enough, whatever it counts from."""
    if needs.freshness is None:
        return None
    if new.freshness is not None and new.freshness.fail_after <= needs.freshness.fail_after:
        return needs.freshness
    return new.freshness


def _breakage(who: ConsumerPromise, change: ContractChange, known: Sequence[AnnouncedChange], today: date) -> Breakage:
    announced = next((one for one in known if _is_of(one, change)), None)
    missing = Breakage(
        who=who.name, contact=who.contact, change=change, needed=who.notice, notice=NoticeState.MISSING, from_day=None
    )
    if announced is None:
        return missing
    first = max(announced.effective, announced.announced + (who.notice or timedelta(0)))
    return replace(missing, notice=NoticeState.KEPT if today >= first else NoticeState.RUNNING, from_day=first)


def _is_of(announced: AnnouncedChange, change: ContractChange) -> bool:
    """Whether an announcement is of a change: of its subject, or of the column that it is about."""
    if announced.what == change.subject:
        return True
    return any(announced.what == f"column {name}" for name in change.columns)


def _backdated(old: Contract | None, new: Contract | None, today: date) -> tuple[str, ...]:
    """New announcements that say that they are older than the contract which has them first.

    Three days are let pass: a change is merged when it was reviewed.
    """
    known = {(one.what, one.announced) for one in (old.announced if old is not None else ())}
    return tuple(
        one.what
        for one in (new.announced if new is not None else ())
        if (one.what, one.announced) not in known and one.announced < today - timedelta(days=3)
    )
