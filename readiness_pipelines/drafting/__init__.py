"""A first page of a domain, drafted from files: values in, text out. Nothing here writes a file of a project."""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.drafting.draft import DomainDraft, draft_database, draft_domain
    from readiness_pipelines.drafting.page import domain_page, held_text
    from readiness_pipelines.drafting.row_tests import project_test
    from readiness_pipelines.drafting.suggesting import Suggestion, suggest_rules
else:
    import_on_demand(__name__)

__all__ = [
    "DomainDraft",
    "Suggestion",
    "domain_page",
    "draft_database",
    "draft_domain",
    "held_text",
    "project_test",
    "suggest_rules",
]
