"""Which batch a file is of, by its path: ``{batch}``, or the batch's begin spelled as ``strftime`` spells it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from readiness_pipelines.batches import Batches, Calendar

_PLACEHOLDER = re.compile(r"\{batch(?::([^{}]*))?\}")
_WILD = re.compile(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])")
_DIRECTIVE = re.compile(r"%-?.")
_KEY = "[A-Za-z0-9][^/]*?"
_DIRECTIVES = {
    **dict.fromkeys("mdHIMSyUWV", r"\d{1,2}"),
    **dict.fromkeys("YG", r"\d{4}"),
    **dict.fromkeys("bBaAp", r"[^\W\d_]+\.?"),
    **dict.fromkeys("uw", r"\d"),
    "j": r"\d{1,3}",
}
_PROBES = (0, 1, 2, 11, 13, 24, 36, 24 * 8, 24 * 32, 24 * 40, 24 * 366, 24 * 4000)
"""Hours after the first batch at which a spelling is tried."""


@dataclass(frozen=True, slots=True)
class BatchPattern:
    """A glob with places for the batch.

    Raises:
        ValueError: A path outside of the landing folder, or a spelling that cannot be read.
    """

    text: str

    def __post_init__(self) -> None:
        """Check it."""
        if self.text.startswith("/") or ".." in self.text.split("/"):
            raise ValueError(f"the pattern {self.text!r} must stay below the landing folder")
        if "{" in (rest := _PLACEHOLDER.sub("", self.text)) or "}" in rest:
            raise ValueError(f"the pattern {self.text!r} has a brace that is not of {{batch}} or {{batch:%Y-%m-%d}}")
        for spelling in self._spellings:
            directives = _DIRECTIVE.findall(spelling)
            if not directives:
                raise ValueError(f"{{batch:{spelling}}} has no directive such as %Y, %m, %d or %H")
            for directive in directives:
                if directive[-1] not in _DIRECTIVES and directive != "%%":
                    raise ValueError(f"{{batch:{spelling}}} has {directive}, which is not a part of a date and time")

    @property
    def names_batch(self) -> bool:
        """Whether a file's path tells its batch."""
        return _PLACEHOLDER.search(self.text) is not None

    def folder(self) -> str:
        """The folder that all files are below: what comes before the first wildcard and placeholder."""
        # A placeholder may have slashes of its own: {batch:%Y/%m/%d}.
        places = [found.start() for kind in (_WILD, _PLACEHOLDER) if (found := kind.search(self.text))]
        return self.text[: min(places, default=len(self.text))].rpartition("/")[0]

    def marker(self, text: str) -> "BatchPattern":
        """The pattern of the file that says that a batch is whole.

        Args:
            text: Its path below the landing folder; a name alone is one beside the batch's files, or in the batch's own
                folder where it has one.

        Raises:
            ValueError: A path outside of the landing folder, or a spelling that cannot be read.
        """
        if "/" in text:
            return BatchPattern(text)
        last = [place.span() for place in _PLACEHOLDER.finditer(self.text)][-1:]
        begin, end = last[0] if last else (len(self.text), len(self.text))
        own = self.text.find("/", end)
        folder = self.text[:own] if own >= 0 else self.text[:begin].rpartition("/")[0]
        return BatchPattern(f"{folder}/{text}" if folder else text)

    def reader(self, batches: Batches) -> Callable[[str], str | None]:
        """A function that gives the key of the batch that a file is of, by its path; ``None`` for none."""
        whole = re.compile(self._regex(_KEY))
        exact: dict[str, re.Pattern[str]] = {}

        def key_of(path: str) -> str | None:
            match = whole.fullmatch(path)
            if match is None:
                return None
            if not self._spellings:
                return match.groupdict().get("batch", "")
            key = self._key(match.groupdict(), batches)
            if key is None:
                return None
            # A file of a day that no batch begins at is not the file of the batch that the day lies in.
            if key not in exact:
                exact[key] = re.compile(self._exact(key, batches))
            return key if exact[key].fullmatch(path) else None

        return key_of

    def written(self, batch: str, batches: Batches) -> str:
        """The pattern with a batch in its places, for people to read."""
        return _PLACEHOLDER.sub(lambda place: _spelled(place[1], batch, batches), self.text)

    def spelled_alike(self, batches: Batches) -> str | None:
        """Why the spellings cannot tell a kind's batches from each other; ``None`` where they can."""
        if not self._spellings:
            return None
        first = batches.first_start()
        if first is None:
            return "only batches that follow a calendar have a time to be spelled: write {batch}"
        read = self.reader(batches)
        for hours in _PROBES:
            key = batches.key_at(first + timedelta(hours=hours))
            if key is None or batches.window(key) is None:
                continue
            path = _WILD.sub("x", self.written(key, batches)) if _WILD.search(self.text) else self.written(key, batches)
            if (other := read(path)) != key:
                return f"batch {key} is spelled {path!r}, which reads as {other or 'no batch'}"
        return None

    @property
    def _spellings(self) -> list[str]:
        return [place[1] for place in _PLACEHOLDER.finditer(self.text) if place[1] is not None]

    def _regex(self, key: str) -> str:
        seen: set[str] = set()
        return self._build(lambda spelling: _captures(spelling, key, seen))

    def _exact(self, batch: str, batches: Batches) -> str:
        return self._build(lambda spelling: re.escape(_spelled(spelling, batch, batches)))

    def _build(self, placeholder: Callable[[str | None], str]) -> str:
        pieces, at = [], 0
        for place in _PLACEHOLDER.finditer(self.text):
            pieces += [_glob(self.text[at : place.start()]), placeholder(place[1])]
            at = place.end()
        return "".join([*pieces, _glob(self.text[at:])])

    def _key(self, groups: dict[str, str], batches: Batches) -> str | None:
        parts = {name[2:]: value for name, value in groups.items() if name.startswith("d_")}
        # A week without its day is its Monday.
        if parts.keys() & {"U", "W", "V"} and not parts.keys() & {"u", "w", "a", "A"}:
            parts |= {"u": "1"} if "V" in parts else {"w": "1"}
        try:
            local = datetime.strptime(  # noqa: DTZ007  # the zone is the batches'
                " ".join(parts.values()), " ".join(f"%{name}" for name in parts)
            )
        except ValueError:
            return None
        try:
            return batches.key_at(local.replace(tzinfo=zone_of(batches)))
        except (OverflowError, ValueError):
            return None


