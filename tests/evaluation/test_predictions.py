"""Predictions files: what comes back, and what is refused and how it is named."""

import numpy as np
import pandas as pd
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation import predictions
from neurogaze.evaluation.predictions import (
    EEG_COLUMNS,
    FACE_COLUMNS,
    VOTE_COLUMNS,
    face_arrays,
    face_units,
    read_predictions,
    va_arrays,
    vote_array,
    write_predictions,
)


def face_frame(n: int = 6) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    chances = generator.dirichlet(np.ones(8), n)
    text = {
        "id": [f"{i:04d}" for i in range(n)],
        "dataset": "toy",
        "split": "valid",
        "label": [EMOTIONS[i % 8] for i in range(n)],
        "group": [f"g{i // 2}" for i in range(n)],
    }
    probabilities = {f"p_{name}": chances[:, i] for i, name in enumerate(EMOTIONS)}
    return pd.DataFrame({**text, **probabilities})


def eeg_frame(n: int = 6) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "corpus": "toy",
            "subject": [f"0{i // 2}" for i in range(n)],
            "clip": "1",
            "event": [f"e{i // 2}" for i in range(n)],
            "trial": [f"t{i // 2}" for i in range(n)],
            "start": [4.0 * (i % 2) for i in range(n)],
        }
    )
    numbers = generator.uniform(-1, 1, (n, 4))
    frame[list(EEG_COLUMNS[6:])] = numbers
    return frame


def test_the_columns_are_those_of_the_contract():
    assert FACE_COLUMNS[:5] == ("id", "dataset", "split", "label", "group")
    assert FACE_COLUMNS[5:7] == ("p_neutral", "p_happiness")
    assert FACE_COLUMNS[-1] == "p_contempt"
    assert len(FACE_COLUMNS) == 13
    assert EEG_COLUMNS == (
        "corpus", "subject", "clip", "event", "trial", "start",
        "valence", "arousal", "valence_pred", "arousal_pred",
    )  # fmt: skip


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("make", [face_frame, eeg_frame])
def test_a_table_survives_the_file(tmp_path, suffix, make):
    path = tmp_path / f"predictions{suffix}"
    write_predictions(path, make())
    found = read_predictions(path)
    expected = make()
    assert list(found.columns) == list(expected.columns)
    for column in expected:
        if expected[column].dtype.kind == "f":
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-12)
        else:
            assert found[column].tolist() == expected[column].tolist()


def test_extra_columns_are_kept_after_the_known_ones(tmp_path):
    frame = face_frame()
    frame.insert(0, "camera", "left")
    path = tmp_path / "p.parquet"
    write_predictions(path, frame)
    assert list(read_predictions(path).columns) == [*FACE_COLUMNS, "camera"]


def test_synonyms_become_canonical_labels(tmp_path):
    frame = face_frame(3)
    frame["label"] = ["Happy", "neutral", "SAD"]
    write_predictions(tmp_path / "p.csv", frame)
    found = read_predictions(tmp_path / "p.csv", "face")
    assert found["label"].tolist() == ["happiness", "neutral", "sadness"]
    assert face_arrays(found)[0].tolist() == [1, 0, 3]


def test_probabilities_within_tolerance_are_renormalised(tmp_path):
    frame = face_frame(2)
    frame[list(FACE_COLUMNS[5:])] *= 1.0009
    write_predictions(tmp_path / "p.csv", frame)
    chances = face_arrays(read_predictions(tmp_path / "p.csv"))[1]
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(chances, face_arrays(face_frame(2))[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("p_fear", 5.0, "sum to"),
        ("p_fear", -0.1, "softmax outputs, not logits"),
        ("p_fear", np.nan, "softmax outputs, not logits"),
        ("p_fear", np.inf, "softmax outputs, not logits"),
        ("p_fear", "high", "p_fear is not a number"),
        ("label", "bored", "label 'bored' is not a known emotion"),
        ("label", None, "label is empty"),
        ("id", "0001", "id occurs twice"),
    ],
)
def test_a_wrong_face_row_is_named(tmp_path, column, value, message):
    frame = face_frame().astype({column: object})
    frame.loc[2, column] = value
    path = tmp_path / "p.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path)
    assert caught.value.where.startswith(f"{path}, row 3 (id ")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("valence_pred", np.nan, "diverged run"),
        ("arousal_pred", np.inf, "diverged run"),
        ("valence", 7.0, r"map the scale of the corpus to \[-1, 1\]"),
        ("start", 4.0, "occurs twice"),
        ("subject", "", "subject is empty"),
    ],
)
def test_a_wrong_eeg_row_is_named(tmp_path, column, value, message):
    frame = eeg_frame()
    frame.loc[2, column] = value
    path = tmp_path / "p.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path)
    assert "p.csv, row " in caught.value.where


