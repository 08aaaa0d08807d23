"""The code location that workspace.yaml names: the reference paths."""

from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines.paths import first_pass_yield, readmission_rate

defs = build_definitions(readmission_rate.path, first_pass_yield.path)
