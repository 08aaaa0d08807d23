"""The points about what models learn from, and about models, each answered from what was gathered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from readiness_pipelines.contracts import DerivedTable, FeatureView, Model, Table, TrainingSet, upstream
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import FindingKind, Incident, IncidentState, ModelVersion
from readiness_pipelines.models.scored import scored_tables
from readiness_pipelines.models.superseded import SupersededBatch, changes_under
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.scorecard import questions as asked
from readiness_pipelines.overview.scorecard.answering import against, answer, for_it, unknown
from readiness_pipelines.overview.scorecard.questions import Answer, Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of a model.

    Attributes:
        model: The model.
        champion: The version that serves; ``None`` where none does.
        changed: The batches that it learned from and that are others now.
        scored: The tables of its predictions, each with the table whose rows it scores.
    """

    model: Model
    champion: ModelVersion | None
    changed: tuple[SupersededBatch, ...]
    scored: tuple[tuple[DerivedTable, Table], ...]

    @property
    def command(self) -> str:
        """What shows its card."""
        return f"readiness model card {self.model.id}"


def model_facts(tables: Mapping[TableId, Table], *, installation: Installation) -> tuple[ModelFacts, ...]:
    """What is known of the models whose serving versions are among some tables.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    domains = dict.fromkeys(table.domain for table in tables.values())
    models = [model for domain in domains for model in domain.models if model.serving.id in tables]
    if not models:
        return ()
    book = installation.ledger.models
    serving = {one.model: one.champion for one in book.all_serving()}
    versions = {(one.model, one.version): one for one in book.versions()}
    found = []
    for model in models:
        number = serving.get(model.id)
        champion = versions.get((model.id, number)) if number is not None else None
        changed = changes_under(champion, installation=installation) if champion is not None else ()
        found.append(ModelFacts(model=model, champion=champion, changed=changed, scored=tuple(scored_tables(model))))
    return tuple(found)


def features(tables: Sequence[Table], models: Sequence[ModelFacts], incidents: Sequence[Incident]) -> Answer:
    """Models score rows by the views that they learned from, and latest values are what is published."""
    views = [table for table in tables if isinstance(table, FeatureView)]
    if not views:
        return unknown(asked.FEATURES, "there is no feature view", way_out="declare one: @domain.features(…)")
    known = {view.id for view in views}
    faults = [
        against(
            f"latest values of {one.finding.table} are not what is published: {one.finding.seen}",
            table=one.finding.table,
            incident=one.id,
            command=f"readiness features check {one.finding.table}",
        )
        for one in incidents
        if one.finding.kind is FindingKind.ONLINE and one.finding.table in known and _is_open(one)
    ]
    proofs: list[Proof] = []
    for one in models:
        for proof in _shared(one):
            (faults if proof.against else proofs).append(proof)
    if not proofs and not faults:
        return unknown(
            asked.FEATURES,
            f"no model scores rows by one of the feature views, of which there are {len(views):,}",
            way_out="let a model learn from them, domain.training_set(features=[…]), and score them: domain.scored(…)",
        )
    return answer(asked.FEATURES, proofs, faults, way_out="score rows that are computed from the views learned from")


def _shared(facts: ModelFacts) -> Iterator[Proof]:
    """Whether what a model scores is what it learned from, for each table of its predictions."""
    training = facts.model.training
    if not isinstance(training, TrainingSet):
        return  # what its own code reads, nobody knows
    learned = {str(view.id) for view in training.views}
    for scored, rows in facts.scored:
        others = sorted(learned - {str(one.id) for one in (rows, *upstream(rows))})
        which = f"{facts.model.id} learned from {', '.join(others or sorted(learned))}, and {scored.id} scores"
        if others:
            yield against(f"{which} {rows.id}", table=scored.id, command=facts.command)
        else:
            yield for_it(f"{which} by the same", table=scored.id, command=facts.command)


def models(found: Sequence[ModelFacts]) -> Answer:
    """Whatever serves is a version whose artefact and training data are known, and are what they were."""
    if not found:
        return unknown(asked.MODELS, "there is no model", way_out="declare one: @domain.model(…)")
    faults: list[Proof] = []
    proofs: list[Proof] = []
    for one in found:
        version, ident = one.champion, one.model.id
        if version is None:
            continue
        if not version.used:
            faults.append(
                against(
                    f"{ident} v{version.version} serves, and names no batch that it learned from",
                    table=ident,
                    command=one.command,
                )
            )
        elif one.changed:
            more = f", and {len(one.changed) - 1:,} more" if len(one.changed) > 1 else ""
            said = f"{ident} v{version.version} serves, and learned from what was changed: {one.changed[0].text}{more}"
            faults.append(against(said, table=ident, command=one.command))
        else:
            said = (
                f"{ident} v{version.version} serves: artefact {version.checksum[:12]}, training set "
                f"{version.training_set[:12]}; what it learned from is as it was (batches: {len(version.used):,})"
            )
            proofs.append(for_it(said, table=ident, command=one.command))
    if not proofs and not faults:
        return unknown(asked.MODELS, "no version of a model serves", way_out="readiness model train, then promote")
    return answer(asked.MODELS, proofs, faults, way_out="train anew on what is published now: readiness model train")


def _is_open(incident: Incident) -> bool:
    return incident.state is not IncidentState.RESOLVED
