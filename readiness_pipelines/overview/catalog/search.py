"""Finding tables and products by what they are called, mean and hold, though it is spelled otherwise.

The index is made of the declarations alone, in memory, once for each set of domains: so there is one, whatever database
the ledger is in, it cannot be out of date, and nobody has to be granted an extension. What to rank by is how a word was
met (as it is, its plural, its beginning, a part of it, a slip of the finger) and where (in a name, among synonyms, in a
column's description): a database's own ranking knows neither.
"""

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest

from readiness_pipelines.contracts import Domain, GatedTable, Kpi, TrainingSet
from readiness_pipelines.contracts.models import model_served_by
from readiness_pipelines.errors import GateBuildError, UnknownNameError
from readiness_pipelines.gates.schema.columns import read_schema
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.catalog.entries import CatalogItem, kind_of, who_answers
from readiness_pipelines.overview.catalog.words import distance, fold, stem, trigrams, words_of

SHOWN_COLUMNS = 5
"""So many of the columns that matched are named."""

INDEXES_KEPT = 4
_LEAST_PART = 3
_LEAST_TYPO = 4
_TWO_TYPOS = 8
_CANDIDATES = 60


class Where(StrEnum):
    """Where a word was met."""

    NAME = "name"
    SYNONYM = "synonym"
    TAG = "tag"
    COLUMN = "column"
    DESCRIPTION = "description"
    COLUMN_DESCRIPTION = "column's description"
    PEOPLE = "people"
    DOMAIN = "domain"
    SOURCE = "source"


_WEIGHTS = {
    Where.NAME: 10.0,
    Where.SYNONYM: 9.0,
    Where.TAG: 6.0,
    Where.COLUMN: 5.0,
    Where.DOMAIN: 4.0,
    Where.PEOPLE: 4.0,
    Where.SOURCE: 4.0,
    Where.DESCRIPTION: 3.0,
    Where.COLUMN_DESCRIPTION: 2.0,
}
_AS_IT_IS, _PLURAL, _BEGINNING, _PART, _SLIP, _TWO_SLIPS = 1.0, 0.95, 0.8, 0.55, 0.6, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A table or product that was found.

    Attributes:
        table: Its identity.
        kind: ``gated``, ``derived``, ``features``, ``model``, ``kpi`` or ``training set``.
        description: For people.
        answers: Who answers for it.
        score: How well it matched: greater is better, and only among the hits of one search.
        where: Where the words were met, the most telling place first.
        columns: Columns that matched, the best first.
        missing: Words of the query that were met nowhere in it.
    """

    table: TableId
    kind: str
    description: str
    answers: str
    score: float
    where: tuple[Where, ...]
    columns: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(slots=True)
class CatalogIndex:
    """The words of some domains' tables, by which they are found. Made by `catalog_index`; read by several threads.

    Attributes:
        tables: The tables and training sets.
        met: The tables that each word was met in, by their place, with the weight of the most telling place there.
        stems: The words of each stem.
        parts: The words that have three letters in a row.
    """

    tables: tuple[CatalogItem, ...]
    met: dict[str, dict[int, float]] = field(default_factory=dict, repr=False)
    stems: dict[str, set[str]] = field(default_factory=dict, repr=False)
    parts: dict[str, set[str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Read all tables."""
        for place, table in enumerate(self.tables):
            for where, text, _ in _texts(table):
                weight = _WEIGHTS[where]
                for word in words_of(text):
                    known = self.met.setdefault(word, {})
                    if weight > known.get(place, 0):
                        known[place] = weight
        for word in self.met:
            self.stems.setdefault(stem(word), set()).add(word)
            for part in trigrams(word):
                self.parts.setdefault(part, set()).add(word)

    def search(self, query: str, *, limit: int = 20) -> tuple[SearchHit, ...]:
        """The tables in which all words of a query were met, best first; where there are none, most of the words.

        Args:
            query: Words, in any case, in one of several spellings; a part of a word will do.
            limit: How many at most.
        """
        alike = {word: self._alike(word) for word in _wanted(query)}
        scores: dict[int, dict[str, float]] = {}
        for word, meant in alike.items():
            for known, likeness in meant.items():
                places = self.met[known]
                rare = likeness * (1 + 0.1 * math.log(len(self.tables) / len(places)))
                for place, weight in places.items():
                    best = scores.setdefault(place, {})
                    if (score := rare * weight) > best.get(word, 0):
                        best[word] = score
        most = max(map(len, scores.values()), default=0)
        stems = {stem(word) for word in alike}
        found = (
            (-self._whole(place, stems) * sum(words.values()), self.tables[place].id, place)
            for place, words in scores.items()
            if len(words) == most
        )
        return tuple(_hit(self.tables[place], -score, alike) for score, _, place in nsmallest(limit, found))

    def _whole(self, place: int, stems: set[str]) -> float:
        """More for a name that is the query, whole, than for one that has it among other words."""
        return 1.5 if stems == set(map(stem, words_of(self.tables[place].name.replace("_", " ")))) else 1.0

    def _alike(self, word: str) -> Mapping[str, float]:
        """The known words that a word of a query may mean, each with how alike they are, 0 to 1."""
        found: dict[str, float] = dict.fromkeys(self.stems.get(stem(word), ()), _PLURAL)
        if word in self.met:
            found[word] = _AS_IT_IS
        shared: Counter[str] = Counter()
        pieces = trigrams(word)
        for piece in pieces:
            shared.update(self.parts.get(piece, ()))
        inner = [piece for piece in pieces if "\x02" not in piece and "\x03" not in piece]
        for known in self._holding(word, inner):
            likeness = _BEGINNING if known.startswith(word) else _PART
            found[known] = max(found.get(known, 0), likeness * (0.5 + 0.5 * len(word) / len(known)))
        allowed = 0 if len(word) < _LEAST_TYPO else 1 if len(word) < _TWO_TYPOS else 2
        if allowed and not any(likeness >= _PLURAL for likeness in found.values()):
            for known, _ in shared.most_common(_CANDIDATES):
                wrong = distance(word, known, most=allowed)
                if 0 < wrong <= allowed:
                    found[known] = max(found.get(known, 0), _SLIP if wrong == 1 else _TWO_SLIPS)
        return found

    def _holding(self, word: str, inner: Sequence[str]) -> Iterable[str]:
        """The known words that begin with a word or have it in them: a part of two letters counts at the beginning."""
        if len(word) < _LEAST_PART:
            begins = f"\x02{word}"
            return {known for piece, words in self.parts.items() if piece.startswith(begins) for known in words} | (
                {known for known in self.met if word in known} if not word.isascii() else set()
            )
        sets = [self.parts.get(piece, set()) for piece in inner]
        return {known for known in set.intersection(*sets) if word in known} if sets else ()


