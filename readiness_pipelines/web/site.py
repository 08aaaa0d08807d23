"""What all requests share: the domains, the installation, who starts replays, and what is known of now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from readiness_pipelines.contracts import Domain, Kpi, Model, Table, TrainingSet
from readiness_pipelines.domains import tables_of
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.lineage import LineageGraph, known_lineage
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings
from readiness_pipelines.web.now import Now

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Site:
    """One installation's web page.

    Attributes:
        settings: Where things are, and how it is proved who acts.
        domains: The domains that it shows.
        installation: Their tables and ledger.
        start_replay: Starts to carry out a replay request, by its number, outside of this process.
        read_only: Whether nobody may act here.
        hosts: Names under which it is reached, beside this machine's own and that of ``web_url``.
        clock: Says what time it is.
        patience: Seconds that a page waits for the values of products that nobody has read yet.
    """

    settings: Settings
    domains: tuple[Domain, ...]
    installation: Installation
    start_replay: Callable[[int], None]
    read_only: bool = False
    hosts: frozenset[str] = frozenset()
    clock: Callable[[], datetime] = utc_now
    patience: float = 0.15
    now: Now = field(init=False)

    def __post_init__(self) -> None:
        """Begin to look."""
        object.__setattr__(self, "now", Now(self.domains, self.installation, self.clock, patience=self.patience))

    @cached_property
    def tables(self) -> Mapping[TableId, Table]:
        """All tables and products, by identity."""
        return tables_of(self.domains)

    @cached_property
    def lineage(self) -> LineageGraph:
        """What each column is made of, and what is made of it."""
        return LineageGraph(self.tables.values(), lambda table: known_lineage(table, self.installation))

    @cached_property
    def root(self) -> str:
        """What every address begins with: the path of ``web_url``, where a proxy puts the page below one."""
        return urlsplit(self.settings.web_url).path.rstrip("/")

    @cached_property
    def reached_as(self) -> frozenset[str]:
        """The names under which it may be reached: another one is of somebody who tricks a browser."""
        named = urlsplit(self.settings.web_url).hostname
        return LOCAL_HOSTS | self.hosts | ({named} if named else frozenset())

    @cached_property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.settings.web_url.startswith("https://")

    def table(self, domain: str, name: str) -> Table:
        """A table or product by its name.

        Raises:
            UnknownNameError: There is none; names the nearest.
        """
        found = self.tables.get(TableId(domain, name))
        if found is None:
            raise UnknownNameError("table", f"{domain}.{name}", map(str, self.tables))
        return found

    def model(self, domain: str, name: str) -> Model:
        """A model by its name.

        Raises:
            UnknownNameError: There is none; names the nearest.
        """
        models = {model.id: model for one in self.domains for model in one.models}
        if TableId(domain, name) not in models:
            raise UnknownNameError("model", f"{domain}.{name}", map(str, models))
        return models[TableId(domain, name)]

    def training_set(self, domain: str, name: str) -> TrainingSet:
        """A training set by its name.

        Raises:
            UnknownNameError: There is none; names the nearest.
        """
        sets = {found.id: found for one in self.domains for found in one.training_sets}
        if TableId(domain, name) not in sets:
            raise UnknownNameError("training set", f"{domain}.{name}", map(str, sets))
        return sets[TableId(domain, name)]

    def product(self, domain: str, name: str) -> Kpi:
        """A product by its name.

        Raises:
            UnknownNameError: There is none; names the nearest.
        """
        found = self.tables.get(TableId(domain, name))
        if not isinstance(found, Kpi):
            known = (str(one.id) for one in self.tables.values() if isinstance(one, Kpi))
            raise UnknownNameError("product", f"{domain}.{name}", known)
        return found
