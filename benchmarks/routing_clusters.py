"""Whether clusters of like tasks would be a context to route by, on tasks that were held out.

The tasks of the public trials have names (play-zork, fix-git), which are embedded and clustered.
In 400 splits one half of the tasks has the best plan of each cluster chosen, with all its outcomes
known, and the other half is routed by its nearest cluster. Measured, in points of utility (success
less cost over $5): the mean above the best plan for all tasks of the same half, and the share of
splits that are better. So is the task's difficulty, as people judged it. Then the share of the
spread between tasks in a tier's success that the mean of the cluster explains on the other half.
Below 0, it says less than the mean of all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from benchmarks.figures import Figure
from benchmarks.routing_cases import BUDGET_USD, FIRST_MODELS, OTHER_MODELS, USD_PER_SUCCESS
from benchmarks.routing_worlds import PLANS, World, real_tasks, real_world
from benchmarks.scales import Scale
from orb_learning.embeddings import query_encoder

TITLE = "Clusters of tasks as a context"
MASS = 10
"""Tasks by which a cluster's value is drawn to that of all, as the models draw a cell's."""
Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def run(scale: Scale) -> Iterator[Figure]:
    splits = 400 if scale.name == "full" else 20
    encoder = query_encoder()
    for name, models in (("first models", FIRST_MODELS), ("other models", OTHER_MODELS)):
        world = real_world(models)
        texts = [task.replace("-", " ") for task in real_tasks(models)]
        vectors = np.array([encoder.encode(text) for text in texts], dtype=np.float64)
        contexts: dict[str, int | None] = {"difficulty": None}
        contexts |= {f"{count} clusters": count for count in (2, 4, 8)}
        for context, count in contexts.items():
            gains, explained = _splits(world, vectors, count, splits)
            yield Figure(f"{name}, {context}: utility gained", 100 * float(gains.mean()), "points")
            yield Figure(f"{name}, {context}: better splits", 100 * float((gains > 0).mean()), "%")
            share = 100 * float(explained.mean())
            yield Figure(f"{name}, {context}: spread of success explained", share, "%")


def _splits(world: World, vectors: Floats, count: int | None, splits: int) -> tuple[Floats, Floats]:
    """Return the utility gained on the other half, and the share explained, of each split."""
    utility = _utilities(world)
    success = world.success.mean(axis=2)
    gains, explained = np.zeros(splits), np.zeros(splits)
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(world))
        known, other = order[: len(order) // 2], order[len(order) // 2 :]
        if count is None:
            context = world.complexity
        else:
            centres, _ = kmeans2(vectors[known], count, minit="++", rng=rng)
            context = ((vectors[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        best = _drawn(utility, context, known, other).argmax(axis=1)
        gains[seed] = (
            utility[other, best].mean()
            - utility[other, utility[known].mean(axis=0).argmax()].mean()
        )
        model = _drawn(success, context, known, other)
        left = ((success[other] - model) ** 2).sum()
        explained[seed] = 1 - left / ((success[other] - success[known].mean(axis=0)) ** 2).sum()
    return gains, explained


def _drawn(values: Floats, context: Places, known: Places, other: Places) -> Floats:
    """Return for the other tasks the mean of their context among the known, drawn to all's."""
    of_all = values[known].mean(axis=0)
    found = np.tile(of_all, (len(other), 1))
    for one in np.unique(context):
        inside = values[known][context[known] == one]
        found[context[other] == one] = (inside.sum(axis=0) + MASS * of_all) / (len(inside) + MASS)
    return found


def _utilities(world: World) -> Floats:
    """Return the utility of each plan for each task."""
    values = [world.within_budget(BUDGET_USD).by_task(plan) for plan in PLANS]
    return np.stack([success - cost / USD_PER_SUCCESS for success, cost in values], axis=1)
