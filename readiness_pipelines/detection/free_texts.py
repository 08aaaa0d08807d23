"""Identifiers that stand in longer texts: notes, comments, messages, JSON."""

import re
from collections.abc import Callable, Mapping

from readiness_pipelines.detection.national_ids import PUNCTUATED, passes
from readiness_pipelines.detection.patterns import is_card, is_email, is_iban
from readiness_pipelines.detection.phones import is_international

_LEAST_WORDS = 4


def _any(pattern: re.Pattern[str], check: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: any(check(found.group().rstrip(".")) for found in pattern.finditer(text))


PLANTED: Mapping[str, Callable[[str], bool]] = {
    "e-mail addresses": _any(re.compile(r"[\w.+%-]{1,64}@[\w.-]{3,190}"), is_email),
    "account numbers (IBAN)": _any(re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), is_iban),
    "card numbers": _any(re.compile(r"(?<![\d.])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3,7}(?![\d.])", re.ASCII), is_card),
    "telephone numbers": _any(re.compile(r"\+[1-9][\d ()./-]{7,20}\d", re.ASCII), is_international),
    "US social security numbers": _any(
        re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])", re.ASCII),
        lambda text: passes(PUNCTUATED["US social security numbers"], text),
    ),
    "patient numbers": _any(re.compile(r"(?i)\bMRN[-_# :]{0,2}\d{4,12}\b"), lambda _text: True),
}
"""What is found in texts, by a pattern and its own check."""


def is_text(text: str) -> bool:
    """Whether a text is more than a name or a code: some words of it."""
    return len(text.split(None, _LEAST_WORDS)) >= _LEAST_WORDS or len(text) > 256  # noqa: PLR2004  # of a document
