"""Dagster: domains as assets, checks and jobs. The only folder that imports it."""

from readiness_pipelines.orchestration.definitions import build_definitions

__all__ = ["build_definitions"]
