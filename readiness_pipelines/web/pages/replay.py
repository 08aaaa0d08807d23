"""Replay: how far one is that somebody wanted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.delivery.follow import readers_of
from readiness_pipelines.delivery.published import Published
from readiness_pipelines.errors import UnknownNameError
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import BatchRecord, ReplayRequest, RequestState
from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.numbers import whole_number
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.remembering import remember_name
from readiness_pipelines.web.rendering import page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.words import age_text, state_text

SLOW = timedelta(seconds=60)
"""What has not begun by then has probably nobody who begins it."""

MOST_STEPS = 40


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """A batch that is judged or computed again: where it stands, whether it is under way, whether it was done again."""

    ref: BatchRef
    record: BatchRecord | None
    running: bool
    again: bool


def show(request: Request, site: Site) -> Response:
    """A replay."""
    return page("replay", request, site, **_values(request, site))


def progress(request: Request, site: Site) -> Response:
    """How far it is, for a page that looks again."""
    return page("progress", request, site, **_values(request, site))


def again(request: Request, site: Site, form: Form) -> Response:
    """Want the same replay again: of one that broke, or that nobody began."""
    visitor, before = visitor_of(request, site), _find(request, site)
    who = acting(visitor, site, form.one("who"))
    ledger = site.installation.ledger
    if before.state is RequestState.OPEN:
        wanted = before  # nobody has begun it
    else:
        wanted = ledger.request_replay(before.ref, who=who, why=before.why, at=site.clock())
    site.start_replay(wanted.id)
    return remember_name(RedirectResponse(f"{site.root}/replays/{wanted.id}", 303), site, visitor, form)


def _find(request: Request, site: Site) -> ReplayRequest:
    number = request.path_params["request"]
    asked = whole_number(number)
    found = site.installation.ledger.replay_request(asked) if asked is not None else None
    if found is None or found.ref.table not in site.tables:
        raise UnknownNameError("replay", number, ())
    return found


def _values(request: Request, site: Site) -> dict[str, Any]:
    wanted = _find(request, site)
    ref, table = wanted.ref, site.tables[wanted.ref.table]
    readers = readers_of(ref, table, Published(site.installation.ledger))
    steps = list(_steps([ref, *readers[:MOST_STEPS]], wanted, site.installation))
    over = wanted.state in (RequestState.DONE, RequestState.FAILED)
    waits = site.clock() - wanted.at
    idle = not over and waits > SLOW and not any(one.running for one in steps)
    word, sentence = _words(wanted, steps[0], site)
    return {
        "wanted": wanted,
        "steps": steps,
        "over": over,
        "word": word,
        "sentence": sentence,
        "stuck": wanted.state is RequestState.FAILED or idle,
    }


def _steps(refs: list[BatchRef], wanted: ReplayRequest, installation: Installation) -> Iterator[ReplayedStep]:
    under_way = {one.ref for one in installation.ledger.open_attempts(tables={ref.table for ref in refs})}
    for ref in refs:
        record = installation.ledger.get(ref)
        done = record is not None and record.updated_at >= wanted.at
        yield ReplayedStep(ref, record, ref in under_way, done)


def _words(wanted: ReplayRequest, first: ReplayedStep, site: Site) -> tuple[str, str]:
    since = age_text(wanted.at, site.clock())
    match wanted.state:
        case RequestState.OPEN:
            return "waits", f"waits for its turn, since {since}."
        case RequestState.STARTED:
            return "running", f"is under way, since {since}."
        case RequestState.FAILED:
            return "failed", "broke. What was published before stays."
        case RequestState.DONE:
            word = state_text(first.record.state.value if first.record else None)
            return word, "judged again; what reads it was computed again where its inputs changed."
