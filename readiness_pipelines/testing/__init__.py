"""What the tests of a domain import: batches from literals, verdicts to assert on, and a temporary installation.

``readiness_pipelines.testing.strategies`` makes rows with Hypothesis: ``pip install readiness-pipelines[testing]``.
"""

from readiness_pipelines.testing.batches import batch
from readiness_pipelines.testing.installations import temporary_installation
from readiness_pipelines.testing.running import run_domains
from readiness_pipelines.testing.verdicts import Judged, judge

__all__ = ["Judged", "batch", "judge", "run_domains", "temporary_installation"]
