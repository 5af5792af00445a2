"""Teachers, classifiers and baselines on held-out people, each beside its own chance.

Every arm is trained once a fold and seed; the same arm is then trained again on ratings that were
exchanged between rating events, which shows what it reaches by chance. A pass over all folds is one
stage, so a bench that was stopped goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from neurogaze import training
from neurogaze.artefacts import settings_hash, write_json
from neurogaze.errors import InputError
from neurogaze.evaluation import baselines, binary
from neurogaze.evaluation.binary import PROBABILITY_CUT
from neurogaze.evaluation.chance import permuted_table
from neurogaze.evaluation.identity import subject_accuracy
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.over_seeds import RATINGS_RULE
from neurogaze.evaluation.predictions import regresses, write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.eeg_settings import (
    BASELINES,
    Condition,
    EegBenchSettings,
    command_lines,
    conditions,
    context_of,
)
from neurogaze.pipeline.eeg_summary import (
    PREDICTIONS,
    REFIT_PREDICTIONS,
    REFIT_SCORES,
    SCORES,
    pass_folder,
    summarise,
)
from neurogaze.pipeline.fold_fits import FoldGuess, FoldJob, FoldPool, fold_pool
from neurogaze.pipeline.held_out import eeg_frame
from neurogaze.pipeline.looking_ahead import parsed
from neurogaze.pipeline.stages import Stages
from neurogaze.pipeline.steps import report_stage
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.teacher import TeacherTask

SPLIT = "split.json"


class EegBench:
    """One bench file, carried out under one folder.

    Args:
        settings: what to compare.
        root: folder of the bench.
        store: folder of cached features.
        console: where progress is told.
    """

    def __init__(
        self, settings: EegBenchSettings, root: Path, store: Path, console: Console | None = None
    ) -> None:
        self.settings, self.store = settings, store
        self.stages = Stages(root, console)

    def run(self) -> Path:
        """Carry out every stage that is not done; return the report's path.

        Raises:
            InputError: before the first stage, for faces, or an arm that is of another kind than
                the settings say.
        """
        found = list(conditions(self.settings, self.store))
        _refuse_other_tasks(self.settings, found[0])
        with fold_pool(self.settings.workers) as pool:
            for condition in found:
                self._baselines(condition)
                for arm in self.settings.arms:
                    self._pass(pool, condition, arm, None)
            for refit in range(max(self.settings.refits.values(), default=0)):
                for condition in found[:: len(self.settings.seeds)]:
                    for arm in self.settings.arms:
                        if refit < self.settings.refits.get(arm, 0):
                            self._pass(pool, condition, arm, refit)
        summarise(self.stages, self.settings, found)
        inputs = {name: record.content for name, record in self.stages.records.items()}
        return report_stage(self.stages, self.settings.title, inputs)

    def _baselines(self, condition: Condition) -> None:
        """Stages: baselines and the chance of the linear ones, once a condition and seed."""
        chosen, table = self.settings, condition.table
        what = {"baselines": chosen.baselines, "rule": chosen.rule}
        inputs = {"table": table.sha256, "split": condition.split.sha256}

        def action(folder: Path) -> None:
            rows: list[ResultRow] = []
            for name in track(chosen.baselines, "Baselines"):
                frame = baselines.predict(name, table, condition.split, chosen.rule, condition.seed)
                write_predictions(folder / f"{name}.parquet", frame)
                rows += self._scores(frame, condition, name, baselines.fallback_note(frame))
            if "subject_probe" in chosen.baselines:
                rows += subject_accuracy(
                    table, context_of(self.settings, condition, "subject probe")
                )
            write_rows(folder / SCORES, rows)
            condition.split.save(folder / SPLIT)

        outputs = [SCORES, SPLIT, *(f"{name}.parquet" for name in chosen.baselines)]
        name = f"{condition.prefix}{BASELINES}-seed{condition.seed}"
        self.stages.run(
            name, what | context_of(self.settings, condition, ""), inputs, action, outputs
        )

    def _scores(
        self, frame: pd.DataFrame, condition: Condition, arm: str, note: str = ""
    ) -> list[ResultRow]:
        """Result rows of the predictions of all folds."""
        context = context_of(self.settings, condition, arm)
        context["note"] = "; ".join(part for part in (note, context["note"]) if part)
        rows: list[ResultRow] = []
        if regresses(frame):
            rows = score_va(frame, context | {"label_rule": RATINGS_RULE})
        return rows + binary.score_binary(frame, context)

    def _pass(self, pool: FoldPool, condition: Condition, arm: str, refit: int | None) -> None:
        """Stage: one arm over all folds, on its true ratings or on exchanged ones."""
        jobs = list(self._jobs(pool, condition, arm, refit))
        parsed = [training.parse_fit(list(job.args)) for job in jobs[:: condition.split.n_folds]]
        what = {
            "fits": parsed,
            "permutation": refit,
            "scheme": self.settings.scheme,
            "rule": self.settings.rule,
            "context": context_of(self.settings, condition, arm),
        }
        inputs = {"table": condition.table.sha256, "split": condition.split.sha256}
        name = pass_folder(condition, arm, refit)
        predictions, scores = PREDICTIONS, SCORES
        if refit is not None:
            predictions, scores = REFIT_PREDICTIONS, REFIT_SCORES

        def action(folder: Path) -> None:
            guesses = list(track(pool.run(jobs), name, total=len(jobs)))
            _refuse_other_data(arm, guesses, condition)
            frame = self._frame(condition, arm, guesses, refit)
            write_predictions(folder / predictions, frame)
            config = settings_hash(parsed)
            rows = self._scores(frame, condition, arm)
            write_rows(folder / scores, [replace(row, config_hash=config) for row in rows])
            write_json(folder / "epochs.json", [guess.epochs for guess in guesses])

        self.stages.run(name, what, inputs, action, [predictions, scores])

    def _jobs(
        self, pool: FoldPool, condition: Condition, arm: str, refit: int | None
    ) -> Iterator[FoldJob]:
        """Jobs of a pass: all folds; a classifier does valence, then arousal."""
        for args in command_lines(self.settings, condition, arm, refit):
            for fold in range(condition.split.n_folds):
                yield FoldJob(tuple(args), fold, refit, self.settings.scheme, pool.threads)

    def _frame(
        self, condition: Condition, arm: str, guesses: Sequence[FoldGuess], refit: int | None
    ) -> pd.DataFrame:
        """Predictions of a pass, beside the ratings it was trained on."""
        table, split, rule = condition.table, condition.split, self.settings.rule
        if refit is not None:
            table = permuted_table(table, self.settings.scheme, refit)
        parts = []
        for fold in range(split.n_folds):
            own = guesses[fold :: split.n_folds]
            va = own[0].guess if len(own) == 1 else np.full((len(own[0].rows), 2), np.nan)
            part = eeg_frame(table, own[0].rows, va).assign(fold=fold)
            if len(own) > 1:
                for axis, guess in zip(VA_AXES, own, strict=True):
                    part[f"{axis}_score"] = guess.guess[:, 1]
                    part[f"{axis}_high_pred"] = (guess.guess[:, 1] > PROBABILITY_CUT).astype(float)
            parts.append(part)
        frame = binary.with_truth(pd.concat(parts, ignore_index=True), table, split, rule)
        return (
            frame
            if arm in self.settings.classifiers
            else binary.with_decisions(frame, table, split, rule)
        )


def _refuse_other_tasks(settings: EegBenchSettings, condition: Condition) -> None:
    """Refuse an arm whose files are not those of a teacher or a classifier, as its place asks."""
    kinds = {"teachers": TeacherTask, "classifiers": ClassifierTask}
    for arm in settings.arms:
        key = "teachers" if arm in settings.teachers else "classifiers"
        for args in command_lines(settings, condition, arm):
            of_kind(f"{key}.{arm}", parsed(f"{key}.{arm}", args).model, kinds[key])


def _refuse_other_data(arm: str, guesses: Sequence[FoldGuess], condition: Condition) -> None:
    """Refuse an arm whose own files gave it another split or other features than its row says."""
    known = (condition.split.sha256, condition.table.settings_hash)
    if any((guess.split, guess.features) != known for guess in guesses):
        raise InputError(
            f"arm {arm!r}",
            "was trained under another split or on other features than the data of the bench",
            "name split and features in the data file alone, and use a bench of its own for others",
        )
    for one, other in zip(guesses, guesses[condition.split.n_folds :], strict=False):
        if one.rows.tolist() != other.rows.tolist():
            found = "windows whose valence is known are not those whose arousal is"
            raise InputError(f"arm {arm!r}", found, "use a corpus with both ratings")
