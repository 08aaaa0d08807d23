"""A model's card and its training set's datasheet: from ledger, declaration and metrics. Nothing is invented.

What the record does not say, and nobody declared, is "no evidence".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness_pipelines.commands import history_command, model_command
from readiness_pipelines.contracts import GatedTable, Model, RiskTier, Table
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ModelVersion, ServingState, TrailEntry
from readiness_pipelines.models.explaining import LearnedFrom, learned_from
from readiness_pipelines.models.questions import ANNEX_IV
from readiness_pipelines.models.superseded import SupersededBatch, changes_under
from readiness_pipelines.names import TableId

NO_EVIDENCE = "no evidence"

SHOWN_FILES = 50
"""So many files are named in a datasheet; the ledger has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAnswer:
    """An answer of the form.

    Attributes:
        key: The question's name.
        place: Where Annex IV has it.
        question: The question.
        answer: What the record, or the declaration, says; `NO_EVIDENCE` where neither does.
        evidence: Commands and addresses by which that can be looked at.
    """

    key: str
    place: str
    question: str
    answer: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTable:
    """A table of a card: a title, the names of its columns, and its rows as text."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """All that is known of one version of a model.

    Attributes:
        model: The model.
        version: The version.
        role: ``champion``, ``canary``, ``shadow``, or what it is else: ``candidate``, ``rejected``.
        risk: Its tier.
        at: When the card was made, in UTC.
        tables: What is known, in order.
        form: The questions of Annex IV; of a model of minimal or limited risk, too: nobody has to answer them there.
    """

    model: TableId
    version: int
    role: str
    risk: RiskTier
    at: datetime
    tables: tuple[CardTable, ...]
    form: tuple[CardAnswer, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """What a card is made from."""

    model: Model
    version: ModelVersion
    state: ServingState
    history: Sequence[TrailEntry]
    learned: Sequence[LearnedFrom]
    changed: Sequence[SupersededBatch]
    tables: Mapping[TableId, Table]


def model_card(
    model: Model, version: int | None, *, tables: Mapping[TableId, Table], installation: Installation, at: datetime
) -> ModelCard:
    """The card of a version: of the champion, or else of the newest, where none is given.

    Raises:
        UnknownNameError: The model has no such version.
        LedgerError: The ledger cannot be reached.
    """
    ledger = installation.ledger.models
    state, versions = ledger.serving(model.id), ledger.versions(model.id)
    number = version or state.champion or (versions[-1].version if versions else None)
    if number is None:
        raise UnknownNameError(f"version of {model.id}", "none was trained", ())
    found = ledger.get(model.id, number)
    record = _Record(
        model=model,
        version=found,
        state=state,
        history=ledger.history(model.id, number),
        learned=learned_from(found, tables=tables, installation=installation),
        changed=changes_under(found, installation=installation),
        tables=tables,
    )
    return ModelCard(
        model=model.id,
        version=number,
        role=state.role(number) or found.state.value,
        risk=model.risk,
        at=at,
        tables=tuple(_tables(record)),
        form=tuple(_form(record)),
    )


def _tables(record: _Record) -> Iterator[CardTable]:
    version, model = record.version, record.model
    facts, measured = version.facts, version.measured
    told = facts["training_set"]
    pairs = {
        "what for": model.purpose or NO_EVIDENCE,
        "not for": model.limits or NO_EVIDENCE,
        "owner": model.owner,
        "risk tier": model.risk.value,
        "approver": model.approver or "none is needed",
        "author": version.who,
        "trained": f"{version.trained_at:%Y-%m-%d %H:%M} UTC" if version.trained_at else NO_EVIDENCE,
        "code": facts.get("commit") or NO_EVIDENCE,
        "seed": str(facts["seed"]),
        "parameters": _pairs(facts["params"]) or "none",
        "libraries": _pairs(measured.get("libraries", {})) or NO_EVIDENCE,
        "artefact": f"SHA-256 {version.checksum}" if version.checksum else NO_EVIDENCE,
        "registered": _pairs(version.registry) or "nowhere",
        "training set": version.training_set,
        "promotion rule": str(model.promote),
    }
    yield _table("model", "The model", ("what", "as recorded"), pairs.items())
    metrics = measured.get("metrics", {})
    title = f"Metrics of {measured.get('rows', 0):,} rows held out"
    yield _table("metrics", title, ("metric", "value"), ((name, _number(value)) for name, value in metrics.items()))
    yield _table(
        "slices",
        "By slice: for whom it is worse",
        ("attribute", "slice", "rows", *metrics),
        (
            (column, one["slice"], f"{one['rows']:,}", *(_number(one["metrics"].get(name)) for name in metrics))
            for column, slices in measured.get("slices", {}).items()
            for one in slices
        ),
        empty="no attribute is declared: slices=[…]",
    )
    validation = version.validation
    yield _table(
        "validation",
        "Against the champion",
        ("what", "found"),
        ((name.replace("_", " "), _plain(value)) for name, value in validation.items()),
        empty="it was not compared",
    )
    yield _table(
        "data",
        f"Datasheet of {told['name']}",
        ("what", "as recorded"),
        [
            ("id", version.training_set),
            ("built", told["built_at"]),
            *told.get("declared", {}).items(),
            ("a row is about", ", ".join(told["entity"])),
            ("label", told["label"]),
            ("features", ", ".join(told["features"])),
            ("labels", f"{told['labels']:,}"),
            ("to learn from", f"{told['trained']:,}"),
            ("held out", f"{told['held_out']:,}"),
            *((f"waiting: {reason}", f"{count:,}") for reason, count in told["waiting"].items()),
            *((f"excluded: {reason}", f"{count:,}") for reason, count in told["excluded"].items()),
        ],
    )
    yield _table(
        "batches",
        "Batches that it learned from",
        ("table", "batches", "gates", "decisions", "files", "stewards"),
        _by_table(record.learned),
        empty="none is recorded",
    )
    yield _table(
        "sources",
        "Sources",
        ("table", "origin", "steward", "known issues"),
        sorted(
            (str(table.id), table.source.origin, str(table.source.steward), "; ".join(table.source.known_issues) or "–")
            for table in record.tables.values()
            if isinstance(table, GatedTable) and str(table.source.steward) in _stewards(record.learned)
        ),
        empty=NO_EVIDENCE,
    )
    yield _table(
        "superseded",
        "What changed since",
        ("batch", "what", "when", "by"),
        (
            (str(one.ref), one.what, f"{one.since:%Y-%m-%d %H:%M}" if one.since else "–", one.who or "–")
            for one in record.changed
        ),
        empty="nothing: the data it learned from is as it was",
    )
    yield _table(
        "history",
        "Decisions",
        ("when", "what", "who", "why"),
        ((f"{one.at:%Y-%m-%d %H:%M}", one.what, one.who, one.why or "–") for one in record.history),
    )


def _form(record: _Record) -> Iterator[CardAnswer]:
    known = dict(_known(record))
    for question in ANNEX_IV:
        said = record.model.answers.get(question.key, "")
        text, evidence = known.get(question.key, ("", ()))
        parts = [part for part in (text, said) if part]
        yield CardAnswer(
            key=question.key,
            place=question.place,
            question=question.text,
            answer=" ".join(parts) or NO_EVIDENCE,
            evidence=evidence if text else (),
        )


def _known(record: _Record) -> Iterator[tuple[str, tuple[str, tuple[str, ...]]]]:
    """What the record answers, by question, with commands that show it."""
    model, version = record.model, record.version
    ident, number = model.id, version.version
    shown = model_command("show", ident, number)
    history = model_command("history", ident, number)
    facts, measured, told = version.facts, version.measured, version.facts["training_set"]
    if model.purpose:
        yield "purpose", (f"{model.purpose} Version {number}; {model.owner} answers for it.", (shown,))
    if libraries := measured.get("libraries"):
        yield "software", (f"{_pairs(libraries)}.", (shown,))
    yield "form", (f"A table of predictions, scored from {ident} and gated.", (f"readiness catalog show {ident}",))
    commit = facts.get("commit")
    made = f"Trained by {getattr(model.train, '__name__', 'a function')} of {model.domain.module}"
    yield (
        "development",
        (f"{made}{f' at commit {commit}' if commit else ''}, seed {facts['seed']}.", (history,)),
    )
    yield "design", (f"It serves only while this holds: {model.promote}.", (shown,))
    batches = [one.ref for one in record.learned]
    counted = (
        f"{told['labels']:,} labels of {told['name']}: {told['trained']:,} to learn from, {told['held_out']:,} held"
        f" out; from {len(batches):,} batches of {len({ref.table for ref in batches})} tables, gated."
    )
    yield "data", (counted, (shown, *(history_command(ref) for ref in batches[:2])))
    approvals = [one for one in record.history if one.what in ("promoted", "canary", "rejected", "rolled back")]
    if approvals:
        last = approvals[-1]
        yield "human_oversight", (f"{last.what} by {last.who} on {last.at:%Y-%m-%d}: {last.why}.", (history,))
    drift = model.drift
    yield "planned_changes", (f"Moderate drift: {drift.moderate}; severe drift: {drift.severe}.", (shown,))
    if measured:
        worst = _worst(measured, model.promote.metric)
        found = ", ".join(f"{name} {_number(value)}" for name, value in measured["metrics"].items())
        yield "validation", (f"On {measured['rows']:,} rows held out: {found}.{worst}", (shown,))
    if version.checksum:
        yield (
            "cybersecurity",
            (
                f"The artefact's SHA-256 {version.checksum[:16]}… is in the ledger and checked before each use.",
                ("readiness audit verify",),
            ),
        )
    if model.limits:
        yield "limits", (model.limits, (shown,))
    changed = f" {len(record.changed)} of its batches changed since." if record.changed else ""
    yield "monitoring", (f"Incidents where its data changes under it.{changed}", ("readiness incidents list",))
    yield "changes", (f"{len(record.history)} entries in the trail of this version.", (history,))


def _worst(measured: Mapping[str, Any], metric: str) -> str:
    """The slices in which a metric is furthest from the whole, in words."""
    whole = measured["metrics"].get(metric)
    found = [
        (abs(value - whole), column, one["slice"], value)
        for column, slices in measured.get("slices", {}).items()
        for one in slices
        if whole is not None and (value := one["metrics"].get(metric)) is not None
    ]
    if not found:
        return " No slice was measured."
    _, column, name, value = max(found, key=lambda one: one[0])
    return f" Furthest from that: {column} {name}, {metric} {_number(value)}."


def _by_table(learned: Sequence[LearnedFrom]) -> Iterator[tuple[str, ...]]:
    for ident in sorted({one.ref.table for one in learned}):
        mine = [one for one in learned if one.ref.table == ident]
        files = list(dict.fromkeys(origin.name for one in mine for origin in one.origins))
        more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
        yield (
            str(ident),
            ", ".join(one.ref.batch for one in mine),
            ", ".join(dict.fromkeys(one.gate[:12] for one in mine)),
            ", ".join(dict.fromkeys(str(number) for one in mine for number in one.decisions)) or "none",
            ", ".join(files[:SHOWN_FILES]) + more or "–",
            ", ".join(_stewards(mine)) or "–",
        )


def _stewards(learned: Sequence[LearnedFrom]) -> list[str]:
    return list(dict.fromkeys(steward for one in learned for steward in one.stewards))


def _table(key: str, title: str, head: tuple[str, ...], rows: Any, *, empty: str = "none") -> CardTable:
    return CardTable(key=key, title=title, head=head, rows=tuple(tuple(row) for row in rows), empty=empty)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if isinstance(value, float) else "–" if value is None else str(value)
