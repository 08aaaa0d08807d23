"""Identifiers that stand in longer texts: notes, comments, messages, JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from readiness_pipelines.detection.national_ids import PUNCTUATED, passes
from readiness_pipelines.detection.patterns import is_card, is_email, is_iban
from readiness_pipelines.detection.phones import is_international

_LEAST_WORDS = 3
_LONG = 256


@dataclass(frozen=True, slots=True)
class Planted:
    """Something that stands in texts.

    Attributes:
        pattern: What it is written like.
        check: Whether what is written so is one.
        share: The least share of the texts with the pattern that must have one.
    """

    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    share: float = 0.0

    def is_in(self, text: str) -> bool:
        """Whether it stands in a text."""
        return any(self.check(found.group().rstrip(".")) for found in self.pattern.finditer(text))


PLANTED: Mapping[str, Planted] = {
    "e-mail addresses": Planted(re.compile(r"[\w.+%-]{1,64}@[\w.-]{3,190}"), is_email),
    "account numbers (IBAN)": Planted(
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), is_iban, share=0.5
    ),
    "card numbers": Planted(
        re.compile(r"(?<![\d.])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3,7}(?![\d.])", re.ASCII), is_card, share=0.5
    ),
    "telephone numbers": Planted(re.compile(r"\+[1-9][\d ()./-]{7,20}\d", re.ASCII), is_international),
    "US social security numbers": Planted(
        re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])", re.ASCII),
        lambda text: passes(PUNCTUATED["US social security numbers"], text),
    ),
    "patient numbers": Planted(re.compile(r"(?i)\bMRN[-_# :]{0,2}\d{4,12}\b"), lambda _text: True),
}
"""What is found in texts, by a pattern and its own check."""

_WORD = re.compile(r"[^\W\d_]{2,}")


def is_text(text: str) -> bool:
    """Whether a text is more than a name or a code: some words of it, or a document."""
    return len(text) > _LONG or sum(1 for _ in _WORD.finditer(text)) >= _LEAST_WORDS
