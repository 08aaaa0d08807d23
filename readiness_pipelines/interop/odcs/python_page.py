"""The page that declares what contracts promise, as a person would have written it; what it cannot say is a comment."""

import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from readiness_pipelines.compatibility.contract import Contract, ContractColumn, Guarantee
from readiness_pipelines.compatibility.plain_values import python_value
from readiness_pipelines.drafting.naming import class_name, column_names, table_name
from readiness_pipelines.drafting.python_text import call, comment, value_text, wrapped
from readiness_pipelines.durations import format_duration
from readiness_pipelines.errors import ReadinessError, printable
from readiness_pipelines.compatibility.arrow_types import type_from_text
from readiness_pipelines.interop.odcs.declarations import (
    BATCHES,
    DEDUPLICATE,
    PROTECTIONS,
    READERS,
    RULES,
    STEPS,
    declared,
    made_of,
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
_OF_FRAME = ("row_count", "null_share")


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


@dataclass(slots=True)
class _Writing:
    """What the page uses, and what it loses, while it is written."""

    with_code: bool
    names: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def lose(self, what: str) -> list[str]:
        """Note that something is not on the page; the comment that says so."""
        self.lost.append(what)
        return comment(f"NOT MAPPED: {what}")


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
    writing = _Writing(with_code=with_code, names={"Domain", "Source", "Steward"})
    tables = _tables(contracts)
    ordered = _in_order(contracts)
    models: list[str] = []
    declarations: list[str] = []
    classes: set[str] = set(tables.values()) | {"Domain"}
    for contract in ordered:
        name = tables[contract.table]
        model = class_name(name, classes)
        classes.add(model)
        fields = _field_names(contract)
        models += ["", "", *_model(contract, model, fields, writing)]
        declarations += ["", *_declaration(contract, name, model, domain, tables, writing)]
    owner = next((one.owner for one in contracts if one.owner), "owner@example.org")
    on_call = next((one.on_call for one in contracts if one.on_call and one.on_call != owner), "")
    told = f", on_call={text_of(on_call)}" if on_call else ""
    head = ["", "", f"domain = Domain({text_of(domain)}, owner={text_of(owner)}{told})"]
    body = [*models, *head, *declarations]
    intro = [
        f'"""What is promised of {domain}.', "",
        *textwrap.wrap(f"Imported from {_plain(origin)}.", 112, break_long_words=False, break_on_hyphens=False), "",
        "Correct it where the comments say that something is not mapped, then delete them.", '"""', "",
    ]  # fmt: skip
    notes = [line for one in unmapped for line in comment(f"NOT MAPPED: {one}", "")]
    lines = [*intro, *_imports(writing), *(["", *notes] if notes else []), *body, ""]
    return Page(domain=domain, text="\n".join(lines), tables=tables, lost=tuple(writing.lost))


def text_of(value: Any) -> str:
    """A plain value as Python writes it; texts in double quotes, whatever is in them."""
    if isinstance(value, str):
        return value_text(value) if value.isprintable() else repr(value)
    return value_text(value)


def _plain(text: str) -> str:
    return " ".join(printable(text).split()).replace("\\", "/").replace('"', "'")


def _tables(contracts: Sequence[Contract]) -> dict[str, str]:
    """The names of the tables on the page, by those in the contracts."""
    found: dict[str, str] = {}
    for one in contracts:
        wanted = one.table.rpartition(".")[2]
        found[one.table] = table_name([wanted], found.values())
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


def _imports(writing: _Writing) -> list[str]:
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


def _field_names(contract: Contract) -> dict[str, str]:
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


def _model(contract: Contract, model: str, fields: Mapping[str, str], writing: _Writing) -> list[str]:
    described = _plain(contract.description) or f"One row of {_plain(contract.table)}."
    lines = [f"class {model}(pa.DataFrameModel):"]
    lines += textwrap.wrap(
        f'"""{described}"""', 112, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    lines += [""]
    for column in contract.columns:
        lines += _field(contract, column, fields[column.name], writing)
    for one in contract.guarantees:
        if one.code or one.lost:
            lines += _function(one, writing)
    lines += _config(contract, writing)
    if not contract.columns:
        lines += [*writing.lose(f"{contract.table} has no columns: declare some"), "    column: arrow.string()"]
    return lines


def _field(contract: Contract, column: ContractColumn, name: str, writing: _Writing) -> list[str]:
    own = [one for one in contract.guarantees if one.columns == (column.name,) and one.of_column and not one.lost]
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
        arguments.append(f"default={_literal(default, writing)}")
    if column.description:
        arguments.append(f"description={text_of(' '.join(printable(column.description).split()))}")
    metadata, more = _metadata(column, writing)
    arguments += [f"metadata={metadata}"] if metadata else []
    kind = type_from_text(column.type)
    if kind is None:
        shown = f"{column.name} is of a type that a model cannot name: it is read as text"
        notes = [*notes, *writing.lose(shown)]
    written = _type(kind, writing)
    if not column.required:
        written = f"Optional[{written}]"
        writing.modules["Optional"] = "typing.Optional"
    head = f"{name}: {written}"
    return [*notes, *more, *(call(f"{head} = pa.Field", arguments, "    ") if arguments else [f"    {head}"])]


def _type(kind: pa.DataType | None, writing: _Writing) -> str:
    """An Arrow type as Python writes it."""
    if kind is None:
        return "arrow.string()"
    if pa.types.is_list(kind):
        return f"arrow.list_({_type(kind.value_type, writing)})"
    if pa.types.is_struct(kind):
        members = ", ".join(
            f"({text_of(kind.field(at).name)}, {_type(kind.field(at).type, writing)})" for at in range(kind.num_fields)
        )
        return f"arrow.struct([{members}])"
    if pa.types.is_timestamp(kind):
        return f"arrow.timestamp({text_of(kind.unit)}{f', tz={text_of(kind.tz)}' if kind.tz else ''})"
    if pa.types.is_decimal(kind):
        return f"arrow.decimal128({kind.precision}, {kind.scale})"
    if pa.types.is_time(kind):
        return 'arrow.time64("us")'
    named = {"bool": "bool_", "double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date32"}
    return f"arrow.{named.get(str(kind), str(kind))}()"


def _checks(column: ContractColumn, rules: Sequence[Guarantee], writing: _Writing) -> tuple[list[str], list[str]]:
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


def _check_text(argument: str, one: Guarantee, writing: _Writing) -> str:
    try:
        values = {key: python_value(value) for key, value in one.arguments.items()}
    except ValueError:
        return ""
    if argument in _ONE_ARGUMENT:
        key = _ONE_ARGUMENT[argument]
        if set(values) != {key} or (argument in ("isin", "notin") and not isinstance(values[key], list)):
            return ""
        return _literal(values[key], writing)
    known = {"min_value", "max_value", "include_min", "include_max", "exact_value"}
    if not values or set(values) - known:
        return ""
    usual = {"include_min": True, "include_max": True}
    return _literal({key: value for key, value in values.items() if usual.get(key) != value}, writing)


def _literal(value: Any, writing: _Writing) -> str:
    """A value as Python writes it, with what it takes imported."""
    match value:
        case datetime():
            writing.modules["datetime"] = "datetime"
            if value.tzinfo is not None:
                return f"datetime.datetime.fromisoformat({text_of(value.isoformat())})"
            return repr(value)
        case date() | time() | timedelta():
            writing.modules["datetime"] = "datetime"
            return repr(value)
        case Decimal():
            writing.modules["decimal"] = "decimal"
            return f'decimal.Decimal("{value}")'
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case dict():
            return "{" + ", ".join(f"{_literal(k, writing)}: {_literal(v, writing)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_literal(one, writing) for one in value) + "]"
        case _:
            return text_of(value)


def _made(given: Any, known: tuple[str, ...], writing: _Writing, first: str = "") -> str:
    """A declaration as Python writes it.

    Raises:
        ValueError: It is none of those that are known, with the reason.
    """
    name, arguments = declared(given, known)
    writing.names.add(name)
    parts = [_literal(arguments.pop(first), writing)] if first in arguments else []
    parts += [f"{key}={_argument(value, writing)}" for key, value in arguments.items()]
    return f"{name}({', '.join(parts)})"


def _argument(value: Any, writing: _Writing) -> str:
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, date) and not isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return _literal(value, writing)


def _metadata(column: ContractColumn, writing: _Writing) -> tuple[str, list[str]]:
    """What a column's values are and how they are cleansed, as the metadata of its field, and what of it is lost."""
    notes: list[str] = []
    parts = []
    if column.classification or column.protection:
        protection = ""
        if column.protection is not None:
            try:
                protection = f", {_made(column.protection, PROTECTIONS, writing)}"
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
            steps.append(_made(step, STEPS, writing))
        except ValueError as error:
            notes += writing.lose(f"a cleansing step of {column.name}: {error}")
    if steps:
        parts.append(f"cleanse({', '.join(steps)})")
        writing.names.add("cleanse")
    return " | ".join(parts), notes


def _function(one: Guarantee, writing: _Writing) -> list[str]:
    """A check that is a function: code where that is wanted, else a comment."""
    if one.lost or not one.code:
        return ["", *writing.lose(f"the rule {one.name}: {one.lost or 'it has no code'}: {one.text}")]
    code = textwrap.dedent(one.code).rstrip().split("\n")
    if not writing.with_code or not _uses(one, writing):
        writing.lost.append(f"the rule {one.name} is code of the contract's: it is a comment until you have read it")
        told = f"NOT MAPPED: the rule {one.name} is code: read it, then uncomment it, or import with --code"
        return ["", *comment(told), *(f"    # {printable(line)}".rstrip() for line in code)]
    return ["", *(f"    {line}".rstrip() for line in code)]


def _uses(one: Guarantee, writing: _Writing) -> bool:
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
                constants[name] = _literal(python_value(used["value"]), writing)
            except ValueError:
                return False
        else:
            return False
    writing.modules |= found
    writing.constants |= constants
    return True


def _config(contract: Contract, writing: _Writing) -> list[str]:
    settings = contract.settings
    lines = []
    for name in ("strict", "ordered", "add_missing_columns"):
        if settings.get(name) is True:
            lines.append(f"        {name if name != 'ordered' else 'ordered'} = True")
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
            made = _made({"Deduplicate": settings["deduplicate"]}, DEDUPLICATE, writing)
            writing.names.add("cleanse")
            lines.append(f"        metadata = cleanse({made})")
        except ValueError as error:
            lines += writing.lose(f"{contract.table} drops repeated rows: {error}")
    return ["", "    class Config:", '        """What holds of the table as a whole."""', "", *lines] if lines else []


def _declaration(
    contract: Contract, name: str, model: str, domain: str, tables: Mapping[str, str], writing: _Writing
) -> list[str]:
    source, lines = contract.source, []
    batches, whole = _batches(contract, writing)
    kind = source.get("kind")
    if kind in ("derived", "kpi"):
        reads = ", ".join(map(str, source.get("reads", ()) if isinstance(source.get("reads"), list) else ()))
        lines += [*_flat(writing.lose(f"{contract.table} is computed there, of {reads}: here it is what arrives"))]
    lines += [f"{name} = domain.gated(", f"    {text_of(name)},", *_source(contract, name, whole, writing)]
    lines += [f"    schema={model},", *batches]
    rules, notes = _table_rules(contract, domain, tables, writing)
    lines += notes
    if rules:
        lines += ["    rules=[", *(line for rule in rules for line in wrapped(f"{rule},", "        ")), "    ],"]
    lines += [*_routes(contract, writing), *_tolerance(contract, writing), *_plain_settings(contract, writing)]
    lines += _freshness(contract, writing)
    if contract.latency is not None:
        lines.append(f'    latency="{format_duration(contract.latency)}",')
    if contract.retention is not None:
        lines += writing.lose(f"rows are kept for {format_duration(contract.retention)}: see docs/settings.md")
    lines.append(")")
    return [*lines, *_consumers(contract, name)]


def _flat(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines)


def _source(contract: Contract, name: str, whole: bool, writing: _Writing) -> list[str]:
    source = contract.source
    steward, contact = contract.steward
    origin = source.get("origin") if isinstance(source.get("origin"), str) else ""
    reader, notes = "", []
    if source.get("reader") is not None:
        try:
            given = dict(source["reader"])
            ((kind, arguments),) = given.items()
            _check_pair(given, contract.source.get("batches"))
            reader = _made({kind: arguments}, READERS, writing, first="pattern" if kind == "FileDrop" else "query")
        except (ValueError, TypeError, AttributeError) as error:
            notes += writing.lose(f"how {name} is read: {error}")
    missing = contract.settings.get("missing")
    if not reader:
        words = [one for one in missing if isinstance(one, str)] if isinstance(missing, list) else []
        told = f", missing={_literal(words, writing)}" if words else ""
        reader = f"FileDrop({text_of(f'{name}/*' if whole else f'{name}/{{batch}}/*')}{told})"
        writing.names.add("FileDrop")
        notes += comment("where it arrives; another reader may fit better: SqlQuery, Function", " " * 8)
    lines = ["    source=Source(", f"        origin={text_of(origin or f'Where {name} comes from')},"]
    lines += [
        f"        steward=Steward({text_of(steward or 'Whoever sends it')}, {text_of(contact or contract.owner or 'steward@example.org')}),"
    ]
    lines += [
        *(f"    {line}" if line.startswith("    #") else line for line in notes),
        *wrapped(f"reader={reader},", " " * 8),
    ]
    refresh = source.get("refresh")
    try:
        every = python_value(refresh)
    except ValueError:
        every = None
    if isinstance(every, timedelta) and every > timedelta(0):
        lines.append(f'        refresh="{format_duration(every)}",')
    level = source.get("classification")
    if level in ("public", "confidential", "pii", "phi"):
        writing.names.add("Classification")
        lines.append(f"        classification=Classification.{str(level).upper()},")
    if contract.limitations:
        issues = "".join(f"{text_of(' '.join(printable(one).split()))}, " for one in contract.limitations)
        lines += wrapped(f"known_issues=({issues.strip()}),", " " * 8)
    if isinstance(source.get("schema_version"), str) and source["schema_version"]:
        lines.append(f"        schema_version={text_of(source['schema_version'])},")
    return [*lines, "    ),"]


def _check_pair(reader: Any, batches: Any) -> None:
    """Refuse a reader that cannot read such batches.

    Raises:
        ValueError: With the reason.
    """
    made = made_of(reader, READERS)
    try:
        made.check(made_of(batches, BATCHES) if batches is not None else made_of({"Versions": {}}, BATCHES))
    except ReadinessError as error:
        raise ValueError(error.what) from error


def _batches(contract: Contract, writing: _Writing) -> tuple[list[str], bool]:
    """The argument for a table's batches, and whether each delivery is the whole."""
    given, notes = contract.source.get("batches"), []
    if given is not None:
        try:
            return wrapped(f"batches={_made(given, BATCHES, writing)},", "    "), "Versions" in given
        except ValueError as error:
            notes = writing.lose(f"the batches of {contract.table}: {error}")
    told = (
        "each delivery replaces the whole; where files only bring what is new: DailyBatches(start=…), and {batch} in "
        "the path"
    )
    writing.names.add("Versions")
    return [*(notes or comment(told)), "    batches=Versions(),"], True


def _table_rules(
    contract: Contract, domain: str, tables: Mapping[str, str], writing: _Writing
) -> tuple[list[str], list[str]]:
    rules: list[str] = []
    notes: list[str] = []
    seen: set[str] = set()
    for one in contract.guarantees:
        if one.of_column or one.code or one.lost or one.check in ("unique", "columns_classified"):
            continue
        try:
            text = _table_rule(one, contract, domain, tables, writing)
        except ValueError as error:
            notes += writing.lose(f"the rule {one.name} of {contract.table}: {error}")
            continue
        if text not in seen:  # one rule about several columns is listed below each of them
            seen.add(text)
            rules.append(text)
    return rules, notes


def _table_rule(one: Guarantee, contract: Contract, domain: str, tables: Mapping[str, str], writing: _Writing) -> str:
    arguments = dict(one.arguments)
    if one.check in _OF_FRAME:
        values = {key: python_value(value) for key, value in arguments.items()}
        if one.check == "row_count":
            whole = {key: value for key, value in values.items() if key in ("at_least", "at_most")}
            if not whole or not all(isinstance(value, int) for value in whole.values()):
                raise ValueError("it has no bounds")
            writing.names.add("row_count")
            return f"row_count({', '.join(f'{key}={value}' for key, value in whole.items())})"
        column, most = values.get("column"), values.get("at_most")
        if not isinstance(column, str) or contract.column(column) is None or not isinstance(most, int | float):
            raise ValueError("it has no column and share")
        writing.names.add("null_share")
        return f"null_share({text_of(column)}, at_most={most!r})"
    for key in ("table", "of"):
        if key in arguments:
            arguments[key] = _referred(str(arguments[key]), domain, tables)
    return _made({one.check: arguments}, RULES, writing)


def _referred(given: str, domain: str, tables: Mapping[str, str]) -> str:
    """The name on the page of a table that a rule compares with.

    Raises:
        ValueError: It is not on the page.
    """
    plain = given.replace("_raw.", ".", 1)
    if plain in tables:
        return tables[plain]
    raise ValueError(f"it compares with {given}, which is in none of the contracts: import that, too")


def _routes(contract: Contract, writing: _Writing) -> list[str]:
    """The routes that are not as usual: those that a contract of ours lists, and what a foreign one only warns of."""
    found = {name: route for name, route in contract.routes.items() if route in ("warn", "quarantine", "hold")}
    if not contract.gate:
        found |= {one.name: "warn" for one in contract.guarantees if one.route == "warn" and not one.code}
    lost = {one.name for one in contract.guarantees if one.lost or (one.code and not writing.with_code)}
    found = {name: route for name, route in found.items() if name not in lost}
    if not found:
        return []
    writing.names.add("Route")
    inner = ", ".join(f"{text_of(name)}: Route.{route.upper()}" for name, route in found.items())
    return wrapped(f"routes={{{inner}}},", "    ")


def _tolerance(contract: Contract, writing: _Writing) -> list[str]:
    arguments = [f"{key}={value!r}" for key, value in contract.tolerance.items() if _is_bound(key, value)]
    single = []
    for name, bounds in contract.rule_tolerances.items():
        if isinstance(bounds, Mapping) and all(_is_bound(key, value) for key, value in bounds.items()):
            inner = ", ".join(f"{key}={value!r}" for key, value in bounds.items())
            single.append(f"{text_of(name)}: Tolerance({inner})")
    arguments += [f"rules={{{', '.join(single)}}}"] if single else []
    if not arguments:
        return []
    writing.names.add("Tolerance")
    return wrapped(f"tolerance=Tolerance({', '.join(arguments)}),", "    ")


def _is_bound(key: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (key == "quarantined_ratio" or (key == "quarantined_rows" and isinstance(value, int)))


def _plain_settings(contract: Contract, writing: _Writing) -> list[str]:
    settings, lines = contract.settings, []
    if settings.get("schema_change") in ("evolve", "freeze"):
        writing.names.add("SchemaChange")
        lines.append(f"    schema_change=SchemaChange.{settings['schema_change'].upper()},")
    if settings.get("unclassified") == "hold":
        writing.names.add("Route")
        lines.append("    unclassified=Route.HOLD,")
    if settings.get("allow_empty") is True:
        lines.append("    allow_empty=True,")
    return lines


def _freshness(contract: Contract, writing: _Writing) -> list[str]:
    promise = contract.freshness
    if promise is None:
        return []
    warn, fail = format_duration(promise.warn_after), format_duration(promise.fail_after)
    arguments = [f'warn_after="{warn}"', f'fail_after="{fail}"']
    arguments += [f"due={text_of(promise.due)}"] if promise.due else []
    arguments += [f"timezone={text_of(promise.timezone)}"] if promise.timezone != "UTC" else []
    if promise.event_time and contract.column(promise.event_time) is not None and not promise.due:
        arguments.append(f"event_time={text_of(promise.event_time)}")
    writing.names.add("Freshness")
    return wrapped(f"freshness=Freshness({', '.join(arguments)}),", "    ")


def _consumers(contract: Contract, name: str) -> list[str]:
    lines = []
    for one in contract.consumers:
        arguments = [text_of(one.name), f"contact={text_of(one.contact)}", f"table={name}"]
        arguments += [f"columns={text_of(list(one.columns))}"] if one.columns else []
        arguments += [f"rules={text_of(list(one.rules))}"] if one.rules is not None else []
        arguments += [f'freshness="{format_duration(one.freshness)}"'] if one.freshness else []
        arguments += [f'notice="{format_duration(one.notice)}"'] if one.notice else []
        arguments += [f"purpose={text_of(one.purpose)}"] if one.purpose else []
        lines += call("domain.consumer", arguments, "")
    for change in contract.announced:
        arguments = [name, text_of(change.what), f'announced="{change.announced}"', f'effective="{change.effective}"']
        lines += call("domain.announce", [*arguments, f"why={text_of(change.why)}"], "")
    return lines
