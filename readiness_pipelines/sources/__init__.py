"""Raw in: files, databases, functions and topics, each behind one Reader."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.sources.changes.model import ChangeColumns
    from readiness_pipelines.sources.file_drop import FileDrop
    from readiness_pipelines.sources.function import Function
    from readiness_pipelines.sources.label_studio import LabelStudio
    from readiness_pipelines.sources.landed_table import LandedTable
    from readiness_pipelines.sources.sql_query import SqlQuery
    from readiness_pipelines.sources.topic import Changes, PostgresChanges, StreamReader, Topic
else:
    import_on_demand(__name__)

__all__ = [
    "ChangeColumns",
    "Changes",
    "FileDrop",
    "Function",
    "LabelStudio",
    "LandedTable",
    "PostgresChanges",
    "SqlQuery",
    "StreamReader",
    "Topic",
]
