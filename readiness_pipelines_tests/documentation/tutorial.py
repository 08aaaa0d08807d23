"""The tutorial, docs/tutorial.md, as what happens in it; ``python -m`` this writes what its commands print."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from readiness_pipelines_tests.documentation.pages import FOLDER
from readiness_pipelines_tests.waiting import LONGEST_SECONDS

PAGE = FOLDER.parent / "tutorial.md"
_BLOCK = re.compile(r"(?ms)(?P<before>[^\n]*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)^```$")
_FILE = re.compile(r"File `([^`]+)`:$")
_DURATION = re.compile(r"\b\d+(\.\d+)? ?s\b")


def played(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Do what the page says in a folder; gives each block of commands, and the same with what was printed now."""
    code = folder / "billing" / "billing.py"
    within = folder
    for block in _BLOCK.finditer(page):
        text = block["text"]
        match block["kind"]:
            case "csv":
                named = _FILE.search(block["before"])
                assert named, block["before"]
                (folder / named[1]).write_text(text, encoding="utf-8")
            case "diff":
                code.write_text(_changed(code.read_text(encoding="utf-8"), text), encoding="utf-8")
            case "python":
                code.write_text(f"{code.read_text(encoding='utf-8')}\n\n{text}", encoding="utf-8")
            case "console":
                now = ""
                for command in (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")):
                    now += f"$ {command}\n"
                    if command.startswith("cd "):
                        within = within / command.removeprefix("cd ")
                    else:
                        now += _printed(command, within)
                yield text, now


def steady(text: str) -> str:
    """Without what differs from run to run: how long it took, blanks at the ends of lines."""
    return "\n".join(_DURATION.sub("… s", line).rstrip() for line in text.splitlines())


def _changed(code: str, diff: str) -> str:
    before: list[str] = []
    for line in diff.splitlines():
        if line.startswith("-"):
            before.append(line[1:])
            continue
        assert code.count(before[0]) == 1, before[0]
        code = code.replace(before.pop(), line[1:])
    return code


def _printed(command: str, within: Path) -> str:
    tools = Path(sys.executable).parent
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("READINESS_", "DAGSTER_"))}
    fixed = {"COLUMNS": "80", "LOGNAME": "mara", "READINESS_SETTLES": "0s"}
    done = subprocess.run(  # the commands are our own page's
        shlex.split(command),
        cwd=within,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
        env={**kept, **fixed, "PATH": f"{tools}:{os.environ['PATH']}"},
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        for said, now in played(page, Path(scratch)):
            page = page.replace(f"```console\n{said}```", f"```console\n{now}```", 1)
    PAGE.write_text(page, encoding="utf-8")
