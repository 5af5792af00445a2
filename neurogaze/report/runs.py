"""Which training is behind a result, where several folders hold the same arm and seed."""

from __future__ import annotations

from collections.abc import Sequence

from neurogaze.evaluation.results import ResultRow

Model = tuple[tuple[str, ...], int]


def runs(rows: Sequence[ResultRow]) -> list[str]:
    """The training behind each row, as "seed 1, run 2"; "" where no seed of its arm has several.

    The same trainings are behind all data sets, splits and label rules of an arm. Hashes move with
    the seed, so that a training is told from another of its seed only.
    """
    trained: dict[tuple[str, ...], dict[int, list[Model]]] = {}
    own = []
    for row, model in zip(rows, _models(rows), strict=True):
        models = trained.setdefault(_trained_as(row), {}).setdefault(row.seed, [])
        if model not in models:
            models.append(model)
        own.append(models.index(model) + 1)
    several = {arm for arm, seeds in trained.items() if any(len(m) > 1 for m in seeds.values())}
    return [
        f"seed {row.seed}, run {number}" if _trained_as(row) in several else ""
        for row, number in zip(rows, own, strict=True)
    ]


def _trained_as(row: ResultRow) -> tuple[str, ...]:
    return (row.experiment, row.protocol, row.arm)


def _models(rows: Sequence[ResultRow]) -> list[Model]:
    """What was judged, by settings, weights and grid, and how often it was judged otherwise.

    Results of earlier versions name no weights: from the row on that says another number of the
    same, they are of another training.
    """
    told: set[tuple[Model, tuple[str, ...]]] = set()
    times: dict[tuple[str, ...], int] = {}
    found = []
    for row in rows:
        same = (*_trained_as(row), str(row.seed), row.config_hash, row.grid_hash)
        place = (row.dataset, row.split, row.label_rule, row.metric)
        if ((same, times.get(same, 0)), place) in told:
            times[same] = times.get(same, 0) + 1
        model = same, times.get(same, 0)
        told.add((model, place))
        found.append(model)
    return found
