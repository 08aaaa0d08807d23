"""Rules that the profiles of earlier batches suggest, with how often each would have raised a false alarm on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.drafting.profile_rules import Into, makers
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.observability import BatchProfile

LEAST_BATCHES = 8
"""What fewer batches have in common is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A rule, and what it would have said of the batches that suggest it.

    Attributes:
        column: The column; ``None`` for a rule about rows.
        into: Whether it is an argument of the schema's field, or one of the table's `rules`.
        text: The argument or rule, as Python writes it.
        seen: What the batches have, for people.
        broken: Batches, of all that it is made of, that break it.
        batches: All of these.
        broken_ahead: Batches that break the rule made of those before each of them.
        ahead: So many were judged in this way.
    """

    column: str | None
    into: Into
    text: str
    seen: str
    broken: int
    batches: int
    broken_ahead: int
    ahead: int

    @property
    def false_alarms(self) -> float:
        """Share of the batches that would have broken it."""
        return self.broken / self.batches


def suggest_rules(profiles: Sequence[BatchProfile], *, known: Collection[str] = ()) -> tuple[Suggestion, ...]:
    """Propose rules over what profiles tell: ranges, missing values, lists of values, distinct values, rows.

    Args:
        profiles: Those of the batches, from old to new.
        known: Names of the rules that the gate has already: what these say is not suggested.

    Raises:
        DeclarationError: Too few batches.
    """
    if len(profiles) < LEAST_BATCHES:
        raise DeclarationError(
            f"{len(profiles)} batches have a profile, and what fewer than {LEAST_BATCHES} have in common is chance",
            way_out="run more batches first",
        )
    found = []
    for column, make in makers(profiles, known):
        rule = make(profiles)
        if rule is None or set(rule.names) & set(known):
            continue
        ahead = range(LEAST_BATCHES, len(profiles))
        earlier = [(make(profiles[:place]), profiles[place]) for place in ahead]
        found.append(
            Suggestion(
                column=column,
                into=rule.into,
                text=rule.text,
                seen=rule.seen,
                broken=sum(map(rule.breaks, profiles)),
                batches=len(profiles),
                broken_ahead=sum(one.breaks(profile) for one, profile in earlier if one is not None),
                ahead=sum(one is not None for one, _ in earlier),
            )
        )
    return tuple(found)


def as_json(suggestion: Suggestion) -> Mapping[str, Any]:
    """A suggestion for programs."""
    return {
        **{name: getattr(suggestion, name) for name in Suggestion.__dataclass_fields__},
        "false_alarms": suggestion.false_alarms,
    }
