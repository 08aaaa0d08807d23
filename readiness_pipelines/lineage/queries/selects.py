"""What the columns of a query are made of: SELECT, set operations, named queries, joins."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from readiness_pipelines.lineage.influences import (
    NOTHING,
    How,
    Influences,
    any_column_of,
    as_decision,
    as_value,
    together,
)
from readiness_pipelines.lineage.queries.expressions import is_aggregate, value
from readiness_pipelines.lineage.queries.pivots import pivoted
from readiness_pipelines.lineage.queries.scope import Columns, NameScope, Relation, same_name

_ROUNDS = 20
"""So often at most is a recursive query looked through until nothing is found that was not known."""


def resolve(node: exp.Expression, scope: NameScope) -> Relation:
    """What a query gives.

    Args:
        node: The query.
        scope: Around it, empty but for what is in reach.
    """
    scope.ctes = _ctes(node, scope)
    match node:
        case exp.Select():
            return _select(node, scope)
        case exp.SetOperation():
            return _set_operation(node, scope)
        case exp.Subquery() if isinstance(node.this, exp.Table):
            return _select(exp.select("*").from_(node.copy()), scope)
        case exp.Subquery():
            found = resolve(node.this, scope.inner(scope.ctes))
            return _limited(node, found, scope)
        case exp.Pivot():
            inner = scope.inner(scope.ctes)
            _add_source(node.this, inner)
            return pivoted(node, inner, resolve)
        case exp.Table():
            return _select(exp.select("*").from_(node.copy()), scope)
        case exp.Values():
            return _values(node, scope)
        case _:
            scope.problems.append(f"a {type(node).__name__.upper()} is not a query that can be followed")
            return _opaque(scope)


def _ctes(node: exp.Expression, scope: NameScope) -> Mapping[str, Relation]:
    found = dict(scope.ctes)
    given = node.args.get("with_")
    for cte in given.expressions if given else ():
        name = cte.alias.lower()
        names = [one.name for one in cte.args["alias"].columns]
        if given is not None and given.recursive and isinstance(cte.this, exp.SetOperation) and _reads(cte.this, name):
            found[name] = _recursive(cte.this, name, names, scope.inner(found), found)
        else:
            found[name] = resolve(cte.this, scope.inner(dict(found))).named(names)
    return found


def _reads(node: exp.Expression, name: str) -> bool:
    return any(table.name.lower() == name for table in node.find_all(exp.Table))


def _recursive(
    node: exp.SetOperation, name: str, names: Sequence[str], scope: NameScope, ctes: Mapping[str, Relation]
) -> Relation:
    known = resolve(node.this, scope.inner(dict(ctes))).named(names)
    for _ in range(_ROUNDS):
        again = resolve(node.expression, scope.inner({**ctes, name: known}))
        grown = _united(known, again, by_name=False)
        if grown == known:
            break
        known = grown
    return known


def _set_operation(node: exp.SetOperation, scope: NameScope) -> Relation:
    left = resolve(node.this, scope.inner(scope.ctes))
    right = resolve(node.expression, scope.inner(scope.ctes))
    if isinstance(node, exp.Union):
        found = _united(left, right, by_name=bool(node.args.get("by_name")))
    else:
        # Which rows stay is decided by all columns of both.
        found = replace(left, rows=left.rows | right.rows | as_decision(left.all | right.all, How.FILTER))
    if node.args.get("distinct") and isinstance(node, exp.Union):
        found = replace(found, rows=found.rows | as_decision(found.all, How.GROUP_BY))
    return _limited(node, found, scope)


def _united(left: Relation, right: Relation, *, by_name: bool) -> Relation:
    unknown = None
    if left.unknown is not None or right.unknown is not None:
        unknown = (left.unknown or NOTHING) | (right.unknown or NOTHING)
    columns: list[tuple[str, Influences]]
    if by_name:
        columns = [(name, made | (right.column(name) or NOTHING)) for name, made in left.columns]
        columns += [(name, made) for name, made in right.columns if not left.has(name)]
    elif unknown is None and len(left.columns) == len(right.columns):
        columns = [(name, made | other) for (name, made), (_, other) in zip(left.columns, right.columns, strict=True)]
    else:
        columns, unknown = [], left.all | right.all
    return Relation(columns=columns, rows=left.rows | right.rows, unknown=unknown)


def _limited(node: exp.Expression, found: Relation, scope: NameScope) -> Relation:
    """The first rows in some order: what they are sorted by decides which there are."""
    order = node.args.get("order")
    if order is None or not (node.args.get("limit") or node.args.get("offset")):
        return found
    inner = scope.inner()
    inner.items = [("", found)]
    return replace(found, rows=found.rows | _sort_keys(order, inner, found.columns))


def _sort_keys(order: exp.Order, scope: NameScope, columns: Columns) -> Influences:
    found: list[Influences] = []
    for one in order.expressions:
        key = one.this
        if isinstance(key, exp.Var) and key.name.upper() == "ALL":
            found += [made for _, made in columns]
        elif isinstance(key, exp.Literal) and not key.is_string:
            found += [columns[int(key.name) - 1][1]] if int(key.name) <= len(columns) else []
        elif isinstance(key, exp.Column) and len(key.parts) == 1:
            found.append(scope.resolve([key.name], prefers_alias=True))
        else:
            found.append(value(key, scope, resolve))
    return as_decision(together(found), How.SORT)


def _select(node: exp.Select, around: NameScope) -> Relation:
    scope = around
    rows = _from(node, scope)
    shown = list(_shown(node, scope))
    scope.aliases = {name.lower(): made for name, made, alias in shown if alias}
    columns = [(name, made) for name, made, _ in shown]
    for clause, how in (("where", How.FILTER), ("having", How.FILTER), ("qualify", How.FILTER)):
        if (given := node.args.get(clause)) is not None:
            rows |= as_decision(value(given.this, scope, resolve), how)
    # Rows are repeated for each element of a list, and left out where it has none.
    for one in node.expressions:
        rows |= as_decision(together(value(list_.this, scope, resolve) for list_ in _unnested(one)), How.FILTER)
    rows |= _groups(node, scope, columns)
    distinct = node.args.get("distinct")
    if distinct is not None:
        on = distinct.args.get("on")
        by = value(on, scope, resolve) if on is not None else together(made for _, made in columns)
        rows |= as_decision(by, How.GROUP_BY)
    order = node.args.get("order")
    first = node.args.get("limit") or node.args.get("offset") or (distinct is not None and distinct.args.get("on"))
    if order is not None and first:
        rows |= _sort_keys(order, scope, columns)
    unknown = scope.unknown if any(_is_star(one) for one in node.expressions) else None
    return Relation(columns=columns, rows=rows, unknown=unknown, fields=dict(_fields(node, scope)))


def _fields(node: exp.Select, scope: NameScope) -> Iterator[tuple[tuple[str, str], Influences]]:
    """The fields of the structs that a SELECT makes."""
    for one in node.expressions:
        if isinstance(one, exp.Alias) and isinstance(one.this, exp.Struct):
            for given in one.this.expressions:
                if isinstance(given, exp.PropertyEQ):
                    yield (one.alias.lower(), given.name.lower()), value(given.expression, scope, resolve)


def _unnested(node: exp.Expression) -> Iterator[exp.Expression]:
    """The calls of UNNEST in an expression, outside of queries within it."""
    if isinstance(node, exp.Explode):
        yield node
    for one in node.iter_expressions():
        if not isinstance(one, exp.Query):
            yield from _unnested(one)


def _groups(node: exp.Select, scope: NameScope, columns: Columns) -> Influences:
    group = node.args.get("group")
    if group is None:
        return NOTHING
    if group.args.get("all"):
        # Expressions and columns pair up where no star stands for several; else all of them decide.
        given = node.expressions
        if len(given) == len(columns):
            found = [made for one, (_, made) in zip(given, columns, strict=True) if not is_aggregate(one)]
        else:
            found = [made for _, made in columns]
        return as_decision(together(found), How.GROUP_BY)
    keys: list[Influences] = []
    for one in _group_keys(group):
        if isinstance(one, exp.Literal) and not one.is_string:
            keys += [columns[int(one.name) - 1][1]] if int(one.name) <= len(columns) else []
        else:
            keys.append(value(one, scope, resolve))
    return as_decision(together(keys), How.GROUP_BY)


def _group_keys(group: exp.Group) -> Iterator[exp.Expression]:
    for given in (group.expressions, group.args.get("rollup"), group.args.get("cube"), group.args.get("grouping_sets")):
        for one in given or ():
            if isinstance(one, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
                yield from one.expressions
            elif isinstance(one, exp.Expression):
                yield one


def _from(node: exp.Select, scope: NameScope) -> Influences:
    """Put the relations of FROM into the scope; what decides which rows they give together."""
    given = node.args.get("from_")
    if given is not None:
        _add_source(given.this, scope)
    rows: Influences = NOTHING
    for one in node.args.get("laterals") or ():
        _add_source(one, scope)
    for join in node.args.get("joins") or ():
        rows |= _join(join, scope)
    return rows | together(relation.rows for _, relation in scope.items)


def _join(join: exp.Join, scope: NameScope) -> Influences:
    before = len(scope.items)
    _add_source(join.this, scope)
    added = scope.items[before:]
    using = [one.name for one in join.args.get("using") or ()]
    if join.method.upper() == "NATURAL":
        left = [name for _, relation in scope.items[:before] for name, _ in relation.columns]
        using = [name for name in left if any(relation.has(name) for _, relation in added)]
    rows = value(join.args.get("on"), scope, resolve)
    for name in using:
        mine = together(
            relation.column(name) or NOTHING for _, relation in scope.items[:before] if relation.column(name)
        )
        theirs = together(relation.column(name) or NOTHING for _, relation in added)
        mine = scope.merged.get(name.lower(), mine)
        rows |= mine | theirs
        kept = {"RIGHT": theirs, "FULL": as_value(mine | theirs)}.get(join.side.upper(), mine)
        scope.merged[name.lower()] = kept
        scope.hidden |= {(number, name.lower()) for number in range(before, len(scope.items))}
    if join.kind.upper() in ("SEMI", "ANTI"):
        # What is on the right decides, and is not to be seen.
        rows |= together(relation.rows for _, relation in added)
        del scope.items[before:]
        for name in using:
            del scope.merged[name.lower()]
    return as_decision(rows, How.JOIN)


def _add_source(node: exp.Expression, scope: NameScope) -> None:
    """Put a relation of FROM into the scope, with those that it is joined to in parentheses."""
    if isinstance(node, exp.Subquery | exp.Paren) and isinstance(node.this, exp.Table) and not node.alias:
        _add_source(node.this, scope)
        for join in node.args.get("joins") or ():
            rows = _join(join, scope)
            scope.items.append(("", Relation(columns=[], rows=rows)))
        return
    relation = _source(node, scope)
    for one in node.args.get("pivots") or ():
        inner = scope.inner()
        inner.items = [(node.alias_or_name, relation)]
        relation = pivoted(one, inner, resolve)
        if one.alias:
            node = one
    alias = node.args.get("alias")
    names = [one.name for one in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if names and len(relation.columns) == 1 and relation.unknown is not None:
        relation = Relation(columns=[(name, relation.unknown) for name in names], rows=relation.rows)
    scope.items.append((node.alias_or_name, relation.named(names)))
    for join in node.args.get("joins") or ():
        scope.items.append(("", Relation(columns=[], rows=_join(join, scope))))


def _source(node: exp.Expression, scope: NameScope) -> Relation:
    match node:
        case exp.Table() if isinstance(node.this, exp.Identifier):
            known = scope.ctes.get(node.name.lower())
            if known is not None:
                return known
            scope.problems.append(
                "a part of it is not SQL: rows that went through Python or Arrow"
                if node.name.startswith("__duckdb_source")
                else f"{node.name} is not one of its inputs"
            )
            return _opaque(scope)
        case exp.Table():
            return _function(node.this, node, scope)
        case exp.Unnest():
            made = as_value(together(value(one, scope, resolve) for one in node.expressions))
            name = node.alias or "unnest"
            columns = [(name, made)] if not node.args.get("alias") or not node.args["alias"].columns else [("", made)]
            return Relation(columns=columns, rows=as_decision(made, How.FILTER), unknown=made)
        case exp.Lateral():
            if isinstance(node.this, exp.Subquery):
                return resolve(node.this.this, scope.inner())
            return _function(node.this, node, scope)
        case exp.Subquery() | exp.Select() | exp.SetOperation():
            return resolve(node, scope.inner()) if not isinstance(node, exp.Subquery) else _within(node, scope)
        case exp.Values():
            return _values(node, scope)
        case _:
            return resolve(node, scope.inner())


def _within(node: exp.Subquery, scope: NameScope) -> Relation:
    inner = scope.inner()
    inner.ctes = _ctes(node, inner)
    return _limited(node, resolve(node.this, inner.inner()), inner)


def _function(node: exp.Expression, source: exp.Expression, scope: NameScope) -> Relation:
    """A function that gives rows: all its columns are made of its arguments."""
    made = as_value(value(node, scope, resolve))
    name = node.name.lower() if isinstance(node, exp.Anonymous) else node.key
    if name.startswith(("read_", "readcsv", "readparquet", "query", "glob")):
        scope.problems.append(f"{name} reads what is not one of its inputs")
        return _opaque(scope)
    columns = [(source.alias or name, made)]
    return Relation(columns=columns, rows=as_decision(made, How.FILTER), unknown=made)


def _opaque(scope: NameScope) -> Relation:
    """Rows of which nothing is known: they may be made of any column of any input."""
    known = together(relation.all for relation in scope.ctes.values())
    found = any_column_of(one.table for one in known)
    return Relation(columns=[], rows=found, unknown=found)


def _values(node: exp.Values, scope: NameScope) -> Relation:
    rows = [one.expressions if isinstance(one, exp.Tuple) else [one] for one in node.expressions]
    width = max((len(row) for row in rows), default=0)
    columns = [
        (f"col{at}", together(value(row[at], scope, resolve) for row in rows if at < len(row))) for at in range(width)
    ]
    return Relation(columns=columns)


def _is_star(node: exp.Expression) -> bool:
    one = node.unalias()
    return isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star))


def _shown(node: exp.Select, scope: NameScope) -> Iterator[tuple[str, Influences, bool]]:
    """The columns of a SELECT: name, what it is made of, and whether it is an alias that others may use."""
    for one in node.expressions:
        if isinstance(one, exp.Star):
            for name, made in _starred(one, scope.star(), scope):
                yield name, made, False
        elif isinstance(one, exp.Column) and isinstance(one.this, exp.Star):
            for name, made in _star_of(one, scope):
                yield name, made, False
        elif (columns := one.find(exp.Columns)) is not None:
            for name, made in _several(one, columns, scope):
                yield name, made, False
        else:
            made = value(one, scope, resolve)
            alias = isinstance(one, exp.Alias)
            if alias:
                scope.aliases[one.alias.lower()] = made
            yield _name_of(one), made, alias


def _name_of(node: exp.Expression) -> str:
    if isinstance(node, exp.Alias | exp.Column):
        return node.alias_or_name
    if isinstance(node, exp.Dot):
        return str(node.expression.name)
    return node.sql(dialect="duckdb")


def _starred(
    star: exp.Star, shown: Iterable[tuple[str, Influences]], scope: NameScope
) -> Iterator[tuple[str, Influences]]:
    without = {one.name.lower() for one in star.args.get("except_") or ()}
    replaced = {one.alias.lower(): value(one, scope, resolve) for one in star.args.get("replace") or ()}
    renamed = {one.this.name.lower(): one.alias for one in star.args.get("rename") or ()}
    for name, made in shown:
        if name.lower() not in without:
            yield renamed.get(name.lower(), name), replaced.get(name.lower(), made)


def _star_of(node: exp.Column, scope: NameScope) -> Iterator[tuple[str, Influences]]:
    relation = scope.item(node.table)
    if relation is not None:
        yield from _starred(node.this, relation.columns, scope)
    else:
        yield ANY_FIELD, as_value(scope.resolve([node.table]))


ANY_FIELD = ""
"""The name of what stands for several columns that the query does not name."""


def _several(node: exp.Expression, columns: exp.Columns, scope: NameScope) -> Iterator[tuple[str, Influences]]:
    """The columns that an expression over COLUMNS(…) stands for."""
    chosen = _chosen(columns, scope)
    if chosen is None:
        scope.problems.append(f"which columns {columns.sql(dialect='duckdb')} stands for is not known")
        yield ANY_FIELD, any_column_of(one.table for _, made in scope.star() for one in made)
        return
    for name, made in chosen:
        inner = scope.inner()
        inner.items = [*scope.items]
        inner.aliases = {"": NOTHING, _MARK: made}
        given = node.unalias()
        if given is columns:
            yield name, made
            continue
        copy: Any = given.copy()
        for one in list(copy.find_all(exp.Columns)):
            one.replace(exp.column(_MARK))
        yield name, value(copy, inner, resolve)


_MARK = "readiness chosen column"


def _chosen(columns: exp.Columns, scope: NameScope) -> list[tuple[str, Influences]] | None:
    given = columns.this
    shown = list(scope.star())
    if isinstance(given, exp.Star):
        return list(_starred(given, shown, scope))
    if isinstance(given, exp.Literal):
        try:
            pattern = re.compile(given.name)
        except re.error:
            return None
        return [(name, made) for name, made in shown if pattern.search(name)]
    if isinstance(given, exp.Array) and all(isinstance(one, exp.Literal) for one in given.expressions):
        names = [one.name for one in given.expressions]
        return [(name, made) for want in names for name, made in shown if same_name(name, want)]
    return None
