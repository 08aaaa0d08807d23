"""The Pandera model of a contract, as text."""

import re
import textwrap
from collections.abc import Mapping, Sequence

from readiness_pipelines.compatibility.arrow_types import type_from_text
from readiness_pipelines.compatibility.contract import Contract, ContractColumn, Guarantee
from readiness_pipelines.compatibility.plain_values import python_value
from readiness_pipelines.drafting.naming import column_names
from readiness_pipelines.drafting.python_text import call, comment, wrapped
from readiness_pipelines.errors import printable
from readiness_pipelines.interop.odcs.declarations import (
    DEDUPLICATE,
    PROTECTIONS,
    STEPS,
)
from readiness_pipelines.interop.odcs.page.python_values import (
    Writing,
    arrow_text,
    literal_text,
    made_text,
    plain_words,
    text_of,
)

FIELD_CHECKS: Mapping[str, str] = {
    "equal_to": "eq", "not_equal_to": "ne", "greater_than": "gt", "greater_than_or_equal_to": "ge",
    "less_than": "lt", "less_than_or_equal_to": "le", "in_range": "in_range", "isin": "isin", "notin": "notin",
    "str_matches": "str_matches", "str_contains": "str_contains", "str_startswith": "str_startswith",
    "str_endswith": "str_endswith", "str_length": "str_length",
}  # fmt: skip
"""The argument of ``pa.Field`` for each of Pandera's checks."""


_ONE_ARGUMENT = {
    "eq": "value", "ne": "value", "gt": "min_value", "ge": "min_value", "lt": "max_value", "le": "max_value",
    "isin": "allowed_values", "notin": "forbidden_values", "str_matches": "pattern", "str_contains": "pattern",
    "str_startswith": "string", "str_endswith": "string",
}  # fmt: skip


_OF_COLUMN = ("not_nullable", "unique")


def field_names(contract: Contract) -> dict[str, str]:
    """The field of each column, by its name."""
    wanted = [one.label or one.name for one in contract.columns]
    spelled = column_names(wanted)
    taken: set[str] = set()
    found = {}
    for column, name in zip(contract.columns, spelled, strict=True):
        label = column.label if column.pattern and column.label.isidentifier() else name.field
        free, number = label, 2
        while free in taken or not free.isidentifier() or free.startswith("_"):
            free, number = (f"{label}_{number}" if label.isidentifier() else f"column_{number}"), number + 1
        taken.add(free)
        found[column.name] = free
    return found


