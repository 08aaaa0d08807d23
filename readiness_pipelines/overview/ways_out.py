"""The commands that could resolve what waits of a batch, as somebody would type them."""

import shlex
from collections.abc import Sequence

from readiness_pipelines.batches import BatchState
from readiness_pipelines.commands import history_command, replay_command, run_command
from readiness_pipelines.gates import MASKING_VERIFIED, RuleCount
from readiness_pipelines.ledger import BatchRecord


def ways_out(record: BatchRecord, counts: Sequence[RuleCount]) -> tuple[str, ...]:
    """Look, correct, waive, discard, replay: of the rule that most rows break, and of a column that it looks at.

    An open window of a stream can be looked at, and is decided about when it is sealed. Of a batch of which nothing
    waits there is its history.

    Args:
        record: The batch.
        counts: The rules that it breaks, most rows first.

    Returns:
        Commands; ``…`` stands for what only a person knows.
    """
    ref = record.ref
    if not record.counts.quarantined:
        return (history_command(ref),)
    first = next((count for count in counts if count.rule.columns), None)
    column = first.rule.columns[0] if first else "COLUMN"
    rule = counts[0].rule.name if counts else "RULE"

    def spelled(verb: str, *words: str) -> str:
        return shlex.join(("readiness", "quarantine", verb, str(ref.table), "--batch", ref.batch, *words))

    if record.state is BatchState.OPEN:
        return (spelled("rows", "--rule", rule), run_command(ref))
    if rule.startswith(MASKING_VERIFIED):
        return (replay_command(ref),)  # the key, or the declaration, has to be mended: no decision about rows helps
    return (
        spelled("rows", "--rule", rule),
        spelled("correct", "--set", f"{column} = …", "--where", "…", "--reason", "…"),
        spelled("waive", "--rule", rule, "--reason", "…"),
        spelled("discard", "--where", "…", "--reason", "…"),
        replay_command(ref),
    )
