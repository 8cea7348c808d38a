"""``recommend_route`` and ``policy_values``: what routing would have come to, and what to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Reader, Snapshot
from orb_learning.figures.results import ALL_HELD, Limit, Repo, Result, Text
from orb_learning.figures.routing_sentences import sentence_of

NO_DECISIONS = "No routing decision is known yet: docs/learning.md says what to log."


class PolicyValue(BaseModel):
    """A policy: what all decisions would have come to by it."""

    repo: Text | None = Field(description="The repository; null is all of them.")
    policy: Text = Field(description="The policy; logged is what is done today.")
    decision_count: int = Field(description="Decisions that it is valued by.")
    estimated_count: int = Field(description="Those whose chances were not recorded.")
    task_count: int = Field(description="Different tasks among them.")
    effective_count: float | None = Field(
        description="As many decisions would tell the same, had all taken the policy."
    )
    success: float | None = Field(description="The share that would have succeeded, 0 to 1.")
    success_lower: float = Field(description="Lower bound of its 95 % interval.")
    success_upper: float = Field(description="Upper bound of it.")
    cost: float | None = Field(description="Mean cost of a decision, US dollars.")
    cost_known_count: int = Field(description="Decisions that the costs are over.")
    capped_cost: float | None = Field(
        description="The same, of each run the part within routing_run_budget_usd."
    )
    cost_lower: float | None = Field(description="Lower bound of the capped cost; null: unsure.")
    cost_upper: float | None = Field(description="Upper bound of it.")
    utility: float | None = Field(
        description="Success less the capped cost over what a success is worth."
    )
    utility_lower: float | None = Field(description="Lower bound of it; null where unsure.")
    utility_upper: float | None = Field(description="Upper bound of it.")
    success_worth_usd: float = Field(description="What a success is worth here, US dollars.")
    has_enough_samples: bool = Field(description="False: the log does not tell, see reason.")
    reason: Text | None = Field(description="Why it does not tell, or its cost is to be doubted.")


class PolicyValues(Result):
    """What routing policies would have come to."""

    rows: list[PolicyValue] = Field(description="The policies, the greatest utility first.")


class Recommendation(BaseModel):
    """What to route by in a cell, a repository, or everywhere."""

    level: Literal["cell", "repository", "everything"] = Field(
        description="Of what it is: a repository, task type and complexity band; a repository; all."
    )
    repo: Text | None = Field(description="The repository; null is any.")
    task_type: Text | None = Field(description="The task type; null is any.")
    complexity_band: Text | None = Field(description="low, medium, high, unknown; null is any.")
    baseline: Text = Field(description="The policy that it is compared with.")
    recommended: Text | None = Field(description="The policy to prefer; null: keep the baseline.")
    plan: Text | None = Field(description="Its plan, such as small>large: large if small fails.")
    best_candidate: Text = Field(description="The policy with the greatest gain, sure or not.")
    reason: Text = Field(description="Why it is recommended, or not.")
    sentence: Text = Field(description="What to do, and the figures that it rests on.")
    confidence: float = Field(description="How sure the bounds are, over all policies together.")
    decision_count: int = Field(description="Decisions that it rests on.")
    task_count: int = Field(description="Different tasks among them.")
    decisions_needed: int | None = Field(
        description="Decisions from which the candidate would be recommended, if its gain stays so."
    )
    success_gain: float | None = Field(description="Success more than the baseline's, 0 to 1.")
    success_gain_lower: float | None = Field(description="Lower bound of it.")
    success_gain_upper: float | None = Field(description="Upper bound of it.")
    cost_gain: float | None = Field(description="US dollars a decision above the baseline's.")
    cost_gain_lower: float | None = Field(description="Lower bound of it.")
    cost_gain_upper: float | None = Field(description="Upper bound of it.")
    success_worth_usd: float = Field(description="What a success is worth here, US dollars.")
    highest_miss_rate: float | None = Field(
        description="Of a plan of several attempts: the share of missed failures from which on it "
        "is no better than the baseline."
    )


class Recommendations(Result):
    """What to route by."""

    rows: list[Recommendation] = Field(description="The widest first; none without decisions.")


class Route(Result):
    """What to route a task by."""

    sentence: Text = Field(description="What to do, and the figures that it rests on.")
    plan: Text | None = Field(
        description="The plan to take, of the narrowest row; null where no decision is known."
    )
    repo: Text | None = Field(description="The repository that was taken; null is unknown.")
    task_type: Text | None = Field(description="The task type that was taken; null is unknown.")
    complexity: int | None = Field(description="The score that was taken; null is unknown.")
    rows: list[Recommendation] = Field(description="What is known, the narrowest first.")


LIKE_LAST_TIME = """
select
    coalesce($repo, max(repo)) as repo,
    coalesce($type, max(task_type)) as task_type,
    coalesce($score::integer, max(complexity_score)) as complexity
