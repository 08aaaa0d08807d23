"""A candidate held against the champion, on the same rows, by bootstrap."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from readiness_pipelines.contracts.models import METRICS, NotWorse
from readiness_pipelines.models.metrics import Values, measure, prepare

SEED = 20_260_101
"""Bootstrap samples are the same for the same rows: whoever compares again finds the same."""

LEAST_ROWS = 30
"""Of fewer rows no bootstrap says anything."""


def compare(rule: NotWorse, actual: Values, candidate: Values, champion: Values | None) -> Mapping[str, Any]:
    """Whether a candidate is not worse than the champion, as JSON that the ledger keeps.

    Args:
        rule: What has to hold.
        actual: What happened.
        candidate: What the candidate predicts.
        champion: What the champion predicts of the same rows; ``None`` where there is none yet.

    Returns:
        ``passed``, ``why`` in words, ``candidate`` and ``champion`` as measured, ``worst``: the difference that is not
        undercut at the level of confidence (positive is better), and how it was found.
    """
    own = measure(rule.metric, actual, candidate)
    facts: dict[str, Any] = {"rule": str(rule), "metric": rule.metric, "rows": len(actual), "candidate": own}
    if len(actual) < LEAST_ROWS:
        return {**facts, "passed": False, "why": f"{len(actual):,} rows of holdout are too few for {rule.metric}"}
    if own is None:
        return {**facts, "passed": False, "why": f"{rule.metric} has no value on {len(actual):,} rows of holdout"}
    if champion is None:
        return {**facts, "passed": True, "why": "there is no champion to be worse than"}
    sign = 1 if METRICS[rule.metric] else -1
    theirs = measure(rule.metric, actual, champion)
    differences = _differences(rule, actual, candidate, champion, sign)
    worst = float(np.quantile(differences, 1 - rule.bootstrap)) if len(differences) else float("-inf")
    passed = bool(worst >= -rule.by)
    return {
        **facts,
        "champion": theirs,
        "difference": None if theirs is None else sign * (own - theirs),
        "worst": worst if np.isfinite(worst) else None,
        "margin": rule.by,
        "confidence": rule.bootstrap,
        "samples": len(differences),
        "passed": passed,
        "why": (
            f"{rule.metric} {own:.4f} against {theirs:.4f}: at {rule.bootstrap:.0%} confidence"
            f" {'not worse' if passed else 'perhaps worse'} by more than {rule.by:g}"
            if theirs is not None
            else f"the champion's {rule.metric} has no value on these rows"
        ),
    }


def _differences(rule: NotWorse, actual: Values, candidate: Values, champion: Values, sign: int) -> Values:
    """How much better the candidate is, for each bootstrap sample in which both have a value."""
    draw = np.random.default_rng(SEED)
    rows = len(actual)
    own, champions = (prepare(rule.metric, actual, one) for one in (candidate, champion))
    found = []
    for _ in range(rule.samples):
        weights = np.bincount(draw.integers(0, rows, rows), minlength=rows).astype(np.float64)
        mine, theirs = own(weights), champions(weights)
        if mine is not None and theirs is not None:
            found.append(sign * (mine - theirs))
    return np.asarray(found)
