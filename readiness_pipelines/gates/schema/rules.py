"""One check of a gate."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from readiness_pipelines.contracts.routes import Route

SCHEMA_UNCHANGED = "schema_unchanged"
"""Name of the rule that reports what differs from the schema."""

TOLERANCE = "tolerance"
"""Stands for the gate's tolerances, and those of its rules, where a waiver names a rule; no rule is called so."""

MASKING_VERIFIED = "masking_verified"
"""Name of the rule that what is published of protected columns gives no value away. It cannot be waived."""


class RuleKind(StrEnum):
    """What a rule looks at.

    ``SHAPE``: the batch's columns and types. ``ROW``: one row. ``BATCH``: all rows of the batch together.
    ``REFERENCE``: other published tables.
    """

    SHAPE = "shape"
    ROW = "row"
    BATCH = "batch"
    REFERENCE = "reference"


class Runner(StrEnum):
    """Where a rule is decided.

    ``QUERY``: in the gate's query. ``PANDERA``: in Pandera itself, over a table of the batch's columns. ``PYTHON``:
    value by value, in a function of the schema.
    """

    QUERY = "query"
    PANDERA = "pandera"
    PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One check of a gate.

    Attributes:
        name: Letters, digits and underscores; unique in the gate and the same as long as the schema is.
        columns: The columns it looks at, as declared (a pattern stays a pattern); empty for all, or where not known.
        kind: What it looks at.
        route: What it does where it is broken.
        reason: What must hold, for people ("in_range(1, 14)").
        runs_on: Where it is decided.
        because: Why it is decided there.
    """

    name: str
    columns: tuple[str, ...]
    kind: RuleKind
    route: Route
    reason: str
    runs_on: Runner = Runner.QUERY
    because: str = "the gate decides it itself, in the query over the batch"


_SPELLED = {"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "\u0131": "i"}
"""Letters that are not one of a to z with a mark, and that are written so where there are no others."""


def rule_name(*parts: str) -> str:
    """Join parts into a rule's name: ``rule_name("diag_1", "str_matches") == "diag_1_str_matches"``.

    Marks on letters are left away, and letters of other scripts are their numbers in Unicode: no name is lost, so that
    rules of two columns have two names, whatever the order of the columns is.
    """
    text = "".join(map(_plain, "_".join(part for part in parts if part)))
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "rule"


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    bare = "".join(one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one))
    written = _SPELLED.get(bare, bare)
    if written.isascii():
        return written
    return f"u{ord(letter):x}" if unicodedata.category(letter)[0] in "LMN" else "_"
