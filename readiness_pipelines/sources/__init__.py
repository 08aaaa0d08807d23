"""Raw in: files, databases, functions and topics, each behind one Reader."""

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.function import Function
from readiness_pipelines.sources.sql_query import SqlQuery
from readiness_pipelines.sources.topic import Changes, PostgresChanges, StreamReader, Topic

__all__ = ["Changes", "FileDrop", "Function", "PostgresChanges", "SqlQuery", "StreamReader", "Topic"]
