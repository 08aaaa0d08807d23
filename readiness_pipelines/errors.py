"""Every error this package raises on purpose, in one tree.

    ReadinessError
    ├── DeclarationError            a declaration, gate or setting was written wrong: fix the code, a retry cannot help
    │   ├── UnknownNameError        a name that is not there, with the nearest one that is
    │   └── GateBuildError          a schema that cannot become a gate, with the rule and the reason
    ├── RecordRefusedError          no file could hold it as a row: it is too large, or its keys cannot be told apart
    ├── RequestRefusedError         a request over HTTP that is not judged: no JSON, too much, too slow
    ├── ServingError                gates cannot be served over HTTP: the address is taken, or they cannot be loaded
    ├── NotAuthenticatedError       nothing proves who acts: log in, and act again
    ├── PlanOutdatedError           a plan that is not true any more: plan again
    ├── LandingError                what landed cannot be read: fix or re-send the file, then run the batch again
    │   ├── BatchNotLandedError     no file for the batch
    │   ├── BatchUnsettledError     its files are still arriving: run it again when they are quiet
    │   └── FileUnreadableError     a file cut off, mislabelled, or in an encoding that cannot be read
    ├── BatchHeldError              the gate said no: decide, then replay; a retry cannot help
    ├── UpstreamNotPublishedError   an input of a derived table or KPI has nothing published for the batch
    ├── LedgerError                 the ledger refuses a move, or cannot be reached
    │   └── LedgerBusyError         another session held the ledger too long: run it again (retryable)
    ├── RegisterKeyError            the key of the register of erased persons is missing, or another one
    ├── ErasureOpenError            traces of an erased person are left: the request stays open until they are gone
    ├── StreamError                 a stream cannot go on: its topic or broker is not as it must be
    │   ├── StreamFencedError       another process reads the shard now: this one ends (retryable)
    │   ├── StreamGapError          what follows the position is gone: nothing is skipped by itself
    │   │   ├── LandedChangedError  a landed table's rows were changed or deleted: they are in the tables already
    │   │   └── SlotLostError       a database's slot is gone, or went on without this stream
    │   └── TopicReplacedError      the topic is another one than the position was made on
    ├── EngineError                 the engine that should judge cannot be had, or broke: run it again (retryable)
    └── LakehouseError              the tables could not be read or written
        ├── CommitConflictError     another run published the same batch meanwhile: judge again (retryable)
        ├── CommitUnknownError      the commit's outcome is unknown: the next run of the batch settles it (retryable)
        └── LakehouseBusyError      another process held a turn too long: run it again (retryable)

An error says *what* happened, *which* thing it happened to, and the *way out* (a fix or the next command).
``retryable`` tells an orchestrator whether the same call can succeed later without anyone changing anything.
``code`` names the kind of error for people and programs: it stays the same when the words change, and docs/errors.md
has a section for each.
"""

import os
import re
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of printing it, and what turns the direction of text; not line breaks and tabs."""

TRACEBACK = "Traceback (most recent call last)"
"""How the message begins of an error that came out of Python, through a library that is not."""

SUGGESTED_NAMES = 10
"""How many known names a suggestion lists where none is near."""


class ReadinessError(Exception):
    """Base of all errors of this package.

    Args:
        what: One sentence: what went wrong, naming which table, batch, column, rule or file.
        way_out: The fix, or the next command to type. Empty where the sentence already says it.

    Attributes:
        code: The kind of error in one word; it never changes.
        retryable: Whether the same call can succeed later without anyone changing anything.
    """

    code: ClassVar[str] = "refused"
    retryable: bool = False

    def __init__(self, what: str, *, way_out: str = "") -> None:
        self.what = printable(what)
        self.way_out = printable(way_out)
        super().__init__(f"{self.what}\n  → {self.way_out}" if way_out else self.what)


class DeclarationError(ReadinessError):
    """A declaration, gate or setting was written wrong."""

    code: ClassVar[str] = "declaration"


class UnknownNameError(DeclarationError):
    """A name that is not known, with the nearest that is.

    Args:
        kind: What the name should name, in the singular ("batch", "table", "field of Kpi").
        name: The name as given.
        known: The names that would have been right; the nearest is suggested.
    """

    code: ClassVar[str] = "unknown-name"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown {kind} {name!r}", way_out=suggestion(name, self.known))


class GateBuildError(DeclarationError):
    """A schema that cannot become a gate."""

    code: ClassVar[str] = "gate-build"


class RecordRefusedError(ReadinessError):
    """A record that no file could hold as a row: too large, or its keys cannot be told apart."""

    code: ClassVar[str] = "record-refused"


class RequestRefusedError(ReadinessError):
    """A request over HTTP that is not judged: no JSON, too much at once, or too slow.

    Args:
        status: The HTTP status that says so.
    """

    code: ClassVar[str] = "request-refused"

    def __init__(self, status: int, what: str, *, way_out: str) -> None:
        super().__init__(what, way_out=way_out)
        self.status = status


class ServingError(ReadinessError):
    """Gates cannot be served over HTTP: the address is taken, or they cannot be loaded."""

    code: ClassVar[str] = "serving"


class NotAuthenticatedError(ReadinessError):
    """Nothing proves who acts, and something has to; or a token proves nothing, or somebody else."""

    code: ClassVar[str] = "not-authenticated"


class PlanOutdatedError(ReadinessError):
    """The code, or a batch, is not what it was when the plan was made."""

    code: ClassVar[str] = "plan-outdated"


class LandingError(ReadinessError):
    """What landed cannot be read."""

    code: ClassVar[str] = "landing"


class BatchNotLandedError(LandingError):
    """No file matches the batch's pattern."""

    code: ClassVar[str] = "batch-not-landed"


