"""Checks that mean the same on every engine that may judge them, or are refused."""

import re
import warnings
from typing import Any

from pandera.api.checks import Check

from readiness_pipelines.errors import GateBuildError

_EMPTY_GROUP = re.compile(r"\(\?[A-Za-z-]*:\)")
_PATTERN_CHECKS = frozenset({"str_matches", "str_contains"})


def refuse_ambiguous(check: Check, *, rule: str) -> None:
    """Refuse a built-in check that engines read differently.

    Raises:
        GateBuildError: A range of texts, which Pandera's expression takes for names of columns; a pattern that Python
            cannot read (RE2, which judges it, refuses what it cannot read itself), a POSIX class, flags outside the
            pattern, an empty group, or alternatives that some engines anchor together and others one by one.
    """
    name = getattr(check._check_fn, "__name__", "")
    arguments = check.statistics or {}
    if name == "in_range" and any(isinstance(arguments.get(bound), str) for bound in ("min_value", "max_value")):
        raise GateBuildError(
            f"the rule {rule!r} is a range of texts, which Pandera's expression takes for names of columns",
            way_out="use ge and le",
        )
    if name in _PATTERN_CHECKS and "pattern" in arguments:
        why, way_out = _ambiguity(arguments["pattern"], anchored=name == "str_matches")
        if why:
            raise GateBuildError(f"the pattern of rule {rule!r} {why}", way_out=way_out)


def _ambiguity(pattern: Any, *, anchored: bool) -> tuple[str, str]:
    if isinstance(pattern, re.Pattern):
        if pattern.flags & ~re.UNICODE:
            return "has flags outside its text, which Pandera drops on Arrow", "write them inside: (?i)…"
        pattern = pattern.pattern
    if _EMPTY_GROUP.search(pattern):
        return "has an empty group, of which DuckDB says that it is the end of the text", "leave it out"
    if "[[:" in pattern:
        return "uses a POSIX class, which only some engines know", "write the letters: [A-Za-z]"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, Warning) as error:
        return f"is read by RE2 and not by Python ({error})", "keep to what both read"
    if anchored and _has_top_level_alternatives(pattern):
        return (
            "has alternatives outside a group: some engines anchor each of them at the start, others only the first",
            "put them in a group: ^(?:…|…)$",
        )
    return "", ""


def _has_top_level_alternatives(pattern: str) -> bool:
    depth, in_class, escaped = 0, False, False
    for letter in pattern:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif in_class:
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "|" and depth == 0:
            return True
    return False
