"""Which fields the standard has, by object, with what they hold and since when."""

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """One field of the standard.

    Attributes:
        kind: What it holds: ``text``, ``number``, ``flag``, ``scalar``, ``texts``, ``any``, the name of an object, or
            ``[object]`` for a list of them.
        since: The first version that has it, as (major, minor).
        until: The last version that has it; ``None`` where all later ones have it.
    """

    kind: str
    since: tuple[int, int] = (3, 0)
    until: tuple[int, int] | None = None


def _fields(text: str, kind: str = "text", since: tuple[int, int] = (3, 0)) -> dict[str, Field]:
    return {name: Field(kind, since) for name in text.split()}


_CUSTOM = {"customProperties": Field("[custom]")}
_DEFINED = {"authoritativeDefinitions": Field("[definition]")}
_ID = {"id": Field("text", (3, 1))}
_ELEMENT = {
    **_ID, **_CUSTOM, **_DEFINED, **_fields("name physicalName physicalType description businessName"),
    "tags": Field("texts"), "deprecated": Field("flag", (3, 2)), "synonyms": Field("[synonym]", (3, 2)),
}  # fmt: skip
_OPERATORS = {
    **_fields("mustBe mustNotBe", "any"),
    **_fields("mustBeGreaterThan mustBeGreaterOrEqualTo mustBeLessThan mustBeLessOrEqualTo", "number"),
    **_fields("mustBeBetween mustNotBeBetween", "any"),
}

OBJECTS: Mapping[str, Mapping[str, Field]] = {
    "contract": {
        **_fields("apiVersion kind id name version status tenant dataProduct domain slaDefaultElement"),
        **_fields("contractCreatedTs", "any"), **_CUSTOM, **_DEFINED,
        "tags": Field("texts"), "description": Field("description"), "servers": Field("[server]"),
        "schema": Field("[table]"), "support": Field("[support]"), "price": Field("price"), "team": Field("team"),
        "roles": Field("[role]"), "slaProperties": Field("[sla]"), "context": Field("any", (3, 2)),
        "type": Field("text", (2, 2), (2, 2)),
    },
    "description": {**_fields("purpose usage limitations"), **_CUSTOM, **_DEFINED},
    "table": {
        **_ELEMENT, **_fields("logicalType dataGranularityDescription"), "properties": Field("[property]"),
        "quality": Field("[quality]"), "relationships": Field("[relationship]", (3, 1)),
        "context": Field("any", (3, 2)),
    },
    "property": {
        **_ELEMENT, **_fields("logicalType classification encryptedName transformLogic transformDescription"),
        **_fields("primaryKey required unique partitioned criticalDataElement", "flag"),
        **_fields("primaryKeyPosition partitionKeyPosition", "number"),
        "logicalTypeOptions": Field("any"), "transformSourceObjects": Field("texts"), "examples": Field("any"),
        "quality": Field("[quality]"), "properties": Field("[property]"), "items": Field("property"),
        "relationships": Field("[relationship]", (3, 1)), "enum": Field("[enum]", (3, 2)),
        "semanticType": Field("text", (3, 2)), "map": Field("any", (3, 2)),
    },
    "quality": {
        **_ID, **_CUSTOM, **_DEFINED, **_OPERATORS,
        **_fields("businessImpact description dimension method name schedule scheduler severity type unit rule query"),
        **_fields("engine"),
        "metric": Field("text", (3, 1)), "arguments": Field("any", (3, 1)), "tags": Field("texts"),
        "implementation": Field("any"), "validValues": Field("any", (3, 0), (3, 0)),
    },
    "sla": {
        **_ID, **_fields("property unit element driver"), **_fields("value valueExt", "any"),
        **_fields("description scheduler schedule", "text", (3, 1)),
        "customProperties": Field("[custom]", (3, 2)), "authoritativeDefinitions": Field("[definition]", (3, 2)),
    },
    "team": {
        **_ID, **_CUSTOM, **_DEFINED, **_fields("name description"), "tags": Field("texts"),
        "members": Field("[member]", (3, 1)),
    },
    "member": {
        **_ID, **_CUSTOM, **_DEFINED, **_fields("username name description role replacedByUsername"),
        **_fields("dateIn dateOut", "any"), "tags": Field("texts"),
    },
    "support": {**_ID, **_CUSTOM, **_fields("channel url description tool scope invitationUrl")},
    "price": {**_ID, "priceAmount": Field("number"), **_fields("priceCurrency priceUnit")},
    "role": {**_ID, **_CUSTOM, **_fields("role description access firstLevelApprovers secondLevelApprovers")},
    "custom": {**_ID, **_fields("property description vendor"), "value": Field("any")},
    "definition": {**_ID, **_fields("url type description")},
    "relationship": {**_ID, **_CUSTOM, "type": Field("text"), "from": Field("any"), "to": Field("any")},
    "synonym": {**_ID, **_CUSTOM, **_fields("synonym description locale source status")},
    "enum": {
        **_ID, **_CUSTOM, **_DEFINED, **_fields("label description"), "value": Field("any"), "tags": Field("texts"),
    },
}  # fmt: skip
"""The fields, by object. A server has others for each type of server, and is not looked into."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "contract": ("version", "apiVersion", "kind", "id"),
    "table": ("name",),
    "property": ("name",),
    "sla": ("property", "value"),
    "custom": ("property", "value"),
    "support": ("channel",),
    "relationship": ("to",),
    "enum": ("value",),
    "synonym": ("synonym",),
}
"""The fields that an object must have; a list's items need no name."""

LOGICAL_TYPES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("string", "date", "number", "integer", "object", "array", "boolean"), (3, 0)),
    **dict.fromkeys(("timestamp", "time"), (3, 1)),
    **dict.fromkeys(("map", "vector"), (3, 2)),
}
"""The logical types, with the first version that has them."""

QUALITY_TYPES = ("text", "library", "sql", "custom")
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
DIMENSIONS = ("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
