"""Migrations: bring a ledger of an older version to this program's, step by step, with a backup.

A step is a file ``m0005_what_it_does.py``, numbered by the version it brings the ledger to, with a function
``migrate(connection)`` that changes tables and moves rows. It runs in one transaction. It names tables and columns in
SQL of its own, as they were at its version, and never imports ``ledger/tables.py``, which goes on changing. Where it
changes rows of a table that is append-only, it does so within `unguarded`.
"""

from readiness_pipelines.ledger.guards import unguarded
from readiness_pipelines.ledger.migrations.runner import Migrated, migrate
from readiness_pipelines.ledger.migrations.steps import Step, known_steps

__all__ = ["Migrated", "Step", "known_steps", "migrate", "unguarded"]
