"""Names: what a domain or a table may be called, and the one identity of a table."""

import re
from typing import NamedTuple

from readiness_pipelines.errors import DeclarationError

SHADOWS = ("raw", "quarantine", "profiles", "versions", "history", "training")
"""What the framework keeps beside a domain's tables, in namespaces of their own: ``shop_raw``, ``shop_quarantine`` …"""

ENVIRONMENT = "__"
"""Comes before an environment in the namespaces of its tables, ``shop__dev``; no domain has it in its name."""

# Safe in SQL, paths and Dagster alike.
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SHADOW_ENDINGS = tuple(f"_{shadow}" for shadow in SHADOWS)


class TableId(NamedTuple):
    """The one identity of a table, written ``domain.name``: in Iceberg, ledger, Dagster, settings and commands alike.

    Attributes:
        domain: Its domain, which is its Iceberg namespace.
        name: Its name in the domain.
    """

    domain: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "TableId":
        """Read ``domain.name``.

        Raises:
            DeclarationError: Text that is not two identifiers with a dot between them.
        """
        domain, dot, name = text.partition(".")
        if not (dot and _IDENTIFIER.fullmatch(domain) and _IDENTIFIER.fullmatch(name)):
            raise DeclarationError(f"{text!r} is not the name of a table", way_out="write domain.table: shop.orders")
        return cls(domain, name)

    def __str__(self) -> str:
        return f"{self.domain}.{self.name}"

    @property
    def raw(self) -> "TableId":
        """Where its rows lie as they arrived."""
        return TableId(f"{self.domain}_raw", self.name)

    @property
    def environment(self) -> str | None:
        """The environment it is of: not delivered, but to be looked at; ``None`` for a table that is of none.

        An older version took domains whose name ends in ``_``: ``shop__raw`` is what it keeps beside ``shop_``.
        """
        _, mark, name = self.domain.rpartition(ENVIRONMENT)
        return name if mark and name not in SHADOWS else None

    @property
    def in_environment(self) -> bool:
        """Whether it is of an environment."""
        return self.environment is not None

    @property
    def is_raw(self) -> bool:
        """Whether it is where rows lie as they arrived."""
        return self.domain.endswith("_raw")

    @property
    def keeps_arrived(self) -> bool:
        """Whether values lie there as they arrived, before any protection: raw, and quarantine."""
        original = self.domain.rpartition(ENVIRONMENT)[0] if self.in_environment else self.domain
        return original.endswith(("_raw", "_quarantine"))

    @property
    def quarantine(self) -> "TableId":
        """Where its failed rows wait."""
        return TableId(f"{self.domain}_quarantine", self.name)

    @property
    def profiles(self) -> "TableId":
        """What the inputs of a batch call the profiles of the batches before it; they are in the ledger."""
        return TableId(f"{self.domain}_profiles", self.name)

    @property
    def versions(self) -> "TableId":
        """Where all versions are kept of a table of which every delivery replaces the whole."""
        return TableId(f"{self.domain}_versions", self.name)

    @property
    def history(self) -> "TableId":
        """Where it is kept since when, and until when, each row was published."""
        return TableId(f"{self.domain}_history", self.name)

    @property
    def training(self) -> "TableId":
        """Where the rows of a training set lie, each time that it came out otherwise."""
        return TableId(f"{self.domain}_training", self.name)


def checked_identifier(name: object, what: str) -> str:
    """A name, if it is an identifier.

    Args:
        name: The name as given.
        what: What it names, for the error ("table name in domain shop").

    Raises:
        DeclarationError: Not an identifier.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or "__" in name:
        raise DeclarationError(
            f"the {what} {name!r} is not an identifier",
            way_out="use at most 63 lower-case letters, digits and single underscores, starting with a letter",
        )
    return name


def checked_domain_name(name: object) -> str:
    """A domain's name, if it is an identifier and not a namespace that the framework makes beside another domain.

    Raises:
        DeclarationError: Not an identifier, or an ending such as ``_raw`` or ``_``.
    """
    checked = checked_identifier(name, "domain name")
    if checked.endswith("_"):
        raise DeclarationError(
            f"the domain name {checked!r} ends in _: what is kept beside it would be taken for an environment",
            way_out="choose another name; what an earlier version kept under this one stays in the catalog until "
            "somebody drops it: run its batches again under the new name before",
        )
    if checked.endswith(_SHADOW_ENDINGS):
        raise DeclarationError(
            f"the domain name {checked!r} ends like a namespace that the framework makes beside a domain",
            way_out=f"choose a name that does not end in {', '.join(_SHADOW_ENDINGS)}",
        )
    return checked


def checked_environment(name: object) -> str:
    """An environment's name, if it is an identifier and not one that ends a namespace beside a domain.

    Raises:
        DeclarationError: Not an identifier, or a name such as ``raw``.
    """
    checked = checked_identifier(name, "environment")
    if checked in SHADOWS:
        raise DeclarationError(
            f"{checked!r} is not a name for an environment: what is kept beside a domain is called so",
            way_out=f"choose one that is not {', '.join(SHADOWS)}; where an earlier version made one, drop its tables "
            "from the catalog",
        )
    return checked
