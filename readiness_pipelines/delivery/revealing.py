"""A look of a person at values of classified columns: allowed with a reason, and kept in the trail."""

from collections.abc import Sequence

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Table, Token
from readiness_pipelines.delivery.classes import class_of
from readiness_pipelines.engines.tokens import value_of_token
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.masking import Viewer

REVEALED = "classified values read"
"""What the trail calls it."""


def reveal(
    ref: BatchRef, *, columns: Sequence[str], rows: int, why: str, installation: Installation, run: Run
) -> Viewer:
    """Let somebody see values of classified columns. The trail has it before they see any.

    Args:
        ref: The batch.
        columns: The columns that are classified and looked at.
        rows: How many rows are looked at.
        why: The reason.
        installation: Where the ledger is.
        run: Who, and when.

    Returns:
        Who looks, with the right to see them.

    Raises:
        LedgerError: No reason, an unknown batch, or the ledger cannot be reached: then nothing is shown.
    """
    installation.ledger.note_look(
        ref, what=REVEALED, who=run.who, why=why, at=run.clock(), details={"columns": list(columns), "rows": rows}
    )
    return Viewer(run.who, reveals=True)


def values_of_tokens(
    table: Table, column: str, tokens: Sequence[str], *, batch: str, why: str, installation: Installation, run: Run
) -> list[str]:
    """Turn tokens back into the texts that they were made of. The trail has it before anybody sees one.

    Args:
        table: The table.
        column: Its column, which `Token` protects.
        tokens: As they are published.
        batch: The batch that they are of.
        why: The reason.
        installation: Where the ledger and the keys are.
        run: Who, and when.

    Returns:
        A text for each token, in their order.

    Raises:
        DeclarationError: The column has no tokens, the key cannot be had, or a token was made with another one: nothing
            is shown then.
        LedgerError: No reason, an unknown batch, or the ledger cannot be reached: nothing is shown then.
    """
    protection = class_of(table, column).protection
    if not isinstance(protection, Token):
        raise DeclarationError(
            f"column {column} of {table.id} has no tokens that can be turned back",
            way_out="only what `Token(key=…)` protects can be; pseudonyms and what is withheld cannot",
        )
    key = installation.keys(protection.key)
    values = []
    for number, token in enumerate(tokens, start=1):
        try:
            values.append(value_of_token(token, key))
        except DeclarationError as error:
            raise DeclarationError(f"line {number}: {error.what}", way_out=error.way_out) from None
    reveal(BatchRef(table.id, batch), columns=[column], rows=len(tokens), why=why, installation=installation, run=run)
    return values
