"""Training sets in Croissant, MLCommons' JSON-LD for data that models learn from, beside the Parquet file with rows."""

from typing import Any

import pyarrow as pa

from readiness_pipelines.contracts import TrainingSet
from readiness_pipelines.products import SPLIT, BuiltTrainingSet
from readiness_pipelines.training import ExportedTrainingSet

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(training_set: TrainingSet, built: BuiltTrainingSet, exported: ExportedTrainingSet) -> dict[str, Any]:
    """A training set's rows, described: JSON-LD to lie beside the file.

    Args:
        training_set: What was declared.
        built: What was built of it.
        exported: The file with its rows.
    """
    name = exported.file.name
    counts = built.counts
    left_out = "".join(f" Column {one} is left out: {why}." for one, why in exported.left_out.items())
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": str(built.name).replace(".", "-"),
        "description": f"{training_set.description or built.name} {counts.trained:,} rows to learn from and "
        f"{counts.held_out:,} to compare models on, of {counts.labels:,} labels.{left_out}",
        "version": f"{training_set.version}.0.0" if training_set.version.isdecimal() else training_set.version,
        "identifier": built.id,
        "datePublished": built.built_at.isoformat(),
        "creator": {"@type": "sc:Organization", "name": training_set.owner},
        "keywords": [*training_set.tags, *training_set.synonyms],
        "isBasedOn": sorted({f"{one.table}/{one.batch}" for one in built.used}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": f"{exported.size_bytes} B",
                "encodingFormat": "application/x-parquet",
                "sha256": exported.sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"rows/{field.name}",
                        "name": field.name,
                        "description": _role(field.name, built),
                        "dataType": _type(field.type),
                        "source": {"fileObject": {"@id": name}, "extract": {"column": field.name}},
                    }
                    for field in exported.schema
                ],
            }
        ],
    }


def _role(column: str, built: BuiltTrainingSet) -> str:
    if column == built.label:
        return "What is to be learned."
    if column == SPLIT:
        return "train: to learn from; holdout: to compare models on, and nothing else."
    return "Whom or what a row is about." if column in built.entity else "A feature, as it was known then."


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "sc:Float"
    if pa.types.is_temporal(kind):
        return "sc:Date" if pa.types.is_date(kind) else "sc:DateTime"
    return "sc:Text"
