"""What a rule demands, in words of people who do not know Pandera's checks."""

import ast
import re
from collections.abc import Callable, Sequence

from readiness_pipelines.gates import Gate
from readiness_pipelines.gates.schema.rules import Rule

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)", re.DOTALL)
SHOWN_VALUES = 6


def rule_words(rule: Rule, gate: Gate) -> str:
    """A rule of a gate in plain words; columns that a pattern names are called by their field: "each of visits is"."""
    named = {column.name: f"each of {column.label}" for column in gate.spec.columns if column.pattern}
    return plain_rule(rule.reason, [named.get(name, name) for name in rule.columns])


def plain_rule(reason: str, columns: Sequence[str] = ()) -> str:
    """A rule in plain words: "amount is at least 0".

    Args:
        reason: What must hold, as the rule says it: ``greater_than_or_equal_to(0)``, or words already.
        columns: The columns it looks at; a single one begins the sentence.

    Returns:
        The words; the reason itself where it is not one of Pandera's own checks.
    """
    words = _plain(reason)
    if len(columns) == 1 and not re.search(r"[\^$\\|]", columns[0]) and words != columns[0]:
        starts_with_verb = words.split(" ", 1)[0] in {"is", "has", "occurs", "matches", "begins", "ends", "contains"}
        return f"{columns[0]} {words}" if starts_with_verb else f"{columns[0]}: {words}"
    return words


def _plain(reason: str) -> str:
    call = _CALL.fullmatch(reason.strip())
    spelled = _CHECKS.get(call["name"]) if call else None
    if call is None or spelled is None:
        return reason.replace("_", " ") if re.fullmatch(r"[a-z]\w+", reason) else reason
    try:
        given = ast.literal_eval(f"({call['arguments']},)") if call["arguments"].strip() else ()
        return spelled(*given)
    except (ValueError, SyntaxError, TypeError):
        return reason  # an argument that is not a plain value


def _values(values: object) -> str:
    some = [str(value) for value in values] if isinstance(values, list | tuple | set | frozenset) else [str(values)]
    more = f" and {len(some) - SHOWN_VALUES} more" if len(some) > SHOWN_VALUES else ""
    return ", ".join(some[:SHOWN_VALUES]) + more


def _range(low: object, high: object, *_: object) -> str:
    return f"is from {low} to {high}"


def _length(low: object = None, high: object = None, exact: object = None) -> str:
    fixed = exact if exact is not None else low if high is None or low == high else None
    if fixed is not None:
        return f"has {fixed} characters"
    return f"has {low} to {high} characters" if low is not None else f"has at most {high} characters"


_CHECKS: dict[str, Callable[..., str]] = {
    "greater_than_or_equal_to": lambda bound: f"is at least {bound}",
    "greater_than": lambda bound: f"is more than {bound}",
    "less_than_or_equal_to": lambda bound: f"is at most {bound}",
    "less_than": lambda bound: f"is less than {bound}",
    "equal_to": lambda value: f"is {value}",
    "not_equal_to": lambda value: f"is not {value}",
    "in_range": _range,
    "isin": lambda values: f"is one of {_values(values)}",
    "notin": lambda values: f"is none of {_values(values)}",
    "str_matches": lambda pattern: f"matches the pattern {pattern}",
    "str_contains": lambda pattern: f"contains the pattern {pattern}",
    "str_startswith": lambda text: f"begins with {text}",
    "str_endswith": lambda text: f"ends with {text}",
    "str_length": _length,
}
