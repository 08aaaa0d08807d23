"""The page that declares what contracts promise, as a person would have written it; what it cannot say is a comment."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import readiness_pipelines as rp
from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.drafting.naming import class_name, table_name
from readiness_pipelines.drafting.python_text import comment
from readiness_pipelines.interop.odcs.page.declaration import table_text
from readiness_pipelines.interop.odcs.page.model import field_names, model_text
from readiness_pipelines.interop.odcs.page.python_values import Writing, plain_words, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, and what it cannot say.

    Attributes:
        domain: The name of the domain that it declares.
        text: The page.
        tables: The names of its tables, by those in the contracts.
        lost: What of the contracts it does not say, a line each; also in its comments.
    """

    domain: str
    text: str
    tables: Mapping[str, str]
    lost: tuple[str, ...]


def python_page(
    domain: str, contracts: Sequence[Contract], *, origin: str, unmapped: Iterable[str] = (), with_code: bool = False
) -> Page:
    """The page of a domain that promises what contracts say.

    Args:
        domain: The domain's name: an identifier.
        contracts: Its tables' contracts.
        origin: Which file it is from, for people.
        unmapped: What was not read of that file, a line each.
        with_code: Whether functions in the contracts become code of the page, and not comments.
    """
    writing = Writing(with_code=with_code, names={"Domain", "Source", "Steward"})
    tables = _tables(contracts)
    ordered = _in_order(contracts)
    models: list[str] = []
    declarations: list[str] = []
    classes: set[str] = {*tables.values(), *_WORDS}
    for contract in ordered:
        name = tables[contract.table]
        model = class_name(name, classes)
        while model in classes:
            model += "Row"
        classes.add(model)
        fields = field_names(contract)
        models += ["", "", *model_text(contract, model, fields, writing)]
        declarations += ["", *table_text(contract, model, tables, writing)]
    owner = next((one.owner for one in contracts if one.owner), "owner@example.org")
    on_call = next((one.on_call for one in contracts if one.on_call and one.on_call != owner), "")
    told = f", on_call={text_of(on_call)}" if on_call else ""
    head = ["", "", f"domain = Domain({text_of(domain)}, owner={text_of(owner)}{told})"]
    body = [*models, *head, *declarations]
    intro = [
        f'"""What is promised of {domain}.', "",
        *textwrap.wrap(f"Imported from {plain_words(origin)}.", 112, break_on_hyphens=False), "",
        "Correct it where the comments say that something is not mapped, then delete them.", '"""', "",
    ]  # fmt: skip
    notes = [line for one in unmapped for line in comment(f"NOT MAPPED: {one}", "")]
    lines = [*intro, *_imports(writing), *(["", *notes] if notes else []), *body, ""]
    return Page(domain=domain, text="\n".join(lines), tables=tables, lost=tuple(writing.lost))


_WORDS = frozenset({*rp.__all__, "Any", "Optional", "arrow", "datetime", "decimal", "domain", "nw", "pa"})
"""What a page may call something already."""


def _tables(contracts: Sequence[Contract]) -> dict[str, str]:
    """The names of the tables on the page, by those in the contracts."""
    found: dict[str, str] = {}
    for one in contracts:
        wanted = one.table.rpartition(".")[2]
        found[one.table] = table_name([wanted], [*found.values(), *_WORDS])
    return found


def _in_order(contracts: Sequence[Contract]) -> list[Contract]:
    """Each table after those that its rules compare with, as far as that can be."""
    left = list(contracts)
    known = {one.table for one in contracts}
    done: list[Contract] = []
    while left:
        ready = next((one for one in left if not (_compared(one) & known) - {d.table for d in done}), left[0])
        left.remove(ready)
        done.append(ready)
    return done


def _compared(contract: Contract) -> set[str]:
    found = {str(one.arguments.get("table", one.arguments.get("of"))) for one in contract.guarantees}
    return found - {contract.table, "None"}


def _imports(writing: Writing) -> list[str]:
    modules = {"pa": "pandera.pyarrow", "arrow": "pyarrow", **writing.modules}
    plain = sorted(
        f"import {module} as {name}" if module != name else f"import {module}"
        for name, module in modules.items()
        if "." not in module or module.split(".")[0] != "typing"
    )
    typing = sorted(module.partition(".")[2] for module in modules.values() if module.startswith("typing."))
    standard = [line for line in plain if line.split()[1] in ("datetime", "decimal")]
    others = [line for line in plain if line not in standard]
    first = [*standard, *([f"from typing import {', '.join(typing)}"] if typing else [])]
    names = sorted(writing.names, key=lambda name: (name[0].islower(), name))
    line = f"from readiness_pipelines import {', '.join(names)}"
    ours = [line] if len(line) <= 120 else ["from readiness_pipelines import (", *(f"    {n}," for n in names), ")"]  # noqa: PLR2004
    constants = [f"{name} = {value}" for name, value in sorted(writing.constants.items())]
    return [*first, *([""] if first else []), *others, "", *ours, *(["", *constants] if constants else [])]
