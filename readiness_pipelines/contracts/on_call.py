"""Where it is written down who is on call, and when."""

import os
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.frozen import Frozen


class OnCallCalendar(Frozen):
    """A calendar (iCalendar, RFC 5545) of who is on call: each event is a shift, its attendees or its title say who.

    Attributes:
        place: A file, relative to the folder of the domain's module, or an ``https://`` address; ``None`` where a
            variable has it.
        variable: The environment variable that holds the address: an address of this kind is often a secret.
        timeout: How long an address may take to answer.
        keep: How long an answer is used before the calendar is read again.

    Example:
        OnCallCalendar("oncall.ics")
        OnCallCalendar(variable="SHOP_ON_CALL_CALENDAR")
    """

    place: str | None = None
    variable: str | None = None
    timeout: Duration = Field(default="5s", validate_default=True)
    keep: Duration = Field(default="5m", validate_default=True)

    def __init__(self, place: str | None = None, /, **fields: object) -> None:
        """Accept the place by position."""
        super().__init__(**({} if place is None else {"place": place}), **fields)

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if bool(self.place) == bool(self.variable):
            raise ValueError('give a place ("oncall.ics", "https://…") or a variable that holds one, not both')
        if self.timeout.total_seconds() <= 0:
            raise ValueError("a timeout of nothing never gets an answer")
        if self.place and not self.variable:
            _check_scheme(self.place)
        return self

    def where(self, environment: Mapping[str, str] = os.environ) -> str:
        """The file or address.

        Raises:
            DeclarationError: The variable is not set, or holds an address that is not http(s).
        """
        if self.place:
            return self.place
        found = environment.get(str(self.variable), "")
        if not found:
            raise DeclarationError(
                f"the on-call calendar has no address: {self.variable} is not set",
                way_out=f"export {self.variable}=https://…/oncall.ics",
            )
        try:
            _check_scheme(found)
        except ValueError as error:  # without the address: it may be a secret
            raise DeclarationError(f"{self.variable}: {error}", way_out="use https://, or a file") from None
        return found


def is_address(place: str) -> bool:
    """Whether a place is an address of the web, and not a file."""
    return urlsplit(place).scheme.lower() in ("http", "https")


def _check_scheme(place: str) -> None:
    scheme = urlsplit(place).scheme.lower()
    if "://" in place and scheme not in ("http", "https"):
        raise ValueError(f"a calendar is read from a file or by http(s), not by {scheme}")
