"""Models and their versions for people."""

from collections.abc import Mapping, Sequence

from rich.table import Table as Grid
from rich.text import Text

from readiness_pipelines.cli.output import OUT, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.contracts import Model
from readiness_pipelines.ledger import ModelVersion, ServingState
from readiness_pipelines.models import DriftStep, ModelDrift, SupersededBatch


def versions_grid(
    model: Model,
    versions: Sequence[ModelVersion],
    state: ServingState,
    changed: Mapping[int, Sequence[SupersededBatch]],
) -> Grid:
    """One line for each version, with the metric that promotion compares: a terminal is 80 columns wide."""
    grid = plain_table("versions")
    metric = model.metrics[0]
    for column in ("version", "state", "trained", "on", metric, "compared", "data"):
        grid.add_column(column, no_wrap=True)
    for one in versions:
        values = one.measured.get("metrics", {})
        role = state.role(one.version)
        grid.add_row(
            f"v{one.version}",
            Text(role or one.state, style="green" if role else ""),
            f"{one.began_at:%Y-%m-%d %H:%M}",
            one.training_set[:8],
            f"{values[metric]:.4f}" if values.get(metric) is not None else "–",
            _compared(one),
            f"{len(changed[one.version])} changed" if changed[one.version] else "as it was",
        )
    return grid


def _compared(version: ModelVersion) -> str:
    return (
        {True: "passed", False: "failed"}.get(bool(version.validation.get("passed")), "") if version.validation else "–"
    )


def say_superseded(changed: Sequence[SupersededBatch]) -> None:
    """Print the batches that changed under a model, a line each."""
    for one in changed:
        say(("  superseded: ", "bold red"), one.text)


def serving_text(state: ServingState) -> str:
    """Who serves, on one line."""
    share = f" ({state.canary_share:.0%} of the rows)" if state.canary_share else ""
    parts = [f"{role} v{number}{share if role == 'canary' else ''}" for role, number in state.serving.items()]
    return f"{state.model}: {', '.join(parts) or 'nothing serves'}"


def say_version(version: ModelVersion, state: ServingState) -> None:
    """Print one version: its metrics in total and by slice, and how it compared."""
    role = state.role(version.version) or version.state.value
    say(
        (f"{version.model} v{version.version}", "bold"), f": {role}, trained on {version.training_set} by {version.who}"
    )
    measured = version.measured
    grid: Grid = plain_table(f"{measured.get('rows', 0):,} rows held out")
    grid.add_column("slice", overflow="fold")
    grid.add_column("rows", justify="right")
    metrics = list(measured.get("metrics", {}))
    for metric in metrics:
        grid.add_column(metric, justify="right")
    rows = [("all", measured.get("rows", 0), measured.get("metrics", {}))]
    rows += [
        (f"{column}: {one['slice']}", one["rows"], one["metrics"])
        for column, slices in measured.get("slices", {}).items()
        for one in slices
    ]
    for named, count, values in rows:
        shown = (f"{values[metric]:.4f}" if values.get(metric) is not None else "–" for metric in metrics)
        grid.add_row(Text(named), f"{count:,}", *shown)
    OUT.print(grid)
    if version.validation:
        style = "green" if version.validation.get("passed") else "bold red"
        say(("compared: ", style), str(version.validation.get("why", "")))


def say_drift(found: ModelDrift) -> None:
    """Print how a model stands: what is to be done, then its batches and what is not as it knows it, a line each."""
    decision, model = found.decision, found.version.model
    style = "green" if decision.step is DriftStep.NOTHING else "bold yellow"
    say((f"{model} v{found.version.version}: {decision.tier} drift, {decision.step}", style), f" · {decision.why}")
    for batch in found.batches:
        for sign in batch.signs:
            say((f"  {batch.batch} ", "bold"), sign.text)
    for seen in found.qualities:
        quality = seen.quality
        if quality.value is not None:
            word = "estimated" if quality.estimated else "measured"
            span = "" if quality.low is None else f" ({quality.low:.4f} to {quality.high:.4f} by chance)"
            say((f"  {seen.ref} ", "bold"), f"{quality.metric} {word} {quality.value:.4f}{span}")
    if found.request is not None:
        say(f"retraining {found.request.id} is {found.request.state}")
