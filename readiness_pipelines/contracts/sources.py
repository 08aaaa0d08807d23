"""Where rows come from and who answers for them."""

from pydantic import Field, field_validator

from readiness_pipelines.contracts.classification import Classification
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.readers import Reader
from readiness_pipelines.durations import Duration
from readiness_pipelines.frozen import Frozen


class Source(Frozen):
    """Where the rows of a table come from.

    Attributes:
        origin: The system they come from ("EHR export").
        steward: Who answers for it.
        reader: How its batches are read: `FileDrop`, `SqlQuery`, `Function`, or another `Reader`.
        refresh: How often it delivers; ``None`` where it has no cadence.
        classification: How carefully its values must be handled; columns that nobody classified inherit it.
        known_issues: What is known to be wrong with it, one sentence each.
        schema_version: The steward's own version of the layout, where there is one.

    Example:
        Source(
            origin="Shop export",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop("orders/{batch}/*.csv"),
            refresh="1d",
            classification=Classification.CONFIDENTIAL,
            known_issues=("Test orders of the web shop are among them.",),
        )
    """

    origin: str = Field(min_length=1)
    steward: Steward
    reader: Reader
    refresh: Duration | None = None
    classification: Classification = Classification.INTERNAL
    known_issues: tuple[str, ...] = ()
    schema_version: str | None = None

    @field_validator("reader", mode="before")
    @classmethod
    def _reads(cls, value: object) -> object:
        if isinstance(value, type) or not isinstance(value, Reader):
            raise ValueError(f"a {type(value).__name__} does not read batches: give FileDrop(…), SqlQuery(…), …")
        return value
