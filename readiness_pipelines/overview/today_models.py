"""How each model stands now: what serves, what was found of it and of its data, and what a person has to decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from readiness_pipelines.contracts import Domain, Model, TrainingSet, upstream
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Finding, ModelState, ModelVersion, ServingState
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.latency import Publications
from readiness_pipelines.overview.standings import ORDER, Standing, brief, findings_said, sentence_of, standing_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelToday:
    """How a model stands.

    Attributes:
        model: The model.
        standing: The worst of what there is to say.
        sentence: All of it in one sentence.
        serving: What serves, for people: ``champion v3``; "" where nothing does.
        measured: The promotion's metric of the champion, on its holdout; ``None`` where nothing serves.
        waits: Whether a person has to decide something, whatever else there is.
        newer: How many batches of labels are newer than all that the champion learned from.
        findings: What is not as promised of it and of all that it is made of, the worst first.
    """

    model: Model
    standing: Standing
    sentence: str
    serving: str
    measured: float | None
    waits: bool
    newer: int
    findings: tuple[Finding, ...]


def models_today(
    domains: Sequence[Domain], findings: Sequence[Finding], *, installation: Installation, publications: Publications
) -> tuple[ModelToday, ...]:
    """How the models of some domains stand, the worst first.

    A model is stale where so many batches of labels are newer than all that it learned from as its page demands of
    drift before anything is done (``after``).

    Args:
        domains: The domains.
        findings: What was found of their tables, the worst first.
        installation: Where the ledger is.
        publications: What consumers see.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    found = [_model_today(model, findings, installation, publications) for domain in domains for model in domain.models]
    return tuple(sorted(found, key=lambda one: (ORDER[one.standing], str(one.model.id))))


def _model_today(
    model: Model, findings: Sequence[Finding], installation: Installation, publications: Publications
) -> ModelToday:
    ledger = installation.ledger.models
    state, versions = ledger.serving(model.id), ledger.versions(model.id)
    related = _related(model)
    own = tuple(one for one in findings if one.table in related)
    champion = next((one for one in versions if one.version == state.champion), None)
    newer = _newer(model, champion, publications) if champion is not None else 0
    said = _decisions(model, state, versions)
    if champion is None and not said:
        said.append((Standing.NOTHING, "nothing serves yet"))
    if newer >= model.drift.after:
        said.append((Standing.UNUSUAL, f"{newer} batches of labels are newer than what it learned from"))
    standings = [standing for standing, _ in said] + [standing_of(one) for one in own]
    parts = [(ORDER[standing], text) for standing, text in said]
    parts += _findings_said(model, own)
    return ModelToday(
        model=model,
        standing=min(standings, key=ORDER.__getitem__, default=Standing.FINE),
        sentence=_capital(sentence_of(parts)) if parts else "Learned from data that is as it was; nothing waits.",
        serving=", ".join(f"{role} v{number}" for role, number in state.serving.items()),
        measured=(champion.measured.get("metrics") or {}).get(model.promote.metric) if champion is not None else None,
        waits=Standing.WAITS in standings,
        newer=newer,
        findings=own,
    )


def _findings_said(model: Model, findings: Sequence[Finding]) -> list[tuple[int, str]]:
    """What was found: of the model itself word by word, of its data as of any product."""
    itself = [one for one in findings if one.table == model.id and standing_of(one) is Standing.WAITS]
    others = [one for one in findings if one not in itself]
    return [(ORDER[Standing.WAITS], brief(one.seen)) for one in itself] + findings_said(others)


def _decisions(model: Model, state: ServingState, versions: Sequence[ModelVersion]) -> list[tuple[Standing, str]]:
    """What nobody decided, or delivered, yet."""
    said: list[tuple[Standing, str]] = []
    if state.revision != state.served_revision:
        said.append((Standing.BROKEN, "who serves was decided, and is not delivered"))
    newest = versions[-1] if versions else None
    if (
        newest is not None
        and newest.state is ModelState.CANDIDATE
        and newest.version > (state.champion or 0)
        and newest.validation.get("passed")
    ):
        who = model.approver or model.owner
        said.append((Standing.WAITS, f"candidate v{newest.version} passed its comparison and waits for {who}"))
    return said


def _related(model: Model) -> set[TableId]:
    """The model's own table, those of its predictions, and all that these, and its training set, are made of."""
    scored = tuple(model.serving.readers)
    learned = model.training.tables if isinstance(model.training, TrainingSet) else ()
    return {model.id, *(one.id for table in (*scored, *learned) for one in (table, *upstream(table)))}


def _newer(model: Model, champion: ModelVersion, publications: Publications) -> int:
    """How many published batches of labels are newer than all that a version learned from."""
    if not isinstance(model.training, TrainingSet):
        return 0
    labels = model.training.labels
    used = [one["batch"] for one in champion.used if one["table"] == str(labels.id)]
    last = max(map(labels.batches.order, used), default=None)
    published = {one.batch for one in publications.get(labels.id, ())}
    return sum(last is not None and labels.batches.order(batch) > last for batch in published)


def _capital(text: str) -> str:
    """A sentence that begins with a capital, unless it begins with a table's name."""
    first = text.partition(" ")[0]
    return text if "." in first else text[:1].upper() + text[1:]
