"""What names mean at a place in a query: the relations in reach, their columns, and what each is made of."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from readiness_pipelines.lineage.influences import NOTHING, Influences, any_column_of, as_value, together

Columns = Sequence[tuple[str, Influences]]

_NOISE = re.compile(r'[\s"]+')


def same_name(one: str, other: str) -> bool:
    """Whether two names mean one column: case does not matter, nor how an expression that is a name is laid out."""
    return one.lower() == other.lower() or _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return _NOISE.sub("", name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or query in reach.

    Attributes:
        columns: Its columns and what they are made of, in order.
        rows: What decides which rows it has.
        unknown: What any other column is made of; ``None`` where it has no other.
        fields: What the fields of structs are made of that the query makes itself, by column and field.
    """

    columns: Columns
    rows: Influences = NOTHING
    unknown: Influences | None = None
    fields: Mapping[tuple[str, str], Influences] = field(default_factory=dict)

    def column(self, name: str) -> Influences | None:
        """What a column is made of; ``None`` where there is none of the name."""
        found = [made for known, made in self.columns if same_name(known, name)]
        return together(found) if found else self.unknown

    def field(self, name: str, of: str) -> Influences | None:
        """What a field of a struct is made of; of a struct that the query does not make itself, all of it."""
        found = self.column(name)
        return None if found is None else self.fields.get((name.lower(), of.lower()), as_value(found))

    def has(self, name: str) -> bool:
        """Whether a column of the name is known."""
        return any(same_name(known, name) for known, _ in self.columns)

    def named(self, names: Sequence[str]) -> "Relation":
        """The same with other names for its first columns."""
        given = [*names, *(name for name, _ in self.columns[len(names) :])]
        columns = [(name, made) for name, (_, made) in zip(given, self.columns, strict=False)]
        if self.unknown is not None:
            columns += [(name, self.unknown) for name in names[len(self.columns) :]]
        return replace(self, columns=columns)

    @property
    def all(self) -> Influences:
        """What all its columns are made of."""
        return together([*(made for _, made in self.columns), self.unknown or NOTHING])


@dataclass(slots=True, kw_only=True)
class NameScope:
    """What names mean.

    Attributes:
        ctes: The named queries in reach, by name in lower case, and the inputs.
        items: The relations of FROM, by alias, in order.
        merged: Columns that a join made one of two.
        hidden: Columns of items, by item and name, that stand in `merged` and a star does not show again.
        outer: The scope around it.
        aliases: What the query's own columns are called, once they are known.
        local: Names that are a function's parameters.
        problems: Why something is not known, for people; one list for the whole query.
    """

    ctes: Mapping[str, Relation]
    items: list[tuple[str, Relation]] = field(default_factory=list)
    merged: dict[str, Influences] = field(default_factory=dict)
    hidden: set[tuple[int, str]] = field(default_factory=set)
    outer: "NameScope | None" = None
    aliases: dict[str, Influences] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    problems: list[str]

    def inner(self, ctes: Mapping[str, Relation] | None = None) -> "NameScope":
        """An empty scope within this one."""
        return NameScope(ctes=self.ctes if ctes is None else ctes, outer=self, problems=self.problems)

    def with_local(self, names: frozenset[str]) -> "NameScope":
        """The same with parameters of a function."""
        return NameScope(
            ctes=self.ctes,
            items=self.items,
            merged=self.merged,
            hidden=self.hidden,
            outer=self.outer,
            aliases=self.aliases,
            local=self.local | names,
            problems=self.problems,
        )

    def item(self, alias: str) -> Relation | None:
        """The relation of an alias; ``None`` where there is none here."""
        return next((relation for known, relation in self.items if known.lower() == alias.lower()), None)

    def star(self) -> Iterator[tuple[str, Influences]]:
        """The columns that ``*`` stands for."""
        for number, (_, relation) in enumerate(self.items):
            for name, made in relation.columns:
                if (number, name.lower()) not in self.hidden:
                    yield name, self.merged.get(name.lower(), made)

    @property
    def unknown(self) -> Influences | None:
        """What columns are made of that are not known by name; ``None`` where all are."""
        found = [relation.unknown for _, relation in self.items if relation.unknown is not None]
        return together(found) if found else None

    def resolve(self, parts: Sequence[str], *, prefers_alias: bool = False) -> Influences:
        """What a name is made of: ``column``, ``alias.column``, ``column.field``."""
        if parts[0].lower() in self.local:
            return NOTHING
        scope: NameScope | None = self
        while scope is not None:
            found = scope._here(parts, prefers_alias=prefers_alias and scope is self)
            if found is not None:
                return found
            scope = scope.outer
        return self._unknown_name(parts)

    def _here(self, parts: Sequence[str], *, prefers_alias: bool) -> Influences | None:
        first, *rest = parts
        alias = self.aliases.get(first.lower())
        if prefers_alias and alias is not None:
            return as_value(alias) if rest else alias
        if len(parts) > 1:
            for at in range(len(parts) - 1):
                relation = self.item(parts[at])
                found = _in(relation, parts[at + 1 :]) if relation else None
                if found is not None:
                    return found
        owner = next((one for _, one in self.items if rest and one.has(first)), None)
        if owner is not None:
            return owner.field(first, rest[0])
        found = self._column(first)
        if found is None:
            found = alias
        if found is None and not rest and (relation := self.item(first)) is not None:
            return as_value(relation.all)  # the whole row, as one value
        if found is None:
            return None
        return as_value(found) if rest else found

    def _column(self, name: str) -> Influences | None:
        if name.lower() in self.merged:
            return self.merged[name.lower()]
        known = [found for _, one in self.items if one.has(name) and (found := one.column(name)) is not None]
        if known:
            return together(known)
        return self.unknown

    def _unknown_name(self, parts: Sequence[str]) -> Influences:
        if parts[-1].lower() in ("rowid", "filename"):
            return NOTHING
        self.problems.append(f"{'.'.join(parts)} is not a column of anything that the query reads")
        scope: NameScope | None = self
        found: list[Influences] = []
        while scope is not None:
            found += [relation.all for _, relation in scope.items]
            scope = scope.outer
        return any_column_of(one.table for one in together(found))


def _in(relation: Relation, parts: Sequence[str]) -> Influences | None:
    """What a column of a relation, or a field of it, is made of."""
    return relation.field(parts[0], parts[1]) if len(parts) > 1 else relation.column(parts[0])
