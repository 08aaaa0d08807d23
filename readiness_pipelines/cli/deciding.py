"""Decisions kept together, with one replay where it is wanted; or what they would do, looked at first."""

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.draft_tables import show_outcome
from readiness_pipelines.cli.output import AsJson, count_of, print_json, say, say_next
from readiness_pipelines.cli.replay import replay_refs
from readiness_pipelines.commands import approve_command, replay_command
from readiness_pipelines.delivery import Draft, KeptTogether, decide_together
from readiness_pipelines.delivery import dry_run as run_dry
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.drafts import kept_value, outcome_value


def keep_draft(
    draft: Draft,
    reason: str,
    installation: Installation,
    *,
    who: str | None,
    dry_run: bool,
    replay: bool,
    as_json: AsJson,
) -> None:
    """Keep a draft's decisions, all or none, and replay the batch where that is wanted; or show what they would do.

    Args:
        draft: The decisions.
        reason: Why.
        installation: Where they are kept.
        who: Who decides, as they say; ``None`` for the user of this machine.
        dry_run: Whether nothing is kept.
        replay: Whether the batch is replayed at once.
        as_json: For programs.
    """
    run = Run(who=who_types(who))
    if dry_run:
        outcome = run_dry(draft, installation=installation, run=run, kpis=True)
        if as_json:
            print_json(outcome_value(outcome))
        else:
            show_outcome(outcome, draft.table)
        return
    kept = decide_together([draft], why=reason, installation=installation, run=run)
    following = approve_command(draft.ref, kept.second_person[0]) if kept.second_person else replay_command(draft.ref)
    if as_json:
        value = kept_value(kept)
        if not replay:
            print_json({**value, "next": following})
            return
        replay_refs(draft.table, [draft.ref], reason, installation, run, as_json=True, beside=value)
        return
    _say_kept(draft, kept, run)
    if replay:
        replay_refs(draft.table, [draft.ref], reason, installation, run, as_json=False)
    else:
        say_next(following)


def _say_kept(draft: Draft, kept: KeptTogether, run: Run) -> None:
    for one in kept.decisions:
        touched = "the batch" if one.rows is None else count_of(one.rows, "row")
        say(f"decision {one.decision.id}: {one.decision.verb} {one.decision.text} ({touched})")
    if kept.second_person:
        bound = draft.table.domain.second_person_over
        subject = "it touches" if len(kept.second_person) == 1 else "they touch"
        holds = "it holds" if len(kept.second_person) == 1 else "they hold"
        say(f"{subject} more than {bound:,} rows: {holds} once somebody else than {run.who} approves")
