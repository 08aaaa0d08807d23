"""The pages of docs/reference/: what is on which, and how it is written. ``make reference`` writes them."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import readiness_pipelines
from readiness_pipelines import models, testing
from readiness_pipelines.alerts import rules
from readiness_pipelines.contracts import readers
from readiness_pipelines.contracts.tables import GatedTable
from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines.settings import PREFIX, Settings
from readiness_pipelines.testing import strategies
from readiness_pipelines_tests.documentation.arguments import CALLED, Argument, arguments_of
from readiness_pipelines_tests.documentation.commands import Command, commands
from readiness_pipelines_tests.documentation.docstrings import Described, describe
from readiness_pipelines_tests.documentation.errors import ERRORS

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
MADE = "<!-- Made from the code's docstrings by `make reference`: change those. -->"
_WIDTH = 100
_LINE = 120
"""As long as a line of code may be: ruff puts a call on one where it fits."""
_INSTANCES = {"Domain": "domain", "GatedTable": "table", "Gate": "gate", "Reader": "reader"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What has a heading of its own.

    Attributes:
        title: As it is called: ``FileDrop``, ``Domain.gated``.
        documented: The class or function.
    """

    title: str
    documented: Any

    @property
    def called(self) -> str:
        """How it is written in a call."""
        owner, dot, method = self.title.partition(".")
        return f"{_INSTANCES.get(owner, owner)}{dot}{method}" if dot else owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its file, title, first words, and what is on it."""

    file: str
    title: str
    words: str
    entries: tuple[Entry, ...]


def _public(*names: str) -> tuple[Entry, ...]:
    return tuple(Entry(title=name, documented=_of(name)) for name in names)


def _of(name: str) -> Any:
    first, _, method = name.partition(".")
    owner = GatedTable if first == "GatedTable" else getattr(readiness_pipelines, first)
    return getattr(owner, method) if method else owner


PAGES = (
    Page(
        file="models.md",
        title="Models",
        words="How they are trained, compared and served: [models](../models.md). The functions are in "
        "`readiness_pipelines.models`.",
        entries=(
            *_public("Domain.model", "Domain.scored", "NotWorse", "DriftResponse", "RiskTier"),
            *(
                Entry(title=one.__name__, documented=one)
                for one in (
                    models.train_model,
                    models.promote_model,
                    models.request_retraining,
                    models.look_at_drift,
                    models.act_on_drift,
                    models.decide_about_drift,
                    models.try_synthetic,
                    models.with_synthetic,
                    models.Smote,
                    models.label_tasks,
                )
            ),
        ),
    ),
    Page(
        file="domains.md",
        title="Domains, tables, KPIs",
        words="What they are for, and how they hang together: [tables](../tables.md).",
        entries=(
            *_public("Domain", "Domain.gated", "Domain.derived", "Domain.current", "Domain.kpi", "Domain.table"),
            *_public("Domain.consumer", "Domain.announce"),
            *_public("Domain.features", "Domain.training_set", "Holdout"),
            *_public("latest_values", "LatestValues", "Availability", "compute_features"),
            *_public("Freshness", "Sla", "Tolerance", "Route", "SchemaChange", "OnCallCalendar"),
            Entry(title="build_definitions", documented=build_definitions),
        ),
    ),
    Page(
        file="sources.md",
        title="Sources and readers",
        words="Where rows come from, who answers for them, how they are read. More in [tables](../tables.md#sources).",
        entries=_public(
            "Source",
            "Steward",
            "Classification",
            "FileDrop",
            "SqlQuery",
            "Function",
            "Topic",
            "Changes",
            "PostgresChanges",
            "LandedTable",
            "ChangeColumns",
            "LabelStudio",
        ),
    ),
    Page(
        file="readers.md",
        title="A reader of your own",
        words="Any object with these methods reads batches: `from readiness_pipelines.contracts import Reader, …`. "
        "Where rows can be given as dictionaries or Arrow, [Function](sources.md#function) is less work.",
        entries=tuple(
            Entry(title=title, documented=documented)
            for title, documented in {
                "Reader.arrivals": readers.Reader.arrivals,
                "Reader.open": readers.Reader.open,
                "Reader.describe": readers.Reader.describe,
                "Places": readers.Places,
                "Arrival": readers.Arrival,
                "RawBatch": readers.RawBatch,
                "Origin": readers.Origin,
            }.items()
        ),
    ),
    Page(
        file="batches.md",
        title="Batches, and which are read",
        words="The kinds of batches, then what a table's `reads=` and rules say about other tables' batches. "
        "More in [tables](../tables.md#batches).",
        entries=_public(
            "QuarterHourlyBatches",
            "HourlyBatches",
            "DailyBatches",
            "WeeklyBatches",
            "MonthlyBatches",
            "StaticBatches",
            "Versions",
            "GatedTable.same",
            "GatedTable.in_force",
            "GatedTable.before",
            "GatedTable.last",
            "GatedTable.of_period",
            "GatedTable.containing",
            "GatedTable.all_batches",
        ),
    ),
    Page(
        file="rules.md",
        title="Rules and gates",
        words="Rules of single columns and rows are Pandera's: fields and checks of the schema. These are the others, "
        "for `rules=`, and the gate itself. More in [gates](../gates.md).",
        entries=_public(
            "row_count",
            "null_share",
            "ExistsIn",
            "NotInOtherBatches",
            "Late",
            "WithinUsualRange",
            "Gate",
            "Gate.explain",
            "Gate.check_record",
            "Gate.check_json",
        ),
    ),
    Page(
        file="cleansing.md",
        title="Cleansing",
        words="Steps that repair what is known to arrive unclean, before the rules; raw keeps what arrived. "
        "More in [gates](../gates.md#cleansing).",
        entries=_public(
            "cleanse",
            "Trim",
            "Case",
            "NullTokens",
            "Dates",
            "Numbers",
            "ZeroPad",
            "RemovePrefix",
            "Categories",
            "FlagMissing",
            "FillMissing",
            "RejectMissing",
            "Deduplicate",
        ),
    ),
    Page(
        file="privacy.md",
        title="Classes and protections",
        words="What columns are to persons, and what is published in place of their values. More in "
        "[personal data](../privacy.md).",
        entries=_public(
            "protect",
            "classified",
            "Classified",
            "Pseudonym",
            "Token",
            "FormatPreserving",
            "KeepFirst",
            "KeepLast",
            "YearOnly",
            "Bucket",
            "SetNull",
            "Withhold",
            "MaskingVerified",
            "KAnonymity",
            "LDiversity",
        ),
    ),
    Page(
        file="measures.md",
        title="What a KPI returns",
        words="A KPI's function returns one of these, or a relation with a column `value` "
        "([tables](../tables.md#kpis)).",
        entries=_public("Ratio", "Sum", "Mean", "Value", "NoisyCount", "NoisyRatio"),
    ),
    Page(
        file="testing.md",
        title="For your own tests",
        words="`from readiness_pipelines.testing import …`; strategies for Hypothesis are in "
        "`readiness_pipelines.testing.strategies` (`pip install readiness-pipelines[testing]`).",
        entries=(
            *(Entry(title=name, documented=getattr(testing, name)) for name in testing.__all__),
            *(
                Entry(title=f"strategies.{name}", documented=getattr(strategies, name))
                for name in ("passing_rows", "breaking_rows", "passing_batches", "breaking_batches")
            ),
        ),
    ),
)
"""What is on which page."""

TYPES: Mapping[str, str] = {
    "duration": 'text such as `"26h"`, `"90m"`, `"2d"`, `"1d12h"` (units `w d h m s`), or a `timedelta`',
    "time zone": 'the IANA name of a zone: `"Europe/Vienna"`',
    "cron expression": 'a schedule: `"0 6 * * 1-5"` is six in the morning, Monday to Friday',
    "text, or several": 'one text, or a list of them: `"country"` or `["country", "status"]`',
    "mapping of … to …": 'a `dict`: `{"old": "new"}`',
    "schema": "a model or schema of `pandera.pyarrow`, `pandera.polars` or `pandera.pandas`",
    "rules": "a list of rules and Pandera checks",
    "relation": "a DuckDB relation",
    "table": "what `domain.gated`, `domain.derived` or `domain.kpi` gave",
}


def pages() -> Mapping[str, str]:
    """The text of each page, by its file."""
    written = {page.file: _written(page) for page in PAGES}
    return {
        "README.md": _index(),
        **written,
        "settings.md": _settings(),
        "commands.md": _commands(),
    }


def _index() -> str:
    links: dict[str, str] = {
        entry.title: f"{page.file}#{_anchor(entry.called)}" for page in PAGES for entry in page.entries
    }
    links |= {kind.__name__: f"../errors.md#{kind.code}" for kind in ERRORS}
    names = [name for name in readiness_pipelines.__all__ if not name.startswith("_")]
    return "\n".join(
        [
            MADE,
            "# Reference",
            "",
            "Every argument of what you write, every setting and every command.",
            "",
            *(f"- [{page.title}]({page.file}): {', '.join(_calls(page))}" for page in PAGES),
            "- [Settings](settings.md): variables and `readiness.toml`",
            "- [Commands](commands.md): `readiness …`, with their options",
            "- [Errors](../errors.md): what each code means, and the way out",
            "",
            "## What the types are called",
            "",
            *_table(("type", "what is written"), [(name, words) for name, words in TYPES.items()]),
            "",
            "## What `readiness_pipelines` has, by name",
            "",
            *(f"- [`{name}`]({links[name]})" for name in names),
            "",
        ]
    )


def _calls(page: Page) -> Iterator[str]:
    return (f"`{entry.called}`" for entry in page.entries)


def _written(page: Page) -> str:
    lines = [MADE, f"# {page.title}", "", page.words, ""]
    for entry in page.entries:
        lines += [f"## {entry.called}", "", *_entry(entry), ""]
    return _joined(lines)


def _joined(lines: Sequence[str]) -> str:
    """Lines as a text, with no more than one blank line at a place, but in code."""
    parts = re.split(r"(?ms)(^```.*?^```$)", "\n".join(lines))
    parts[::2] = [re.sub(r"\n{3,}", "\n\n", part) for part in parts[::2]]
    return "".join(parts).rstrip() + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    described = describe(entry.documented)
    if isinstance(entry.documented, type) and issubclass(entry.documented, Enum):
        yield described.text
        yield ""
        yield from _table(
            ("name", "value"), [(f"`{entry.title}.{one.name}`", f'`"{one}"`') for one in entry.documented]
        )
        return
    arguments = arguments_of(entry.documented)
    yield from ("```python", *_signature(entry.called, arguments), "```", "")
    yield described.text
    yield ""
    if arguments:
        yield from _table(("argument", "type", "default", "meaning"), _argument_rows(arguments, described))
        yield ""
    yield from _said(described)


def _said(described: Described) -> Iterator[str]:
    if described.returns:
        yield from (f"Returns: {described.returns}", "")
    if described.errors:
        yield from ("Errors:", "")
        yield from (f"- {_error(name)}: {when}" for name, when in described.errors)
        yield ""
    if described.example:
        yield from ("```python", described.example, "```", "")


def _error(name: str) -> str:
    known = {kind.__name__: kind.code for kind in ERRORS}
    return f"[`{name}`](../errors.md#{known[name]})" if name in known else f"`{name}`"


def _argument_rows(arguments: Sequence[Argument], described: Described) -> Iterator[Sequence[str]]:
    for argument in arguments:
        default = "required" if argument.default is None else f"`{argument.default}`"
        default = "" if argument.name.startswith("*") else default
        yield f"`{argument.name}`", argument.kind, default, meaning_of(argument, described)


def meaning_of(argument: Argument, described: Described) -> str:
    """What a docstring says of an argument; "" where it says nothing."""
    name = argument.name.lstrip("*")
    kept = next((kept for kept, called in CALLED.items() if called == name and kept in described.arguments), name)
    return described.arguments.get(kept, "")


def _signature(called: str, arguments: Sequence[Argument]) -> list[str]:
    words: list[str] = []
    for place, argument in enumerate(arguments):
        first_named = not argument.positional and (place == 0 or arguments[place - 1].positional)
        if first_named and not any(one.name.startswith("*") for one in arguments[:place]):
            words.append("*")
        words.append(argument.name if argument.default is None else f"{argument.name}={argument.default}")
    whole = f"{called}({', '.join(words)})"
    if len(whole) <= _LINE:
        return [whole]
    # Spaces within a default do not break the line.
    kept = [word.replace(" ", "\0") for word in words]
    inner = textwrap.fill(", ".join(kept), _WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f"{called}(", *textwrap.indent(inner.replace("\0", " "), "    ").splitlines(), ")"]


def _settings() -> str:
    lines = [
        MADE,
        "# Settings",
        "",
        "How they belong together, and examples: [settings](../settings.md).",
        "Each is a variable, or a line in the table `[settings]` of `readiness.toml`; the variable wins.",
        "",
    ]
    described = describe(Settings)
    rows = [
        (
            f"`{PREFIX}{argument.name.upper()}`",
            f"`{argument.name}`" if argument.name != "config" else "",
            argument.kind,
            f"`{argument.default}`" if argument.default not in ('""', "()", "{}", None) else "",
            meaning_of(argument, described),
        )
        for argument in arguments_of(Settings)
    ]
    lines += [*_table(("variable", "in the file", "type", "default", "meaning"), rows), ""]
    lines += ["## Alerts", "", "In `[alerts]` of `readiness.toml`; what they do: [alerts](../alerts.md).", ""]
    for title, model in (("alerts.channels", rules.Channel), ("alerts.rules", rules.AlertRule)):
        said = describe(model)
        lines += [f"### `[[{title}]]`", "", said.text, ""]
        head = ("key", "type", "default", "meaning")
        lines += [*_table(head, _argument_rows(arguments_of(model), said)), ""]
    return _joined(lines)


def _commands() -> str:
    lines = [
        MADE,
        "# Commands",
        "",
        "What to do with them: [runbook](../runbook.md). `readiness COMMAND --help` says the same.",
        "",
        "Where a shell does not find `readiness`, activate the environment that it is in",
        "(`source .venv/bin/activate`), or write its path (`.venv/bin/readiness`).",
        "",
        "`readiness --version` prints the version; `readiness --install-completion` lets your shell complete",
        "commands with the tab key.",
        "",
    ]
    for command in commands():
        lines += [f"## {command.words}", "", *_command(command), ""]
    return _joined(lines)


def _command(command: Command) -> Iterator[str]:
    yield from ("```console", f"$ {command.usage}", "```", "", command.text, "")
    rows = [(option.written, option.kind, option.default, option.meaning) for option in command.options]
    if rows:
        yield from _table(("option", "type", "default", "meaning"), rows)


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _anchor(title: str) -> str:
    """How GitHub calls a heading in an address."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def main() -> None:
    """Write the pages, and remove those that are not made any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for file in FOLDER.glob("*.md"):
        if file.name not in made:
            file.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
