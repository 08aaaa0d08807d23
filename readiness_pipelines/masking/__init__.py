"""What somebody sees of a value, and what may be stored or sent of it outside the lakehouse.

Values of classified columns stay in the lakehouse. Whatever leaves it (Dagster's metadata and events, the ledger,
messages, pages, the command line, errors) has them redacted when it is made: what is not there cannot leak later.
"""

from typing import TYPE_CHECKING

from readiness_pipelines.on_demand import import_on_demand

if TYPE_CHECKING:
    from readiness_pipelines.masking.classes import PLAIN, UNKNOWN, Classes
    from readiness_pipelines.masking.expressions import quoted_expression, redact_expression
    from readiness_pipelines.masking.messages import (
        handled_classes,
        handling,
        quoted,
        quoted_text,
        quoted_value,
        redact_message,
    )
    from readiness_pipelines.masking.rows import Listing, redact_samples
    from readiness_pipelines.masking.values import NOBODY, Viewer, redact, show
else:
    import_on_demand(__name__)

__all__ = [
    "NOBODY",
    "PLAIN",
    "UNKNOWN",
    "Classes",
    "Listing",
    "Viewer",
    "handled_classes",
    "handling",
    "quoted",
    "quoted_expression",
    "quoted_text",
    "quoted_value",
    "redact",
    "redact_expression",
    "redact_message",
    "redact_samples",
    "show",
]
