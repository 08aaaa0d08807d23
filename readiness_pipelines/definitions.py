"""The code location that workspace.yaml names: the reference paths."""

from readiness_pipelines.examples import first_pass_yield, readmission_rate
from readiness_pipelines.orchestration import build_definitions

defs = build_definitions(readmission_rate.path, first_pass_yield.path)
