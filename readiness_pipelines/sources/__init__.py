"""Raw in: files, databases and functions, each behind one Reader."""

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.function import Function
from readiness_pipelines.sources.sql_query import SqlQuery

__all__ = ["FileDrop", "Function", "SqlQuery"]
