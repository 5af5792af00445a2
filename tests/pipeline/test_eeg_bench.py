"""A bench of EEG arms from file to table, stopped and taken up again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.eeg_bench import EegBench
from neurogaze.pipeline.eeg_settings import EegBenchSettings, load_eeg_bench
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

DATA = [flag for flag in TEACHER if flag.startswith("--data.")]
QUICK = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]


def tiny(**changes):
    settings = load_eeg_bench(EXPERIMENTS / "bench" / "dasps_loso.yaml")
    settings = replace(
        settings,
        data=(EXPERIMENTS / "data" / "synthetic_eeg.yaml").as_posix(),
        conditions={"": DATA},
        teachers={"electrodes": settings.teachers["electrodes"]},
        args=QUICK,
        seeds=[0, 1],
        permutations=3,
        refits={"electrodes": 2},
        workers=1,
    )
    return replace(settings, **changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    bench = EegBench(tiny(), folder / "run", folder / "store")
    return bench, bench.run(), folder


def test_every_arm_and_its_chance_stand_in_the_table(done):
    bench, page, _ = done
    table = page.with_name("results.md").read_text()
    for arm in ("majority", "clip\\_prior", "ridge", "logistic", "electrodes", "rbtransformer"):
        assert f"| {arm} |" in table
    rows = read_rows(bench.stages.root / "summary" / "results.jsonl")
    bands = {row.arm for row in rows if row.arm.startswith("chance")}
    assert bands == {
        "chance of electrodes (within_subject)",
        *(
            f"chance of {arm} (99 % band, {scheme})"
            for arm in ("ridge", "logistic")
            for scheme in ("within_subject", "joint_clip")
        ),
    }
    assert "99 % prediction band of 2 refits" in table


def test_the_table_holds_the_mean_over_seeds(done):
    bench, _, _ = done
    single = [
        next(
            row.value
            for row in read_rows(bench.stages.root / f"electrodes-seed{seed}" / "results.jsonl")
            if row.metric == "valence_ccc_trial"
        )
        for seed in (0, 1)
    ]
    assert single[0] != single[1]
    rows = read_rows(bench.stages.root / "summary" / "results.jsonl")
    mean = next(
        row
        for row in rows
        if row.arm == "electrodes (mean of 2 seeds)" and row.metric == "valence_ccc_trial"
    )
    assert mean.value == pytest.approx(np.mean(single), abs=1e-12)


def test_a_refit_is_judged_by_the_exchanged_ratings_it_learned(done):
    bench, _, _ = done
    true = read_predictions(bench.stages.root / "electrodes-seed0" / "predictions.parquet")
    refit = read_predictions(bench.stages.root / "electrodes-chance00" / "exchanged.parquet")
    assert refit["valence"].tolist() != true["valence"].tolist()
    for name in ("subject", "trial"):
        assert refit[name].tolist() == true[name].tolist()
    for _, own in refit.groupby("subject"):
        same = true[true["subject"] == own["subject"].iloc[0]]
        assert sorted(own["valence"]) == sorted(same["valence"])


def test_a_classifier_decides_and_has_no_ratings(done):
    bench, _, _ = done
    frame = read_predictions(bench.stages.root / "rbtransformer-seed0" / "predictions.parquet")
    assert frame["valence_pred"].isna().all()
    assert frame["arousal_score"].between(0, 1).all()
    decided = frame["arousal_high_pred"] == (frame["arousal_score"] > 0.5)
    assert decided.all()


def test_a_second_run_skips_everything_and_a_lost_pass_is_made_again(done):
    _, _, folder = done
    again = EegBench(tiny(), folder / "run", folder / "store")
    again.run()
    assert all(record.skipped for record in again.stages.records.values())
    lost = folder / "run" / "electrodes-chance01"
    before = json.loads((lost / "stage.json").read_text())["outputs"]
    (lost / "exchanged.jsonl").unlink()
    mended = EegBench(tiny(), folder / "run", folder / "store")
    mended.run()
    made = [name for name, record in mended.stages.records.items() if not record.skipped]
    assert made == ["electrodes-chance01"]
    assert json.loads((lost / "stage.json").read_text())["outputs"] == before


def test_conditions_have_stages_and_lines_of_their_own(tmp_path):
    conditions = {"snr 0": [*DATA, "--data.corpus.snr=0"], "snr 2": [*DATA, "--data.corpus.snr=2"]}
    settings = tiny(
        conditions=conditions, classifiers={}, refits={}, seeds=[0], baselines=["ridge"],
        seed_args=["--data.corpus.seed={seed}"],
    )  # fmt: skip
    bench = EegBench(settings, tmp_path / "run", tmp_path / "store")
    table = bench.run().with_name("results.md").read_text()
    assert "| condition | arm |" in table
    assert {"snr_0-electrodes-seed0", "snr_2-electrodes-seed0"} <= set(bench.stages.records)
    assert table.count("| snr 0 |") == 6, "two arms in two tables, two bands in the third"


def test_an_arm_with_a_split_of_its_own_is_refused(tmp_path):
    """Its row would be stamped with the split of the bench."""
    settings = tiny(
        classifiers={}, refits={}, seeds=[0], baselines=["ridge"],
        args=[*QUICK, "--data.split.seed=7"],
    )  # fmt: skip
    with pytest.raises(InputError, match=r"'electrodes'.*another split"):
        EegBench(settings, tmp_path / "run", tmp_path / "store").run()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"refits": {"bth": 20}}, "no arms"),
        ({"refits": {"electrodes": 1}}, "refit twice"),
        ({"baselines": []}, "are none"),
        ({"seeds": []}, "are none"),
        ({"seeds": [0, -1]}, "-1 is no seed"),
        ({"seeds": [3, 3]}, r"name \[3\] more than once"),
        ({"permutations": 0}, "permutations: is 0"),
        ({"workers": -1}, "workers: is -1"),
        ({"conditions": {"": [], "snr 1/2": []}}, "conditions: 'snr 1/2' makes no folder"),
        ({"conditions": {"a b": [], "a_b": []}}, "'a b' and 'a_b' would share a folder"),
        ({"teachers": {"baselines": []}, "refits": {}}, "arms: 'baselines' is the folder of"),
        ({"teachers": {"../up": []}, "refits": {}}, r"arms: '\.\./up' makes no folder"),
        ({"seed_args": ["--data.corpus.seed={sed}"]}, r"write \{seed\}"),
        ({"seed_args": ["--data.corpus.seed={}"]}, r"write \{seed\}"),
        ({"seed_args": ["--data.corpus.seed={seed"]}, r"write \{seed\}"),
    ],
)
def test_what_would_fail_hours_later_is_refused_at_once(wrong, said):
    with pytest.raises(InputError, match=said):
        tiny(**wrong)


def test_a_wrong_key_is_told(tmp_path):
    file = tmp_path / "bench.yaml"
    file.write_text("name: x\ntitle: y\ndata: z.yaml\nteachers: {}\nrefit: 3\n")
    with pytest.raises(InputError, match="refit"):
        load_eeg_bench(file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"data": (EXPERIMENTS / "data" / "synthetic_faces.yaml").as_posix()},
            r"data .*synthetic_faces\.yaml: is a FaceDataModule.*name an EEGDataModule",
        ),
        (
            {
                "data": (EXPERIMENTS / "data" / "synthetic_eeg.yaml").as_posix(),
                "conditions": {"": DATA},
            },
            r"teachers\.net: is a StudentTask.*name a TeacherTask",
        ),
    ],
)
def test_another_kind_is_told_before_the_baselines(tmp_path, changes, said):
    student = (EXPERIMENTS / "student.yaml").as_posix()
    settings = EegBenchSettings("x", "y", teachers={"net": [student]}, **changes)
    with pytest.raises(InputError, match=said):
        EegBench(settings, tmp_path / "run", tmp_path / "store").run()
    assert not (tmp_path / "run").exists()