from (
    select repo, task_type, complexity_score
    from executions
    where task_description = $text and ($repo is null or repo = $repo)
    order by timestamp desc, task_id
    limit 1
)
"""
RECOMMENDED = """
select advice.*, steps.highest_miss_rate
from rpt_routing_recommendations as advice
left join (
    select repo, policy, max(highest_miss_rate) as highest_miss_rate
    from rpt_escalations
    group by repo, policy
) as steps
    on advice.repo is not distinct from steps.repo and advice.best_candidate = steps.policy
"""
APPLIES = """
(advice.repo is null or advice.repo = coalesce($repo, 'unknown'))
and (advice.task_type is null or advice.task_type = coalesce($type, 'unknown'))
and case
    when advice.complexity_band is null then true
    when $score is null or advice.complexity_band = 'unknown'
        then $score is null and advice.complexity_band = 'unknown'
    else
        coalesce($score >= advice.complexity_from, true)
        and coalesce($score < advice.complexity_below, true)
end
"""
LEVEL = "array_position(['everything', 'repository', 'cell'], level)"

TaskText = Annotated[
    str | None, Field(description="The task, in the words that it is recorded by.")
]
RouteType = Annotated[
    str | None,
    Field(description="The task type; known from the description if left out.", max_length=10_000),
]
RouteRepo = Annotated[
    str | None,
    Field(
        description="The task's repository; known from the description if left out.",
        max_length=10_000,
    ),
]
Complexity = Annotated[
    int | None,
    Field(
        description="The complexity score, 0 to 100; known from the description if left out.",
        ge=0,
        le=100,
    ),
]


async def policy_values(reader: Reader, repo: Repo = None) -> PolicyValues:
    """Value routing policies from the log: success and cost, had all decisions been made by each.

    With their intervals, as of the last build. Means by tier do not tell it: routers send what is
    hard to large tiers.
    """

    def values(snapshot: Snapshot) -> PolicyValues:
        rows = snapshot.select(
            PolicyValue,
            "rpt_policy_values where repo is not distinct from $repo "
            "order by has_enough_samples desc, utility desc nulls last, policy",
            repo=repo,
        )
        return snapshot.result(PolicyValues, window=ALL_HELD, rows=rows)

    return await reader.read(values)


async def route_recommendations(
    reader: Reader, repo: Repo = None, limit: Limit = 200
) -> Recommendations:
    """Say what to route by, everywhere and in each repository and cell, as of the last build.

    A policy is recommended where its gain over the baseline is sure. Else the baseline stays, with
    the reason and what is still needed.
    """

    def recommendations(snapshot: Snapshot) -> Recommendations:
        return snapshot.result(
            Recommendations, window=ALL_HELD, rows=recommendation_rows(snapshot, repo, limit)
        )

    return await reader.read(recommendations)


def recommendation_rows(snapshot: Snapshot, repo: str | None, limit: int) -> list[dict[str, Any]]:
    """Return ``rpt_routing_recommendations``, the widest first, with a sentence a row."""
    rows = snapshot.rows(
        f"{RECOMMENDED} where $repo is null or advice.repo is null or advice.repo = $repo "
        f"order by {LEVEL}, advice.decision_count desc, advice.repo, advice.task_type, "
        "advice.complexity_band limit $limit",
        repo=repo,
        limit=limit,
    )
    return [_told(row) for row in rows]


async def recommend_route(
    reader: Reader,
    task_description: TaskText = None,
    repo: RouteRepo = None,
    task_type: RouteType = None,
    complexity: Complexity = None,
) -> Route:
    """Say by what plan of model tiers to route a task, with what it gains, and how sure that is.

    Of its repository, task type and complexity together, else of its repository, else of all. What
    is left out is taken from the newest execution of the same description. Where the log does not
    tell, the baseline stays, with what is still needed to know more.
    """

    def route(snapshot: Snapshot) -> Route:
        task = snapshot.row(
            LIKE_LAST_TIME, text=task_description, repo=repo, type=task_type, score=complexity
        )
        told = [
            _told(row)
            for row in snapshot.rows(
                f"{RECOMMENDED} where {APPLIES} order by {LEVEL} desc",
                repo=task["repo"],
                type=task["task_type"],
                score=task["complexity"],
            )
        ]
        sentence, plan = NO_DECISIONS, None
        if told:
            sentence, plan = told[0]["sentence"], told[0]["plan"] or told[0]["baseline"]
        return snapshot.result(
            Route, window=ALL_HELD, sentence=sentence, plan=plan, rows=told, **task
        )

    return await reader.read(route)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"sentence": sentence_of(row)}
