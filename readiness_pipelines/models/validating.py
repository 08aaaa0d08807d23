"""A candidate compared with the champion of now, on the candidate's holdout; what was found is kept as evidence."""

from collections.abc import Mapping
from typing import Any

from readiness_pipelines.contracts.models import Model, NotWorse
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ModelVersion
from readiness_pipelines.models.artefacts import predictor_of
from readiness_pipelines.models.comparing import compare
from readiness_pipelines.models.fitting import holdout_of
from readiness_pipelines.products import BuiltTrainingSet

_WRITTEN = "rule_as_written"
"""The rule to the last digit: ``rule``, for people, rounds."""


def compared_with_champion(
    model: Model, version: ModelVersion, built: BuiltTrainingSet, *, installation: Installation, run: Run
) -> ModelVersion:
    """A version with how it compares with the champion, by the rule of now; where that is known, nothing is done again.

    Raises:
        DeclarationError: There is no holdout.
        LakehouseError: An artefact cannot be read.
    """
    state = installation.ledger.models.serving(model.id)
    if is_valid(version, champion=state.champion, rule=model.promote):
        return version
    holdout = holdout_of(model, built)
    what = f"version {version.version} of {model.id}"
    own = predictor_of(version, installation=installation).predict(holdout.rows, what=what)
    facts: Mapping[str, Any]
    if state.champion is None or state.champion == version.version:
        facts = compare(model.promote, holdout.actual, own, None)
    else:
        champion = installation.ledger.models.get(model.id, state.champion)
        try:
            theirs = predictor_of(champion, installation=installation).predict(
                holdout.rows, what=f"version {champion.version} of {model.id}"
            )
        except DeclarationError as error:  # it learned from other features, say
            facts = {"rule": str(model.promote), "passed": False, "why": f"they cannot be compared: {error.what}"}
        else:
            facts = compare(model.promote, holdout.actual, own, theirs)
    found = {
        **facts,
        "against": state.champion,
        "training_set": built.id,
        "rule": str(model.promote),
        _WRITTEN: repr(model.promote),
    }
    return installation.ledger.models.note_validated(version, validation=found, who=run.who, at=run.clock())


def is_valid(version: ModelVersion, *, champion: int | None, rule: NotWorse) -> bool:
    """Whether a version was compared with a champion, by a rule; of old comparisons it is not known by which."""
    found = version.validation
    return bool(found) and found.get("against") == champion and found.get(_WRITTEN) == repr(rule)
