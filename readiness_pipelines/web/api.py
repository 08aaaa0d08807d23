"""The same for programs: the JSON that the command line prints with ``--json``, by the same functions."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from readiness_pipelines.contracts import Domain
from readiness_pipelines.decisions import Approval, CellCorrection, Correction, Discarding, Undoing, Waiver, What
from readiness_pipelines.delivery import Draft, decide_together, dry_run
from readiness_pipelines.errors import DeclarationError, UnknownNameError
from readiness_pipelines.installation import Run
from readiness_pipelines.json_values.catalog import search_value, table_value
from readiness_pipelines.json_values.domain import domain_value, map_value
from readiness_pipelines.json_values.drafts import kept_value, outcome_value
from readiness_pipelines.json_values.history import history_value
from readiness_pipelines.json_values.incidents import incident_value, incidents_value
from readiness_pipelines.json_values.models import card_value, serving_value
from readiness_pipelines.json_values.status import status_value
from readiness_pipelines.json_values.text import json_text
from readiness_pipelines.json_values.today import today_value
from readiness_pipelines.json_values.waiting import held_value, waiting_value
from readiness_pipelines.ledger import ReplayRequest
from readiness_pipelines.models import model_card
from readiness_pipelines.overview import (
    batches_by_other_gates,
    broken_rules,
    catalog_entry,
    domain_map,
    guidance_for,
    guidance_of,
    history,
    quarantine_rows,
    reading_lines,
    scorecard_value,
    search_catalog,
    status,
    undeclared_tables,
    unusual_batches,
    waiting_batches,
    waiting_record,
    waiting_values,
    ways_out,
)
from readiness_pipelines.version import __version__
from readiness_pipelines.web.numbers import whole_number
from readiness_pipelines.web.pages.batch import ref_of
from readiness_pipelines.web.pages.decide import turn
from readiness_pipelines.web.pages.incident import find as find_incident
from readiness_pipelines.web.people import acting, visitor_of
from readiness_pipelines.web.site import Site

MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAddress:
    """What an address of the API gives.

    Attributes:
        path: The address below ``/api``, as Starlette's routes have it.
        give: Makes the value; what is sent is given to addresses that act.
        summary: What it is, for its documentation; the command that prints the same in backticks.
        query: Names of what may be asked for beside the path, and what they mean.
        acts: Whether it changes something, or tries to: it is sent to.
    """

    path: str
    give: Callable[..., Any]
    summary: str
    query: Mapping[str, str]
    acts: bool = False


def json_response(value: Any, status: int = 200) -> Response:
    """A value as the command line spells it."""
    return Response(json_text(value), status_code=status, media_type="application/json")


def _of(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _domains(request: Request, site: Site) -> Sequence[Domain]:
    name = request.path_params.get("domain")
    if name is None:
        return site.domains
    found = [one for one in site.domains if one.name == name]
    if not found:
        raise UnknownNameError("domain", name, [one.name for one in site.domains])
    return found


def _today(request: Request, site: Site) -> Any:  # noqa: ARG001  # as every answer
    return today_value(site.now.today())


def _scorecard(request: Request, site: Site) -> Any:
    scope = request.path_params.get("scope", "")
    return scorecard_value(site.now.scorecard(scope, identity_required=site.settings.identity.required))


def _models(_request: Request, site: Site) -> Any:
    ledger = site.installation.ledger.models
    return [serving_value(ledger.serving(model.id)) for domain in site.domains for model in domain.models]


def _model_card(request: Request, site: Site) -> Any:
    model = site.model(request.path_params["domain"], request.path_params["model"])
    number = whole_number(request.query_params.get("version", ""))
    return card_value(model_card(model, number, tables=site.tables, installation=site.installation, at=site.clock()))


def _catalog(request: Request, site: Site) -> Any:
    query = request.query_params.get("q", "")
    return search_value(query, search_catalog(query, site.domains))


def _catalog_table(request: Request, site: Site) -> Any:
    table = site.table(request.path_params["domain"], request.path_params["table"])
    facts = site.now.facts(table)
    return table_value(catalog_entry(table), facts, reading_lines(table.id, site.settings))


def _status(request: Request, site: Site) -> Any:
    domains, installation = _domains(request, site), site.installation
    tables = {table.id: table for domain in domains for table in domain.tables}
    publications = installation.ledger.publications(tables=tables)
    unusual = tuple(unusual_batches(tables, installation=installation, publications=publications))
    older = batches_by_other_gates(tables.values(), installation=installation)
    gone = undeclared_tables(domains, installation=installation)
    return _of([status_value(status(one, installation=installation), older, gone, unusual) for one in domains])


def _domain_list(request: Request, site: Site) -> Any:  # noqa: ARG001  # as every answer
    return list(map(domain_value, site.domains))


def _domain_maps(request: Request, site: Site) -> Any:
    return _of([map_value(one.name, domain_map(one)) for one in _domains(request, site)])


def _waiting(request: Request, site: Site) -> Any:  # noqa: ARG001  # as every answer
    return list(map(waiting_value, waiting_batches(site.tables.values(), installation=site.installation)))


def _held(request: Request, site: Site) -> Any:
    table, ref = ref_of(request, site)
    record = waiting_record(table, batch=ref.batch, installation=site.installation)
    with turn():
        counts, then = broken_rules(table, record, installation=site.installation)
    decisions = site.installation.ledger.decisions(ref)
    commands = ways_out(record, counts)
    guidance = guidance_of(table, now=site.clock())
    return held_value(table, record, counts, then=then, guidance=guidance, decisions=decisions, commands=commands)


def _rows(request: Request, site: Site) -> Any:
    table, ref = ref_of(request, site)
    text = request.query_params.get("limit", "20")
    limit = whole_number(text)
    if limit is None or not 0 < limit <= MOST_ROWS:
        raise DeclarationError(f"limit is {text!r}", way_out=f"give a number from 1 to {MOST_ROWS:,}")
    rule = request.query_params.get("rule")
    rows = quarantine_rows(table, batch=ref.batch, rule=rule, limit=limit, installation=site.installation)
    return list(waiting_values(table, rows))


def _history(request: Request, site: Site) -> Any:
    table, ref = ref_of(request, site)
    return history_value(history(table, batch=ref.batch, installation=site.installation))


def _incidents(request: Request, site: Site) -> Any:
    book = site.installation.ledger.incidents
    found = book.incidents(active=not request.query_params.get("all"))
    return incidents_value(found, book.messages(unsent=True))


def _incident(request: Request, site: Site) -> Any:
    one = find_incident(request, site)
    where = one.finding.table
    guidance = guidance_for(site.domains, [where], now=site.clock()).get(where)
    return incident_value(one, site.installation.ledger.incidents.events(incident=one.id), guidance)


def _replay(request: Request, site: Site) -> Any:
    number = request.path_params["request"]
    asked = whole_number(number)
    found = site.installation.ledger.replay_request(asked) if asked is not None else None
    if found is None:
        raise UnknownNameError("replay", number, ())
    return _request_value(found)


def _outcome(request: Request, site: Site, sent: Mapping[str, Any]) -> Any:
    table, ref = ref_of(request, site)
    draft = Draft(table=table, batch=ref.batch, decisions=_decisions(sent))
    run = Run(who=_who(request, site, sent), clock=site.clock)
    with turn():
        return outcome_value(dry_run(draft, installation=site.installation, run=run, kpis=True))


def _decide(request: Request, site: Site, sent: Mapping[str, Any]) -> Any:
    table, ref = ref_of(request, site)
    run = Run(who=_who(request, site, sent), clock=site.clock)
    draft = Draft(table=table, batch=ref.batch, decisions=_decisions(sent))
    why, replay = str(sent.get("why", "")), bool(sent.get("replay", True))
    with turn():
        kept = decide_together([draft], why=why, installation=site.installation, run=run, replay=replay)
    for one in kept.requests:
        site.start_replay(one.id)
    return {**kept_value(kept), "replays": list(map(_request_value, kept.requests))}


def _who(request: Request, site: Site, sent: Mapping[str, Any]) -> str:
    return acting(visitor_of(request, site), site, str(sent.get("who", "")))


def _request_value(one: ReplayRequest) -> dict[str, Any]:
    return {
        "replay": one.id,
        "table": str(one.ref.table),
        "batch": one.ref.batch,
        "state": one.state.value,
        "who": one.who,
        "why": one.why,
        "at": one.at.isoformat(),
        "run": one.run_id,
        "outcome": one.outcome,
    }


def _decisions(sent: Mapping[str, Any]) -> tuple[What, ...]:
    listed = sent.get("decisions")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise DeclarationError("no decisions are sent", way_out='send {"decisions": [{"kind": "waive", …}], "why": …}')
    return tuple(map(_decision, listed))


def _decision(sent: Mapping[str, Any]) -> What:
    where = sent.get("where") or None
    if not isinstance(where, str | None):
        raise DeclarationError("where is not text", way_out='send an expression, as "amount < 0"')
    try:
        match sent.get("kind"):
            case "correct" if "cells" in sent:
                cells = {
                    str(name): {str(int(row)): None if value is None else str(value) for row, value in some.items()}
                    for name, some in sent["cells"].items()
                }
                return CellCorrection(cells=cells, file="the API")
            case "correct":
                return Correction(column=str(sent["column"]), expression=str(sent["expression"]), where=where)
            case "waive":
                until = datetime.fromisoformat(sent["until"]) if sent.get("until") else None
                ends = until.replace(tzinfo=UTC) if until is not None and until.tzinfo is None else until
                return Waiver(rule=str(sent["rule"]), where=where, until=ends)
            case "discard":
                return Discarding(where=where)
            case "undo":
                return Undoing(decision=int(sent["decision"]))
            case "approve":
                return Approval(decision=int(sent["decision"]))
            case other:
                known = ("correct", "waive", "discard", "undo", "approve")
                raise UnknownNameError("kind of decision", str(other), known)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DeclarationError(
            f"a decision to {sent.get('kind')} lacks something, or has something else: {type(error).__name__}",
            way_out="see /api/openapi.json",
        ) from None


_BATCH = "/{domain}/{table}/{batch:path}"

API_ADDRESSES: tuple[ApiAddress, ...] = (
    ApiAddress(path="/today", give=_today, summary="How each product stands, the worst first", query={}),
    ApiAddress(path="/status", give=_status, summary="Where every batch stands: `readiness status --json`", query={}),
    ApiAddress(
        path="/status/{domain}",
        give=_status,
        summary="Where every batch of a domain stands: `readiness status DOMAIN --json`",
        query={},
    ),
    ApiAddress(
        path="/domains",
        give=_domain_list,
        summary="What is declared, by name: `readiness domain list --json`",
        query={},
    ),
    ApiAddress(
        path="/domains/{domain}", give=_domain_maps, summary="A domain: `readiness domain show --json`", query={}
    ),
    ApiAddress(
        path="/catalog",
        give=_catalog,
        summary="What some words find: `readiness catalog search --json`",
        query={"q": "the words"},
    ),
    ApiAddress(
        path="/catalog/{domain}/{table}",
        give=_catalog_table,
        summary="All that is known of a table: `readiness catalog show --json`",
        query={},
    ),
    ApiAddress(
        path="/scorecard", give=_scorecard, summary="How ready the data is: `readiness scorecard --json`", query={}
    ),
    ApiAddress(
        path="/scorecard/{scope}",
        give=_scorecard,
        summary="How ready a domain or product is: `readiness scorecard SCOPE --json`",
        query={},
    ),
    ApiAddress(path="/models", give=_models, summary="What serves where: `readiness model list --json`", query={}),
    ApiAddress(
        path="/models/{domain}/{model}",
        give=_model_card,
        summary="The card of a version of a model: `readiness model card MODEL --json`",
        query={"version": "its number; the champion's where none is given"},
    ),
    ApiAddress(path="/quarantine", give=_waiting, summary="What waits: `readiness quarantine list --json`", query={}),
    ApiAddress(
        path=f"/quarantine{_BATCH}",
        give=_held,
        summary="Why a batch waits: `readiness quarantine show --json`",
        query={},
    ),
    ApiAddress(
        path=f"/rows{_BATCH}",
        give=_rows,
        summary="The rows that wait, classified values redacted: `readiness quarantine rows --json`",
        query={"limit": f"how many, at most {MOST_ROWS:,}; 20 unless given", "rule": "only rows that break it"},
    ),
    ApiAddress(
        path=f"/history{_BATCH}", give=_history, summary="A batch's history: `readiness history --json`", query={}
    ),
    ApiAddress(
        path="/incidents",
        give=_incidents,
        summary="Incidents: `readiness incidents list --json`",
        query={"all": "also those that are over"},
    ),
    ApiAddress(
        path="/incidents/{incident}", give=_incident, summary="An incident: `readiness incidents show --json`", query={}
    ),
    ApiAddress(path="/replays/{request}", give=_replay, summary="How far a replay is", query={}),
    ApiAddress(
        path=f"/outcome{_BATCH}",
        give=_outcome,
        summary="What decisions would do: `readiness quarantine correct --dry-run --json`",
        query={},
        acts=True,
    ),
    ApiAddress(
        path=f"/decisions{_BATCH}",
        give=_decide,
        summary="Keep decisions, all or none, and replay the batch once: `readiness quarantine correct --json`",
        query={},
        acts=True,
    ),
)


def openapi(site: Site) -> dict[str, Any]:
    """The API's own description, in OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for answer in API_ADDRESSES:
        path = f"/api{answer.path}".replace(":path}", "}")
        names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        parameters = [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names),
            *(
                {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}
                for name, words in answer.query.items()
            ),
        ]
        operation: dict[str, Any] = {
            "summary": answer.summary,
            "operationId": f"{'post' if answer.acts else 'get'}{re.sub('[^a-z]+', '_', path.removeprefix('/api'))}",
            "parameters": parameters,
            "responses": {
                "200": {"description": "The value", "content": {"application/json": {"schema": {}}}},
                "default": {
                    "description": "What went wrong, and the way out",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
            },
        }
        if answer.acts:
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}},
            }
        paths[path] = {"post" if answer.acts else "get": operation}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "readiness",
            "version": __version__,
            "description": "What the command line prints with --json, by the same functions.",
        },
        "servers": [{"url": site.root or "/"}],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


_TEXT = {"type": "string"}
_SCHEMAS: Mapping[str, Any] = {
    "Error": {
        "type": "object",
        "required": ["error", "code", "way_out"],
        "properties": {"error": _TEXT, "code": _TEXT, "way_out": _TEXT},
    },
    "Draft": {
        "type": "object",
        "required": ["decisions"],
        "properties": {
            "decisions": {"type": "array", "items": {"$ref": "#/components/schemas/Decision"}},
            "why": _TEXT,
            "who": {"type": "string", "description": "Who decides, where nothing proves it"},
            "replay": {"type": "boolean", "default": True},
        },
    },
    "Decision": {
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"enum": ["correct", "waive", "discard", "undo", "approve"]},
            "column": _TEXT,
            "expression": _TEXT,
            "where": _TEXT,
            "cells": {"type": "object", "description": "Values by _row, by column"},
            "rule": _TEXT,
            "until": {"type": "string", "format": "date-time"},
            "decision": {"type": "integer"},
        },
    },
}
