"""The pages of docs/reference/ are what the code says, nothing of it is left out, and what they show runs."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest

import readiness_pipelines
from readiness_pipelines.alerts.rules import AlertRule, Channel
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.documentation.arguments import arguments_of
from readiness_pipelines_tests.documentation.commands import commands
from readiness_pipelines_tests.documentation.docstrings import describe
from readiness_pipelines_tests.documentation.errors import ERRORS
from readiness_pipelines_tests.documentation.pages import FOLDER, PAGES, Entry, meaning_of, pages

ENTRIES = [entry for page in PAGES for entry in page.entries]
EXAMPLES = [entry for entry in ENTRIES if describe(entry.documented).example]
ROOT = FOLDER.parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def test_the_pages_are_those_that_make_docs_writes() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    made = pages()
    assert sorted(written) == sorted(made)
    old = [name for name, text in made.items() if written[name] != text]
    assert not old, f"{', '.join(old)} say something else than the code: make reference"


def test_every_public_name_has_an_entry() -> None:
    shown = {entry.title for entry in ENTRIES} | {kind.__name__ for kind in ERRORS} | {"__version__"}
    assert sorted(set(readiness_pipelines.__all__) - shown) == []


def test_every_argument_setting_and_option_is_described() -> None:
    documented = [(entry.called, entry.documented) for entry in ENTRIES if not _is_enum(entry)]
    documented += [(kind.__name__, kind) for kind in (Settings, Channel, AlertRule)]
    missing = [
        f"{name}({argument.name}=)"
        for name, one in documented
        for argument in arguments_of(one)
        if not meaning_of(argument, describe(one))
    ]
    missing += [f"{name}: no text" for name, one in documented if not describe(one).text]
    missing += [f"{one.words} {option.written}" for one in commands() for option in one.options if not option.meaning]
    assert missing == []


def test_the_page_about_settings_names_every_variable() -> None:
    named = set(
        re.findall(r"(?m)^\| `READINESS_(\w+)` \|", (FOLDER.parent / "settings.md").read_text(encoding="utf-8"))
    )
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda one: one.called)
def test_an_example_runs(entry: Entry) -> None:
    class Order(pa.DataFrameModel):
        """An order."""

        order_id: arrow.int64() = pa.Field(unique=True)
        country: arrow.string() = pa.Field(nullable=True)
        amount: arrow.float64() = pa.Field(ge=0)

    names = {name: getattr(readiness_pipelines, name) for name in readiness_pipelines.__all__}
    shop = readiness_pipelines.Domain("shop", owner="shop@shop.example")
    team = readiness_pipelines.Steward("Shop team", "shop@shop.example")
    names |= {"pa": pa, "arrow": arrow, "Order": Order, "shop": shop, "team": team}
    if entry.called != "domain.gated":
        reader = readiness_pipelines.FileDrop("orders/{batch}/*.csv")
        source = readiness_pipelines.Source(origin="Export", steward=team, reader=reader)
        batches = readiness_pipelines.DailyBatches(start="2026-11-01")
        names["orders"] = shop.gated("orders", source=source, schema=Order, batches=batches)
    if entry.called in ("domain.model", "domain.scored"):
        rule = readiness_pipelines.NotWorse("auc")
        names["risk_set"] = None
        names["fraud"] = shop.model(training=None, risk="limited", promote=rule, name="fraud")(lambda rows: None)
    exec(describe(entry.documented).example, names)  # noqa: S102  # it is our own


def test_every_link_of_the_documents_leads_somewhere() -> None:
    headings = {file: set(_anchors(file)) for file in DOCUMENTS}
    broken = []
    for file in DOCUMENTS:
        for link in _links(file):
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            if not target.exists() or (anchor and target in headings and anchor not in headings[target]):
                broken.append(f"{file.relative_to(ROOT)}: {link}")
    assert broken == []


def _is_enum(entry: Entry) -> bool:
    return isinstance(entry.documented, type) and issubclass(entry.documented, Enum)


def _anchors(file: Path) -> Iterator[str]:
    for heading in re.findall(r"(?m)^#+ (.+)$", _without_code(file)):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _links(file: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", _without_code(file))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def _without_code(file: Path) -> str:
    text = re.sub(r"(?ms)^```.*?^```$", "", file.read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*\]\([^`\n]*`", "", text)
