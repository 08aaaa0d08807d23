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


def tried(contract: Contract) -> tuple[Contract, tuple[str, ...]]:
    """A contract without what no gate judges, and what that is, a line each.

    Args:
        contract: The contract.
    """
    own = _own_rules(contract)
    if contract.columns and not _refusal([(one, own[one.name]) for one in contract.columns]):
        return contract, ()
    lost: list[str] = []
    kept: list[ContractColumn] = []
    refused: set[str] = set()
    for column in contract.columns:
        if why := _refusal([(column, ())]):
            lost.append(f"the column {column.name!r}: {why}")
            continue
        if why := _refusal([*((one, ()) for one in kept[-1:]), (column, ())]):
            lost.append(f"the column {column.name!r}: {why}")
            continue
        kept.append(column)
        for rule in own[column.name]:
            if why := _refusal([(column, (rule,))]):
                refused.add(rule.name)
                lost.append(f"the rule {rule.name} of {column.name}: {why}")
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
