"""Who answers."""

from pydantic import Field

from readiness_pipelines.frozen import Frozen


class Steward(Frozen):
    """The named person or team that answers for a source.

    Attributes:
        name: As people know them ("Clinical data office").
        contact: Where they are reached: a mail address, a channel, a page.

    Example:
        Steward("Clinical data office", "clinical-data@hospital.example")
    """

    name: str = Field(min_length=1)
    contact: str = Field(min_length=1)

    def __init__(self, name: str | None = None, contact: str | None = None, /, **fields: object) -> None:
        """Accept name and contact by position."""
        positional = {"name": name, "contact": contact}
        super().__init__(**{key: value for key, value in positional.items() if value is not None}, **fields)

    def __str__(self) -> str:
        return f"{self.name} <{self.contact}>"
