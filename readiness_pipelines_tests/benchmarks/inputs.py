"""What the contenders are given: rows that lie typed in raw, or a file that has just landed."""

from collections.abc import Mapping
from dataclasses import dataclass

from readiness_pipelines_tests.benchmarks import contenders, whole_way
from readiness_pipelines_tests.benchmarks.contenders import Contender


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One kind of input.

    Attributes:
        what: What is measured, for people.
        suffix: How the file's name ends; "" for the typed rows as raw has them.
        key: The column by whose sum the written rows are checked.
        contenders: Who is measured, by name; the first is ours.
        floors: Those that have no gate, and write all rows.
    """

    what: str
    suffix: str
    key: str
    contenders: Mapping[str, Contender]
    floors: tuple[str, ...]

    @property
    def ours(self) -> str:
        """The contender that the others are compared with."""
        return next(iter(self.contenders))


INPUTS: Mapping[str, Input] = {
    "typed": Input(
        what="typed rows in raw, judged and split",
        suffix="",
        key="_row",
        contenders=contenders.CONTENDERS,
        floors=contenders.FLOORS,
    ),
    **{
        kind: Input(
            what=f"from landed {shown} to published",
            suffix=f".{kind}",
            key="id",
            contenders=whole_way.CONTENDERS,
            floors=whole_way.FLOORS,
        )
        for kind, shown in (("csv", "CSV"), ("parquet", "Parquet"))
    },
}
"""By name."""
