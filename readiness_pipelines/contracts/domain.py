"""A domain: a team's tables and products, declared on a page."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from readiness_pipelines.batches import Batches, StaticBatches, Versions
from readiness_pipelines.contracts.announcements import Announcement
from readiness_pipelines.contracts.classification import Classification, Classified, declared_classes
from readiness_pipelines.contracts.consumers import Consumer
from readiness_pipelines.contracts.current import current_columns, current_query, with_former_keys
from readiness_pipelines.contracts.finding_words import checked_words
from readiness_pipelines.contracts.gating import Gating, SchemaChange, checked_gating
from readiness_pipelines.contracts.models import (
    METRICS,
    DriftResponse,
    Model,
    NotWorse,
    RiskTier,
    checked_risk,
    checked_training,
)
from readiness_pipelines.contracts.on_call import OnCallCalendar
from readiness_pipelines.contracts.people import Steward
from readiness_pipelines.contracts.promises import Freshness, Sla, Tolerance
from readiness_pipelines.contracts.reads import (
    AllBatches,
    LastBatches,
    PreviousBatch,
    Read,
    VersionInForce,
    agree,
    check_rows_of_period,
    default_mapping,
)
from readiness_pipelines.contracts.references import ExistsIn, Late, MaskingVerified
from readiness_pipelines.contracts.routes import Route
from readiness_pipelines.contracts.runbooks import read_runbook
from readiness_pipelines.contracts.serving_models import ServingVersions, scoring, serving_schema
from readiness_pipelines.contracts.sources import Source
from readiness_pipelines.contracts.tables import (
    Computed,
    DerivedTable,
    FeatureView,
    GatedTable,
    Kpi,
    Language,
    Table,
    Transform,
)
from readiness_pipelines.contracts.targets import Target
from readiness_pipelines.contracts.training_sets import Holdout, TrainingSet, check_gold
from readiness_pipelines.durations import Duration
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.names import TableId, checked_domain_name, checked_identifier
from readiness_pipelines.settings import EngineName

_DURATION: TypeAdapter[Duration | None] = TypeAdapter(Duration | None)
_LANGUAGES = ("relation", "sql", "arrow")
_ENGINES = ("duckdb", "spark")

T = TypeVar("T", GatedTable, DerivedTable, FeatureView, Kpi)

Classes = Mapping[str, str | Classification | Classified]
"""What columns' values are to persons, by column: ``{"email": "pii.direct"}``."""

