"""The order shop as a user's project would have it, by the environment's settings."""

from readiness_pipelines.orchestration import build_definitions
from readiness_pipelines_tests.samples import order_domain

shop = order_domain()
defs = build_definitions(shop)
