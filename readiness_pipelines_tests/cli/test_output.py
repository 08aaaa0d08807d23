"""What is suggested can be typed as it is printed."""

from pathlib import Path

import pytest

from readiness_pipelines.cli.output import reachable


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
    monkeypatch.setenv("PATH", str(command.parent))
    assert reachable(text) == text
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", ["pytest"])
    assert reachable(text) == text