def _hit(table: CatalogItem, score: float, alike: Mapping[str, Mapping[str, float]]) -> SearchHit:
    """A table that was found, with where the words were met in it."""
    places: dict[Where, float] = {}
    columns: dict[str, float] = {}
    met: set[str] = set()
    for where, text, column in _texts(table):
        for known in words_of(text):
            for word, meant in alike.items():
                if known in meant:
                    met.add(word)
                    counts = meant[known] * _WEIGHTS[where]
                    places[where] = max(places.get(where, 0), counts)
                    if column:
                        columns[column] = columns.get(column, 0) + counts
    return SearchHit(
        table=table.id,
        kind=kind_of(table),
        description=table.description,
        answers=who_answers(table),
        score=round(score, 3),
        where=tuple(sorted(places, key=lambda where: -places[where])),
        columns=tuple(sorted(columns, key=lambda column: -columns[column])[:SHOWN_COLUMNS]),
        missing=tuple(word for word in alike if word not in met),
    )


_kept: "OrderedDict[tuple[tuple[int, int], ...], tuple[CatalogIndex, tuple[Domain, ...]]]" = OrderedDict()
_building = threading.Lock()


def catalog_index(domains: Iterable[Domain]) -> CatalogIndex:
    """The index of some domains; made when it is first asked for, and anew when a table was declared since.

    Args:
        domains: The domains.
    """
    given = tuple(domains)
    key = tuple((id(domain), len(domain.tables) + len(domain.training_sets)) for domain in given)
    with _building:
        if key not in _kept:
            tables = tuple(one for domain in given for one in (*domain.tables, *domain.training_sets))
            _kept[key] = CatalogIndex(tables), given  # the domains are kept, so that no other gets their ids
            while len(_kept) > INDEXES_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return _kept[key][0]


def search_catalog(query: str, domains: Iterable[Domain], *, limit: int = 20) -> tuple[SearchHit, ...]:
    """The tables and products that a query means, best first.

    Args:
        query: Words, in any case, in one of several spellings; a part of a word will do.
        domains: The domains to look in.
        limit: How many at most.
    """
    return catalog_index(domains).search(query, limit=limit)


def _wanted(query: str) -> tuple[str, ...]:
    """The words of a query; a name that is joined of words is looked for by these."""
    return tuple(dict.fromkeys(fold(word) for word in query.replace("_", " ").replace(".", " ").split() if fold(word)))


def _texts(table: CatalogItem) -> Iterable[tuple[Where, str, str]]:
    yield Where.NAME, table.name, ""
    yield Where.DOMAIN, f"{table.domain.name} {table.domain.description}", ""
    yield Where.DESCRIPTION, table.description, ""
    yield from ((Where.SYNONYM, text, "") for text in table.synonyms)
    yield from ((Where.TAG, text, "") for text in table.tags)
    yield Where.PEOPLE, f"{who_answers(table)} {table.domain.owner}", ""
    if isinstance(table, TrainingSet):
        for name in (table.label, *(column for _, columns in table.features.values() for column in columns)):
            yield Where.COLUMN, name, name
        return
    yield from ((Where.PEOPLE, one.name, "") for one in table.consumers)
    if (model := model_served_by(table)) is not None:
        yield Where.DESCRIPTION, f"{model.purpose} {model.limits}", ""
        yield Where.PEOPLE, model.approver, ""
        return  # the columns of what serves are alike in all models
    match table:
        case GatedTable():
            yield Where.SOURCE, table.source.origin, ""
        case Kpi():
            yield Where.DESCRIPTION, table.question, ""
            yield from ((Where.COLUMN, name, name) for name in table.by)
            return  # the columns of a KPI's values are alike in all of them
    with suppress(GateBuildError, UnknownNameError):  # such a table is found by all else: `readiness check` names it
        for column in read_schema(table.schema).columns:
            yield Where.COLUMN, column.label, column.label
            yield Where.COLUMN_DESCRIPTION, column.description, column.label
