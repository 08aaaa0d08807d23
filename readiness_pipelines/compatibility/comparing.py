"""Two contracts of a table compared: each difference, and whom it breaks."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from readiness_pipelines.compatibility.change import Breaks, ContractChange
from readiness_pipelines.compatibility.columns import column_changes
from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.compatibility.rules import bound_changes, rule_changes
from readiness_pipelines.durations import format_duration

CONSUMERS = frozenset({Breaks.CONSUMERS})
PRODUCER = frozenset({Breaks.PRODUCER})
GOVERNANCE = frozenset({Breaks.GOVERNANCE})
BOTH = CONSUMERS | PRODUCER
NOBODY: frozenset[Breaks] = frozenset()

_ORDER = (Breaks.CONSUMERS, Breaks.GOVERNANCE, Breaks.PRODUCER)


def compare_contracts(old: Contract, new: Contract) -> tuple[ContractChange, ...]:
    """What changed from one contract of a table to the next, what breaks somebody first.

    Args:
        old: The contract that consumers know.
        new: The contract that would be.
    """
    found = [
        *column_changes(old, new),
        *rule_changes(old, new),
        *bound_changes("tolerance", "tolerance", old.tolerance, new.tolerance),
        *_settings(old.settings, new.settings),
        *_freshness(old, new),
        *_durations(old, new),
        *_sla(old, new),
        *_batches(old, new),
        *_people(old, new),
        *_consumers(old, new),
        *_words(old, new),
    ]
    return tuple(sorted(found, key=lambda one: (_rank(one), one.subject, one.what)))


def _rank(change: ContractChange) -> int:
    return next((at for at, kind in enumerate(_ORDER) if kind in change.breaks), len(_ORDER))


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ContractChange]:
    """What else the gate does."""
    for name, switched_on, switched_off in (
        ("strict", PRODUCER, NOBODY),
        ("ordered", PRODUCER, NOBODY),
        ("add_missing_columns", NOBODY, PRODUCER),
        ("allow_empty", CONSUMERS, PRODUCER),
    ):
        before, after = bool(old.get(name)), bool(new.get(name))
        if before != after:
            what = "is said" if after else "is not said any more"
            yield ContractChange(subject=name, what=what, breaks=switched_on if after else switched_off)
    for name, usual in (("schema_change", "discard"), ("unclassified", "warn")):
        one, other = str(old.get(name) or usual), str(new.get(name) or usual)
        if one != other:
            breaks = _setting_breaks(name, one, other)
            yield ContractChange(subject=name, what="is another", before=one, after=other, breaks=breaks)
    dropped, drops = old.get("deduplicate"), new.get("deduplicate")
    if dropped != drops:
        what = "is gone: repeated rows are published" if not drops else "is another" if dropped else "is said"
        breaks = CONSUMERS if dropped else NOBODY
        yield ContractChange(subject="deduplicate", what=what, before=_text(dropped), after=_text(drops), breaks=breaks)
    gone = sorted(set(map(str, old.get("missing") or ())) - set(map(str, new.get("missing") or ())))
    come = sorted(set(map(str, new.get("missing") or ())) - set(map(str, old.get("missing") or ())))
    if gone:
        yield ContractChange(subject="missing", what="lacks words", before=", ".join(gone), breaks=CONSUMERS)
    if come:
        yield ContractChange(subject="missing", what="has more words", after=", ".join(come))


def _setting_breaks(name: str, before: str, after: str) -> frozenset[Breaks]:
    if name == "unclassified":
        return GOVERNANCE if after == "warn" else PRODUCER
    frozen = PRODUCER if after == "freeze" else NOBODY
    return frozen | (CONSUMERS if before == "evolve" else NOBODY)  # new columns are not published any more


def _freshness(old: Contract, new: Contract) -> Iterator[ContractChange]:
    before, after = old.freshness, new.freshness
    subject = "freshness"
    if before is None and after is None:
        return
    if after is None:
        assert before is not None  # noqa: S101  # for the type checker
        told = format_duration(before.fail_after)
        yield ContractChange(subject=subject, what="is not promised any more", before=told, breaks=CONSUMERS)
        return
    if before is None:
        told = format_duration(after.fail_after)
        yield ContractChange(subject=subject, what="is promised", after=told, breaks=PRODUCER)
        return
    yield from _longer(subject, before.fail_after, after.fail_after)
    for name in ("due", "timezone", "event_time"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            what = f"counts from another {name.replace('_', ' ')}"
            breaks = BOTH if name == "due" else CONSUMERS
            yield ContractChange(
                subject=subject, what=what, before=str(one or ""), after=str(other or ""), breaks=breaks
            )
    if before.warn_after != after.warn_after:
        ages = format_duration(before.warn_after), format_duration(after.warn_after)
        yield ContractChange(subject=subject, what="is late at another age", before=ages[0], after=ages[1])


def _longer(subject: str, before: timedelta | None, after: timedelta | None) -> Iterator[ContractChange]:
    """A promise that is better the shorter it is; none is the worst."""
    if before == after:
        return
    longer = after is None or (before is not None and after > before)
    what = "is not promised any more" if after is None else "is promised" if before is None else (
        "is longer" if longer else "is shorter")  # fmt: skip
    yield ContractChange(
        subject=subject, what=what, before=_duration(before), after=_duration(after),
        breaks=CONSUMERS if longer else PRODUCER,
    )  # fmt: skip


def _durations(old: Contract, new: Contract) -> Iterator[ContractChange]:
    yield from _longer("latency", old.latency, new.latency)
    if old.retention != new.retention:
        shorter = new.retention is not None and (old.retention is None or new.retention < old.retention)
        yield ContractChange(
            subject="retention", what="is shorter" if shorter else "is longer", before=_duration(old.retention),
            after=_duration(new.retention), breaks=CONSUMERS if shorter else NOBODY,
        )  # fmt: skip
    if old.notice != new.notice:
        less = old.notice is not None and (new.notice is None or new.notice < old.notice)
        what = (
            "is gone" if new.notice is None else "is shorter" if less else "is longer" if old.notice else "is promised"
        )
        yield ContractChange(
            subject="notice", what=what, before=_duration(old.notice), after=_duration(new.notice),
            breaks=GOVERNANCE if less else NOBODY,
        )  # fmt: skip


def _sla(old: Contract, new: Contract) -> Iterator[ContractChange]:
    """What a product promises for each month: shares that are better the larger they are, and a time to repair."""
    for name in ("published", "fresh"):
        before, after = old.sla.get(name), new.sla.get(name)
        if before != after:
            less = after is None or (before is not None and after < before)
            what = "is not promised any more" if after is None else "is less" if less else "is more"
            yield ContractChange(
                subject=f"monthly share {name}", what=what, before=_text(before), after=_text(after),
                breaks=CONSUMERS if less else PRODUCER,
            )  # fmt: skip
    yield from _longer("time to repair", old.sla.get("repaired_within"), new.sla.get("repaired_within"))


def _batches(old: Contract, new: Contract) -> Iterator[ContractChange]:
    before, after = (next(iter(one.source.get("batches") or {}), "") for one in (old, new))
    if before and after and before != after:
        yield ContractChange(
            subject="batches", what="are of another kind", before=before, after=after, breaks=CONSUMERS
        )


def _people(old: Contract, new: Contract) -> Iterator[ContractChange]:
    for subject, before, after in (
        ("owner", old.owner, new.owner),
        ("steward", old.steward[1], new.steward[1]),
        ("on-call", old.on_call, new.on_call),
    ):
        if before != after:
            breaks = GOVERNANCE if before and not after else NOBODY
            what = "is nobody any more" if breaks else "is another"
            yield ContractChange(subject=subject, what=what, before=before, after=after, breaks=breaks)


def _consumers(old: Contract, new: Contract) -> Iterator[ContractChange]:
    known = {one.name: one for one in new.consumers}
    for before in old.consumers:
        after = known.pop(before.name, None)
        subject = f"consumer {before.name}"
        if after is None:
            breaks = GOVERNANCE if before.notice else NOBODY
            told = f"notice {format_duration(before.notice)}" if before.notice else ""
            yield ContractChange(subject=subject, what="is not declared any more", before=told, breaks=breaks)
            continue
        if before.notice != after.notice:
            less = before.notice is not None and (after.notice is None or after.notice < before.notice)
            yield ContractChange(
                subject=subject, what="hears later of changes" if less else "hears earlier of changes",
                before=_duration(before.notice), after=_duration(after.notice), breaks=GOVERNANCE if less else NOBODY,
            )  # fmt: skip
    for name in known:
        yield ContractChange(subject=f"consumer {name}", what="is declared")


def _words(old: Contract, new: Contract) -> Iterator[ContractChange]:
    if old.description != new.description:
        yield ContractChange(subject="description", what="is another", before=old.description, after=new.description)
    told = {one.what: one for one in old.announced}
    for one in new.announced:
        if told.get(one.what) != one:
            yield ContractChange(
                subject=f"announcement of {one.what}", what="is made", after=f"effective {one.effective}",
                columns=(one.what.removeprefix("column "),) if one.what.startswith("column ") else (),
            )  # fmt: skip


def _duration(value: timedelta | None) -> str:
    return "" if value is None else format_duration(value)


def _text(value: Any) -> str:
    return "" if not value else str(value)
