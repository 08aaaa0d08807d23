"""The catalog as others read it: DCAT-AP 3, as JSON-LD that needs no other file to be understood."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Steward, Table
from readiness_pipelines.contracts.classification import Classification
from readiness_pipelines.delivery.classes import strongest_class
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.catalog.entries import kind_of
from readiness_pipelines.page_addresses import product_address, table_address

_EU = "http://publications.europa.eu/resource/authority/"
_ICEBERG = "https://iceberg.apache.org/spec/"
_PARQUET = f"{_EU}file-type/PARQUET"

CONTEXT: Mapping[str, Any] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_FREQUENCIES = (
    (timedelta(hours=1), "HOURLY"),
    (timedelta(days=1), "DAILY"),
    (timedelta(days=7), "WEEKLY"),
    (timedelta(days=14), "BIWEEKLY"),
    (timedelta(days=31), "MONTHLY"),
    (timedelta(days=92), "QUARTERLY"),
    (timedelta(days=366), "ANNUAL"),
)
_BY_BATCHES = {"hourly": "HOURLY", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY"}


def dcat_catalog(
    domains: Iterable[Domain],
    *,
    warehouse: str,
    web_url: str = "",
    published: Mapping[TableId, datetime] | None = None,
    at: datetime,
) -> dict[str, Any]:
    """The tables and products of some domains as a DCAT-AP catalog.

    Args:
        domains: The domains.
        warehouse: Where the tables' files lie, as the settings have it.
        web_url: Address of the web page, which names what has a page there; without it, names are URNs.
        published: When each table was published last, in UTC, as far as it is known.
        at: The time.

    Returns:
        JSON-LD, as plain values.

    Raises:
        GateBuildError: A table's schema cannot become a gate, which says what its columns are to persons.
    """
    chosen, known = tuple(domains), published or {}
    tables = [table for domain in chosen for table in domain.tables]
    datasets = [_dataset(table, warehouse, web_url, known.get(table.id)) for table in tables]
    owners = dict.fromkeys(domain.owner for domain in chosen)
    return {
        "@context": dict(CONTEXT),
        "@id": web_url.rstrip("/") + "/catalog" if web_url else "urn:readiness:catalog",
        "@type": "dcat:Catalog",
        "dct:title": _text("Data catalog of " + (", ".join(domain.name for domain in chosen) or "no domain")),
        "dct:description": _text("Tables and products, as their domains declare them."),
        "dct:publisher": _agent(", ".join(owners) or "nobody"),
        "dct:issued": _time(at),
        "dcat:dataset": datasets,
    }


def _dataset(table: Table, warehouse: str, web_url: str, published: datetime | None) -> dict[str, Any]:
    level = strongest_class(table).level
    if isinstance(table, GatedTable):
        level = max(level, table.source.classification, key=lambda one: one.rank)
    found: dict[str, Any] = {
        "@id": dataset_name(table, web_url),
        "@type": "dcat:Dataset",
        "dct:identifier": str(table.id),
        "dct:title": _text(str(table.id)),
        "dct:description": _text(table.description or f"{table.id}, {kind_of(table)}"),
        "dct:publisher": _agent(table.domain.owner),
        "dcat:contactPoint": _contact(table),
        "dct:accessRights": {"@id": f"{_EU}access-right/{_access(level)}"},
        "dcat:keyword": [_text(word) for word in dict.fromkeys((*table.tags, *table.synonyms, table.domain.name))],
        "dcat:distribution": [_distribution(table, warehouse, web_url)],
    }
    if frequency := _frequency(table):
        found["dct:accrualPeriodicity"] = {"@id": f"{_EU}frequency/{frequency}"}
    if published is not None:
        found["dct:modified"] = _time(published)
    if isinstance(table, GatedTable):
        found["dct:provenance"] = {
            "@type": "dct:ProvenanceStatement",
            "skos:prefLabel": _text(f"{table.source.origin}: {table.source.reader.describe()}"),
        }
        if table.source.schema_version:
            found["dcat:version"] = table.source.schema_version
    if table.reads:
        found["prov:wasDerivedFrom"] = [
            {"@id": dataset_name(read.table, web_url)} for read in table.reads.values() if read.table.id != table.id
        ]
    if web_url:
        found["dcat:landingPage"] = {"@id": found["@id"], "@type": "foaf:Document"}
        found["@id"] += "#dataset"
    return found


def dataset_name(table: Table, web_url: str) -> str:
    """What names a table in the catalog: its page, or a URN."""
    if not web_url:
        return f"urn:readiness:{table.id}"
    return (product_address if isinstance(table, Kpi) else table_address)(web_url, table.id)


def _distribution(table: Table, warehouse: str, web_url: str) -> dict[str, Any]:
    place = warehouse if "://" in warehouse else f"file://{warehouse}"
    name = f"{dataset_name(table, web_url)}#iceberg"
    return {
        "@id": name,
        "@type": "dcat:Distribution",
        "dct:title": _text(f"{table.id} as an Apache Iceberg table"),
        "dcat:accessURL": {"@id": f"{place.rstrip('/')}/{table.id.domain}/{table.id.name}"},
        "dct:format": {"@id": _PARQUET, "@type": "dct:MediaTypeOrExtent"},
        "dct:conformsTo": {"@id": _ICEBERG, "@type": "dct:Standard"},
    }


def _contact(table: Table) -> dict[str, Any]:
    if isinstance(table, GatedTable):
        steward = table.source.steward
    else:
        answers = table.owner if isinstance(table, Kpi) else table.domain.owner
        steward = Steward(answers, answers)
    found: dict[str, Any] = {"@type": "vcard:Kind", "vcard:fn": steward.name}
    if "@" in steward.contact and " " not in steward.contact:
        found["vcard:hasEmail"] = {"@id": f"mailto:{steward.contact}"}
    elif steward.contact.startswith(("http://", "https://")):
        found["vcard:hasURL"] = {"@id": steward.contact}
    return found


def _access(level: Classification) -> str:
    match level:
        case Classification.PUBLIC:
            return "PUBLIC"
        case Classification.INTERNAL:
            return "RESTRICTED"
        case _:
            return "NON_PUBLIC"


def _frequency(table: Table) -> str:
    """The word of the EU's list; "" where there is no cadence."""
    if isinstance(table, GatedTable) and table.source.refresh is not None:
        return next((word for most, word in _FREQUENCIES if table.source.refresh <= most), "OTHER")
    return _BY_BATCHES.get(table.batches.name, "")


def _agent(name: str) -> dict[str, Any]:
    return {"@type": "foaf:Agent", "foaf:name": name}


def _text(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "en"}


def _time(at: datetime) -> dict[str, str]:
    return {"@value": at.isoformat(), "@type": "xsd:dateTime"}
