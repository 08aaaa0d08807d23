"""What is printed: what strangers wrote is text on a terminal, and what is suggested can be typed as it stands."""

import json
from datetime import date
from math import inf, nan
from pathlib import Path

import pytest
from rich.table import Table

from readiness_pipelines.cli.output import OUT, print_json, reachable, say, show_error
from readiness_pipelines.errors import ReadinessError


def test_nothing_of_what_is_printed_is_obeyed_by_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("a file that landed")
    table.add_row("x\x1b[31m.csv")
    OUT.print(table)
    say("a\x1b]0;title\x07 \u202e", ("\x9b2J", "bold"))
    show_error("no\x1b[2J.csv")
    printed = "".join(capsys.readouterr())
    assert not set("\x1b\x07\x9b\u202e") & set(printed)
    assert {r"x\x1b[31m.csv", r"a\x1b]0;title", r"no\x1b[2J.csv"} <= set(printed.replace("│", " ").split())


def test_an_error_names_a_file_as_text_and_keeps_its_lines() -> None:
    assert str(ReadinessError("é\x1b[2J.csv\n\tis bad", way_out="x")) == "é\\x1b[2J.csv\n\tis bad\n  → x"


def test_a_command_is_suggested_by_the_path_that_was_typed_where_the_shell_does_not_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / ".venv" / "bin" / "readiness"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    text = "look: readiness status shop, or set readiness.toml right; then readiness run"
    for typed in (".venv/bin/readiness", str(command)):
        monkeypatch.setattr("sys.argv", [typed])
        assert reachable(text) == (
            "look: .venv/bin/readiness status shop, or set readiness.toml right; then .venv/bin/readiness run"
        )
    monkeypatch.setattr("sys.argv", [".venv/bin/readiness", "init"])
    assert reachable("readiness status") == ".venv/bin/readiness status"
    assert reachable("cd bakery && readiness run") == f"cd bakery && {command} run"
    monkeypatch.setenv("PATH", str(command.parent))
    assert reachable(text) == text
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", ["pytest"])
    assert reachable(text) == text


def test_numbers_that_json_does_not_have_are_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"value": inf, "dimensions": [(-inf, nan, 1.5)], "at": date(2026, 11, 30)})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "value": "inf",
        "dimensions": [["-inf", "nan", 1.5]],
        "at": "2026-11-30",
    }
