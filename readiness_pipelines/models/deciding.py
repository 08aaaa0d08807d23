"""Decisions about who serves: promoted, rejected, rolled back, shadow and canary; each in the ledger, with evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.commands import model_command
from readiness_pipelines.contracts.models import Model, RiskTier
from readiness_pipelines.errors import DeclarationError, LedgerError, ReadinessError
from readiness_pipelines.identity import same_person
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelState, ModelVersion, ServingState
from readiness_pipelines.models.artefacts import artefact_of
from readiness_pipelines.models.registry import show_serving
from readiness_pipelines.models.serving import serve_decided
from readiness_pipelines.models.sets import built_as_of
from readiness_pipelines.models.superseded import changes_under
from readiness_pipelines.models.validating import compared_with_champion, is_valid
from readiness_pipelines.products import BuiltTrainingSet

PROMOTED, ROLLED_BACK = "promoted", "rolled back"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingDecision:
    """A decision about who serves.

    Attributes:
        state: Who serves now.
        version: The version that it is about.
        registry_problem: Why MLflow does not show it yet; "" where it does. The ledger has the truth.
    """

    state: ServingState
    version: ModelVersion
    registry_problem: str = ""


def promote_model(
    model: Model,
    version: int,
    *,
    why: str,
    installation: Installation,
    run: Run,
    built: BuiltTrainingSet | None = None,
    despite: bool = False,
) -> ServingDecision:
    """Let a candidate serve in place of the champion.

    It needs to hold the model's promotion rule against the champion of now, on its own holdout, and to have learned
    from data that is as it was. A model of high risk is promoted by its approver, who is not the author.

    Args:
        model: The model.
        version: The candidate's number.
        why: The reason.
        installation: Where the ledger and the tables are.
        run: Who promotes, and when.
        built: The candidate's training set, where it was compared with another champion than serves now, or by another
            rule; by default as it was kept when it was built.
        despite: Whether it may serve though the comparison failed, or data changed since: the trail says so.

    Raises:
        LedgerError: No reason, not a candidate, somebody who may not, a rule that does not hold, or somebody else
            decided meanwhile: of two promotions at once, one wins.
        UnknownNameError: The model has no such version.
        LakehouseError: An artefact or table cannot be read or written: the decision stands, and
            ``readiness model serve`` delivers it.
    """
    models = installation.ledger.models
    state = models.serving(model.id)
    found = _candidate(model, version, installation)
    if state.champion == version:
        decided = serve_decided(model, installation=installation, run=run)  # what a crash may have left
        return _shown(model, found, decided, installation)
    _check_approver(model, found, run.who)
    if not is_valid(found, champion=state.champion, rule=model.promote):
        built = built or built_as_of(model, found, installation=installation, run=run)
        _check_same_set(found, built)
        found = compared_with_champion(model, found, built, installation=installation, run=run)
    changed = changes_under(found, installation=installation)
    problems = [] if found.validation.get("passed") else [str(found.validation.get("why", "it was not compared"))]
    problems += [f"it was trained on superseded data: {changed[0].text}"] if changed else []
    problems += _about_synthetic(found, installation)
    if problems and not despite:
        raise LedgerError(
            f"version {version} of {model.id} may not serve: {'; '.join(problems)}",
            way_out=f"train it anew; or, with a reason: readiness model promote {model.id} {version} --despite",
        )
    evidence = {"validation": dict(found.validation), "despite": problems, "checksum": found.checksum}
    after = _as_champion(state, version)
    return _decide(model, state, after, found, PROMOTED, why=why, evidence=evidence, installation=installation, run=run)


def rollback_model(
    model: Model, *, why: str, installation: Installation, run: Run, version: int | None = None
) -> ServingDecision:
    """Let the champion of before serve again. Whoever is on call may do that, at once, also of a model of high risk.

    A second rollback goes back further, not to the version that the first one left. A rejected version is passed over.

    Args:
        model: The model.
        why: The reason.
        installation: Where the ledger and the tables are.
        run: Who, and when.
        version: Any earlier champion; the one before the present one where none is given.

    Raises:
        LedgerError: No reason, no earlier champion that is not rejected, or somebody else decided meanwhile.
        LakehouseError: As `promote_model`.
    """
    state = installation.ledger.models.serving(model.id)
    found = _earlier_champion(model, state, version, installation)
    after, evidence = _as_champion(state, found.version), {"checksum": found.checksum}
    return _decide(
        model, state, after, found, ROLLED_BACK, why=why, evidence=evidence, installation=installation, run=run
    )


def _as_champion(state: ServingState, version: int) -> dict[str, Any]:
    """What changes where a version becomes champion: it is neither shadow nor canary any more."""
    after: dict[str, Any] = {"champion": version}
    after |= {"shadow": None} if state.shadow == version else {}
    after |= {"canary": None, "canary_share": None} if state.canary == version else {}
    return after


def shadow_model(model: Model, version: int, *, why: str, installation: Installation, run: Run) -> ServingDecision:
    """Let a candidate score beside the champion: its predictions are kept, and serve nobody.

    Raises:
        LedgerError: No reason, not a candidate, it serves already, or no champion does.
    """
    state, found = _beside_champion(model, version, installation)
    return _decide(
        model, state, {"shadow": version}, found, "shadow", why=why, evidence={}, installation=installation, run=run
    )


def canary_model(
    model: Model, version: int, *, share: float, why: str, installation: Installation, run: Run
) -> ServingDecision:
    """Let a candidate score a share of the rows in place of the champion: always the same rows, by their key.

    Raises:
        DeclarationError: A share that is not between 0 and 1.
        LedgerError: As `shadow_model`, or somebody who may not let a model of high risk serve.
    """
    if not 0 < share < 1:
        raise DeclarationError(f"a canary of {share} of the rows", way_out="give a share between 0 and 1: 0.05")
    state, found = _beside_champion(model, version, installation)
    _check_approver(model, found, run.who)
    after = {"canary": version, "canary_share": share}
    evidence = {"share": share}
    return _decide(model, state, after, found, "canary", why=why, evidence=evidence, installation=installation, run=run)


def withdraw_model(model: Model, version: int, *, why: str, installation: Installation, run: Run) -> ServingDecision:
    """Let a shadow or canary score no longer.

    Raises:
        LedgerError: No reason, or the version is neither.
    """
    state = installation.ledger.models.serving(model.id)
    role = next((one for one in ("shadow", "canary") if state.serving.get(one) == version), None)
    if role is None:
        champion = state.champion == version
        raise LedgerError(
            f"version {version} of {model.id} is neither shadow nor canary",
            way_out=f'readiness model rollback {model.id} --reason "…"'
            if champion
            else f"readiness model show {model.id}",
        )
    after: dict[str, Any] = {"shadow": None} if role == "shadow" else {"canary": None, "canary_share": None}
    found = installation.ledger.models.get(model.id, version)
    return _decide(
        model, state, after, found, f"{role} withdrawn", why=why, evidence={}, installation=installation, run=run
    )


def _about_synthetic(version: ModelVersion, installation: Installation) -> list[str]:
    """Why a version that learned from rows that nobody observed may not serve: until they have shown that they help."""
    if not version.facts.get("training_set", {}).get("synthetic"):
        return []
    trials = [
        entry.details["evidence"]["synthetic"]
        for entry in installation.ledger.models.history(version.model, version.version)
        if "synthetic" in entry.details.get("evidence", {})
    ]
    if trials and trials[-1]["passed"]:
        return []
    return ["it learned from synthetic rows, which have not made it better on real ones"]


def reject_model(model: Model, version: int, *, why: str, installation: Installation, run: Run) -> ModelVersion:
    """Say that a version may not serve.

    Raises:
        LedgerError: No reason, or it serves.
        UnknownNameError: The model has no such version.
    """
    models = installation.ledger.models
    return models.reject(models.get(model.id, version), who=run.who, why=why, at=run.clock())


def former_champions(model: Model, *, installation: Installation) -> tuple[int, ...]:
    """The versions that were champion, the last one last; each once, at its last time."""
    found: dict[int, None] = {}
    for _, number in _champions(model, installation):
        found.pop(number, None)
        found[number] = None
    return tuple(found)


def _champions(model: Model, installation: Installation) -> Iterator[tuple[str, int]]:
    """The versions as they became champion, oldest first, each with how it did."""
    for entry in installation.ledger.models.history(model.id):
        if entry.what in (PROMOTED, ROLLED_BACK):
            yield entry.what, int(entry.ref.batch.removeprefix("v"))


def _champions_before(model: Model, installation: Installation) -> list[int]:
    """The way back, nearest last: a promotion adds to it, a rollback takes off all that came after where it goes."""
    way: list[int] = []
    for what, number in _champions(model, installation):
        if what == ROLLED_BACK and number in way:
            while way[-1] != number:
                way.pop()
        else:
            way.append(number)
    return way


def _earlier_champion(
    model: Model, state: ServingState, wanted: int | None, installation: Installation
) -> ModelVersion:
    """The version that a rollback lets serve: the one that is wanted, or the nearest on the way back."""
    models = installation.ledger.models
    refused = {one.version for one in models.versions(model.id) if one.state is ModelState.REJECTED} | {state.champion}
    known = [one for one in former_champions(model, installation=installation) if one not in refused]
    way = known if wanted is not None else _champions_before(model, installation)
    chosen = [one for one in way if one not in refused and wanted in (None, one)]
    if not chosen:
        raise LedgerError(
            f"{model.id} has no earlier champion{'' if wanted is None else f' {wanted}'} to go back to that may serve",
            way_out=(
                f"earlier champions: {', '.join(map(str, known))}"
                if known
                else f"{model_command('train', model.id)}, then: {model_command('promote', model.id)} VERSION --despite"
                ' --reason "…"'
            ),
        )
    return models.get(model.id, chosen[-1])


def _decide(
    model: Model,
    state: ServingState,
    after: Mapping[str, Any],
    version: ModelVersion,
    what: str,
    *,
    why: str,
    evidence: Mapping[str, Any],
    installation: Installation,
    run: Run,
) -> ServingDecision:
    """Keep a decision, deliver it, and show it. What could not be delivered is refused before anybody decided it."""
    if version.version in after.values():
        artefact_of(version, installation=installation)
    installation.ledger.models.serve(
        state, after, version=version.version, what=what, who=run.who, why=why, at=run.clock(), evidence=evidence
    )
    served = serve_decided(model, installation=installation, run=run)
    return _shown(model, version, served, installation)


def _shown(model: Model, version: ModelVersion, state: ServingState, installation: Installation) -> ServingDecision:
    """Let MLflow show who serves; what it cannot show stops nothing."""
    versions = {one.version: one for one in installation.ledger.models.versions(model.id)}
    problem = ""
    try:
        show_serving(state, versions, uri=installation.mlflow_uri)
    except ReadinessError as error:
        problem = error.what
    return ServingDecision(state=state, version=version, registry_problem=problem)


def _candidate(model: Model, version: int, installation: Installation) -> ModelVersion:
    found = installation.ledger.models.get(model.id, version)
    if found.state is not ModelState.CANDIDATE:
        raise LedgerError(
            f"version {version} of {model.id} is {found.state}, not a candidate",
            way_out=f"readiness model train {model.id}",
        )
    return found


def _beside_champion(model: Model, version: int, installation: Installation) -> tuple[ServingState, ModelVersion]:
    state = installation.ledger.models.serving(model.id)
    if state.champion is None:
        raise LedgerError(
            f"{model.id} has no champion to score beside",
            way_out=f'readiness model promote {model.id} {version} --reason "…"',
        )
    if role := state.role(version):
        raise LedgerError(
            f"version {version} of {model.id} is {role} already", way_out=f"readiness model show {model.id}"
        )
    return state, _candidate(model, version, installation)


def _check_approver(model: Model, version: ModelVersion, who: str) -> None:
    """Refuse that anybody but the approver lets a model of high risk serve, and that the author does."""
    if model.risk is not RiskTier.HIGH:
        return
    if not same_person(who, model.approver):
        raise LedgerError(
            f"{model.id} is of high risk: {model.approver} lets it serve, not {who}",
            way_out=f"let them type it: readiness model promote {model.id} {version.version}",
        )
    if same_person(who, version.who):
        raise LedgerError(
            f"{who} trained version {version.version} of {model.id}, and cannot approve it, too",
            way_out="let somebody else train it, or name another approver in the model",
        )


def _check_same_set(version: ModelVersion, built: BuiltTrainingSet) -> None:
    if built.id != version.training_set:
        raise LedgerError(
            f"version {version.version} of {version.model} was trained on {version.training_set}, not on {built.id}",
            way_out="give the training set that it was trained on",
        )
