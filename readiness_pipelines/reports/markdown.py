"""Text in Markdown: what comes from data stays text."""

import re

_MARKS = re.compile(r"([\\`*|\[\]])")


def escape_markdown(value: object) -> str:
    """A value as one line of Markdown text: no table cell, code, link, emphasis or HTML begins or ends in it."""
    text = " ".join(str(value).splitlines())
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return _MARKS.sub(r"\\\1", text)
