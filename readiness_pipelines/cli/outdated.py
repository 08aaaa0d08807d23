"""What stays as earlier code left it: batches that another gate judged, tables that are gone from the code."""

from collections.abc import Mapping, Sequence

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.output import count_batches, say
from readiness_pipelines.commands import plan_command
from readiness_pipelines.names import TableId


def say_other_gates(older: Sequence[BatchRef], what: str | None) -> None:
    """Say how many batches were judged by another gate than the code's, and how to see what the code would do.

    Args:
        older: The batches; see `batches_by_other_gates`.
        what: The domain or table that they are of; ``None`` for several domains.
    """
    if not older:
        return
    said = (
        "was judged by another gate than the code has, and stays"
        if len(older) == 1
        else "were judged by other gates than the code has, and stay"
    )
    say((count_batches(len(older)), "yellow"), f" {said} as before until judged again")
    say(("  → ", "bold"), plan_command(what, evaluate=True))


def say_undeclared(gone: Mapping[TableId, int]) -> None:
    """Say which tables were delivered and are not in the code any more."""
    for table, count in gone.items():
        batches = f", {count_batches(count)}," if count else ""
        say((str(table), "yellow"), f"{batches} was delivered and is not declared any more; what it published stays")
