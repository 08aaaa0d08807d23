"""Where a report's tables, batches and incidents lead: the web page where there is one, else pages beside it."""

from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.names import TableId
from readiness_pipelines.page_addresses import batch_address, incident_address, product_address, table_address
from readiness_pipelines.reports.parts import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes links.

    Attributes:
        web_url: Address of the web page; "" where there is none.
        pages: The batches of which a page lies beside the report.
    """

    web_url: str = ""
    pages: frozenset[BatchRef] = frozenset()

    def batch(self, ref: BatchRef, text: str | None = None) -> Link:
        """A batch."""
        said = ref.batch if text is None else text
        if self.web_url:
            return Link(said, batch_address(self.web_url, ref))
        return Link(said, page_file(ref) if ref in self.pages else "")

    def table(self, table: TableId) -> Link:
        """A table."""
        return Link(str(table), table_address(self.web_url, table) if self.web_url else "")

    def product(self, product: TableId) -> Link:
        """A product: on the web page, or below on the same page."""
        address = product_address(self.web_url, product) if self.web_url else f"#kpi-{product.name}"
        return Link(product.name, address)

    def incident(self, number: int) -> Link:
        """An incident."""
        return Link(str(number), incident_address(self.web_url, number) if self.web_url else "")


def page_file(ref: BatchRef) -> str:
    """Where the page of a batch lies, seen from the reports' folder. A colon is not allowed in names everywhere."""
    return f"{ref.table}/{ref.batch.replace(':', '-')}.html"
