"""What a value of an expression is made of."""

from collections.abc import Callable, Iterable, Iterator

from sqlglot import exp

from readiness_pipelines.lineage.influences import NOTHING, How, Influences, as_decision, as_value, together
from readiness_pipelines.lineage.queries.scope import NameScope, Relation

Resolver = Callable[[exp.Expression, NameScope], Relation]
"""What a query within an expression gives."""

_CHOOSING = (exp.ArgMax, exp.ArgMin)
"""Aggregates that give a value of their first argument, where the second is largest or smallest."""


def value(  # noqa: PLR0912  # one case for each kind of expression
    node: exp.Expression | None, scope: NameScope, query: Resolver
) -> Influences:
    """What the value of an expression is made of, and what decides about it.

    Args:
        node: The expression; nothing has no value.
        scope: What its names mean.
        query: Resolves queries within it.
    """
    match node:
        case None | exp.Literal() | exp.Boolean() | exp.Null() | exp.Star() | exp.DataType():
            return NOTHING
        case exp.Column():
            if isinstance(node.this, exp.Star):
                return NOTHING
            return scope.resolve([part.name for part in node.parts])
        case exp.Identifier():
            return NOTHING if node.name.lower() in scope.local else scope.resolve([node.name])
        case exp.PositionalColumn():
            shown = [made for _, made in scope.star()]
            at = int(node.this.name) - 1
            return shown[at] if at < len(shown) else scope.unknown or NOTHING
        case exp.Paren() | exp.Alias():
            return value(node.this, scope, query)
        case exp.Window():
            return _window(node, scope, query)
        case exp.Filter():
            deciding = as_decision(value(node.expression.this, scope, query), How.CONDITIONAL)
            return value(node.this, scope, query) | deciding
        case exp.WithinGroup():
            ordered = [one.this for one in node.expression.expressions]
            return as_value(_all([node.this, *ordered], scope, query), How.AGGREGATION)
        case exp.Order():
            keys = as_decision(_all([one.this for one in node.expressions], scope, query), How.SORT)
            return value(node.this, scope, query) | keys
        case exp.Case():
            return _case(node, scope, query)
        case exp.If():
            chosen = _all([node.args.get("true"), node.args.get("false")], scope, query)
            return as_value(chosen) | as_decision(value(node.this, scope, query), How.CONDITIONAL)
        case exp.Subquery() | exp.Select() | exp.SetOperation():
            found = query(node, scope.inner())
            return as_value(found.all) | found.rows
        case exp.Exists():
            found = query(node.this, scope.inner())
            return as_decision(found.rows, How.CONDITIONAL)
        case exp.In():
            asked = node.args.get("query")
            listed = [node.this, *node.expressions, node.args.get("unnest")]
            within = value(asked, scope, query) if asked is not None else NOTHING
            return as_value(_all(listed, scope, query) | within)
        case exp.Lambda():
            names = frozenset(one.name.lower() for one in node.expressions)
            return value(node.this, scope.with_local(names), query)
        case exp.Comprehension():
            names = frozenset(one.name.lower() for one in _several(node.args.get("expression")))
            inner = scope.with_local(names)
            kept = as_decision(value(node.args.get("condition"), inner, query), How.CONDITIONAL)
            return as_value(value(node.args.get("iterator"), scope, query) | value(node.this, inner, query)) | kept
        case exp.Dot():
            return as_value(value(node.this, scope, query))
        case exp.PropertyEQ():
            return as_value(value(node.expression, scope, query))
        case _ if isinstance(node, _CHOOSING):
            by = as_decision(value(node.expression, scope, query), How.SORT)
            return as_value(value(node.this, scope, query), How.AGGREGATION) | by
        case exp.AggFunc():
            return as_value(_all(_parts(node), scope, query), How.AGGREGATION)
        case _:
            return as_value(_all(_parts(node), scope, query))


def is_aggregate(node: exp.Expression) -> bool:
    """Whether an expression aggregates rows itself, outside of queries and windows within it."""
    if isinstance(node, exp.Window | exp.Subquery | exp.Select):
        return False
    return isinstance(node, exp.AggFunc | exp.Filter) or any(map(is_aggregate, _parts(node)))


def _window(node: exp.Window, scope: NameScope, query: Resolver) -> Influences:
    specs: list[exp.Expression] = [node]
    name = node.args.get("alias")
    select = node.find_ancestor(exp.Select)
    if name is not None and select is not None:
        specs += [one for one in select.args.get("windows") or () if one.this.name.lower() == name.name.lower()]
    deciding: list[exp.Expression | None] = []
    for spec in specs:
        order, frame = spec.args.get("order"), spec.args.get("spec")
        deciding += [*spec.args.get("partition_by", ()), *((one.this for one in order.expressions) if order else ())]
        if frame is not None:
            deciding += [
                one for one in (frame.args.get("start"), frame.args.get("end")) if isinstance(one, exp.Expression)
            ]
    by = as_decision(_all(deciding, scope, query), How.WINDOW)
    return as_value(value(node.this, scope, query)) | by


def _case(node: exp.Case, scope: NameScope, query: Resolver) -> Influences:
    branches = node.args.get("ifs") or []
    chosen = _all([*(one.args.get("true") for one in branches), node.args.get("default")], scope, query)
    deciding = _all([node.this, *(one.this for one in branches)], scope, query)
    return as_value(chosen) | as_decision(deciding, How.CONDITIONAL)


def _all(nodes: Iterable[exp.Expression | None], scope: NameScope, query: Resolver) -> Influences:
    return together(value(node, scope, query) for node in nodes)


def _parts(node: exp.Expression) -> Iterator[exp.Expression]:
    """The expressions that one is made of, but for names of functions, types and units."""
    for name, given in node.args.items():
        for one in _several(given):
            if isinstance(one, exp.Expression) and not isinstance(one, exp.Var | exp.DataType):
                if name == "this" and isinstance(one, exp.Identifier):
                    continue
                yield one


def _several(given: object) -> list[exp.Expression]:
    return list(given) if isinstance(given, list | tuple) else [given]  # type: ignore[list-item]  # what sqlglot keeps
