"""What all contracts share: frozen, strict about names, and helpful about wrong ones."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from readiness_pipelines.errors import UnknownNameError


class Contract(BaseModel):
    """A frozen declaration. An unknown field is refused with the nearest known one.

    Raises:
        UnknownNameError: A field that the contract does not have.
        pydantic.ValidationError: A value that does not fit its field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for name in values:
                if name not in cls.model_fields:
                    raise UnknownNameError(f"field of {cls.__name__}", str(name), cls.model_fields)
        return values
