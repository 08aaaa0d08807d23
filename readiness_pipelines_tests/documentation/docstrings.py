"""What a docstring says, as values: the text, what it says of each argument, the errors, an example."""

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docstring_parser import DocstringParam, DocstringStyle, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a docstring says.

    Attributes:
        text: All that stands before the first section, as Markdown: paragraphs, and blocks of code.
        arguments: What is said of each argument, on one line.
        errors: When each error is raised, by its name, in order; one name may stand twice.
        returns: What is given back; "" where nothing is said.
        example: Python; "" where there is none.
    """

    text: str
    arguments: Mapping[str, str]
    errors: tuple[tuple[str, str], ...]
    returns: str
    example: str


def describe(documented: Any) -> Described:
    """Read the docstring of a class or function; of a class, also what the classes that it is made of say."""
    own = documented.__dict__.get("__doc__") if isinstance(documented, type) else documented.__doc__
    found = _read(own)
    if not isinstance(documented, type):
        return found
    inherited: dict[str, str] = {}
    for base in reversed(documented.__mro__[1:-1]):
        if base.__module__.startswith("readiness_pipelines"):
            inherited |= _read(base.__dict__.get("__doc__")).arguments
    return Described(
        text=found.text,
        arguments={**inherited, **found.arguments},
        errors=found.errors,
        returns=found.returns,
        example=found.example,
    )


def _read(docstring: str | None) -> Described:
    parsed = parse(docstring or "", DocstringStyle.GOOGLE)
    return Described(
        text=as_markdown("\n\n".join(filter(None, (parsed.short_description, parsed.long_description)))),
        arguments={one.arg_name: one_line(one.description) for one in sorted(parsed.params, key=_is_argument)},
        errors=tuple((one.type_name or "", one_line(one.description)) for one in parsed.raises),
        returns=one_line(parsed.returns.description) if parsed.returns else "",
        example=_example(docstring or ""),
    )


def _example(docstring: str) -> str:
    """The section Example, with its lines as they are indented: the parser indents them anew."""
    found = re.search(r"(?ms)^Example:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(docstring))
    return textwrap.dedent(found[1]).strip() if found else ""


def _is_argument(param: DocstringParam) -> bool:
    """Of what is an argument and an attribute, the last one counts: the argument."""
    return param.args[0] == "param"


def one_line(text: str | None) -> str:
    """A description on one line, its code as Markdown has it."""
    return _code(re.sub(r"\s+", " ", text or "").strip())


def as_markdown(text: str) -> str:
    """Paragraphs, and blocks of code after a line that ends with two colons, as Markdown."""
    parts: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("    "):
            parts.append(f"```python\n{inspect.cleandoc(block)}\n```")
        else:
            parts.append(_code(re.sub(r"\s+", " ", block).strip()).replace("::", ":"))
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return text.replace("``", "`")