class BatchUnsettledError(LandingError):
    """A batch's files are still being written, or what says that they are whole is missing. Nothing was read."""

    code: ClassVar[str] = "batch-unsettled"


class FileUnreadableError(LandingError):
    """A landed file is cut off, mislabelled, or in an encoding that cannot be read."""

    code: ClassVar[str] = "file-unreadable"


class BatchHeldError(ReadinessError):
    """The gate held the batch: nothing of it was published, all of it waits in quarantine."""

    code: ClassVar[str] = "batch-held"


class UpstreamNotPublishedError(ReadinessError):
    """An input of a derived table or KPI has nothing published for the batch."""

    code: ClassVar[str] = "upstream-not-published"


class LedgerError(ReadinessError):
    """The ledger refuses a move, or cannot be reached."""

    code: ClassVar[str] = "ledger"


class LedgerBusyError(LedgerError):
    """Another session held the ledger for longer than a writer waits."""

    code: ClassVar[str] = "ledger-busy"
    retryable = True


class RegisterKeyError(ReadinessError):
    """The key of the register of erased persons is not there, or is another one: nobody can tell who was erased."""

    code: ClassVar[str] = "register-key"


class ErasureOpenError(ReadinessError):
    """A person was asked to be erased, and traces are left: the request stays open until they are gone."""

    code: ClassVar[str] = "erasure-open"


class StreamError(ReadinessError):
    """A stream cannot go on: its topic is not there, its broker does not answer, or not as it must."""

    code: ClassVar[str] = "stream"


class StreamFencedError(StreamError):
    """Another process reads the shard, or has gone on from where this one stands: this one must not write any more."""

    code: ClassVar[str] = "stream-fenced"
    retryable = True


class StreamGapError(StreamError):
    """What follows the stream's position is not there any more: messages, snapshots of a landed table, changes.

    Attributes:
        goes_on: Where the source goes on after it, for one that does not know by the offset; "" for others.
    """

    code: ClassVar[str] = "stream-gap"

    def __init__(self, what: str, *, way_out: str = "", goes_on: str = "") -> None:
        super().__init__(what, way_out=way_out)
        self.goes_on = goes_on


class LandedChangedError(StreamGapError):
    """A landed table does not grow alone: rows that it had were changed, deleted or rolled back."""

    code: ClassVar[str] = "landed-changed"


class TopicReplacedError(StreamError):
    """The topic was made anew since the stream's position was set: its offsets mean other messages."""

    code: ClassVar[str] = "topic-replaced"


class RegistryError(StreamError):
    """The schema registry does not answer: the stream waits for it, and passes over nothing."""

    code: ClassVar[str] = "schema-registry"
    retryable = True


class SlotLostError(StreamGapError):
    """The slot of a database's changes is gone, or went on without this stream: changes are lost."""

    code: ClassVar[str] = "slot-lost"


class EngineError(ReadinessError):
    """The engine that should judge a batch cannot be had, or broke on the way. Nothing was published."""

    code: ClassVar[str] = "engine"
    retryable = True


class LakehouseError(ReadinessError):
    """The tables could not be read or written."""

    code: ClassVar[str] = "lakehouse"


class DamagedTableError(LakehouseError):
    """What says which files a table has, its metadata or manifests, is not there or cannot be read."""

    code: ClassVar[str] = "damaged-table"

    def __init__(self, table: object, error: BaseException) -> None:
        super().__init__(
            f"the metadata of {table} cannot be read: {type(error).__name__}: {first_line(error)}",
            way_out="run again when its files can be read; what is damaged or missing has to come back from a backup",
        )


class CommitConflictError(LakehouseError):
    """Another run published the same batch meanwhile."""

    code: ClassVar[str] = "commit-conflict"
    retryable = True


class CommitUnknownError(LakehouseError):
    """The commit's outcome is unknown; nothing is lost, the next run of the batch settles it."""

    code: ClassVar[str] = "commit-unknown"
    retryable = True


class LakehouseBusyError(LakehouseError):
    """Another process held a turn, to commit to a table or to deliver a batch, for longer than is waited."""

    code: ClassVar[str] = "lakehouse-busy"
    retryable = True


def code_of_kind(name: str) -> str:
    """The code of the errors of a class, by its name; "" where no such class is known."""
    left = [ReadinessError]
    while left:
        kind = left.pop()
        if kind.__name__ == name:
            return kind.code
        left += kind.__subclasses__()
    return ""


def printable(text: str) -> str:
    """A text for people, which may hold names and values of strangers: control characters are written as escapes."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its type where it has none.

    Of a message that is another error's traceback, as DuckDB gives those of a driver in Python: what that error says.
    """
    lines = str(error).strip().splitlines()
    if lines and lines[0].startswith(TRACEBACK):
        lines = [line for line in lines[1:] if line and not line[0].isspace()]
    return lines[0] if lines else type(error).__name__


def raised_at(error: BaseException) -> str:
    """Where in somebody's own code an error was raised ("at page.py:7"); "" where it was not raised there."""
    here = f"{Path(__file__).parent}{os.sep}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith((here, "<"))
    ]
    return f"at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The way out of a wrong name: the nearest known one, or all of them where none is near.

    Args:
        name: The name as given.
        known: The names that would have been right.

    Returns:
        "did you mean 'x'?" or "known: 'a', 'b'" (the first `SUGGESTED_NAMES`), or "" when nothing is known.
    """
    names = sorted(set(known))
    if close := get_close_matches(name, names, n=1, cutoff=0.6):
        return f"did you mean {close[0]!r}?"
    if not names:
        return ""
    more = f" and {len(names) - SUGGESTED_NAMES} more" if len(names) > SUGGESTED_NAMES else ""
    return "known: " + ", ".join(repr(n) for n in names[:SUGGESTED_NAMES]) + more
