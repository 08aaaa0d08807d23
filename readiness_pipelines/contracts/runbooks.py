"""What to do when a table is wrong, in the words of those who know it."""

from dataclasses import dataclass
from pathlib import Path

from readiness_pipelines.errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """What whoever is on call should know about one table, as Markdown.

    Attributes:
        text: The Markdown.
        path: The file that it was read from; ``None`` where it is written in the declaration.
    """

    text: str
    path: Path | None = None

    @property
    def title(self) -> str:
        """Its first line, without the marks of a heading."""
        return self.text.strip().splitlines()[0].lstrip("# ").strip()


def read_runbook(what: str, given: str | Path | None, *, folder: Path) -> Runbook | None:
    """A runbook as it is declared: Markdown as text, or a `Path` to a file of it, which is read once, here.

    Args:
        what: The table, for errors.
        given: Text, a path, or nothing.
        folder: Where a relative path begins: the folder of the domain's module.

    Raises:
        DeclarationError: A file that cannot be read or is empty, a text that is one, or something else.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given.strip().endswith(".md") and "\n" not in given.strip() and " " not in given.strip():
            raise DeclarationError(
                f"the runbook of {what} is the text {given!r}", way_out=f'for a file: runbook=Path("{given.strip()}")'
            )
        text, path = given, None
    elif isinstance(given, Path):
        path = folder / given
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise DeclarationError(
                f"the runbook of {what} cannot be read: {path}: {reason}",
                way_out="write the file; a relative path begins at the folder of the domain's module",
            ) from error
    else:
        raise DeclarationError(
            f"the runbook of {what} is a {type(given).__name__}",
            way_out='give Markdown, or a file: runbook=Path("runbooks/orders.md")',
        )
    if not text.strip():
        raise DeclarationError(f"the runbook of {what} is empty", way_out="write what to do, or leave it out")
    return Runbook(text=text, path=path)
