"""The tables: Iceberg catalog, staged files, atomic commits, reading with DuckDB."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.lakehouse.avro import avro_blocks
    from readiness_pipelines.lakehouse.digests import (
        METHOD,
        NO_ROWS,
        UNDIGESTED,
        FileDigest,
        RowsDigest,
        digest_by_batch,
    )
    from readiness_pipelines.lakehouse.drift import (
        PlacedColumn,
        arrived_name,
        as_arrived,
        as_they_are,
        stored_columns,
        to_stored,
    )
    from readiness_pipelines.lakehouse.lakehouse import Lakehouse
    from readiness_pipelines.lakehouse.maintenance import KEPT_SNAPSHOTS, Maintained
    from readiness_pipelines.lakehouse.parsed import ParsedFiles
    from readiness_pipelines.lakehouse.reaching import engine_errors
    from readiness_pipelines.lakehouse.records import (
        ColumnFooter,
        Commit,
        DataFileInfo,
        NothingToCommit,
        PlannedFiles,
        Staged,
        StagingArea,
    )
    from readiness_pipelines.lakehouse.types import promotable_type, storage_schema, storage_type
    from readiness_pipelines.lakehouse.upstream import WAY_OUT_OF_OTHER_TYPES, Marks, OtherType
else:
    import_on_demand(__name__)

__all__ = [
    "KEPT_SNAPSHOTS",
    "METHOD",
    "NO_ROWS",
    "UNDIGESTED",
    "WAY_OUT_OF_OTHER_TYPES",
    "ColumnFooter",
    "Commit",
    "DataFileInfo",
    "FileDigest",
    "Lakehouse",
    "Maintained",
    "Marks",
    "NothingToCommit",
    "OtherType",
    "ParsedFiles",
    "PlacedColumn",
    "PlannedFiles",
    "RowsDigest",
    "Staged",
    "StagingArea",
    "arrived_name",
    "as_arrived",
    "as_they_are",
    "avro_blocks",
    "digest_by_batch",
    "engine_errors",
    "promotable_type",
    "storage_schema",
    "storage_type",
    "stored_columns",
    "to_stored",
]
