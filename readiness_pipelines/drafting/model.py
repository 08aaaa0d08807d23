"""The Pandera model of a table, as text."""

from readiness_pipelines.contracts.cleansing import NullTokens
from readiness_pipelines.drafting.columns import ColumnDraft
from readiness_pipelines.drafting.python_text import call, comment, step_text, type_text, value_text
from readiness_pipelines.drafting.table import FailingRule, FamilyDraft, TableDraft
from readiness_pipelines.drafting.words import rows_shown, values_shown
from readiness_pipelines.errors import printable


def model_text(table: TableDraft) -> str:
    """The class, a comment with the evidence before each field."""
    lines = [f"class {table.model}(pa.DataFrameModel):", f'    """One row of {in_docstring(table.files)}."""', ""]
    for column in table.columns:
        for note in _evidence(table, column):
            lines += comment(note)
        lines += _field(table, column)
    for family in table.families:
        lines += _family(table, family)
    for name, why in table.left_out.items():
        lines += comment(f"{name!r} is not declared, and not published: {why}; raw keeps it")
    if len(table.key.columns) > 1:
        lines += ["", "    class Config:", '        """What holds of several columns together."""', ""]
        for note in _key_evidence(table):
            lines += comment(note, "        ")
        lines += [f"        unique = {value_text(list(table.key.columns))}"]
    return "\n".join(lines)


def step_names(table: TableDraft) -> set[str]:
    """The cleansing that the model uses, by the names that the page imports."""
    names = {type(step).__name__ for column in table.columns for step in _steps(table, column)}
    kept = {word for family in table.families for column in family.columns for word in column.null_words}
    return names | ({"NullTokens"} if kept - set(missing_words(table)) else set())


def in_docstring(text: str) -> str:
    """A text that cannot end the docstring it stands in."""
    return " ".join(printable(text).split()).replace("\\", "/").replace('"', "'")


def _steps(table: TableDraft, column: ColumnDraft) -> tuple[object, ...]:
    own = tuple(sorted(column.null_words - set(missing_words(table))))
    return (*((NullTokens(tokens=own),) if own else ()), *column.reading.steps)


def _field(table: TableDraft, column: ColumnDraft) -> list[str]:
    arguments = []
    if column.names.field != column.names.name:
        arguments.append(f"alias={value_text(column.names.name)}")
    if table.nullable(column):
        arguments.append("nullable=True")
    if table.key.columns == (column.names.name,):
        arguments.append("unique=True")
    arguments += [f"{rule.argument}={value_text(rule.value)}" for rule in table.rules.get(column.names.name, ())]
    if steps := _steps(table, column):
        arguments.append(f"metadata=cleanse({', '.join(step_text(step) for step in steps)})")  # type: ignore[arg-type]
    head = f"{column.names.field}: {type_text(column.reading.type)}"
    return call(f"{head} = pa.Field", arguments, "    ") if arguments else [f"    {head}"]


def _family(table: TableDraft, family: FamilyDraft) -> list[str]:
    """One field for many columns."""
    first, last = family.columns[0].names.name, family.columns[-1].names.name
    empty = sum(column.empty for column in family.columns)
    cells = sum(column.rows for column in family.columns)
    notes = [f"{len(family.columns)} columns, {first} to {last}; {empty:,} of {cells:,} cells empty"]
    notes += [_failing(one, table.judgement.rows) for one in table.judgement.of(family.pattern)]
    own = sorted({word for column in family.columns for word in column.null_words} - set(missing_words(table)))
    arguments = [f"alias={value_text(family.pattern)}", "regex=True", *(["nullable=True"] if empty else [])]
    arguments += [f"metadata=cleanse({step_text(NullTokens(tokens=tuple(own)))})"] if own else []
    lines = [line for note in notes for line in comment(note)]
    return [*lines, *call(f"{family.field}: {type_text(family.type)} = pa.Field", arguments, "    ")]


def missing_words(table: TableDraft) -> tuple[str, ...]:
    """What the reader takes for no value."""
    words = table.options.get("missing", ())
    return (words,) if isinstance(words, str) else tuple(words)


def _evidence(table: TableDraft, column: ColumnDraft) -> list[str]:
    """What the guesses about a column rest on."""
    name = column.names.name
    facts = []
    if (span := table.spans.get(name, "")) and not column.is_text:
        facts.append(span)
    if column.rows:
        empty = f"{column.empty:,} of {rows_shown(column.rows)} empty"
        facts.append(f"{empty}, written {values_shown(sorted(column.null_words))}" if column.null_words else empty)
    if table.key.columns == (name,) and not any(one.rule.endswith("unique") for one in table.judgement.of(name)):
        facts.append("no two rows have the same")
    elif name in table.key.others:
        facts.append("no two rows have the same here, either")
    facts += [rule.note for rule in table.rules.get(name, ()) if rule.note]
    notes = ["; ".join(facts)] if facts else []
    notes += column.reading.notes
    if column.doubtful_words:
        words = values_shown(sorted(column.doubtful_words))
        notes.append(
            f"AMBIGUOUS: {words} may mean that there is no value; kept as a value, for FileDrop(missing=…) to say"
        )
    return [*notes, *(_failing(one, table.judgement.rows) for one in table.judgement.of(name))]


def _failing(broken: FailingRule, rows: int) -> str:
    values = f": {', '.join(broken.values)}" if broken.values else ""
    return f"{broken.rows:,} of {rows_shown(rows)} fail {broken.rule}{values}"


def _key_evidence(table: TableDraft) -> list[str]:
    broken = [one for one in table.judgement.broken if one.columns == table.key.columns]
    none = f"no two of {rows_shown(table.judgement.rows)} have the same"
    return [_failing(one, table.judgement.rows) for one in broken] or [none]