def zone_of(batches: Batches) -> ZoneInfo:
    """The zone of the calendar that batches follow; UTC for other batches."""
    grid = batches.grid()
    return ZoneInfo(grid.timezone if isinstance(grid, Calendar) else "UTC")


def _captures(spelling: str | None, key: str, seen: set[str]) -> str:
    if spelling is None:
        again, seen_batch = "(?P=batch)", "batch" in seen
        seen.add("batch")
        return again if seen_batch else f"(?P<batch>{key})"
    pieces, at = [], 0
    for found in _DIRECTIVE.finditer(spelling):
        pieces.append(re.escape(spelling[at : found.start()]))
        at = found.end()
        name = found[0][-1]
        if name == "%":
            pieces.append("%")
        else:
            pieces.append(f"(?P=d_{name})" if name in seen else f"(?P<d_{name}>{_DIRECTIVES[name]})")
            seen.add(name)
    return "".join([*pieces, re.escape(spelling[at:])])


def _spelled(spelling: str | None, batch: str, batches: Batches) -> str:
    window = None if spelling is None else batches.window(batch)
    if spelling is None or window is None:
        return batch
    begin = window.start.replace(tzinfo=UTC).astimezone(zone_of(batches))
    return _DIRECTIVE.sub(lambda found: _part(begin, found[0]), spelling)


def _part(moment: datetime, directive: str) -> str:
    text = moment.strftime(f"%{directive[-1]}")
    # Only some systems' strftime knows "%-d".
    return (text.lstrip("0") or "0") if directive.startswith("%-") else text


def _glob(part: str) -> str:
    kinds = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = _WILD.split(part)
    return "".join(
        kinds.get(piece) or (_set(piece) if _WILD.fullmatch(piece) else re.escape(piece)) for piece in pieces
    )


def _set(piece: str) -> str:
    return f"[^{piece[2:]}" if piece.startswith("[!") else piece
