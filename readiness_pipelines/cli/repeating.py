"""Commands that look again and again, until Ctrl-C."""

import time
from collections.abc import Callable
from typing import Annotated

import typer

from readiness_pipelines.cli.output import OUT, say

EVERY_SECONDS = 5.0

HeldOnly = Annotated[bool, typer.Option("--held", help="Only what is held.")]
Watch = Annotated[bool, typer.Option("--watch", help="Look again every five seconds, until Ctrl-C.")]


def look_again(look: Callable[[], None], *, again: bool) -> None:
    """Look once; or until somebody ends it, each time on a cleared screen.

    Args:
        look: Looks, and prints what it sees.
        again: Whether to look more than once.
    """
    while True:
        if again and OUT.is_terminal:
            OUT.clear()
        look()
        if not again:
            return
        say((f"again in {EVERY_SECONDS:g} seconds; Ctrl-C ends it", "dim"))
        time.sleep(EVERY_SECONDS)
