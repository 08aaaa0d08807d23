"""What changed in the shape of a source's batches."""

from dataclasses import dataclass
from typing import Literal, assert_never


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFinding:
    """A difference between the source's last accepted shape and what arrived.

    Attributes:
        change: What kind of difference.
        column: The column.
        before: Its type in the accepted shape; "" for a new column.
        after: Its type as it arrived; "" for a column that did not.
        effect: What is done about it, for people.
    """

    change: Literal["new column", "missing column", "other type"]
    column: str
    before: str
    after: str
    effect: str

    def __str__(self) -> str:
        match self.change:
            case "new column":
                return f"{self.column} ({self.after}) is new"
            case "missing column":
                return f"{self.column} ({self.before}) is missing"
            case "other type":
                return f"{self.column} is {self.after}, before {self.before}"
            case _:
                assert_never(self.change)
