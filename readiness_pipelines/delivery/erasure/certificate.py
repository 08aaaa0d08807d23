"""What was done to erase a person, and the proof that it is done: for the trail, and for whoever asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from readiness_pipelines.delivery.erasure.erasing import Rewritten
from readiness_pipelines.delivery.erasure.scanning import ScanResult
from readiness_pipelines.ledger import Erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRemainder:
    """That somebody answers for what is left of a person.

    It is in landed files or tables that nothing here can write without her, or in reasons, which are kept for ever.

    Attributes:
        who: Who answers for it.
        why: The reason.
        what: What is left, a line each.
    """

    who: str
    why: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was done for one request.

    Attributes:
        erasure: The request's number.
        who: Who carried it out.
        why: The reason.
        ground: The legal ground.
        scopes: Where the person was erased.
        persons: The person, as the register knows it: keyed hashes.
        begun_at: When it was asked for, in UTC.
        ended_at: When this was written, in UTC.
        found: The rows that were found, by Iceberg table or landed files, and by batch or file.
        done: What was done to tables and files.
        scan: The search afterwards.
        accepted: What is left, and who answers for it; ``None`` where nobody accepted anything.
        not_searched_again: In how many places the last search by text found the person, where this one has no value.
    """

    erasure: int
    who: str
    why: str
    ground: str
    scopes: tuple[str, ...]
    persons: tuple[str, ...]
    begun_at: datetime
    ended_at: datetime
    found: Mapping[str, Mapping[str, int]]
    done: Rewritten
    scan: ScanResult
    accepted: AcceptedRemainder | None = None
    not_searched_again: int = 0

    @property
    def open_ends(self) -> tuple[str, ...]:
        """What is left to do, a line each: none where the person is gone, or somebody answers for what is left."""
        accepted = self.accepted.what if self.accepted is not None else ()
        hits = (f"{hit.place}: {hit.what}" for hit in self.scan.hits)
        left = dict.fromkeys([*_refused(self.done), *self.done.problems, *hits, *_not_searched(self)])
        return tuple(one for one in left if one not in accepted)

    @property
    def acceptable(self) -> tuple[str, ...]:
        """What of that somebody may accept.

        It is in landed files, which are their senders', in tables that are not declared any more, or in reasons.
        """
        folders = tuple(f"/{table.replace('.', '/')}/" for table in self.done.undeclared)
        hits = (
            f"{hit.place}: {hit.what}"
            for hit in self.scan.hits
            if hit.landed or hit.said or any(folder in hit.place for folder in folders)
        )
        return tuple(dict.fromkeys([*_refused(self.done), *hits]))

    def to_json(self) -> dict[str, Any]:
        """The certificate as plain values."""
        done = self.done
        return {
            "erasure": self.erasure,
            "who": self.who,
            "why": self.why,
            "ground": self.ground,
            "scopes": list(self.scopes),
            "persons": list(self.persons),
            "begun_at": self.begun_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "found": {place: dict(rows) for place, rows in self.found.items()},
            "batches": [str(ref) for ref in done.batches],
            "judged_again": list(map(str, done.judged_again)),
            "withdrawn": list(map(str, done.withdrawn)),
            "files": asdict(done.files),
            "decision_values": done.decision_values,
            "expired_snapshots": done.expired_snapshots,
            "removed_files": done.removed_files,
            "dropped_environments": list(done.environments),
            "scan": asdict(self.scan),
            "accepted": asdict(self.accepted) if self.accepted is not None else None,
            "not_searched_again": self.not_searched_again,
            "open": list(self.open_ends),
        }

    def to_markdown(self) -> str:
        """The certificate for people."""
        return (
            "\n".join([*_head(self), *_done(self), *_proof(self), *_accepted(self.accepted), *_open(self.open_ends)])
            + "\n"
        )


def certificate_of(
    request: Erasure,
    persons: Sequence[str],
    done: Rewritten,
    result: ScanResult,
    *,
    who: str,
    at: datetime,
) -> Certificate:
    """The certificate of a request, with what was found since it was begun."""
    return Certificate(
        erasure=request.id,
        who=who,
        why=request.why,
        ground=request.ground,
        scopes=request.scopes,
        persons=tuple(persons),
        begun_at=request.begun_at,
        ended_at=at,
        found=request.found,
        done=done,
        scan=result,
    )


def _head(of: Certificate) -> list[str]:
    return [
        f"# Erasure {of.erasure}",
        "",
        f"- asked for: {of.begun_at:%Y-%m-%d %H:%M:%S} UTC, carried out by {of.who}",
        f"- reason: {of.why}",
        *([f"- ground: {of.ground}"] if of.ground else []),
        f"- where: {', '.join(of.scopes)}",
        *(f"- person: HMAC-SHA256 {digest}" for digest in of.persons[:_MOST_SHOWN]),
        "",
    ]


_MOST_SHOWN = 20


def _done(of: Certificate) -> list[str]:
    rows = [
        (place, name, count) for place, counts in sorted(of.found.items()) for name, count in sorted(counts.items())
    ]
    done = of.done
    return [
        "## Done",
        "",
        *(["| place | batch or file | rows |", "| --- | --- | ---: |"] if rows else ["No rows were found."]),
        *(f"| {place} | {name} | {count:,} |" for place, name, count in rows),
        "",
        f"- batches written anew or computed again: {len(done.batches):,}",
        f"- computed batches withdrawn, because they are held now: {', '.join(map(str, done.withdrawn)) or 'none'}",
        f"- landed files written anew in this run: {', '.join(sorted(done.files.rewritten)) or 'none'}",
        f"- values of decisions erased: {done.decision_values:,}",
        f"- older snapshots expired: {done.expired_snapshots:,}; files removed: {done.removed_files:,}",
        f"- environments dropped: {', '.join(done.environments) or 'none'}",
        *(f"- to be erased at its origin as well: {one}" for one in done.files.elsewhere),
        "",
    ]


def _proof(of: Certificate) -> list[str]:
    scan = of.scan
    looked = (
        f"{scan.files:,} files of warehouse and landing folder ({scan.bytes:,} bytes) and {scan.ledger_rows:,} rows of "
        "the ledger, by the text of the value; and all columns that name persons, by their values"
        if scan.by_text
        else "all columns that name persons, by their values; not by text, which was not given, is short, "
        "or a number of few digits"
    )
    if scan.by_text and scan.in_columns_alone:
        looked += f"; {scan.in_columns_alone:,} values in the columns alone: short texts, and numbers of few digits"
    return ["## Proof", "", f"- searched: {looked}", f"- found: {len(scan.hits):,}", ""]


def _refused(done: Rewritten) -> Iterator[str]:
    return (f"{name}: {why}" for name, why in (*done.files.refused.items(), *done.undeclared.items()))


def _not_searched(of: Certificate) -> Iterator[str]:
    if of.not_searched_again:
        yield (
            f"the last search by the text of the value found it in {of.not_searched_again:,} places, and this one had "
            "no value: erase the person by it again, without --resume"
        )


def _accepted(accepted: AcceptedRemainder | None) -> list[str]:
    if accepted is None:
        return []
    return ["## Accepted", "", *(f"- {one}" for one in accepted.what), "", f"{accepted.who}: {accepted.why}", ""]


def _open(open_ends: Sequence[str]) -> list[str]:
    if not open_ends:
        return ["The request is done."]
    return [
        "## Open",
        "",
        *(f"- {one}" for one in open_ends),
        "",
        "The request stays open until none of these is left.",
    ]
