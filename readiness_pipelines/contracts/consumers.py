"""Who relies on a table, and on what of it: declared, so that a change can say who breaks before it is made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from readiness_pipelines.contracts.texts import Texts
from readiness_pipelines.durations import Duration
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.names import TableId


def _some(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class Consumer(Frozen):
    """Somebody who relies on a table: a team, a report, an application. Declared by `Domain.consumer`.

    Attributes:
        name: As people know it ("finance"); unique for the table.
        contact: Where it is reached: a mail address, a channel, a page.
        table: What it relies on.
        columns: The columns it reads; none where it reads all, or `contract` says.
        rules: The rules it relies on, by name; ``None`` where it relies on all that are about its columns.
        freshness: How old the table may be for it; ``None`` where it relies on no freshness.
        notice: How long before a breaking change it has to know of it; ``None`` where it need not.
        contract: Its own contract, an ODCS file; ``None`` where the declaration says all.
        purpose: What it does with the table, for people.
    """

    name: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    table: TableId
    columns: Texts = ()
    rules: Annotated[Sequence[str] | None, BeforeValidator(_some)] = None
    freshness: Duration | None = None
    notice: Duration | None = None
    contract: Path | None = None
    purpose: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.contact}>"
