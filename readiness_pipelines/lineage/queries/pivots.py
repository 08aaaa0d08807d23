"""What the columns of PIVOT and UNPIVOT are made of."""

from itertools import product

from sqlglot import exp

from readiness_pipelines.lineage.influences import NOTHING, How, Influences, as_decision, together
from readiness_pipelines.lineage.queries.expressions import Resolver, value
from readiness_pipelines.lineage.queries.scope import NameScope, Relation


def pivoted(node: exp.Pivot, scope: NameScope, query: Resolver) -> Relation:
    """What PIVOT or UNPIVOT makes of the relation in a scope."""
    return _unpivot(node, scope) if node.args.get("unpivot") else _pivot(node, scope, query)


def _pivot(node: exp.Pivot, scope: NameScope, query: Resolver) -> Relation:
    (_, relation), *_ = scope.items
    fields = node.args.get("fields")
    on = fields or node.expressions
    measured = node.expressions if fields else node.args.get("using") or []
    deciding = as_decision(
        together(value(one.this if isinstance(one, exp.In) else one, scope, query) for one in on), How.CONDITIONAL
    )
    cells = [(one, value(one, scope, query) | deciding) for one in measured] or [(None, deciding)]
    used = {column.name.lower() for one in (*on, *measured) for column in one.find_all(exp.Column)}
    group = node.args.get("group")
    if group is not None:
        kept = [(one.alias_or_name, value(one, scope, query)) for one in group.expressions]
    else:
        kept = [(name, made) for name, made in relation.columns if name.lower() not in used]
    rows = relation.rows | as_decision(together(made for _, made in kept), How.GROUP_BY)
    lists = [[_label(item) for item in one.expressions] if isinstance(one, exp.In) else None for one in on]
    if any(labels is None for labels in lists):
        return Relation(columns=kept, rows=rows, unknown=together(made for _, made in cells))
    columns = list(kept)
    for labels in product(*(labels or [] for labels in lists)):
        for measure, made in cells:
            columns.append((_name("_".join(labels), measure, several=len(cells) > 1), made))
    return Relation(columns=columns, rows=rows)


def _label(node: exp.Expression) -> str:
    return node.alias_or_name


def _name(label: str, measure: exp.Expression | None, *, several: bool) -> str:
    if isinstance(measure, exp.Alias):
        return f"{label}_{measure.alias}"
    return f"{label}_{measure.sql(dialect='duckdb')}" if several and measure is not None else label


def _unpivot(node: exp.Pivot, scope: NameScope) -> Relation:
    (_, relation), *_ = scope.items
    into, fields = node.args.get("into"), node.args.get("fields")
    if fields:
        names = [fields[0].this.name]
        values = [one.name for one in node.expressions]
        turned = [one.name for one in fields[0].expressions]
    else:
        names = [into.this.name] if into else ["name"]
        values = [one.name for one in into.expressions] if into else ["value"]
        turned = [column.name for one in node.expressions for column in one.find_all(exp.Column)]
        if any(one.find(exp.Star, exp.Columns) for one in node.expressions):
            turned = [name for name, _ in relation.columns]
    made: Influences = together(relation.column(name) or NOTHING for name in turned)
    lowered = {name.lower() for name in turned}
    columns = [(name, own) for name, own in relation.columns if name.lower() not in lowered]
    columns += [(name, NOTHING) for name in names] + [(name, made) for name in values]
    # Rows without a value are left out, unless it is said that they stay.
    rows = NOTHING if node.args.get("include_nulls") else as_decision(made, How.FILTER)
    return Relation(columns=columns, rows=relation.rows | rows)
