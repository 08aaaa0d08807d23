"""The page of a drafted domain, as a person would have written it, each guess with what it rests on."""

from readiness_pipelines.contracts.classification import Classification, PersonalKind, strongest
from readiness_pipelines.detection import Certainty
from readiness_pipelines.drafting.draft import DomainDraft
from readiness_pipelines.drafting.model import in_docstring, model_text, step_names
from readiness_pipelines.drafting.python_text import comment, value_text, wrapped
from readiness_pipelines.drafting.query import query_lines
from readiness_pipelines.drafting.table import Judgement, TableDraft
from readiness_pipelines.drafting.words import rows_shown

_ORDER = (
    "format", "encoding", "delimiter", "comment", "skip_lines", "header", "columns", "skip_after_header", "rename",
    "ignore", "record_path", "missing",
)  # fmt: skip


def domain_page(draft: DomainDraft) -> str:
    """The text of the module that declares a drafted domain as ``domain``."""
    used = {"Domain", "Source", "Steward", "Tolerance"}
    for table in draft.tables:
        names = step_names(table)
        used |= {"SqlQuery" if table.placement.query else "FileDrop"}
        used |= {*names, table.placement.imports, *({"cleanse"} if names else ())}
        used |= {"Classification"} if _classification(table) else set()
        used |= {"Freshness"} if table.placement.promised else set()
    files = ", ".join(in_docstring(table.files) for table in draft.tables)
    lines = [
        f'"""What is declared here: the tables of {draft.name}.',
        "",
        *(line.removeprefix("# ") for line in comment(f"Drafted from {files}.", "")),
        "The comments say what each guess rests on: correct it, then delete them. What is marked AMBIGUOUS is a",
        "question for whoever sends the files.",
        '"""',
        "",
        "import pandera.pyarrow as pa",
        "import pyarrow as arrow",
        "",
        *_imports(sorted(used, key=lambda name: (name[0].islower(), name))),
        "",
    ]
    for table in draft.tables:
        lines += ["", model_text(table), ""]
    lines += [
        "",
        "# Who answers for it; alerts go to on_call=, where that is somebody else.",
        f'domain = Domain("{draft.name}", owner="owner@example.org")',
    ]
    for table in draft.tables:
        lines += ["", *_declaration(table)]
    return "\n".join([*lines, ""])


def _imports(names: list[str]) -> list[str]:
    line = f"from readiness_pipelines import {', '.join(names)}"
    if len(line) <= 120:  # noqa: PLR2004  # as this page's own formatter would
        return [line]
    return ["from readiness_pipelines import (", *(f"    {name}," for name in names), ")"]


def _declaration(table: TableDraft) -> list[str]:
    placement = table.placement
    looked = f"{rows_shown(table.rows)} looked at, {'all of them' if table.whole else 'the first of each file'}"
    lines = [f"{placement.table} = domain.gated(", f'    "{placement.table}",', "    source=Source("]
    lines += [f"        origin={value_text(_origin(table))},"]
    lines += ['        steward=Steward("Whoever sends them", "steward@example.org"),', *_reader(table)]
    lines += [*_classification(table), "    ),", f"    schema={table.model},"]
    lines += _classes(table)
    for note in placement.notes:
        lines += comment(note)
    lines += wrapped(f"batches={placement.batches},", "    ")
    lines += [
        *comment(f"{looked}: {_verdict(table)}"),
        f"    tolerance=Tolerance(quarantined_ratio={table.judgement.tolerance:g}),",
    ]
    if placement.freshness:
        lines += comment(f"freshness: {placement.freshness_note}")
        lines += [f"    {'' if placement.promised else '# '}freshness={placement.freshness},"]
    return [*lines, ")"]


def _origin(table: TableDraft) -> str:
    return f"Where {next(iter(table.placement.keys)).name} comes from"


def _reader(table: TableDraft) -> list[str]:
    if table.placement.query:
        return _query(table)
    pattern = value_text(table.placement.pattern)
    given = [name for name in _ORDER if name in table.options]
    broken = [one for one in table.judgement.broken if one.rule == "readable"]
    lines = []
    for one in broken:
        lines += comment(f"{one.rows:,} of {rows_shown(table.judgement.rows)} cannot be parsed, and wait", " " * 8)
    if not given:
        return [*lines, f"        reader=FileDrop({pattern}),"]
    lines += ["        reader=FileDrop(", f"            {pattern},"]
    for name in given:
        note = table.notes.get(name, "")
        if name == "missing":
            note = _missing_note(table)
        lines += comment(note, " " * 12) if note else []
        lines += wrapped(f"{name}={value_text(table.options[name])},", " " * 12)
    return [*lines, "        ),"]


def _query(table: TableDraft) -> list[str]:
    """The reader of a table in a database."""
    placement = table.placement
    lines = ["        reader=SqlQuery("]
    lines += [f"            {value_text(piece)}" for piece in query_lines(placement.query, 100)]
    lines[-1] += ","
    lines += [f"            connection={value_text(placement.connection)},  # see readiness.toml"]
    if "missing" in table.options:
        lines += comment(_missing_note(table), " " * 12)
        lines += wrapped(f"missing={value_text(table.options['missing'])},", " " * 12)
    return [*lines, "        ),"]


def _missing_note(table: TableDraft) -> str:
    words = ", ".join(column.names.name for column in table.columns if column.null_words)
    return f"how whoever sends this writes that there is no value: in {words}"


def _classification(table: TableDraft) -> list[str]:
    """How carefully the source's values must be handled, where some column is about persons."""
    level = strongest(one.classified for one in table.proposals.values())
    if level is None or not level.level.personal:
        return []
    what = "the health of persons" if level.level is Classification.PHI else "persons"
    note = f"some columns look like they are about {what}; those that nobody classifies below are handled like them"
    return [*comment(note, " " * 8), f"        classification=Classification.{level.level.name},"]


def _classes(table: TableDraft) -> list[str]:
    """The class of each column about persons, with what it rests on; a guess stays a comment until somebody agrees."""
    if not table.proposals:
        return []
    lines = [
        "    # What values are to persons. Each guess is yours to correct; what is marked so is less sure.",
        "    classified={",
    ]
    for name, proposal in table.proposals.items():
        sure = proposal.certainty is Certainty.SURE and proposal.classified.kind is not PersonalKind.FREE_TEXT
        lines += comment(f"{proposal.what}: {proposal.because}", " " * 8)
        lines += [f'        {"" if sure else "# "}{value_text(name)}: "{proposal.classified}",']
    return [*lines, "    },"]


def _verdict(table: TableDraft) -> str:
    judged = table.judgement
    held = held_text(judged)
    if not judged.failed:
        return held or "none fails"
    share = f"{judged.failed:,} fail ({judged.failed / judged.rows:.2%})"
    worst = f", in the worst batch {max(judged.shares.values()):.2%}" if len(judged.shares) > 1 else ""
    return "; ".join(filter(None, (f"{share}{worst}", held, "a batch of which more than the tolerance fails is held")))


def held_text(judged: Judgement) -> str:
    """How many batches of a sample would be held, and why; "" where none would."""
    held, batches = judged.would_be_held, len(judged.shares)
    if not held:
        return ""
    first = next(iter(held))
    if batches == 1:
        return f"the batch would be held: {held[first]}"
    why = f"{first}: {held[first]}" if len(held) == 1 else f"{first} first: {held[first]}"
    return f"{len(held)} of {batches} batches would be held ({why})"
