"""Raw in: files, databases, functions and topics, each behind one Reader."""

from readiness_pipelines.sources.file_drop import FileDrop
from readiness_pipelines.sources.function import Function
from readiness_pipelines.sources.label_studio import LabelStudio
from readiness_pipelines.sources.sql_query import SqlQuery
from readiness_pipelines.sources.topic import Topic

__all__ = ["FileDrop", "Function", "LabelStudio", "SqlQuery", "Topic"]
