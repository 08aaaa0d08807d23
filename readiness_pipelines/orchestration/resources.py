"""The installation as a Dagster resource."""

from typing import Any

import dagster as dg

from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings

INSTALLATION = "installation"
"""Key of the resource that every asset requires."""


def installation_of(resources: Any) -> Installation:
    """The installation among a run's resources."""
    installation = getattr(resources, INSTALLATION)
    if not isinstance(installation, Installation):
        raise TypeError(f"the resource {INSTALLATION!r} is a {type(installation).__name__}, not an Installation")
    return installation


def installation_resource(settings: Settings | None) -> dg.ResourceDefinition:
    """Opens the installation when a run begins.

    It has no configuration: database addresses carry passwords, and Dagster shows a resource's configuration.

    Args:
        settings: Where things are; ``None`` reads the environment when a run begins.
    """

    def open_installation(_context: dg.InitResourceContext) -> Installation:
        return Installation.open(settings or Settings())

    return dg.ResourceDefinition(
        resource_fn=open_installation, description="The Iceberg tables, the ledger and the landing folder"
    )
