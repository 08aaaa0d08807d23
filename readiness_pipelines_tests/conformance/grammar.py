"""Compound expressions of Narwhals, as source, from a seed: conditions over columns of all types."""

from collections.abc import Mapping
from random import Random

import pyarrow as pa

from readiness_pipelines_tests.conformance.strategies import PATTERNS
from readiness_pipelines_tests.conformance.values import literal_of, literals_of

_COMPARISONS = ("==", "!=", ">", ">=", "<", "<=")
_AGGREGATES = ("mean", "sum", "min", "max", "median", "count", "null_count", "n_unique", "std", "len")
_ORDERED = ("shift(1)", "diff()", "cum_sum()", "cum_max()", "rank('min')", "rolling_mean(2, min_samples=1)")
_PARTS_OF_DAYS = ("year", "month", "day", "weekday", "ordinal_day")
_PARTS_OF_TIMES = ("hour", "minute", "second", "millisecond", "microsecond")
_DEPTH = 2


class Grammar:
    """Makes conditions over some columns.

    Args:
        chance: Where all choices come from.
        columns: The types of the columns.
    """

    def __init__(self, chance: Random, columns: Mapping[str, pa.DataType]) -> None:
        self._chance = chance
        self._columns = columns

    def condition(self, depth: int = _DEPTH) -> str:
        """A condition: a predicate of a column, or predicates joined."""
        if depth and self._chance.random() < 0.45:
            one, other = self.condition(depth - 1), self.condition(depth - 1)
            return self._pick(f"({one} & {other})", f"({one} | {other})", f"(~{one})")
        name = self._chance.choice(list(self._columns))
        return f"({self._predicate(name, depth)})"

    def _predicate(self, name: str, depth: int) -> str:
        kind, col = self._columns[name], f"nw.col({name!r})"
        if self._chance.random() < 0.1:
            return self._pick(
                f"{col}.is_null()", f"~{col}.is_null()", f"{col}.is_unique()", f"{col}.is_duplicated()",
                f"{col}.is_first_distinct()", f"{col}.is_last_distinct()", f"{col}.n_unique() > 2",
                f"{col}.null_count() <= 2", f"{col}.count() >= 3", f"{col}.is_null().any()",
            )  # fmt: skip
        if _is_number(kind):
            return self._of_numbers(name, depth)
        if pa.types.is_string(kind):
            return self._of_texts(name)
        if pa.types.is_boolean(kind):
            return self._pick(
                col, f"~{col}", f"{col} == True", f"{col}.all()", f"{col}.any()", f"{col}.fill_null(True)"
            )
        if pa.types.is_temporal(kind):
            return self._of_times(name)
        if pa.types.is_list(kind):
            return self._pick(
                f"{col}.list.len() > 1", f"{col}.list.contains(1)", f"{col}.list.get(0) >= 1", f"{col}.list.max() < 5"
            )
        if pa.types.is_struct(kind):
            return self._pick(f"{col}.struct.field('x') > 1", f"{col}.struct.field('y') == 'a'", f"~{col}.is_null()")
        return self._pick(f"{col}.is_null()", f"{col} == b'a'", f"{col}.is_unique()")

    def _of_numbers(self, name: str, depth: int) -> str:
        kind, value = self._columns[name], self._number(name, depth)
        literal = self._literal(name)
        choices = [
            *(f"{value} {self._chance.choice(_COMPARISONS)} {literal}" for _ in range(4)),
            *(f"{value} {self._chance.choice(_COMPARISONS)} {self._number(name, depth)}" for _ in range(2)),
            f"{value} {self._chance.choice(_COMPARISONS)} {self._aggregate(name)}",
            f"{self._aggregate(name)} {self._chance.choice(_COMPARISONS)} {literal}",
            f"{value}.is_between({literal}, {self._literal(name)}, closed={self._pick('both', 'left', 'none')!r})",
            f"nw.col({name!r}).is_in([{literal}, {self._literal(name)}])",
            f"({value} > {literal}).all()",
        ]
        if pa.types.is_floating(kind):
            choices += [f"{value}.is_nan()", f"{value}.is_finite()", f"{value}.fill_nan(0.0) > {literal}"]
        return self._chance.choice(choices)

    def _number(self, name: str, depth: int) -> str:
        col = f"nw.col({name!r})"
        if not depth or self._chance.random() < 0.4:
            return col
        # Large operands would only show that Arrow wraps around where the gate refuses, or has room.
        inner, literal = self._number(name, depth - 1), self._small(name)
        other = self._number(self._other_number(name), depth - 1)
        return self._pick(
            *(f"({inner} {sign} {literal})" for sign in "+-*/%"),
            *(f"({inner} {sign} {other})" for sign in "+-*/"),
            f"({inner} // {literal})", f"({inner} ** 2)", f"{inner}.abs()", f"{inner}.round(1)", f"{inner}.floor()",
            f"{inner}.ceil()", f"{inner}.clip(0, 3)", f"{inner}.fill_null({literal})", f"{inner}.sqrt()",
            f"{inner}.log()",
            f"{inner}.exp()", f"{inner}.cast(nw.Float64)", f"{inner}.cast(nw.Int64)", f"{inner}.cast(nw.Float32)",
            f"nw.when({col} > {literal}).then({inner}).otherwise({other})", f"nw.max_horizontal({inner}, {other})",
            f"nw.sum_horizontal({inner}, {other})", f"nw.coalesce({inner}, {other})", f"(-{inner})",
            *(f"{inner}.{ordered}" for ordered in self._chance.sample(_ORDERED, 1)),
            f"{inner}.{self._pick('max', 'mean', 'sum')}().over({self._key()!r})",
        )  # fmt: skip

    def _aggregate(self, name: str) -> str:
        return f"nw.col({name!r}).{self._chance.choice(_AGGREGATES)}()"

    def _of_texts(self, name: str) -> str:
        col, literal = f"nw.col({name!r})", self._literal(name)
        text = self._pick(
            col, col, f"{col}.str.to_uppercase()", f"{col}.str.to_lowercase()", f"{col}.str.strip_chars()",
            f"{col}.str.head(1)", f"{col}.str.tail(1)", f"{col}.str.slice(1)", f"{col}.str.replace_all('a', 'b')",
            f"{col}.str.zfill(3)", f"{col}.fill_null('a')", f"nw.concat_str({col}, {col})",
        )  # fmt: skip
        return self._pick(
            f"{text}.str.contains({self._chance.choice(PATTERNS)!r})", f"{text}.str.contains('.', literal=True)",
            f"{text}.str.starts_with({literal})", f"{text}.str.ends_with({literal})", f"{text} == {literal}",
            f"{text} >= {literal}", f"{text}.is_in([{literal}, {self._literal(name)}])",
            f"{text}.str.len_chars() {self._chance.choice(_COMPARISONS)} 2", f"{text}.max() > {literal}",
            f"{text}.cast(nw.Int64) > 1",
        )  # fmt: skip

    def _of_times(self, name: str) -> str:
        kind, col = self._columns[name], f"nw.col({name!r})"
        literal, compare = self._literal(name), self._chance.choice(_COMPARISONS)
        choices = [
            f"{col} {compare} {literal}",
            f"{col}.is_in([{literal}, {self._literal(name)}])",
            f"{col}.is_between({literal}, {self._literal(name)})",
            f"{col}.fill_null({literal}) {compare} {literal}",
            f"{col}.max() {compare} {literal}",
        ]
        if not pa.types.is_time(kind):
            choices += [
                f"{col}.dt.{part}() {compare} {part_of}"
                for part, part_of in zip(_PARTS_OF_DAYS, (2024, 3, 1, 5, 60), strict=True)
            ]
        if not pa.types.is_date(kind):
            choices += [f"{col}.dt.{part}() {compare} 23" for part in _PARTS_OF_TIMES]
        if pa.types.is_timestamp(kind):
            choices += [
                f"{col}.dt.truncate('1d') {compare} {literal}",
                f"{col}.dt.date() {compare} datetime.date(2024, 3, 1)",
                f"{col}.dt.offset_by('1h') {compare} {literal}",
                f"{col}.dt.timestamp('ms') > 0",
                f"({col} - {literal}).dt.total_seconds() > 0",
                f"{col}.dt.to_string('%H') == '23'",
            ]
        return self._chance.choice(choices)

    def _literal(self, name: str) -> str:
        kind = self._columns[name]
        return literal_of(kind, self._chance.choice(literals_of(kind)))

    def _small(self, name: str) -> str:
        kind = self._columns[name]
        return literal_of(kind, self._chance.choice(literals_of(kind)[:4]))

    def _other_number(self, name: str) -> str:
        return self._chance.choice([other for other, kind in self._columns.items() if _is_number(kind)] or [name])

    def _key(self) -> str:
        return self._chance.choice(list(self._columns))

    def _pick(self, *choices: str) -> str:
        return self._chance.choice(choices)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