Reads = Mapping[str, Table | Read]
"""Inputs by the transform's parameters; a table alone is read as the kinds of batches say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lane:
    """The tables of a domain that have the same batches: what one run of one batch can take from raw to product.

    Attributes:
        name: The domain's name, with the kind of batches where the domain has several lanes.
        domain: The domain.
        batches: Their batches.
        tables: The tables, each after what it reads.
    """

    name: str
    domain: "Domain"
    batches: Batches
    tables: tuple[Table, ...]


class Domain:
    """A team's tables and products, their owner and on-call. The name is the tables' namespace.

    Tables are declared in the order rows flow: `gated` for a source, `derived` for a transform, `kpi` for a number.
    They may read tables of other domains.

    Args:
        name: Identifier, unique in the installation.
        owner: Who answers for what the domain computes.
        on_call: Who is called when it breaks; the owner where nobody else is.
        engine: Where the gates of its sources' tables judge; ``None`` leaves it to the settings. What is derived is
            computed and judged by DuckDB.
        description: For people.
        second_person_over: A waiver or discarding of more rows than this holds only once a second person approves it;
            ``None`` where one person decides.
        on_call_calendar: Where it is written who is on call when; `on_call` where the calendar names nobody.
        answer_within: How soon somebody should take an incident, from when it was found; nothing is promised by
            default.

    Attributes:
        module: The module that declares it.

    Raises:
        DeclarationError: A name that is not an identifier, or an owner who is nobody.

    Example:
        shop = Domain("shop", owner="shop@shop.example", on_call="oncall@shop.example")
    """

    def __init__(
        self,
        name: str,
        *,
        owner: str,
        on_call: str | None = None,
        engine: EngineName | None = None,
        description: str = "",
        second_person_over: int | None = None,
        on_call_calendar: OnCallCalendar | None = None,
        answer_within: str | timedelta | None = None,
    ) -> None:
        self.name = checked_domain_name(name)
        _expect(
            on_call_calendar,
            OnCallCalendar,
            f"the on_call_calendar of domain {name}",
            'OnCallCalendar("oncall.ics")',
            optional=True,
        )
        self.on_call_calendar = on_call_calendar
        self.answer_within = _duration(f"answer_within of domain {name}", answer_within)
        if second_person_over is not None and (not isinstance(second_person_over, int) or second_person_over < 0):
            raise DeclarationError(
                f"second_person_over of domain {name} is {second_person_over!r}", way_out="give a number of rows"
            )
        self.second_person_over = second_person_over
        if not isinstance(owner, str) or not owner.strip():
            raise DeclarationError(
                f"the domain {name!r} has no owner", way_out='name one: owner="team@company.example"'
            )
        self.owner = owner
        self.on_call = on_call or owner
        self.engine = _checked_engine(engine, f"domain {name}")
        page = sys._getframe(1).f_globals
        self.module = str(page.get("__name__", "?"))
        self._folder = Path(page.get("__file__") or "page").resolve().parent
        self.description = description
        self._tables: dict[str, Table] = {}
        self._models: dict[str, Model] = {}
        self._training_sets: dict[str, TrainingSet] = {}

    def __repr__(self) -> str:
        return f"Domain({self.name!r}: {', '.join(self._tables) or 'no tables'})"

    @property
    def folder(self) -> Path:
        """The folder of the module that declares it, where relative paths begin; the working folder without a file."""
        return self._folder

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables and products in the order they were declared, which is the order rows flow."""
        return tuple(self._tables.values())

    @property
    def kpis(self) -> tuple[Kpi, ...]:
        """The KPIs."""
        return tuple(table for table in self.tables if isinstance(table, Kpi))

    @property
    def models(self) -> tuple[Model, ...]:
        """The models, in the order they were declared."""
        return tuple(self._models.values())

    @property
    def feature_views(self) -> tuple[FeatureView, ...]:
        """The feature views."""
        return tuple(table for table in self.tables if isinstance(table, FeatureView))

    @property
    def training_sets(self) -> tuple[TrainingSet, ...]:
        """The training sets."""
        return tuple(self._training_sets.values())

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The tables, by the batches they have."""
        groups: list[list[Table]] = []
        for table in self.tables:
            group = next((one for one in groups if one[0].batches == table.batches), None)
            if group is None or isinstance(table.batches, Versions):
                groups.append([table])  # each table has its own versions
            else:
                group.append(table)
        named: list[Lane] = []
        for group in groups:
            first, kind = group[0], group[0].batches.name
            alone = isinstance(first.batches, Versions) or any(
                other[0].batches.name == kind for other in groups if other is not group
            )
            # A single underscore: Dagster's names of tables have two, and none has a hyphen.
            name = self.name if len(groups) == 1 else f"{self.name}_{kind.replace('-', '_')}"
            name = f"{name}_{first.name}" if alone and len(groups) > 1 else name
            named.append(Lane(name=name, domain=self, batches=first.batches, tables=tuple(group)))
        return tuple(named)

    def table(self, name: str) -> Table:
        """The table or product of a name.

        Args:
            name: Its name in the domain, without the domain's.

        Raises:
            UnknownNameError: The domain has no such table; names the nearest.
        """
        if name not in self._tables:
            raise UnknownNameError(f"table of domain {self.name}", name, self._tables)
        return self._tables[name]

    def gated(
        self,
        name: str,
        *,
        source: Source,
        schema: Any,
        batches: Batches,
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        schema_change: SchemaChange = SchemaChange.DISCARD,
        allow_empty: bool = False,
        classified: Classes | None = None,
        unclassified: Route = Route.WARN,
        freshness: Freshness | None = None,
        latency: str | timedelta | None = None,
        engine: EngineName | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> GatedTable:
        """Declare a table fed by a source and gated by a Pandera schema.

        Args:
            name: Identifier, unique in the domain.
            source: Where the rows come from and who answers for them.
            schema: A model or schema of ``pandera.pyarrow``, ``pandera.polars`` or ``pandera.pandas``. A column that
                only some files have, after a change of layout say, is ``Optional[arrow.string()]``: where it lacks, it
                is null. ``coerce=True`` in the ``pa.Field`` converts typed values of another kind, such as the whole
                numbers of a Parquet file in a column of floats, for which the batch is held otherwise; text, as in CSV,
                is read as the column's type without it.
            batches: The kind of its batches.
            tolerance: When a batch is held instead of published in part; by default only when no row passes.
            rules: Rules beside the schema's: `row_count`, `null_share`, `ExistsIn`, `NotInOtherBatches`,
                `WithinUsualRange`, `Late` (of a stream), `KAnonymity`, `LDiversity`, and any Pandera check over the
                frame.
            routes: What a broken rule does, by the rule's name, in place of its default. The names are in
                ``gate.explain()`` and in ``readiness domain show``.
            default_route: The same for all rules that `routes` does not name, but those of the shape. By default rules
                of the shape and of the whole batch hold, others quarantine rows.
            schema_change: What a new, missing or widened column means.
            allow_empty: Whether a batch without rows replaces what it published before.
            classified: What columns' values are to persons, by column: ``{"email": "pii.direct"}``, or with
                `classified` a protection, too. Those that neither this nor the schema's metadata names inherit the
                source's class.
            unclassified: What it means that a published column looks personal for sure and nobody classified it:
                ``Route.WARN`` is a finding, ``Route.HOLD`` holds the batch by the rule ``columns_classified``.
            freshness: How old the newest published batch may be; nothing is promised by default.
            latency: How long a batch may take from arriving to published; nothing is promised by default.
            engine: Where the gate judges; by default where the domain, then the settings say.
            description: For people; by default the first paragraph of the schema's docstring.
            tags: What it belongs to, to find it by in the catalog.
            synonyms: What people call it, to find it by in the catalog.
            runbook: What to do when it is wrong: Markdown, or a `Path` to a file of it, relative to the domain's
                module. Whoever has an incident or a held batch before them is shown it.

        Raises:
            DeclarationError: A name that is taken or not an identifier, or an argument that is something else.
            UnknownNameError: A rule that refers to a table not declared before.

        Example:
            orders = shop.gated(
                "orders",
                source=Source(origin="Shop export", steward=team, reader=FileDrop("orders/{batch}/*.csv")),
                schema=Order,
                batches=DailyBatches(start="2026-11-01"),
                tolerance=Tolerance(quarantined_ratio=0.02),
                routes={"amount_greater_than_or_equal_to": Route.WARN},
            )
        """
        what = f"{self.name}.{name}"
        _expect(source, Source, f"the source of {what}", "Source(origin=…, steward=…, reader=…)")
        _expect_batches(batches, what)
        if (check := getattr(source.reader, "check", None)) is not None:
            check(batches)
        rules, references = self._resolved(rules, what)
        if not hasattr(source.reader, "topic") and any(isinstance(rule, Late) for rule in rules):
            raise DeclarationError(
                f"{what} is not fed by a topic, and no watermark says what is late", way_out="drop the rule Late"
            )
        table = GatedTable(
            id=self._free(name),
            domain=self,
            batches=batches,
            source=source,
            schema=_checked_schema(schema, what),
            gating=checked_gating(
                what,
                rules,
                streamed=hasattr(source.reader, "slice_every"),
                routes=routes,
                default_route=default_route,
                tolerance=tolerance,
                allow_empty=allow_empty,
                schema_change=schema_change,
                unclassified=unclassified,
            ),
            references=references,
            classified=declared_classes(what, with_former_keys(classified, getattr(source.reader, "key", ()))),
            freshness=_expect(freshness, Freshness, f"the freshness of {what}", "Freshness(…)", optional=True),
            latency=_duration(f"the latency of {what}", latency),
            engine=_checked_engine(engine, what),
            description=description or first_paragraph(schema),
            **self._found_by(what, tags, synonyms, runbook),
        )
        return self._add(table)

    def derived(
        self,
        *,
        schema: Any,
        name: str | None = None,
        reads: Reads | None = None,
        batches: Batches | None = None,
        key: Sequence[str] | str = (),
        language: Language = "relation",
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        allow_empty: bool = False,
        classified: Classes | None = None,
        freshness: Freshness | None = None,
        latency: str | timedelta | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> Callable[[Transform], DerivedTable]:
        """Declare a table computed by the decorated function.

        Each parameter of the function is an input: a table of this domain by its name, or what `reads` says. The
        function gets what is published of it and gives the rows. It stays callable, as it was written.

        Args:
            schema: A Pandera model or schema, as for `gated`; what is computed is gated by it. DuckDB's ``sum`` of
                whole numbers fits a column of ``arrow.int64()`` as it is, without a cast (``::BIGINT``).
            name: Identifier, unique in the domain; the function's name where none is given.
            reads: Inputs by parameter, where the name alone does not say it: a table of another domain
                (``{"invoices": billing.invoices}``), or other batches than the default
                (``{"yesterday": orders.before()}``).
            batches: Its batches; those of its inputs where not given.
            key: Columns that tell its rows apart, by which rows that the function makes are numbered; by default all.
            language: What the function is written in: ``"relation"`` gets and gives DuckDB relations, ``"sql"`` gets
                the names of its parameters and gives a query, ``"arrow"`` gets and gives Arrow tables.
            tolerance: When a batch is held instead of published in part; by default only when no row passes.
            rules: Rules beside the schema's, as for `gated`.
            routes: What a broken rule does, by the rule's name, as for `gated`.
            default_route: The same for all rules that `routes` does not name, as for `gated`.
            allow_empty: Whether a batch without rows replaces what it published before.
            classified: What columns' values are to persons, by column, as for `gated`. Those that nobody classified
                inherit the strongest class of what they are made of; a lower one names who reviewed it:
                ``{"stays": classified("internal", reviewed="a count; M. Weber, 2026-11")}``.
            freshness: How old the newest published batch may be; nothing is promised by default.
            latency: How long the step may take; nothing is promised by default.
            description: For people; by default the first paragraph of the function's docstring, or the schema's.
            tags: What it belongs to, as for `gated`.
            synonyms: What people call it, as for `gated`.
            runbook: What to do when it is wrong, as for `gated`.

        Raises:
            DeclarationError: A name that is taken or not an identifier, a function without parameters, or batches that
                do not map by themselves.
            UnknownNameError: A parameter, or a rule, that names no table declared before.

        Example:
            @shop.derived(schema=Order)
            def large_orders(orders):
                return orders.filter("amount >= 100")
        """

        def add(transform: Transform) -> DerivedTable:
            return self._add(DerivedTable(**fields(transform)))

        fields = self._derived_fields(
            schema=schema,
            name=name,
            reads=reads,
            batches=batches,
            key=key,
            language=language,
            tolerance=tolerance,
            rules=rules,
            routes=routes,
            default_route=default_route,
            allow_empty=allow_empty,
            classified=classified,
            freshness=freshness,
            latency=latency,
            description=description,
            tags=tags,
            synonyms=synonyms,
            runbook=runbook,
        )
        return add

    def current(
        self,
        name: str,
        changes: GatedTable,
        *,
        schema: Any,
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        classified: Classes | None = None,
        freshness: Freshness | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> DerivedTable:
        """Declare a table as it is now, made of its changes: the last one of each key, if that is no delete.

        It has one batch, ``current``, which is computed again whenever a batch of the changes is published. Which
        change is the last, their positions in the database's log say: it does not matter when they were read, or by
        which partition they came.

        Args:
            name: Identifier, unique in the domain.
            changes: A table whose source is `Changes` or `PostgresChanges`. Its schema is built on `ChangeColumns`.
            schema: A Pandera model or schema of the rows as they are now, by which they are gated; its columns are
                among those of the changes, the key's with them.
            tolerance: As for `derived`.
            rules: As for `derived`.
            routes: As for `derived`.
            classified: As for `derived`.
            freshness: As for `derived`.
            description: As for `derived`.
            tags: As for `derived`.
            synonyms: As for `derived`.
            runbook: As for `derived`.

        Raises:
            DeclarationError: A table without changes, or whose schema lacks what the current rows are made of.
            UnknownNameError: A column that the changes do not have.

        Example:
            class OrderChange(ChangeColumns):
                order_id: arrow.int64() = pa.Field(nullable=True)
                before_order_id: arrow.int64() = pa.Field(nullable=True)
                country: arrow.string() = pa.Field(nullable=True)
                amount: arrow.float64() = pa.Field(nullable=True)


            changes = shop.gated(
                "order_changes",
                source=Source(
                    origin="Shop database",
                    steward=team,
                    reader=Changes("shop.public.orders", key="order_id", brokers="env:KAFKA_BROKERS"),
                ),
                schema=OrderChange,
                batches=HourlyBatches(start="2026-11-01"),
            )
            current_orders = shop.current("current_orders", changes, schema=Order)
        """
        what = f"{self.name}.{name}"
        _expect(changes, GatedTable, f"the changes of {what}", "the table of changes")
        key: tuple[str, ...] = getattr(changes.source.reader, "key", ())
        if not key:
            raise DeclarationError(
                f"{what} is made of {changes.id}, whose source has no changes", way_out="reader=Changes(…, key=…)"
            )
        columns = current_columns(changes.schema, schema, key, what)
        return self.derived(
            schema=schema,
            name=name,
            reads={"changes": changes.all_batches()},
            batches=StaticBatches(keys=("current",)),
            key=key,
            language="sql",
            tolerance=tolerance,
            rules=rules,
            routes=routes,
            allow_empty=True,
            classified=classified,
            freshness=freshness,
            description=description,
            tags=tags,
            synonyms=synonyms,
            runbook=runbook,
        )(current_query(columns, key))

    def features(
        self,
        *,
        entity: Sequence[str] | str,
        schema: Any,
        event_time: str | None = None,
        known_at: str | None = None,
        version: str = "1",
        online: bool = False,
        ttl: str | timedelta | None = None,
        per_record: bool = False,
        name: str | None = None,
        reads: Reads | None = None,
        batches: Batches | None = None,
        key: Sequence[str] | str = (),
        language: Language = "relation",
        tolerance: Tolerance | None = None,
        rules: Sequence[Any] = (),
        routes: Mapping[str, Route] | None = None,
        default_route: Route | None = None,
        allow_empty: bool = False,
        classified: Classes | None = None,
        freshness: Freshness | None = None,
        latency: str | timedelta | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> Callable[[Transform], FeatureView]:
        """Declare what models learn from, computed by the decorated function: a feature view.

        It is a derived table, with all that follows from that: batches, a gate, quarantine, replays, lineage. Beside
        it, it is kept since when each row was published and until when, so that a model learns from what was known
        then. A held batch has no features; a row that a replay releases is known from that replay on.

        Args:
            entity: The columns that say whom or what a row is about.
            schema: A Pandera model or schema, as for `derived`. All its columns but the entity's and the times are
                features.
            event_time: The column that says when what a row tells happened: of an entity's rows that were known, the
                newest is taken, and none from after the label's time. By default a later batch is newer.
            known_at: The column that says since when a row was known, where the source tells it. By default it is the
                first commit that published it.
            version: Of the definition, as people count it.
            online: Whether the latest values of each entity are kept in the ledger's database with every delivery, to
                be looked up by key: by `latest_values`, and over HTTP. A column whose values must not leave the
                lakehouse is left out, unless a protection has changed them; an entity whose values must not is refused.
            ttl: For how long a value counts where it is looked up: ``"7d"``; for ever where not given. It is counted
                from the event time, or from when the value was known where there is none.
            per_record: Whether the transform computes an entity's features from that entity's rows alone, so that
                `compute_features` may compute them for one record. It is held against what batches published by
                ``readiness features check`` and every night, and refused where that differs. Needs ``online=True``.
            name: As for `derived`.
            reads: As for `derived`.
            batches: As for `derived`.
            key: As for `derived`; the entity's columns, with the event time, where not given.
            language: As for `derived`.
            tolerance: As for `derived`.
            rules: As for `derived`.
            routes: As for `derived`.
            default_route: As for `derived`.
            allow_empty: As for `derived`.
            classified: As for `derived`.
            freshness: As for `derived`.
            latency: As for `derived`.
            description: As for `derived`.
            tags: As for `derived`.
            synonyms: As for `derived`.
            runbook: As for `derived`.

        Raises:
            DeclarationError: No entity, or what `derived` raises.
            UnknownNameError: A parameter, or a rule, that names no table declared before.

        Example:
            @shop.features(entity="order_id", schema=Order)
            def baskets(orders):
                return orders.filter("amount > 0")
        """
        columns = _names(entity)

        def add(transform: Transform) -> FeatureView:
            given = fields(transform)
            what = str(given["id"])
            if not columns:
                raise DeclarationError(f"the features of {what} are about nobody", way_out='give entity="customer_id"')
            timed = (event_time, known_at)
            if any(one in columns for one in timed):
                raise DeclarationError(f"a time of {what} is its entity, too", way_out="name two columns")
            if (ttl is not None or per_record) and not online:
                raise DeclarationError(f"no latest values of {what} are kept", way_out="add online=True")
            given["key"] = given["key"] or (*columns, *([event_time] if event_time else []))
            return self._add(
                FeatureView(
                    **given,
                    entity=columns,
                    event_time=event_time,
                    known_at=known_at,
                    version=str(version),
                    online=online,
                    ttl=_duration(f"the ttl of {what}", ttl),
                    per_record=per_record,
                )
            )

        fields = self._derived_fields(
            schema=schema,
            name=name,
            reads=reads,
            batches=batches,
            key=key,
            language=language,
            tolerance=tolerance,
            rules=rules,
            routes=routes,
            default_route=default_route,
            allow_empty=allow_empty,
            classified=classified,
            freshness=freshness,
            latency=latency,
            description=description,
            tags=tags,
            synonyms=synonyms,
            runbook=runbook,
        )
        return add

    def training_set(
        self,
        name: str,
        *,
        labels: Table,
        label: str,
        features: Sequence[FeatureView] | Mapping[FeatureView, Sequence[str]],
        entity: Sequence[str] | str = (),
        at: str | FeatureView | None = None,
        label_delay: str | timedelta = timedelta(0),
        holdout: Holdout | None = None,
        gold: Sequence[Table] | Table = (),
        version: str = "1",
        owner: str | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
    ) -> TrainingSet:
        """Declare what a model learns from: each label once, with the features as they were known before it.

        Args:
            name: Identifier, unique in the domain.
            labels: The table that the labels are in.
            label: Its column to be learned.
            features: The feature views, or each with the columns to be taken from it.
            entity: The columns of the labels' table that say whom a label is about; by default the views' entities.
            at: A label's time, by which features must have been known: a column of the labels' table, or the time at
                which a feature view first knew the entity (a label that is published with a later batch is then about
                what was known when its entity came). By default it is `label_delay` before the label was published.
            label_delay: How long after its time a label is known for good: younger ones wait.
            holdout: Which labels models are compared on and never learn from: ``Holdout(last_batches=2)`` or
                ``Holdout(share=0.2)``.
            gold: Tables that no training may touch: labels about their entities are excluded.
            version: Of the definition, as people count it.
            owner: Who answers for it; the domain's owner where nobody else does.
            description: For people.
            tags: What it belongs to, to find it by in the catalog.
            synonyms: What people call it, to find it by in the catalog.

        Raises:
            DeclarationError: A name that is taken or not an identifier, no features, a view about something else than
                the labels, a gold set that is learned from, or an argument that is something else.

        Example:
            @shop.features(entity="order_id", schema=Order)
            def baskets(orders):
                return orders


            countries = shop.training_set(
                "countries",
                labels=orders,
                label="country",
                features={baskets: ["amount"]},
                at=baskets,
                holdout=Holdout(last_batches=2),
            )
        """
        what = f"{self.name}.{name}"
        _expect(labels, GatedTable | DerivedTable, f"the labels of {what}", "table: labels=outcomes")
        given = dict(features) if isinstance(features, Mapping) else dict.fromkeys(features, ())
        if not given:
            raise DeclarationError(f"{what} learns from no features", way_out="give features=[…]")
        for view in given:
            _expect(view, FeatureView, f"a feature view of {what}", "feature view: @domain.features(…)")
        if not isinstance(at, str | FeatureView | None):
            raise DeclarationError(
                f"the labels' time of {what} is a {type(at).__name__}", way_out="name a column, or give a feature view"
            )
        timed = (at,) if isinstance(at, FeatureView) else ()
        needed = tuple(dict.fromkeys(column for view in (*given, *timed) for column in view.entity))
        columns = _names(entity) or needed
        if missing := [column for column in needed if column not in columns]:
            raise DeclarationError(
                f"{what} joins features by {', '.join(missing)}, which is not its entity's",
                way_out=f"give entity={list(needed)}",
            )
        sets = (gold,) if isinstance(gold, GatedTable | DerivedTable | Kpi) else tuple(gold)
        for one in sets:
            _expect(one, GatedTable | DerivedTable, f"a gold set of {what}", "table")
            check_gold(what, one, (labels, *given, *timed))
        declared = TrainingSet(
            id=self._free(name),
            domain=self,
            labels=labels,
            label=label,
            features={view.id: (view, _names(chosen)) for view, chosen in given.items()},
            entity=columns,
            at=at,
            label_delay=_duration(f"the label_delay of {what}", label_delay) or timedelta(0),
            holdout=_expect(holdout, Holdout, f"the holdout of {what}", "Holdout(share=0.2)", optional=True),
            gold=sets,
            version=str(version),
            owner=owner or self.owner,
            description=description,
            tags=checked_words(what, "tags", tags),
            synonyms=checked_words(what, "synonyms", synonyms),
        )
        labels.learned_by.append(declared.id)
        self._training_sets[name] = declared
        return declared

    def kpi(
        self,
        *,
        question: str,
        unit: str,
        name: str | None = None,
        owner: str | None = None,
        target: str | None = None,
        targets: Mapping[str | tuple[str, ...], str] | None = None,
        by: Sequence[str] | str = (),
        suppress_below: int | None = None,
        persons: str | None = None,
        additive: bool | None = None,
        plausible: Sequence[Any] = (),
        reads: Reads | None = None,
        batches: Batches | None = None,
        freshness: Freshness | None = None,
        latency: str | timedelta | None = None,
        sla: Sla | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> Callable[[Transform], Kpi]:
        """Declare a business number computed by the decorated function: a table of its own, ``<domain>.<kpi>``.

        Each parameter of the function is an input, as for `derived`. It gives `Ratio`, `Sum`, `Mean` or `Value`, or a
        relation with a column ``value``.

        Args:
            question: The question it answers, as the business asks it.
            unit: Unit of the value: ``"ratio"`` is shown in percent, ``"count"`` as a whole number, anything else
                (``"EUR"``) behind the number.
            name: Identifier; the function's name where none is given.
            owner: Who answers for the number; the domain's owner where nobody else does.
            target: What it should be, as ``"<= 0.05"`` or ``"<= 5 %"``.
            targets: What it should be for single values of the dimensions: ``{"DE": "<= 0.04"}``; tuples for several.
            by: Dimensions: columns of the input, or of the relation that the function returns.
            suppress_below: Cells of fewer rows are published without their numbers and with the reason, and as many
                more cells as it takes that the total does not give them away. A total of fewer is not published either.
            persons: The column of the input that tells persons apart: then cells of fewer persons are small.
            additive: Whether batches add up to one number; say ``False`` for cumulative data. Where nothing is said,
                they do unless a batch reads other batches of an input than its own: windows overlap.
            plausible: Pandera checks of the value. Where one fails, the value is held and the last good one stays.
            reads: Inputs, as in `derived`.
            batches: Its batches; those of its inputs where not given.
            freshness: How old the newest value may be.
            latency: How long the step may take.
            sla: What it promises for each month about the quality of its data.
            description: For people.
            tags: What it belongs to, as for `gated`.
            synonyms: What people call it, as for `gated`.
            runbook: What to do when it is wrong, as for `gated`.

        Raises:
            DeclarationError: A name that is taken or not an identifier, a target that is not a comparison, a function
                without parameters, or batches that do not map by themselves.
            UnknownNameError: A parameter that names no table declared before.

        Example:
            @shop.kpi(question="How many orders are refunded?", unit="ratio", target="<= 5 %", by="country")
            def refund_rate(orders):
                return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")
        """
        dimensions = (by,) if isinstance(by, str) else tuple(by)

        def add(transform: Transform) -> Kpi:
            chosen = name or str(getattr(transform, "__name__", ""))
            what = f"{self.name}.{chosen}"
            for argument, value in {"question": question, "unit": unit, "owner": owner or self.owner}.items():
                if not isinstance(value, str) or not value.strip():
                    raise DeclarationError(f"the KPI {what} has no {argument}", way_out=f'give one: {argument}="…"')
            own, inputs = self._inputs(transform, what, reads, batches)
            kpi = Kpi(
                id=self._free(chosen),
                domain=self,
                batches=own,
                question=question,
                unit=unit,
                owner=owner or self.owner,
                target=None if target is None else Target.parse(target, kpi=what),
                targets=_targets(what, targets or {}, dimensions),
                by=dimensions,
                suppress_below=_least_cell(what, suppress_below, persons),
                persons=persons,
                additive=_adds_up(inputs) if additive is None else additive,
                transform=transform,
                reads=inputs,
                gating=Gating(rules=tuple(plausible), default_route=Route.HOLD, allow_empty=True),
                freshness=_expect(freshness, Freshness, f"the freshness of {what}", "Freshness(…)", optional=True),
                latency=_duration(f"the latency of {what}", latency),
                sla=_checked_sla(what, sla, freshness),
                description=description or first_paragraph(transform) or question,
                **self._found_by(what, tags, synonyms, runbook),
            )
            return self._add(kpi)

        return add

    def model(
        self,
        *,
        training: Any,
        risk: RiskTier | str,
        promote: NotWorse,
        approver: str = "",
        name: str | None = None,
        drift: DriftResponse | None = None,
        metrics: Sequence[str] | str = (),
        slices: Sequence[str] | str = (),
        seed: int = 0,
        params: Mapping[str, Any] | None = None,
        owner: str | None = None,
        purpose: str = "",
        limits: str = "",
        answers: Mapping[str, str] | None = None,
        description: str = "",
        tags: Sequence[str] | str = (),
        synonyms: Sequence[str] | str = (),
        runbook: str | Path | None = None,
    ) -> Callable[[Callable[..., Any]], Model]:
        """Declare a model that the decorated function trains, with whatever library: a product over a training set.

        The function takes ``rows`` (an Arrow table of the rows to learn from: entity, label, features), or ``x`` and
        ``y`` (a matrix of the features, null being NaN, and the labels); and where it names them ``seed``, ``params``,
        ``features`` and ``label``. It returns what predicts: an object with ``predict_proba`` (the last column counts)
        or ``predict``, or a function. That is given what the training was given: Arrow rows of the features, or a
        matrix of them.

        The model's table ``domain.name`` has what serves. See `scored` for the predictions.

        Args:
            training: The training set that it learns from: what ``domain.training_set(…)`` gave.
            risk: How much harm a wrong prediction can do: ``"minimal"``, ``"limited"`` or ``"high"``.
            promote: What a candidate must hold against the champion.
            approver: Who lets it serve; a model of high risk needs one, who is not the author of the version.
            name: Identifier; the function's name where none is given.
            drift: What is done where it drifts: by default it is trained anew, and after severe drift a person looks.
            metrics: What is measured on the holdout beside the promotion's metric.
            slices: Columns of the training set by whose values it is measured, too.
            seed: What random numbers begin with.
            params: Parameters of the training.
            owner: Who answers for it; the domain's owner where nobody else does.
            purpose: What it is for.
            limits: What it must not be used for, and what is known to be weak.
            answers: Answers to questions of the card's form that no machine knows, by the question's key.
            description: For people; by default the first paragraph of the function's docstring.
            tags: What it belongs to, as for `gated`.
            synonyms: What people call it, as for `gated`.
            runbook: What to do when it is wrong, as for `gated`.

        Raises:
            DeclarationError: A name that is taken, a function that takes something else, a tier that the AI Act
                prohibits, or a high one without an approver.
            UnknownNameError: A tier, metric or parameter that there is none of; names the nearest.

        Example:
            @shop.model(training=risk_set, risk="limited", promote=NotWorse("auc", by=0.002))
            def order_risk(x, y, seed):
                return LogisticRegression(random_state=seed).fit(x, y)
        """

        def add(train: Callable[..., Any]) -> Model:
            chosen = name or str(getattr(train, "__name__", ""))
            what = f"{self.name}.{chosen}"
            wanted = (metrics,) if isinstance(metrics, str) else tuple(metrics)
            for metric in wanted:
                if metric not in METRICS:
                    raise UnknownNameError(f"metric of {what}", str(metric), METRICS)
            given = checked_training(train, what)
            tier = checked_risk(risk, approver, what)
            rule = _expect(promote, NotWorse, f"the promotion rule of {what}", 'NotWorse("auc", by=0.002)')
            _expect(drift, DriftResponse, f"the drift of {what}", "DriftResponse(…)", optional=True)
            about = description or first_paragraph(train)
            responsible = owner or self.owner
            serving = GatedTable(
                id=self._free(chosen),
                domain=self,
                batches=Versions(),
                source=Source(
                    origin=f"decisions about {what}",
                    steward=Steward(responsible, responsible),
                    reader=ServingVersions(TableId(self.name, chosen)),
                ),
                schema=serving_schema(),
                gating=Gating(),
                classified=declared_classes(what, {"content": "confidential"}),
                description=about or f"The versions of the model {what} that serve.",
                **self._found_by(what, tags, synonyms, runbook),
            )
            self._add(serving)
            model = Model(
                id=serving.id,
                domain=self,
                training=training,
                train=train,
                given=given,
                risk=tier,
                approver=approver,
                promote=rule,
                drift=drift or DriftResponse(),
                metrics=tuple(dict.fromkeys((rule.metric, *wanted))),
                slices=(slices,) if isinstance(slices, str) else tuple(slices),
                seed=seed,
                params=dict(params or {}),
                owner=responsible,
                purpose=purpose,
                limits=limits,
                answers=dict(answers or {}),
                description=about,
                serving=serving,
            )
            self._models[chosen] = model
            return model

        return add

    def scored(
        self,
        name: str,
        *,
        model: Model,
        rows: Table | Read,
        schema: Any,
        key: Sequence[str] | str,
        keep: Sequence[str] | str = (),
        batches: Batches | None = None,
        **options: Any,
    ) -> DerivedTable:
        """Declare the table of a model's predictions: derived from published rows and from what serves, and gated.

        A batch is scored by the versions that served when it ended; one that covers no time by those that serve now;
        before the first, by the first. They are inputs of the batch: a replay reads the same ones. A batch that is held
        is not scored.

        Args:
            name: Identifier, unique in the domain.
            model: The model.
            rows: The rows to score: a table with the model's features among its columns.
            schema: A Pandera schema of the result: the columns of `key` and `keep`, and ``prediction`` (float),
                ``model_version`` (whole number), ``model_role`` (``champion`` or ``canary``), ``shadow_prediction`` and
                ``shadow_version`` (null where no shadow scores).
            key: The columns that tell rows apart: by them, a canary gets its share.
            keep: Further columns of the rows that the result keeps.
            batches: Its batches; those of the rows where not given.
            options: What `derived` takes, too: ``tolerance``, ``rules``, ``classified``, ``freshness`` …

        Raises:
            DeclarationError: A name that is taken, or something that is not a model.
            UnknownNameError: As for `derived`.

        Example:
            class Score(pa.DataFrameModel):
                order_id: arrow.int64()
                prediction: arrow.float64() = pa.Field(ge=0, le=1)
                model_version: arrow.int64()
                model_role: arrow.string()
                shadow_prediction: arrow.float64() = pa.Field(nullable=True)
                shadow_version: arrow.int64() = pa.Field(nullable=True)


            scores = shop.scored("fraud_scores", model=fraud, rows=orders, schema=Score, key="order_id")
        """
        what = f"{self.name}.{name}"
        _expect(model, Model, f"the model of {what}", "model: what @domain.model made of a function")
        keys = (key,) if isinstance(key, str) else tuple(key)
        kept = (keep,) if isinstance(keep, str) else tuple(keep)
        options.setdefault("description", f"Predictions of {model.id}.")
        return self.derived(
            schema=schema,
            name=name,
            reads={"rows": rows, "serving": model.serving.in_force()},
            batches=batches,
            key=keys,
            language="arrow",
            **options,
        )(scoring(str(model.id), keys, kept))

    def consumer(
        self,
        name: str,
        *,
        contact: str,
        table: Table,
        columns: Sequence[str] | str = (),
        rules: Sequence[str] | str | None = None,
        freshness: str | timedelta | None = None,
        notice: str | timedelta | None = None,
        contract: str | Path | None = None,
        purpose: str = "",
    ) -> Consumer:
        """Declare who relies on a table: before a change is merged, ``readiness contract check`` says who breaks.

        Derived tables and products need not be declared: what they read is known. This is for those outside: a report,
        an application, another team. A consumer of several tables is declared once for each.

        Args:
            name: As people know it; unique for the table.
            contact: Where it is reached; alerts about breaking changes go there.
            table: What it relies on, of this domain or another.
            columns: The columns it reads; all where nothing is said.
            rules: The rules it relies on, by name; all about its columns where nothing is said.
            freshness: How old the table may be for it.
            notice: How long before a breaking change it has to know of it: ``"30d"``.
            contract: Its own contract in place of `columns`, `rules` and `freshness`: an ODCS file, by its path from
                the folder of the page that declares the domain.
            purpose: What it does with the table, for people.

        Raises:
            DeclarationError: A table that is none, a name that is taken, a duration that is none, or a contract beside
                columns, rules or freshness.

        Example:
            shop.consumer("finance", contact="finance@shop.example", table=orders, columns=["amount"], notice="30d")
        """
        what = f"the consumer {name!r} of domain {self.name}"
        _expect(table, GatedTable | DerivedTable | Kpi, f"the table of {what}", "table: table=orders")
        if contract is not None and (columns or rules is not None or freshness is not None):
            raise DeclarationError(
                f"{what} has a contract, and columns, rules or freshness beside it",
                way_out="say what it relies on in one place",
            )
        if any(one.name == name for one in table.consumers):
            raise DeclarationError(f"{what} is declared twice for {table.id}", way_out="give one of them another name")
        declared = Consumer(
            name=name,
            contact=contact,
            table=table.id,
            columns=columns,
            rules=rules,
            freshness=freshness,
            notice=notice,
            contract=None if contract is None else self._folder / contract,
            purpose=purpose,
        )
        table.consumers.append(declared)
        return declared

    def announce(
        self, table: Table, what: str, *, announced: str | date, effective: str | date, why: str
    ) -> Announcement:
        """Announce a change that breaks consumers of a table, before it is made.

        It becomes part of the table's contract. Once the notice that the consumers were promised is over, and
        `effective` has come, ``readiness contract check`` lets the change pass.

        Args:
            table: The table.
            what: What changes, as ``readiness contract check`` calls it: ``"column email"``.
            announced: The day on which it is announced: today, where it is new.
            effective: The first day on which the change may be there.
            why: What consumers need to know: the reason, and what to read instead.

        Raises:
            DeclarationError: A table that is none, a day that is none, or days the wrong way round.

        Example:
            shop.announce(orders, "column email", announced="2026-11-29", effective="2027-01-04", why="moved")
        """
        _expect(table, GatedTable | DerivedTable | Kpi, f"what domain {self.name} announces a change of", "table")
        declared = Announcement(table=table.id, what=what, announced=announced, effective=effective, why=why)
        table.announcements.append(declared)
        return declared

    def _derived_fields(
        self,
        *,
        schema: Any,
        name: str | None,
        reads: Reads | None,
        batches: Batches | None,
        key: Sequence[str] | str,
        language: Language,
        tolerance: Tolerance | None,
        rules: Sequence[Any],
        routes: Mapping[str, Route] | None,
        default_route: Route | None,
        allow_empty: bool,
        classified: Classes | None,
        freshness: Freshness | None,
        latency: str | timedelta | None,
        description: str,
        tags: Sequence[str] | str,
        synonyms: Sequence[str] | str,
        runbook: str | Path | None,
    ) -> Callable[[Transform], dict[str, Any]]:
        """The fields of a derived table, once there is a function that computes it; see `derived`."""

        def fields(transform: Transform) -> dict[str, Any]:
            chosen = name or str(getattr(transform, "__name__", ""))
            what = f"{self.name}.{chosen}"
            if language not in _LANGUAGES:
                raise UnknownNameError(f"language of {what}", str(language), _LANGUAGES)
            own, inputs = self._inputs(transform, what, reads, batches)
            found, references = self._resolved(rules, what)
            return {
                "id": self._free(chosen),
                "domain": self,
                "batches": own,
                "transform": transform,
                "language": language,
                "reads": inputs,
                "key": _names(key),
                "schema": _checked_schema(schema, what),
                "gating": checked_gating(
                    what,
                    found,
                    routes=routes,
                    default_route=default_route,
                    tolerance=tolerance,
                    allow_empty=allow_empty,
                    schema_change=SchemaChange.DISCARD,
                ),
                "references": references,
                "classified": declared_classes(what, classified),
                "freshness": _expect(freshness, Freshness, f"the freshness of {what}", "Freshness(…)", optional=True),
                "latency": _duration(f"the latency of {what}", latency),
                "description": description or first_paragraph(transform) or first_paragraph(schema),
                **self._found_by(what, tags, synonyms, runbook),
            }

        return fields

    def _add(self, table: T) -> T:
        self._tables[table.id.name] = table
        if not isinstance(table, GatedTable):
            for read in table.reads.values():
                read.table.readers.append(table)
        return table

    def _found_by(
        self, what: str, tags: Sequence[str] | str, synonyms: Sequence[str] | str, runbook: str | Path | None
    ) -> dict[str, Any]:
        """What a table is found by and repaired by, as its fields have it."""
        return {
            "tags": checked_words(what, "tags", tags),
            "synonyms": checked_words(what, "synonyms", synonyms),
            "runbook": read_runbook(what, runbook, folder=self.folder),
        }

    def _free(self, name: str) -> TableId:
        checked = checked_identifier(name, f"table name in domain {self.name}")
        if checked in self._training_sets:
            raise DeclarationError(
                f"domain {self.name} has a training set {checked!r} already", way_out="give one of them another name"
            )
        if checked in self._tables:
            kind = "KPI" if isinstance(self._tables[checked], Kpi) else "table"
            raise DeclarationError(
                f"domain {self.name} has a {kind} {checked!r} already", way_out="give one of them another name"
            )
        return TableId(self.name, checked)

    def _inputs(
        self, transform: Transform, what: str, reads: Reads | None, batches: Batches | None
    ) -> tuple[Batches, Mapping[str, Read]]:
        """The batches of a computed table, and its inputs by parameter."""
        given = dict(reads or {})
        parameters = _parameters(transform, what)
        for name in given:
            if name not in parameters:
                raise UnknownNameError(f"parameter of {what} in reads", name, parameters)
        tables: dict[str, Table | Read] = {
            name: given[name] if name in given else self._parameter_table(name, what) for name in parameters
        }
        for name, one in tables.items():
            if not isinstance(one, Read | GatedTable | DerivedTable | Kpi):
                raise DeclarationError(
                    f"{what} reads {name} from a {type(one).__name__}", way_out="give a table, or table.before() …"
                )
        own = batches if batches is not None else _common_batches(what, tables)
        _expect_batches(own, what)
        inputs = {
            name: one if isinstance(one, Read) else Read(one, default_mapping(own, one, reader=what))
            for name, one in tables.items()
        }
        for read in inputs.values():
            check_rows_of_period(own, read, reader=what)
        return own, inputs

    def _parameter_table(self, name: str, what: str) -> Table:
        if name not in self._tables:
            raise UnknownNameError(f"table in the parameters of {what}", name, self._tables)
        return self._tables[name]

    def _resolved(self, rules: Sequence[Any], what: str) -> tuple[tuple[Any, ...], Mapping[str, Read]]:
        """Rules whose references are spelled as identities, and what they compare with."""
        if isinstance(rules, str) or not isinstance(rules, Sequence):
            raise DeclarationError(f"the rules of {what} are not a list", way_out="write rules=[…]")
        found: list[Any] = []
        references: dict[str, Read] = {}
        for rule in rules:
            match rule:
                case ExistsIn():
                    read = self._reference(rule.table, what)
                    references[str(read.table.id)] = read
                    found.append(replace(rule, table=str(read.table.id)))
                case MaskingVerified():
                    read = self._reference(rule.of, what)
                    if not isinstance(read.table, GatedTable):
                        raise DeclarationError(
                            f"MaskingVerified of {what} compares with {read.table.id}, which has no source",
                            way_out="name the gated table in which the values arrive",
                        )
                    references[str(read.table.id.raw)] = read
                    found.append(replace(rule, of=str(read.table.id.raw)))
                case _:
                    found.append(rule)
        return tuple(found), references

    def _reference(self, given: Any, what: str) -> Read:
        if isinstance(given, Read):
            return given
        table = given
        if isinstance(given, str):
            domain, dot, name = given.partition(".")
            if dot and domain != self.name:
                raise DeclarationError(
                    f"a rule of {what} refers to {given!r} of another domain by its name",
                    way_out="give the table itself: ExistsIn(columns, other_domain_table)",
                )
            table = self.table(name if dot else given)
        return Read(table, VersionInForce() if isinstance(table.batches, Versions) else AllBatches())


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    """Columns, where one of them may be given alone."""
    return (given,) if isinstance(given, str) else tuple(given)


def _common_batches(what: str, tables: Mapping[str, Table | Read]) -> Batches:
    """The batches that the inputs have, those that follow a calendar or a list before versions."""
    all_inputs = [one.table if isinstance(one, Read) else one for one in tables.values()]
    inputs = [table for table in all_inputs if not isinstance(table.batches, Versions)] or all_inputs
    first = inputs[0].batches
    for table in inputs[1:]:
        if not agree(first, table.batches):
            raise DeclarationError(
                f"the inputs of {what} have {first.name} and {table.batches.name} batches: nothing says which it has",
                way_out="say it: batches=MonthlyBatches(start=…), say",
            )
    return first


def _parameters(transform: Transform, what: str) -> tuple[str, ...]:
    if not callable(transform):
        raise DeclarationError(f"{what} decorates a {type(transform).__name__}", way_out="decorate a function")
    parameters = inspect.signature(transform).parameters
    if not parameters:
        raise DeclarationError(f"{what} takes no table", way_out="name its parameters for the tables it reads")
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise DeclarationError(f"{what} takes *{name}", way_out="name one parameter for each table it reads")
    return tuple(parameters)


def _least_cell(what: str, below: int | None, persons: str | None) -> int | None:
    if below is None and persons is not None:
        raise DeclarationError(
            f"{what} counts {persons}, and suppresses nothing", way_out="give suppress_below=10, say"
        )
    if below is not None and (not isinstance(below, int) or below < 2):  # noqa: PLR2004  # of one nothing is small
        raise DeclarationError(f"{what} suppresses cells below {below!r}", way_out="give a whole number from 2")
    return below


def _adds_up(inputs: Mapping[str, Read]) -> bool:
    """Whether no row of an input is read by two batches."""
    return not any(isinstance(read.mapping, LastBatches | AllBatches | PreviousBatch) for read in inputs.values())


def _targets(
    what: str, given: Mapping[str | tuple[str, ...], str], by: tuple[str, ...]
) -> Mapping[tuple[str, ...], Target]:
    targets: dict[tuple[str, ...], Target] = {}
    for values, text in given.items():
        key = (values,) if isinstance(values, str) else tuple(values)
        if len(key) != len(by):
            raise DeclarationError(
                f"the targets of {what} name {values!r}, and it has {len(by)} dimensions",
                way_out="give one value for each column in by=[…]",
            )
        targets[key] = Target.parse(text, kpi=what)
    return targets


def _expect(value: Any, kind: Any, what: str, way_out: str, *, optional: bool = False) -> Any:
    if isinstance(value, kind) or (optional and value is None):
        return value
    raise DeclarationError(f"{what} is a {type(value).__name__}", way_out=f"give a {way_out}")


def _expect_batches(batches: Any, what: str) -> None:
    if isinstance(batches, type) or not isinstance(batches, Batches):
        raise DeclarationError(
            f"the batches of {what} are a {getattr(batches, '__name__', type(batches).__name__)}",
            way_out='give DailyBatches(start="2026-01-01"), Versions(), …',
        )


def _checked_schema(schema: Any, what: str) -> Any:
    if schema is None or isinstance(schema, str | int | float | dict | list):
        raise DeclarationError(
            f"the schema of {what} is a {type(schema).__name__}", way_out="give a Pandera DataFrameModel or schema"
        )
    return schema


def _checked_engine(engine: Any, what: str) -> Any:
    if engine is not None and engine not in _ENGINES:
        raise UnknownNameError(f"engine of {what}", str(engine), _ENGINES)
    return engine


def _checked_sla(what: str, sla: Any, freshness: Freshness | None) -> Sla | None:
    found: Sla | None = _expect(sla, Sla, f"the SLA of {what}", "Sla(published=0.98)", optional=True)
    if found is not None and found.fresh is not None and freshness is None:
        raise DeclarationError(
            f"the SLA of {what} promises that it is fresh, and nothing says what that is",
            way_out='declare it: freshness=Freshness(warn_after="26h", fail_after="36h")',
        )
    return found


def _duration(what: str, value: str | timedelta | None) -> timedelta | None:
    try:
        return _DURATION.validate_python(value)
    except ValidationError:
        raise DeclarationError(
            f"{what} is not a duration: {value!r}", way_out="write '10m', '26h' or '1d12h'"
        ) from None


def first_paragraph(documented: object) -> str:
    """The first paragraph of an object's own docstring on one line; "" where it has none of its own."""
    if isinstance(documented, type):
        text = documented.__dict__.get("__doc__")
    else:  # of a schema that is an object, its class's own docstring says nothing
        text = documented.__doc__ if inspect.isroutine(documented) else getattr(documented, "description", None)
    return re.sub(r"\s+", " ", inspect.cleandoc(text).split("\n\n")[0]) if text else ""


__all__ = ["Computed", "Domain", "Lane", "first_paragraph"]
