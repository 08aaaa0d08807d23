"""What tables are called."""

import re
from dataclasses import dataclass

from readiness_pipelines.errors import LakehouseError

_PART = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table in its namespace, written ``namespace.name``.

    Raises:
        LakehouseError: A part that is not lower-case letters, digits and underscores, starting with a letter.
    """

    namespace: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.namespace, self.name):
            if not _PART.fullmatch(part):
                raise LakehouseError(
                    f"{part!r} in the table name {self.namespace}.{self.name} is no identifier",
                    way_out="use lower-case letters, digits and underscores, starting with a letter",
                )

    @classmethod
    def parse(cls, text: str) -> "TableName":
        """Read ``namespace.name``."""
        namespace, _, name = text.partition(".")
        return cls(namespace, name)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"
