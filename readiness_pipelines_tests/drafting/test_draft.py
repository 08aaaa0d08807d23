"""Pages drafted from foreign files guess what a person would, run unedited, and lose no row."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness_pipelines.drafting import DomainDraft
from readiness_pipelines.installation import Installation
from readiness_pipelines_tests.drafting.files import CASES, Case
from readiness_pipelines_tests.drafting.running import drafted, run_unedited


def write(folder: Path, files: dict[str, bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_page_drafted_from_a_foreign_file_runs_unedited(
    case: Case, tmp_path: Path, installation: Installation
) -> None:
    name = "drafted_" + re.sub(r"\W", "_", next(iter(case.files))).lower()
    draft, page = drafted(name, *write(tmp_path / "given", dict(case.files)))
    plain = " ".join(line.strip().removeprefix("# ") for line in page.splitlines())
    for column, wanted in case.fields.items():
        found = next((at for at in range(len(plain)) if plain.startswith(f" {column}: ", at)), None)
        assert found is not None, f"{column} is not on the page:\n{page}"
        given = "".join(plain[found:].split()).replace(",)", ")").replace(",]", "]")
        assert given.startswith("".join(f"{column}: {wanted}".split()).replace(",)", ")")), f"{column}\n{page}"
    for words in case.said:
        assert words.replace("# ", "") in plain, f"{words!r} is not on the page:\n{page}"
    for words in case.unsaid:
        assert words not in plain, f"{words!r} is on the page:\n{page}"
    deliveries = run_unedited(name, draft, page, tmp_path, installation)
    ingested = sum(delivery.counts.ingested for delivery in deliveries)
    published = sum(delivery.counts.published for delivery in deliveries)
    quarantined = sum(delivery.counts.quarantined for delivery in deliveries)
    assert (published, quarantined) == (case.published, case.quarantined), page
    assert ingested == published + quarantined


def test_letters_before_digits_are_a_code_unless_they_are_a_currency(tmp_path: Path) -> None:
    given = b"study,price\n" + b"".join(b"PAL07%02d,EUR %d\n" % (number, number) for number in range(1, 40))
    _, page = drafted("codes", *write(tmp_path, {"given.csv": given}))
    assert "study: arrow.string()" in page
    assert "price: arrow.int64()" in page
    assert 'currencies=("EUR",)' in page.replace("'", '"')


def test_a_card_number_is_text_and_the_line_number_of_a_program_is_no_key(tmp_path: Path) -> None:
    def card(number: int) -> str:
        plain = f"4{number * 7919:014d}"
        digits = [int(digit) * (1 + (place % 2 == 0)) for place, digit in enumerate(reversed(plain))]
        return f"{plain}{-sum(digit // 10 + digit % 10 for digit in digits) % 10}"

    def page(spelled: Callable[[str], str]) -> tuple[DomainDraft, str]:
        lines = [f"{number},{spelled(card(number // 2 + 1))},t{number}x{number * 31}" for number in range(1, 60)]
        text = "\n".join([",card_number,trans_num", *lines]) + "\n"
        return drafted("cards_drafted", *write(tmp_path, {"given.csv": text.encode()}))

    _, whole = page(str)
    assert "card_number: arrow.string()" in whole
    assert "up to 16 digits that name something, and count nothing: text" in whole
    assert "trans_num: arrow.string() = pa.Field(unique=True" in whole
    draft, cut = page(lambda digits: f"{float(digits):.5E}")
    assert "card_number: arrow.string()" in cut
    (table,) = draft.tables
    assert [column.names.name for column in table.columns if column.has_lost_digits] == ["card_number"]


def test_a_line_that_the_sample_cuts_is_none_of_the_lines(tmp_path: Path) -> None:
    lines = ["number;note;code", *(f"{number};{'long ' * 800};C{number}" for number in range(300))]
    (path,) = write(tmp_path, {"long.csv": "\n".join(lines).encode()})
    assert path.stat().st_size > 1 << 20
    found = re.search(r"# (\d+) of the first (\d+) lines have 3 fields", drafted("shop", path)[1])
    assert found is not None
    assert 200 < int(found[1]) == int(found[2]) < 300
