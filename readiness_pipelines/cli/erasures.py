"""Requests to erase a person that are not done: said wherever somebody looks at the installation."""

from collections.abc import Sequence

from readiness_pipelines.commands import erase_command
from readiness_pipelines.errors import ErasureOpenError
from readiness_pipelines.ledger import Erasure


def open_erasures(requests: Sequence[Erasure]) -> ErasureOpenError:
    """What is said of requests that are not done; there is at least one."""
    said = ", ".join(f"{one.id} (asked for on {one.begun_at:%Y-%m-%d %H:%M} UTC by {one.who})" for one in requests)
    return ErasureOpenError(f"erasures are not done: {said}", way_out=erase_command())
