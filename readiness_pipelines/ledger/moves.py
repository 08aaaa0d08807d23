"""The moves of a batch between its states, written down in this one place."""

from collections.abc import Mapping

from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.errors import LedgerError

_VERDICTS = frozenset(state for state in BatchState if state.judged)

MOVES: Mapping[BatchState | None, frozenset[BatchState]] = {
    # A raw table's batch begins as ingested, a judged one with a verdict. Only what the ledger knows can be discarded.
    None: frozenset(BatchState) - {BatchState.DISCARDED, BatchState.SEALED},
    # A stream's window is open until it is sealed, its table's until the first verdict; none is opened again.
    BatchState.OPEN: _VERDICTS | {BatchState.OPEN, BatchState.SEALED},
    BatchState.SEALED: frozenset({BatchState.SEALED}),
    # Raw rows are never judged where they lie: a batch that arrives again is ingested again.
    BatchState.INGESTED: frozenset({BatchState.INGESTED}),
    # A replay can end in any verdict, also after a discarding was undone; what was judged never becomes raw.
    **dict.fromkeys(sorted(_VERDICTS), _VERDICTS),
}
"""The states that may follow each state; ``None`` is a batch that the ledger has not seen."""


def check_move(ref: BatchRef, before: BatchState | None, after: BatchState) -> None:
    """Refuse a move that is not written down.

    Raises:
        LedgerError: The batch cannot go from the one state to the other.
    """
    allowed = MOVES[before]
    if after not in allowed:
        raise LedgerError(
            f"{ref} is {before or 'new'} and cannot become {after}",
            way_out=f"from here it can become: {', '.join(sorted(allowed))}",
        )
