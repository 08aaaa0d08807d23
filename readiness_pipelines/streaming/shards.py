"""Shards: which partitions of a topic one process reads."""

import re
from dataclasses import dataclass

from readiness_pipelines.errors import DeclarationError

_SPELLED = re.compile(r"(\d{1,4})/(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many parts of a topic: the partitions whose number leaves `number` when it is divided by `of`."""

    number: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """A shard as the command line has it: ``0/4`` is the first of four.

        Raises:
            DeclarationError: It is not written so, or there are not so many.
        """
        match = _SPELLED.fullmatch(text)
        shard = cls(int(match[1]), int(match[2])) if match else None
        if shard is None or shard.number >= shard.of:
            raise DeclarationError(f"{text!r} is not a shard", way_out="the first of four is 0/4, the last is 3/4")
        return shard

    def has(self, partition: int) -> bool:
        """Whether it reads a partition."""
        return partition % self.of == self.number

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"
