"""What the site takes from outside docs/: files that its pages link to, and the changelog as a page."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
_OUTSIDE = re.compile(r"\]\(\.\./(?!\.\.)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add what pages link to outside docs/, under ``included/``."""
    linked = {
        match["path"]
        for file in files.documentation_pages()
        if "/" not in file.src_uri
        for match in _OUTSIDE.finditer(file.content_string)
    }
    for path in sorted(linked):
        files.append(File.generated(config, f"included/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Link to what was added instead; and from that back to the pages of docs/."""
    if page.file.src_uri.startswith("included/"):
        return markdown.replace("](docs/", f"]({'../' * page.file.src_uri.count('/')}")
    if "/" in page.file.src_uri:
        return markdown
    return _OUTSIDE.sub(lambda match: f"](included/{match['path']}{match['anchor'] or ''})", markdown)
