"""Pairs of contracts that were labelled by hand, and the contracts that they are made of."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.interop.bounded_yaml import parse_yaml
from readiness_pipelines.interop.odcs.reading import read_odcs

HERE = Path(__file__).parent
NAMES = ("name", "property", "metric", "username")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two contracts, and what their difference must be judged to be."""

    name: str
    old: Contract
    new: Contract
    breaks: frozenset[str]
    who: frozenset[str]
    of: frozenset[str]


def orders(changes: Mapping[str, Any] | None = None) -> Contract:
    """The contract of orders, with some values changed by their paths."""
    document = yaml.safe_load((HERE / "orders.odcs.yaml").read_text())
    for path, value in (changes or {}).items():
        parts = path.split("/")
        place = document["schema"][0] if parts[0] in ("properties", "quality") else document
        _set(place, parts, deepcopy(value))
    (found,) = read_odcs(parse_yaml(yaml.safe_dump(document).encode(), file="orders.odcs.yaml")).contracts
    return found


def labelled_pairs() -> list[Pair]:
    """All pairs."""
    return [
        Pair(
            name=one["name"],
            old=orders(one.get("from")),
            new=orders(one["set"]),
            breaks=frozenset(one.get("breaks", ())),
            who=frozenset(one.get("who", ())),
            of=frozenset(one.get("of", ())),
        )
        for one in yaml.safe_load((HERE / "pairs.yaml").read_text())
    ]


def _set(place: Any, parts: list[str], value: Any) -> None:
    first, *rest = parts
    if isinstance(place, list):
        if first == "+":
            place.append(value)
            return
        at = next(at for at, one in enumerate(place) if first in [one.get(name) for name in NAMES])
    else:
        at = first  # type: ignore[assignment]  # of a mapping
        if not rest and value is None:
            place.pop(first, None)
            return
    if rest:
        _set(place[at], rest, value)
    elif value is None:
        del place[at]
    else:
        place[at] = value
