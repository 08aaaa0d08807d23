"""How single records are judged over HTTP: who may ask, what one request may demand, what is kept of it."""

from datetime import timedelta

from pydantic import Field

from readiness_pipelines.durations import Duration
from readiness_pipelines.frozen import Frozen


class Serve(Frozen):
    """How ``readiness serve`` answers: the table ``[settings.serve]``.

    Attributes:
        tokens: Where the tokens are of those who may ask, by their names: ``env:NAME`` or ``file:PATH``. Without any,
            only this machine is answered.
        most_body_kb: Size of a request, in kilobytes.
        most_records: Records of a request.
        most_seconds: How long a request may take to arrive, and to be judged.
        refresh: How often it is looked whether the tables that rules refer to have changed.
        most_reference_rows: Keys that are kept of a table that a rule refers to; with more, it is not decided.
        sample: The share of the records whose verdict is kept, to compare it with the batch's: 0 to 1.
        sample_to: The folder that they are kept in.
    """

    tokens: dict[str, str] = Field(default_factory=dict, repr=False)
    most_body_kb: int = Field(default=1_024, ge=1, le=65_536)
    most_records: int = Field(default=1_000, ge=1, le=100_000)
    most_seconds: float = Field(default=2.0, gt=0, le=60)
    refresh: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1), le=timedelta(days=1))
    most_reference_rows: int = Field(default=1_000_000, ge=1)
    sample: float = Field(default=0.0, ge=0, le=1)
    sample_to: str = "data/decisions"
