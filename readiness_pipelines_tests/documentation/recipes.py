"""The recipes of docs/recipes.md, as what happens in them: files land, code declares, tables have rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from readiness_pipelines_tests.documentation.pages import FOLDER

PAGE = FOLDER.parent / "recipes.md"
_BLOCK = re.compile(r"(?ms)(?P<before>[^\n]*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)^```$")
_EVENTS = {
    "file": re.compile(r"File `([^`]+)`:$"),
    "database": re.compile(r"Database `([^`]+)`:$"),
    "has": re.compile(r"`([^`]+)` has:$"),
    "keeps back": re.compile(r"`([^`]+)` keeps back:$"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One block of a recipe: code, a file that lands, a database, or what a table has or keeps back."""

    what: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A section of the page; the first lines of its code are those of all recipes."""

    title: str
    events: tuple[Event, ...]


def recipes() -> tuple[Recipe, ...]:
    """All recipes, in order."""
    first, *sections = re.split(r"(?m)^## ", PAGE.read_text(encoding="utf-8"))
    begins = tuple(_events(first))
    return tuple(
        Recipe(section.partition("\n")[0], (*begins, *_events(section.partition("\n")[2]))) for section in sections
    )


def _events(text: str) -> Iterator[Event]:
    for block in _BLOCK.finditer(text):
        if block["kind"] == "toml":
            continue
        if block["kind"] == "python":
            yield Event("code", "", block["text"])
            continue
        found = ((what, pattern.search(block["before"])) for what, pattern in _EVENTS.items())
        named = [(what, match[1]) for what, match in found if match]
        if len(named) != 1:
            raise ValueError(f"nothing says what this block is: {block['before']!r}")
        yield Event(*named[0], block["text"])
