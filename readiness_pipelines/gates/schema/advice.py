"""What to do about a check that an engine refuses, by the cause that the engine names."""

import re

_ADVICE: tuple[tuple[str, str], ...] = (
    ("order_by|window expression", "rows have an order only where the check names one: order_by=…"),
    (
        "escape sequence|perl operator|repetition|missing [)\\]]|unexpected [)\\]]|character class|named capture|regex",
        "keep the pattern to what RE2 reads: no look-around or back-references, and $ for the end in place of \\Z",
    ),
    ("by.?zero|by 0", "leave zero out of the divisor: nw.when(divisor != 0).then(…)"),
    ("overflow|out.of.range", "widen the column's type, or cast before the arithmetic"),
    (
        "could not parse|failed to parse|could not convert|cast_invalid|malformed|conversion",
        "compare with values of the column's own type; cast or parse only texts that a check before lets through",
    ),
    (
        "cannot compare|cannot mix|binder|datatype_mismatch|no function matches|no kernel matching",
        "compare with values of the column's own type",
    ),
)
_OTHERWISE = "change the check so that it holds for every value of the column's type"


def advice_on(error: BaseException | str) -> str:
    """The way out of an engine's refusal.

    Args:
        error: What the engine raised, or its message.
    """
    said = str(error).lower()
    return next((way_out for cause, way_out in _ADVICE if re.search(cause, said)), _OTHERWISE)
