"""Files as text: decoded without loss, and examined once before anything is made of them."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from readiness_pipelines.sources.files import READ_ERRORS, SourceFile, Unpacking

_CHUNK_BYTES = 1 << 20
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF32_BE: "utf-32"}
_UNDECODABLE = re.compile("[\udc00-\udcff]")
_ESCAPE = "readiness_escape"
SHORT_LINE = _CHUNK_BYTES
"""Lines up to this size are not measured: looking for their ends in each chunk costs nothing."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Keep each byte that cannot be decoded as a lone surrogate, which no text has."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_ESCAPE, _escape)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What one pass over a text file's bytes tells.

    Attributes:
        decodable: Whether all can be decoded.
        quoted: Whether there is any quote.
        longest_line: The size of the longest line; 0 where all are shorter than `SHORT_LINE`.
    """

    decodable: bool
    quoted: bool
    longest_line: int


def check_encoding(name: str) -> str:
    """A codec's name, if Python knows it as one of text.

    Raises:
        ValueError: It does not.
    """
    try:
        b" ".decode(name, "ignore")
        codecs.getincrementaldecoder(name)(_ESCAPE).decode(b"")
    except (LookupError, UnicodeError):  # some know no other way than to break
        raise ValueError(f"unknown encoding {name!r}: write 'utf-8', 'latin-1', 'cp1252', 'utf-16' …") from None
    return name


def text_codec(encoding: str) -> str:
    """The codec to read with; UTF-8's reads past a byte order mark."""
    return "utf-8-sig" if is_utf8(encoding) else encoding


def is_utf8(encoding: str) -> bool:
    """Whether a codec is UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def open_text(file: SourceFile, encoding: str, *, newline: str = "") -> io.TextIOWrapper:
    """A file's text; its lines end as they end in the file, and bytes that cannot be decoded are kept."""
    return io.TextIOWrapper(file.open(), encoding=text_codec(encoding), errors=_ESCAPE, newline=newline)


def is_undecodable(text: str) -> bool:
    """Whether bytes of a text could not be decoded."""
    return not text.isascii() and _UNDECODABLE.search(text) is not None


def printable(text: str) -> str:
    """Text whose undecodable bytes are written as backslash escapes."""
    if text.isascii():
        return text
    return _UNDECODABLE.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)


def examine_text(file: SourceFile, encoding: str, *, quote: str = '"', line_ends: str = "\r\n") -> TextFacts:
    """Read a text file once, to know that it is whole before anything is made of it.

    Args:
        file: The file.
        encoding: Its encoding.
        quote: The quote that is looked for; "" for none.
        line_ends: The characters that end a line; "" where the file has no lines.

    Raises:
        FileUnreadableError: The compression is cut off or damaged, it unpacks too far, a line of it is too large, or
            the text is of another encoding throughout.
    """
    decoder = codecs.getincrementaldecoder(text_codec(encoding))()
    decodable, quoted, first = True, False, True
    mark, bytewise = quote.encode(), is_utf8(encoding)
    lines = _LineSizes(file, line_ends)
    for chunk in _chunks(file):
        if first and bytewise:
            _refuse_other_encodings(file, chunk)
        first = False
        text = chunk.decode("latin-1") if not decodable and not bytewise else ""
        if decodable:
            try:
                text = decoder.decode(chunk)
            except UnicodeError:
                decodable = False
            else:
                quoted = quoted or (quote != "" and (mark in chunk if bytewise else quote in text))
        if line_ends:
            lines.add(chunk if bytewise else text)
    if decodable:
        try:
            decoder.decode(b"", final=True)
        except UnicodeError:
            decodable = False
    return TextFacts(decodable=decodable, quoted=quoted, longest_line=lines.longest)


class _LineSizes:
    """The sizes of lines that go on over more than one chunk."""

    def __init__(self, file: SourceFile, ends: str) -> None:
        self._file = file
        self._ends = ends
        self._open = 0
        self.longest = 0

    def add(self, chunk: bytes | str) -> None:
        """Measure the lines of the next chunk.

        Raises:
            FileUnreadableError: One is too large.
        """
        ends = [(chunk.find(end), chunk.rfind(end)) for end in self._marks(chunk)]
        found = [both for both in ends if both[0] >= 0]
        self._note(self._open + (min(first for first, _ in found) if found else len(chunk)))
        self._open = len(chunk) - max(last for _, last in found) - 1 if found else self._open + len(chunk)

    def _marks(self, chunk: bytes | str) -> list[Any]:
        return [end.encode() if isinstance(chunk, bytes) else end for end in self._ends]

    def _note(self, size: int) -> None:
        limits = self._file.limits
        if size > limits.most_record_bytes:
            raise self._file.beyond(
                f"a line of it is larger than {limits.most_record_mb:g} MB",
                "most_record_mb",
                "check where its lines end",
            )
        if size > SHORT_LINE:
            self.longest = max(self.longest, size)


def encoding_shown(encoding: str) -> str:
    """An encoding as people write it."""
    return "UTF-8" if is_utf8(encoding) else encoding


def _chunks(file: SourceFile) -> Iterator[bytes]:
    try:
        measured = Unpacking(file)
        with file.open() as stream:
            while chunk := stream.read(min(_CHUNK_BYTES, file.limits.most_record_bytes)):
                measured.add(len(chunk))
                yield chunk
    except READ_ERRORS as error:
        raise file.damaged(error) from error


def _refuse_other_encodings(file: SourceFile, start: bytes) -> None:
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if encoding is not None:
        raise file.unreadable(f"it is {encoding.upper()}, not UTF-8", f'declare FileDrop(encoding="{encoding}")')
    if b"\0" in start:
        raise file.unreadable(
            "it is binary, or in another encoding, not UTF-8",
            'declare FileDrop(encoding=…), such as "utf-16-le", or its format',
        )