def model_text(contract: Contract, model: str, fields: Mapping[str, str], writing: Writing) -> list[str]:
    """The class.

    Args:
        contract: The contract.
        model: The name of the class.
        fields: The fields of the columns, by their names.
        writing: What the page uses and loses.
    """
    described = plain_words(contract.description) or f"One row of {plain_words(contract.table)}."
    lines = [f"class {model}(pa.DataFrameModel):"]
    lines += textwrap.wrap(
        f'"""{described}"""', 112, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    lines += [""]
    own: dict[str, list[Guarantee]] = {}
    for one in contract.guarantees:
        if one.of_column and len(one.columns) == 1 and not one.lost and not one.code:
            own.setdefault(one.columns[0], []).append(one)
    for column in contract.columns:
        lines += _field(own.get(column.name, []), column, fields[column.name], writing)
    for one in contract.guarantees:
        if one.code or one.lost:
            lines += _function(one, writing)
    lines += _config(contract, writing)
    if not contract.columns:
        lines += [*writing.lose(f"{contract.table} has no columns: declare some"), "    column: arrow.string()"]
    return lines


def _field(own: Sequence[Guarantee], column: ContractColumn, name: str, writing: Writing) -> list[str]:
    checks, notes = _checks(column, [one for one in own if one.check not in _OF_COLUMN], writing)
    arguments = []
    if name != column.name:
        arguments.append(f"alias={text_of(column.name)}")
    arguments += ["regex=True"] if column.pattern else []
    arguments += ["nullable=True"] if column.nullable else []
    arguments += ["unique=True"] if column.unique else []
    arguments += ["coerce=True"] if column.coerce else []
    arguments += checks
    try:
        default = python_value(column.default)
    except ValueError:
        default, notes = None, [*notes, *writing.lose(f"the default of {column.name}: {column.default!r}")]
    if default is not None:
        arguments.append(f"default={literal_text(default, writing)}")
    if column.description:
        arguments.append(f"description={text_of(' '.join(printable(column.description).split()))}")
    metadata, more = _metadata(column, writing)
    arguments += [f"metadata={metadata}"] if metadata else []
    kind = type_from_text(column.type)
    if kind is None:
        shown = f"{column.name} is of a type that a model cannot name: it is read as text"
        notes = [*notes, *writing.lose(shown)]
    written = arrow_text(kind, writing)
    if not column.required:
        written = f"Optional[{written}]"
        writing.modules["Optional"] = "typing.Optional"
    head = f"{name}: {written}"
    return [*notes, *more, *(call(f"{head} = pa.Field", arguments, "    ") if arguments else [f"    {head}"])]


def _checks(column: ContractColumn, rules: Sequence[Guarantee], writing: Writing) -> tuple[list[str], list[str]]:
    """The arguments of a field for its checks, and comments about those that it has no place for."""
    found: dict[str, str] = {}
    notes: list[str] = []
    missing = {one.ignore_na for one in rules if one.check in FIELD_CHECKS}
    for one in rules:
        argument = FIELD_CHECKS.get(one.check)
        why = ""
        if argument is None:
            why = "it is no check of a field"
        elif argument in found:
            why = "a field has one such check"
        elif len(missing) > 1 and not one.ignore_na:
            why = "the field's other checks let missing values pass"
        else:
            text = _check_text(argument, one, writing)
            why = "" if text else "its arguments are not such"
            found |= {argument: text} if text else {}
        if why:
            notes += writing.lose(f"the rule {one.name} ({one.check}) of {column.name}: {why}")
    arguments = [f"{argument}={text}" for argument, text in found.items()]
    return arguments + (["ignore_na=False"] if missing == {False} else []), notes


def _check_text(argument: str, one: Guarantee, writing: Writing) -> str:
    try:
        values = {key: python_value(value) for key, value in one.arguments.items()}
    except ValueError:
        return ""
    if argument in _ONE_ARGUMENT:
        key = _ONE_ARGUMENT[argument]
        if set(values) != {key} or (argument in ("isin", "notin") and not isinstance(values[key], list)):
            return ""
        return literal_text(values[key], writing)
    known = {"min_value", "max_value", "include_min", "include_max", "exact_value"}
    if not values or set(values) - known:
        return ""
    usual = {"include_min": True, "include_max": True}
    return literal_text({key: value for key, value in values.items() if usual.get(key) != value}, writing)


def _metadata(column: ContractColumn, writing: Writing) -> tuple[str, list[str]]:
    """What a column's values are and how they are cleansed, as the metadata of its field, and what of it is lost."""
    notes: list[str] = []
    parts = []
    if column.classification or column.protection:
        protection = ""
        if column.protection is not None:
            try:
                protection = f", {made_text(column.protection, PROTECTIONS, writing)}"
            except ValueError as error:
                notes += writing.lose(f"the protection of {column.name}: {error}")
        level = column.classification or "confidential"
        subject = ", subject=True" if column.subject else ""
        reviewed = f", reviewed={text_of(column.reviewed)}" if column.reviewed else ""
        if re.fullmatch(r"[a-z]+(\.[a-z_]+)?", level):
            parts.append(f"protect({text_of(level)}{protection}{subject}{reviewed})")
            writing.names.add("protect")
        else:
            notes += writing.lose(f"the class of {column.name}: {level!r}")
    steps = []
    for step in column.steps:
        try:
            steps.append(made_text(step, STEPS, writing))
        except ValueError as error:
            notes += writing.lose(f"a cleansing step of {column.name}: {error}")
    if steps:
        parts.append(f"cleanse({', '.join(steps)})")
        writing.names.add("cleanse")
    return " | ".join(parts), notes


def _function(one: Guarantee, writing: Writing) -> list[str]:
    """A check that is a function: code where that is wanted, else a comment."""
    if one.lost or not one.code:
        return ["", *writing.lose(f"the rule {one.name}: {one.lost or 'it has no code'}: {one.text}")]
    code = textwrap.dedent(one.code).rstrip().split("\n")
    if not writing.with_code or not _uses(one, writing):
        writing.lost.append(f"the rule {one.name} is code of the contract's: it is a comment until you have read it")
        told = f"NOT MAPPED: the rule {one.name} is code: read it, then uncomment it, or import with --code"
        return ["", *comment(told), *(f"    # {printable(line)}".rstrip() for line in code)]
    return ["", *(f"    {line}".rstrip() for line in code)]


def _uses(one: Guarantee, writing: Writing) -> bool:
    """Whether what a function uses can be had; imports it then."""
    found: dict[str, str] = {}
    constants: dict[str, str] = {}
    for name, used in one.globals.items():
        if not (name.isidentifier() and isinstance(used, Mapping)):
            return False
        module = used.get("import")
        if isinstance(module, str) and re.fullmatch(r"[A-Za-z_][\w.]{0,80}", module):
            found[name] = module
        elif "value" in used:
            try:
                constants[name] = literal_text(python_value(used["value"]), writing)
            except ValueError:
                return False
        else:
            return False
    writing.modules |= found
    writing.constants |= constants
    return True


def _config(contract: Contract, writing: Writing) -> list[str]:
    settings = contract.settings
    flags = ("strict", "ordered", "add_missing_columns")
    lines = [f"        {name} = True" for name in flags if settings.get(name) is True]
    sets = settings.get("unique")
    known = {one.name for one in contract.columns}
    if isinstance(sets, list) and sets and all(isinstance(one, list) and set(one) <= known for one in sets):
        value = sets[0] if len(sets) == 1 else sets
        lines += wrapped(f"unique = {text_of(value)}", "        ")
    elif sets:
        lines += writing.lose(f"{contract.table} is unique by {sets!r}: not such columns")
    if settings.get("report_duplicates") in ("exclude_first", "exclude_last"):
        lines.append(f"        report_duplicates = {text_of(settings['report_duplicates'])}")
    if settings.get("deduplicate"):
        try:
            made = made_text({"Deduplicate": settings["deduplicate"]}, DEDUPLICATE, writing)
            writing.names.add("cleanse")
            lines.append(f"        metadata = cleanse({made})")
        except ValueError as error:
            lines += writing.lose(f"{contract.table} drops repeated rows: {error}")
    return ["", "    class Config:", '        """What holds of the table as a whole."""', "", *lines] if lines else []
