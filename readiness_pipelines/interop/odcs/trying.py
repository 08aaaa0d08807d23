"""What a contract demands, tried on a gate: a column or rule that no gate judges is taken out, with the reason."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow

from readiness_pipelines.compatibility.arrow_types import type_from_text
from readiness_pipelines.compatibility.contract import Contract, ContractColumn, Guarantee
from readiness_pipelines.compatibility.plain_values import python_value
from readiness_pipelines.errors import ReadinessError, first_line
from readiness_pipelines.gates import Gate
from readiness_pipelines.interop.odcs.page.model import FIELD_CHECKS

MOST_TRIED = 500
"""So many different rules are tried: one takes some hundredths of a second."""


def tried(contract: Contract) -> tuple[Contract, tuple[str, ...]]:
    """A contract without what no gate judges, and what that is, a line each.

    Rules that differ in their values alone are tried once, but for patterns.

    Args:
        contract: The contract.
    """
    lost: list[str] = []
    kept = _columns(contract, lost)
    own = _own_rules(contract)
    verdicts: dict[tuple[str, ...], str] = {}
    refused: set[str] = set()
    untried = 0
    for column in kept:
        for rule in own[column.name]:
            key = _key(column, rule)
            if key not in verdicts and len(verdicts) >= MOST_TRIED:
                untried += 1
                continue
            if key not in verdicts:
                verdicts[key] = _refusal([(replace(column, name="x", pattern=False), (rule,))])
            if why := verdicts[key]:
                refused.add(rule.name)
                lost.append(f"the rule {rule.name} of {column.name}: {why}")
    if untried:
        lost.append(f"{untried:,} rules of {contract.table} are on the page and were not tried: readiness check does")
    if not lost:
        return contract, ()
    names = {one.name for one in kept}
    guarantees = tuple(
        one
        for one in contract.guarantees
        if one.name not in refused and (not one.columns or one.code or names.issuperset(one.columns))
    )
    sets = contract.settings.get("unique")
    settings = dict(contract.settings)
    if isinstance(sets, list):
        settings["unique"] = [one for one in sets if isinstance(one, list) and names.issuperset(one)]
    return replace(contract, columns=tuple(kept), guarantees=guarantees, settings=settings), tuple(lost)


def _columns(contract: Contract, lost: list[str]) -> list[ContractColumn]:
    """The columns that a gate takes; why it does not take the others is noted."""
    if not contract.columns or not _refusal([(one, ()) for one in contract.columns]):
        return list(contract.columns)
    kept = []
    for column in contract.columns:
        if why := _refusal([(column, ())]):
            lost.append(f"the column {column.name!r}: {why}")
        else:
            kept.append(column)
    return kept


def _key(column: ContractColumn, rule: Guarantee) -> tuple[str, ...]:
    """What decides whether a gate takes a rule: its values alone do not, but for patterns."""
    values = rule.arguments
    kinds = [f"{name}: {type(value).__name__}" for name, value in sorted(values.items())]
    return (column.type, rule.check, *kinds, str(values.get("pattern", "")))


def _own_rules(contract: Contract) -> dict[str, list[Guarantee]]:
    found: dict[str, list[Guarantee]] = {one.name: [] for one in contract.columns}
    for rule in contract.guarantees:
        if rule.of_column and rule.check in FIELD_CHECKS and len(rule.columns) == 1 and rule.columns[0] in found:
            found[rule.columns[0]].append(rule)
    return found


def _refusal(columns: Sequence[tuple[ContractColumn, Sequence[Guarantee]]]) -> str:
    """Why no gate judges some columns with their rules; "" where one does."""
    try:
        Gate(pa.DataFrameSchema({one.name: _column(one, rules) for one, rules in columns}))
    except (ReadinessError, ValueError) as error:
        return error.what if isinstance(error, ReadinessError) else first_line(error)
    except Exception as error:  # Pandera, RE2 and Narwhals raise their own, of many kinds
        return f"{type(error).__name__}: {first_line(error)}"
    return ""


def _column(column: ContractColumn, rules: Sequence[Guarantee]) -> Any:
    checks = [_check(rule) for rule in rules]
    kind = type_from_text(column.type) or arrow.string()
    return pa.Column(kind, checks=checks, nullable=column.nullable, unique=column.unique, regex=column.pattern)


def _check(rule: Guarantee) -> Any:
    arguments = {name: python_value(value) for name, value in rule.arguments.items()}
    return getattr(pa.Check, rule.check)(**arguments)
