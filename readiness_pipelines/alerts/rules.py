"""Who is notified of what: channels and rules, from one settings file; addresses and secrets from the environment."""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

import apprise
from pydantic import Field, model_validator

from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.frozen import Frozen
from readiness_pipelines.ledger import Finding, FindingKind, Severity

RANKS = {Severity.WARN: 0, Severity.ERROR: 1}


class Channel(Frozen):
    """Where messages go.

    Attributes:
        name: As the rules name it.
        url_variable: The environment variable that holds its Apprise URL (``mailto://…``, ``slack://…``, ``json://…``):
            such a URL has a secret in it, and no file should.
    """

    name: str = Field(min_length=1)
    url_variable: str = Field(min_length=1)

    def url(self, environment: Mapping[str, str] = os.environ) -> str:
        """The channel's Apprise URL.

        Raises:
            DeclarationError: The variable is not set, or Apprise does not know what to do with it.
        """
        url = environment.get(self.url_variable, "")
        if not url:
            raise DeclarationError(
                f"channel {self.name!r} has no address: {self.url_variable} is not set",
                way_out=f"export {self.url_variable}=json://localhost:8080 (any Apprise URL)",
            )
        if not apprise.Apprise().add(url):
            raise DeclarationError(
                f"channel {self.name!r}: Apprise cannot use the address in {self.url_variable}",
                way_out="write an Apprise URL such as mailto://user:password@host or slack://TokenA/TokenB/TokenC",
            )
        return url


class AlertRule(Frozen):
    """Which findings a rule is about, and what happens to them.

    Attributes:
        channels: Who is notified, by channel name.
        kinds: Kinds of findings; none for all.
        severity: The least severity.
        tables: Patterns of tables ("shop.*"), of which one must match.
        answers: Patterns of who answers ("*@shop.example*"), of which one must match.
        repeat_after: How long an open incident lasts before its channels are notified again; ``None`` for never.
        escalate_after: How long nobody acknowledges it before `escalate_to` is notified; ``None`` for never.
        escalate_to: Who is notified then.
    """

    channels: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[FindingKind, ...] = ()
    severity: Severity = Severity.WARN
    tables: tuple[str, ...] = ("*",)
    answers: tuple[str, ...] = ("*",)
    repeat_after: Duration | None = None
    escalate_after: Duration | None = None
    escalate_to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _escalates_to_somebody(self) -> Self:
        if (self.escalate_after is None) != (not self.escalate_to):
            raise ValueError("escalate_after and escalate_to belong together")
        return self

    @model_validator(mode="after")
    def _waits_before_it_goes_on(self) -> Self:
        none = timedelta()
        if self.repeat_after is not None and self.repeat_after <= none:
            raise ValueError("repeat_after is not longer than no time: leave it out for never")
        if self.escalate_after is not None and self.escalate_after <= none:
            raise ValueError(
                "escalate_after is not longer than no time: leave it and escalate_to out for never, "
                "and name those to notify at once among the channels"
            )
        return self

    def is_about(self, finding: Finding) -> bool:
        """Whether the rule is about a finding."""
        return (
            (not self.kinds or finding.kind in self.kinds)
            and RANKS[finding.severity] >= RANKS[self.severity]
            and any(fnmatchcase(str(finding.table), pattern) for pattern in self.tables)
            and any(fnmatchcase(finding.answers, pattern) for pattern in self.answers)
        )


class AlertSettings(Frozen):
    """The ``[alerts]`` part of the settings file.

    Attributes:
        channels: Where messages may go.
        rules: What goes there; a finding that several rules are about is announced once in each channel.
    """

    channels: tuple[Channel, ...] = ()
    rules: tuple[AlertRule, ...] = ()

    @model_validator(mode="after")
    def _names_known_channels(self) -> Self:
        known = [channel.name for channel in self.channels]
        if twice := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"channels given twice: {', '.join(twice)}")
        for rule in self.rules:
            for name in (*rule.channels, *rule.escalate_to):
                if name not in known:
                    raise UnknownNameError("alert channel", name, known)
        return self

    def channel(self, name: str) -> Channel:
        """The channel of a name.

        Raises:
            UnknownNameError: A message waits for a channel that is not in the settings any more.
        """
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise UnknownNameError("alert channel", name, [channel.name for channel in self.channels])


def load_alerts(file: Path) -> AlertSettings:
    """Read the ``[alerts]`` part of a TOML settings file; nobody is notified where there is no such file.

    Raises:
        DeclarationError: A file that is not valid TOML, or a value that does not fit.
        UnknownNameError: A field or channel that is not there; names the nearest.
    """
    if not file.exists():
        return AlertSettings()
    way_out = "see docs/alerts.md for an example"
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8")).get("alerts", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{file} is not valid TOML: {error}", way_out=way_out) from error
    if not isinstance(declared, dict):
        raise DeclarationError(f"alerts in {file} is not a table but {declared!r}", way_out=way_out)
    try:
        return AlertSettings(**declared)
    except UnknownNameError:
        raise
    except DeclarationError as error:
        raise DeclarationError(f"{file}, [alerts]: {error.what}", way_out=error.way_out or way_out) from error
