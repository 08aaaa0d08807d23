"""The lifted checks of a batch, by the types that its columns really have: what the query decides, and what not.

Where a part of a check is NaN, which engines place differently, Pandera decides: the row, or the whole batch where the
check's answer for a row depends on others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import narwhals.stable.v1 as nw

from readiness_pipelines.engines.expressions import is_scalar
from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates.judge.batch_view import BatchView
from readiness_pipelines.gates.judge.bits import Bit
from readiness_pipelines.gates.schema.flavours import Flavour
from readiness_pipelines.gates.schema.lifting import FRAME, expression, widens_singles
from readiness_pipelines.gates.schema.parity import Parity, parity_of
from readiness_pipelines.gates.schema.rules import Runner
from readiness_pipelines.gates.schema.tests import Checked

EVERY_ROW = "true"
"""SQL: a check of which the query decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedCheck:
    """A check that the query decides, of one column.

    Attributes:
        test: The check.
        passes: Its expression.
        parity: What is known of the expression; its doubts are those that nothing else settles.
    """

    test: Checked
    passes: nw.Expr
    parity: Parity

    @property
    def doubt(self) -> nw.Expr:
        """Where a part of it is NaN, by row."""
        return nw.any_horizontal(*(_is_nan(part) for part in self.parity.doubts), ignore_nulls=False)

    @property
    def doubted_batch(self) -> nw.Expr:
        """Whether a part of it is NaN anywhere, once for the batch."""
        parts = (_is_nan(part) if is_scalar(part) else _is_nan(part).any() for part in self.parity.doubts)
        return nw.any_horizontal(*parts, ignore_nulls=False)


def read_checks(view: BatchView, bits: Iterable[Bit], flavour: Flavour) -> dict[int, LiftedCheck]:
    """The checks that were lifted when the gate was built, by place.

    Raises:
        GateBuildError: One that Pandera has to decide on the types that arrived, where Pandera does not run.
    """
    frame, types = view.frame, {column.name: column.type for column in view.layout.columns}
    checks = {}
    for bit in bits:
        test = bit.test
        if not isinstance(test, Checked) or test.rule.runs_on is not Runner.QUERY:
            continue
        passes = expression(test.check, key_of(bit), frame)
        parity = parity_of(passes, types, rule=test.rule.name, widens=widens_singles(test.check, flavour))
        if test.nan_settled and bit.column and test.spec and bit.column.type == test.spec.type:
            parity = replace(parity, doubts=())
        if parity.why_not:
            refuse_memory(view, test, parity.why_not)
        checks[bit.place] = LiftedCheck(test=test, passes=passes, parity=parity)
    return checks


def left_to_pandera(view: BatchView, checks: Mapping[int, LiftedCheck]) -> dict[int, str]:
    """The checks that Pandera decides of the whole batch, or of some rows, by place, each with SQL of those rows.

    Raises:
        GateBuildError: NaN in a check that would need the whole batch in memory, where Pandera does not run.
    """
    left = {place: EVERY_ROW for place, check in checks.items() if check.parity.why_not}
    doubted = {p: c for p, c in checks.items() if p not in left and c.parity.doubts and c.test.of_rows}
    if not doubted:
        return left
    name = f"doubted_{view.tag}"
    parts = {f"d{place}": check.doubt for place, check in doubted.items()}
    view.engine.view(name, nw.to_native(view.frame.filter(nw.col("_unreadable").is_null()).select("_row", **parts)))
    (found,) = view.engine.fetch(f"SELECT {', '.join(f'bool_or({part})' for part in parts)} FROM {name}")
    for (place, check), some in zip(doubted.items(), found, strict=True):
        if some and check.parity.elementwise:
            left[place] = f"_row IN (SELECT _row FROM {name} WHERE d{place})"
        elif some:
            refuse_memory(view, check.test, "its rows have NaN and are compared with each other")
            left[place] = EVERY_ROW
    return left


def key_of(bit: Bit) -> str:
    """The column that a bit's check is attached to, or `FRAME`."""
    return bit.column.name if bit.column else FRAME


def refuse_memory(view: BatchView, test: Checked, why: str) -> None:
    """Refuse what Pandera would have to decide in the memory of one machine, where the engine stands for many.

    Raises:
        GateBuildError: The engine is such a one; names the rule.
    """
    if view.engine.sql.operations is not None:
        raise GateBuildError(
            f"the rule {test.rule.name!r} would need rows of the batch in memory: {why}",
            way_out=view.engine.sql.way_out,
        )


def _is_nan(part: nw.Expr) -> nw.Expr:
    return part.is_nan().fill_null(value=False)
