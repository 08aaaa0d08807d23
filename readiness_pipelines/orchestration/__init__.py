"""Dagster: domains as assets, checks and jobs. The only folder that imports it."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.orchestration.definitions import build_definitions
else:
    import_on_demand(__name__)

__all__ = ["build_definitions"]