def decided_frame() -> pd.DataFrame:
    numbers = {
        "fold": [0, 0, 1, 1, 2, 2],
        "rule": "median",
        "valence_high": [0.0, 0.0, 1.0, 1.0, np.nan, np.nan],
        "valence_high_pred": [0.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        "valence_score": [0.1, 0.6, 0.7, 0.8, 0.2, 0.25],
        "valence_cut": 0.5,
    }
    return eeg_frame().assign(**numbers)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("regression", [True, False])
def test_decisions_survive_the_file(tmp_path, suffix, regression):
    frame = decided_frame()
    if not regression:
        frame[["valence_pred", "arousal_pred"]] = np.nan
    write_predictions(tmp_path / f"p{suffix}", frame)
    found = read_predictions(tmp_path / f"p{suffix}")
    assert predictions.regresses(found) is regression
    assert found["fold"].dtype == np.int64
    assert found["rule"].tolist() == ["median"] * 6
    for column in frame.columns[8:]:
        if column != "rule":
            np.testing.assert_array_equal(found[column], frame[column].astype(float))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("valence_high", 0.5, "valence_high is not 0, 1 or nothing"),
        ("valence_high_pred", 2.0, "valence_high_pred is not 0 or 1"),
        ("valence_high_pred", np.nan, "valence_high_pred is not 0 or 1"),
        ("valence_score", np.inf, "valence_score is not finite"),
        ("valence_cut", np.nan, "valence_cut is not finite"),
        ("fold", 0.5, "number the folds from 0"),
        ("fold", -1, "number the folds from 0"),
        ("rule", "over", "use one of above, at_least, median"),
        ("valence_pred", np.nan, "diverged run"),
    ],
)
def test_a_wrong_decision_is_named(tmp_path, column, value, message):
    frame = decided_frame().astype({column: object})
    frame.loc[2, column] = value
    frame.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(tmp_path / "p.csv")
    assert "row 3 " in caught.value.where


def test_an_unrated_window_is_allowed(tmp_path):
    frame = eeg_frame()
    frame.loc[0, "valence"] = np.nan
    write_predictions(tmp_path / "p.csv", frame)
    truth, predicted = va_arrays(read_predictions(tmp_path / "p.csv"))
    assert np.isnan(truth[0, 0])
    assert np.isfinite(predicted).all()


def test_predictions_may_be_absent_only_where_there_are_decisions(tmp_path):
    frame = eeg_frame()
    frame[["valence_pred", "arousal_pred"]] = np.nan
    with pytest.raises(InputError, match="diverged run"):
        write_predictions(tmp_path / "p.csv", frame)


def test_missing_columns_are_named(tmp_path):
    path = tmp_path / "p.csv"
    face_frame().drop(columns=["group", "p_fear"]).to_csv(path, index=False)
    with pytest.raises(InputError, match="face predictions: group, p_fear"):
        read_predictions(path)
    with pytest.raises(InputError, match="missing for eeg predictions"):
        read_predictions(path, "eeg")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.parquet", b"not parquet", "cannot be read"),
        ("p.csv", b"", "cannot be read"),
        ("p.xlsx", b"", "use .parquet or .csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_predictions(tmp_path / name)


def test_missing_and_empty_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_predictions(tmp_path / "absent.parquet")
    face_frame(0).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match="holds no rows"):
        read_predictions(tmp_path / "p.csv")


def test_nothing_is_left_behind_when_writing_is_refused(tmp_path):
    frame = face_frame()
    frame.loc[0, "p_fear"] = 3.0
    with pytest.raises(InputError):
        write_predictions(tmp_path / "p.parquet", frame)
    assert list(tmp_path.iterdir()) == []
    assert predictions.SUM_TOLERANCE == 1e-3


def full_frame(n: int = 6) -> pd.DataFrame:
    """Every optional column."""
    votes = np.random.default_rng(2).dirichlet(np.ones(8), n)
    return face_frame(n).assign(
        subject=["01", "01", "", "", "02", ""],
        sequence=["a", "b", "c", "c", "", ""],
        twin=[True, False, False, True, False, False],
        **dict(zip(VOTE_COLUMNS, votes.T, strict=True)),
    )


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_optional_columns_survive_the_file(tmp_path, suffix):
    path, frame = tmp_path / f"p{suffix}", full_frame()
    write_predictions(path, frame)
    found = read_predictions(path, "face")
    assert list(found.columns[:13]) == list(FACE_COLUMNS)
    for column in ("subject", "sequence", "twin"):
        assert found[column].tolist() == frame[column].tolist()
    np.testing.assert_allclose(vote_array(found), frame[list(VOTE_COLUMNS)], rtol=1e-9)
    assert vote_array(face_frame()) is None


def test_units_tie_pixels_people_and_recordings():
    """Nothing joins the recordings a and c until person 01 turns up in row 2."""
    assert face_units(face_frame()).tolist() == ["g0", "g0", "g1", "g1", "g2", "g2"]
    apart = full_frame().assign(group=list("abcdef"))
    blank = face_frame().assign(group="")
    assert len(set(face_units(blank).tolist())) == len(blank), "an empty name ties nothing"
    assert face_units(apart).tolist() == ["0", "0", "1", "1", "2", "3"]
    tied = apart.assign(subject=["01", "01", "01", "", "02", ""])
    assert face_units(tied).tolist() == ["0", "0", "0", "0", "1", "2"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("twin", "maybe", "twin is neither true nor false"),
        ("twin", None, "twin is neither true nor false"),
        ("v_fear", -0.1, "a share of votes is missing"),
        ("v_fear", None, "a share of votes is missing"),
        ("v_fear", 7.0, "votes sum to"),
        ("v_fear", "many", "v_fear is not a number"),
    ],
)
def test_a_wrong_optional_cell_is_named(tmp_path, column, value, message):
    frame = full_frame().astype({column: object})
    frame.loc[2, column] = value
    frame.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"p\.csv, row 3 .*" + message):
        read_predictions(tmp_path / "p.csv")


def test_votes_for_some_classes_are_refused(tmp_path):
    with pytest.raises(InputError, match="columns missing for votes: v_fear"):
        write_predictions(tmp_path / "p.csv", full_frame().drop(columns="v_fear"))
