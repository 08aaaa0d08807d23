"""docs/errors.md has a section for each kind of error, and every command that docs print can be typed."""

import re

import pytest

from readiness_pipelines.errors import ReadinessError
from readiness_pipelines_tests.cli.calling import check_typed
from readiness_pipelines_tests.documentation.errors import ERRORS
from readiness_pipelines_tests.documentation.pages import FOLDER

DOCS = FOLDER.parent
PAGE = (DOCS / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## ([\w-]+)\n(.*?)(?=^## |\Z)", PAGE))
PARTS = ("Means", "Often", "Way out", "Retry")


def test_every_kind_of_error_has_a_code_of_its_own_and_a_section_in_the_order_of_the_tree() -> None:
    codes = [kind.code for kind in ERRORS]
    assert sorted(set(codes)) == sorted(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert sorted(SECTIONS) == sorted(codes)
    rows = dict(re.findall(r"(?m)^\| \[([\w-]+)\]\(#\1\) \|.*\| (yes|no) \|$", PAGE))
    assert rows == {kind.code: "yes" if kind.retryable else "no" for kind in ERRORS}
    assert list(rows) == list(SECTIONS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda one: one.code)
def test_a_section_says_what_it_means_why_the_way_out_and_whether_a_retry_helps(kind: type[ReadinessError]) -> None:
    section = SECTIONS[kind.code]
    assert section.strip().startswith(f"`{kind.__name__}`")
    assert re.findall(r"(?m)^\*\*([\w ]+)\.\*\*", section) == list(PARTS)
    assert f"**Retry.** {'yes' if kind.retryable else 'no'}" in section
    for base in kind.__bases__[: kind.__bases__[0] not in (ReadinessError, Exception)]:
        assert f"a `{base.__name__}`" in section


def _printed_commands() -> list[str]:
    found: dict[str, None] = {}
    for file in (DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))):
        for block in re.findall(r"(?ms)^```console\n(.*?)^```", file.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.findall(r"(?:^\$ |&& )((?:\S*/)?readiness [^#&]*)", line):
                    typed = re.sub(r" > \S+$", "", command.strip())
                    found.setdefault(f"{file.name}: {typed}")
    return list(found)


@pytest.mark.parametrize("printed", _printed_commands())
def test_a_command_that_docs_print_can_be_typed(printed: str) -> None:
    check_typed(printed.partition(": ")[2])
