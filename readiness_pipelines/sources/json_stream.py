"""The records of a JSON array, one after the other: a document is never in memory as a whole."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from readiness_pipelines.sources.json_values import DECODER, RepeatedKeyError, check_nesting, nesting_error

_BLANK = re.compile(r"[ \t\n\r]*")
_CHARACTERS = 1 << 18
_LONGEST_WORD = 32
"""No word or escape of JSON is longer: an error farther from the end of what was read is not for want of the rest."""

_MORE = "there is more after its end"


class JsonSyntaxError(ValueError):
    """It is not JSON."""


class JsonTooLargeError(ValueError):
    """A value is larger than is allowed."""


class TooManyKeysError(ValueError):
    """An object on the way to the records has more keys than are allowed."""


class NoArrayError(ValueError):
    """There is no array where the records should be.

    Attributes:
        missing: The key of the path that is not there; ``None`` where it leads to something else than an array.
        known: The keys that are there, or of those the ones that hold arrays.
    """

    def __init__(self, missing: str | None, known: Sequence[str]) -> None:
        super().__init__("there is no array of records")
        self.missing = missing
        self.known = tuple(known)


class JsonText:
    """A JSON document that is read from its beginning to its end.

    Args:
        read: Gives the next so many characters; "" at the end.
        most_characters: The size of one value.
        most_nesting: Levels of arrays and objects within one value.
        most_keys: Keys of one object on the way to the records.
    """

    def __init__(self, read: Callable[[int], str], *, most_characters: int, most_nesting: int, most_keys: int) -> None:
        self._read = read
        self._most_characters = most_characters
        self._most_nesting = most_nesting
        self._most_keys = most_keys
        self._text = ""
        self._at = 0
        self._before = 0
        self._size = 0
        self._ended = False

    def records(self, path: Sequence[str]) -> Iterator[tuple[Any, int]]:
        """The elements of the array that keys lead to, and the size of each, in characters.

        Raises:
            NoArrayError: They lead to none.
            JsonSyntaxError: The document is not JSON, also after the array.
            JsonTooLargeError: A value is too large.
            NestingError: A value is nested too deep.
            RepeatedKeyError: An object has a key twice.
            TooManyKeysError: An object on the way has too many.
        """
        seen = [self._enter(key) for key in path]
        if self._look() != "[":
            arrays = self._arrays()
            if not path and self._look():
                raise self._wrong(_MORE)
            raise NoArrayError(None, arrays)
        yield from self._elements()
        for keys in reversed(seen):
            while self._take(",}") == ",":
                self._key(keys)
                self._skip()
        if self._look():
            raise self._wrong(_MORE)

    def _enter(self, key: str) -> set[str]:
        """Go to the value of a key of the object that comes next; its keys up to there."""
        seen: set[str] = set()
        if self._look() == "{":
            for found in self._keys(seen):
                if found == key:
                    return seen
                self._skip()
        raise NoArrayError(key, sorted(seen))

    def _arrays(self) -> list[str]:
        """The keys of the object that comes next that hold arrays."""
        found: list[str] = []
        if self._look() == "{":
            for key in self._keys(set()):
                if self._look() == "[":
                    found.append(key)
                self._skip()
        else:
            self._skip()
        return found

    def _skip(self) -> None:
        """Read past a value; of an array or object, one element at a time."""
        match self._look():
            case "[":
                for _ in self._elements():
                    pass
            case "{":
                for _ in self._keys(set()):
                    self._value()
            case _:
                self._value()

    def _elements(self) -> Iterator[tuple[Any, int]]:
        self._take("[")
        if self._look() == "]":
            self._take("]")
            return
        yield self._value(), self._size
        while self._take(",]") == ",":
            yield self._value(), self._size

    def _keys(self, seen: set[str]) -> Iterator[str]:
        """The keys of the object that comes next; the value of each must be read before the next is asked for."""
        self._take("{")
        if self._look() == "}":
            self._take("}")
            return
        yield self._key(seen)
        while self._take(",}") == ",":
            yield self._key(seen)

    def _key(self, seen: set[str]) -> str:
        if self._look() != '"':
            raise self._wrong("a key is missing")
        key: str = self._value()
        self._take(":")
        if key in seen:
            raise RepeatedKeyError(f"key {key!r} is there twice")
        if len(seen) >= self._most_keys:
            raise TooManyKeysError(f"an object of it has more than {self._most_keys:,} keys")
        seen.add(key)
        return key

    def _take(self, expected: str) -> str:
        found = self._look()
        if not found or found not in expected:
            raise self._wrong(f"{' or '.join(map(repr, expected))} is missing")
        self._at += 1
        return found

    def _look(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> Any:
        if not self._look():
            raise self._wrong("it ends too early")
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise nesting_error(self._most_nesting) from error
            except json.JSONDecodeError as error:
                unterminated = error.msg.startswith("Unterminated string")
                if self._ended or (not unterminated and error.pos < len(self._text) - _LONGEST_WORD):
                    raise self._wrong(error.msg, error.pos) from error
            else:
                # At the end of what was read, a number may go on.
                if end < len(self._text) or self._ended:
                    self._check_size(end - self._at)
                    check_nesting(value, self._most_nesting)
                    self._size, self._at = end - self._at, end
                    return value
            self._check_size(len(self._text) - self._at)
            self._more()

    def _check_size(self, characters: int) -> None:
        if characters > self._most_characters:
            raise JsonTooLargeError("a record of it is too large")

    def _more(self) -> bool:
        """Read on, twice as much as there is: a large value is not looked at too often."""
        rest = self._text[self._at :]
        self._before += self._at
        added = self._read(max(_CHARACTERS, len(rest)))
        if self._before == 0 and not rest:
            added = added.removeprefix("\ufeff")
        self._text, self._at, self._ended = rest + added, 0, not added
        return bool(added)

    def _wrong(self, why: str, at: int | None = None) -> JsonSyntaxError:
        place = self._before + (self._at if at is None else at) + 1
        return JsonSyntaxError(f"{why}, at character {place:,}")
