"""The code location that workspace.yaml names: the domains that the settings name."""

from readiness_pipelines.orchestration import build_definitions

defs = build_definitions()
