"""The predictions file: what any system said of each picture or EEG window, beside the truth.

Every score and figure is computed from such files, so a system from outside is judged by the same
code once it supplies one. The suffix chooses Parquet or CSV.

A face file may also say who is seen (`subject`), which recording a frame is of (`sequence`; both ""
where unknown), how people voted (`v_<emotion>`, all eight or none, rows sum to 1), and whether
training held a picture of the same pixels (`twin`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS, canonical_emotion
from neurogaze.artefacts import written_aside
from neurogaze.eeg.table import RATINGS, FeatureTable
from neurogaze.errors import InputError
from neurogaze.faces.images import tied

Kind = Literal["face", "eeg"]

PROBABILITY_COLUMNS = tuple(f"p_{name}" for name in EMOTIONS)
FACE_TEXT = ("id", "dataset", "split", "label", "group")
FACE_COLUMNS = FACE_TEXT + PROBABILITY_COLUMNS
VOTE_COLUMNS = tuple(f"v_{name}" for name in EMOTIONS)
FACE_KEYS = ("subject", "sequence")
TWIN = "twin"
FACE_OPTIONAL = (*FACE_KEYS, TWIN, *VOTE_COLUMNS)
EEG_TEXT = ("corpus", "subject", "clip", "event", "trial")
TRUTH_COLUMNS = ("valence", "arousal")
PREDICTED_COLUMNS = ("valence_pred", "arousal_pred")
EEG_NUMBERS = ("start", *TRUTH_COLUMNS, *PREDICTED_COLUMNS)
EEG_COLUMNS = EEG_TEXT + EEG_NUMBERS
RATED_AXES = RATINGS
"""Ratings that an EEG file may hold decisions on: `<axis>_high` (truth: 0, 1 or absent),
`<axis>_high_pred` (0 or 1), `<axis>_score` and `<axis>_cut` (any number), beside `fold` and `rule`;
all of them optional."""
RULES = ("above", "at_least", "median")
COLUMNS: dict[Kind, tuple[str, ...]] = {"face": FACE_COLUMNS, "eeg": EEG_COLUMNS}
TEXT: dict[Kind, tuple[str, ...]] = {"face": FACE_TEXT, "eeg": EEG_TEXT}

TRUTHS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
VOTES_REMEDY = "give the share of the votes of all eight classes in every row, or no votes"

SUM_TOLERANCE = 1e-3
"""How far the probabilities of a row may sum from 1 before they are called wrong; within it they
are divided by their sum."""


def kind_of(frame: pd.DataFrame, where: str | Path) -> Kind:
    """Which kind of predictions a table holds, by its columns.

    Raises:
        InputError: when it holds neither, naming the columns that are missing.
    """
    held = set(frame.columns)
    kind: Kind = "eeg" if len(held & set(EEG_COLUMNS)) > len(held & set(FACE_COLUMNS)) else "face"
    missing = [name for name in COLUMNS[kind] if name not in held]
    if missing:
        found = f"columns missing for {kind} predictions: {', '.join(missing)}"
        raise InputError(where, found, f"a file has the columns {', '.join(COLUMNS[kind])}")
    return kind


def _refuse(
    frame: pd.DataFrame, wrong: NDArray[np.bool_], where: str | Path, found: str, remedy: str
) -> None:
    """Raise for the first wrong row, named by its number (from 1) and first column."""
    rows = np.flatnonzero(wrong)
    if rows.size:
        first = frame.columns[0]
        name = f"{where}, row {rows[0] + 1} ({first} {frame[first].iloc[rows[0]]!r})"
        count = f" ({rows.size} such rows)" if rows.size > 1 else ""
        raise InputError(name, found + count, remedy)


def _text(frame: pd.DataFrame, columns: tuple[str, ...], where: str | Path) -> None:
    """Turn columns to text in place, refusing empty cells of the first, which names the row."""
    for name in columns:
        _refuse(frame, frame[name].isna().to_numpy(), where, f"{name} is empty", "fill it in")
        frame[name] = frame[name].astype(str).astype(object)


def _numbers(frame: pd.DataFrame, columns: tuple[str, ...], where: str | Path) -> None:
    """Turn columns to float64 in place, refusing text."""
    for name in columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        text = (numbers.isna() & frame[name].notna() & (frame[name].astype(str) != "")).to_numpy()
        _refuse(frame, text, where, f"{name} is not a number", "write a decimal number")
        frame[name] = numbers.astype(np.float64)


def _check_face(frame: pd.DataFrame, where: str | Path) -> pd.DataFrame:
    """Canonical labels, probabilities that sum to 1, unique ids."""
    found, remedy = "id occurs twice", "give each picture of a data set and split one row"
    again = frame.duplicated(["dataset", "split", "id"]).to_numpy()
    _refuse(frame, again, where, found, remedy)
    for name in frame["label"].unique():
        try:
            frame.loc[frame["label"] == name, "label"] = canonical_emotion(name)
        except InputError as error:
            wrong = (frame["label"] == name).to_numpy()
            _refuse(frame, wrong, where, f"label {name!r} {error.found}", error.remedy)
    _numbers(frame, PROBABILITY_COLUMNS, where)
    found = "a probability is missing, negative or not finite"
    _shares(
        frame,
        PROBABILITY_COLUMNS,
        where,
        (found, "store softmax outputs, not logits"),
        "probabilities",
    )
    return _check_optional(frame, where)


def _shares(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    where: str | Path,
    bad: tuple[str, str],
    name: str,
) -> None:
    """Let eight columns sum to 1 in place, refusing rows that are far from it.

    Args:
        frame: the table; the columns hold numbers.
        columns: which.
        where: what to name in an error.
        bad: what to say of a value that is no share, and the remedy.
        name: of the columns together.
    """
    values = frame[list(columns)].to_numpy(np.float64)
    _refuse(frame, (~np.isfinite(values) | (values < 0)).any(axis=1), where, *bad)
    total = values.sum(axis=1, keepdims=True)
    wrong = (np.abs(total - 1) > SUM_TOLERANCE)[:, 0]
    found = f"{name} sum to {total[np.argmax(wrong), 0]:.4g}, not 1"
    _refuse(frame, wrong, where, found, "give all eight classes, in parts of 1")
    frame[list(columns)] = values / total


def _check_optional(frame: pd.DataFrame, where: str | Path) -> pd.DataFrame:
    """Keys as text, twins as true or false, votes as shares."""
    for name in (key for key in FACE_KEYS if key in frame):
        frame[name] = frame[name].fillna("").astype(str).astype(object)
    if TWIN in frame:
        said = frame[TWIN].astype(str).str.lower().map(TRUTHS)
        found, remedy = "twin is neither true nor false", "write true or false in every row"
        _refuse(frame, said.isna().to_numpy(), where, found, remedy)
        frame[TWIN] = said.astype(bool)
    held = [name for name in VOTE_COLUMNS if name in frame]
    if held and len(held) < len(VOTE_COLUMNS):
        missing = [name for name in VOTE_COLUMNS if name not in held]
        raise InputError(where, f"columns missing for votes: {', '.join(missing)}", VOTES_REMEDY)
    if held:
        _numbers(frame, VOTE_COLUMNS, where)
        bad = ("a share of votes is missing, negative or not finite", VOTES_REMEDY)
        _shares(frame, VOTE_COLUMNS, where, bad, "votes")
    return frame


def _check_eeg(frame: pd.DataFrame, where: str | Path) -> pd.DataFrame:
    """Finite predictions, ratings within [-1, 1] or absent, unique windows."""
    _numbers(frame, EEG_NUMBERS, where)
    again = frame.duplicated(["corpus", "subject", "trial", "start"]).to_numpy()
    found, remedy = "this window of this trial occurs twice", "give each window one row"
    _refuse(frame, again, where, found, remedy)
    decides = _check_decisions(frame, where)
    absent = decides and not regresses(frame)
    predicted = frame[["start"] if absent else ["start", *PREDICTED_COLUMNS]].to_numpy(np.float64)
    found, remedy = "start or a prediction is missing or not finite", "look for a diverged run"
    _refuse(frame, ~np.isfinite(predicted).all(axis=1), where, found, remedy)
    rated = frame[list(TRUTH_COLUMNS)].to_numpy(np.float64)
    found, remedy = "a rating lies outside [-1, 1]", "map the scale of the corpus to [-1, 1]"
    _refuse(frame, (np.abs(rated) > 1).any(axis=1), where, found, remedy)
    return frame


def _check_decisions(frame: pd.DataFrame, where: str | Path) -> bool:
    """Check the optional columns of an EEG table in place; whether it decides on any axis."""
    allowed = {"high": "0, 1 or nothing", "high_pred": "0 or 1", "score": "finite", "cut": "finite"}
    columns = [(f"{axis}_{end}", end) for axis in RATED_AXES for end in allowed]
    for name, end in (pair for pair in columns if pair[0] in frame):
        _numbers(frame, (name,), where)
        values = frame[name].to_numpy(np.float64)
        wrong = ~np.isfinite(values)
        if end in ("high", "high_pred"):
            wrong = ~np.isin(values, (0, 1))
        if end == "high":
            wrong &= ~np.isnan(values)
        found = f"{name} is not {allowed[end]}"
        _refuse(frame, wrong, where, found, "write 0 for low and 1 for high, or a finite number")
    if "fold" in frame:
        _numbers(frame, ("fold",), where)
        wrong = ~((frame["fold"] >= 0) & (frame["fold"] % 1 == 0)).to_numpy(bool)
        _refuse(frame, wrong, where, "fold is no whole number", "number the folds from 0")
        frame["fold"] = frame["fold"].astype(np.int64)
    if "rule" in frame:
        wrong = ~frame["rule"].isin(RULES).to_numpy()
        _refuse(frame, wrong, where, "rule is not known", f"use one of {', '.join(RULES)}")
    return any(f"{axis}_high_pred" in frame for axis in RATED_AXES)


def regresses(frame: pd.DataFrame) -> bool:
    """Whether an EEG table predicts valence and arousal; one that only decides leaves them out."""
    return bool(frame[list(PREDICTED_COLUMNS)].notna().any(axis=None))


def eeg_frame(
    table: FeatureTable, rows: NDArray[np.int64], va: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """Lay predictions out as an EEG table.

    Args:
        table: windows with their names and ratings.
        rows: rows of the table that were predicted, `[n]`.
        va: predicted valence and arousal, `[n, 2]`; None: absent, for an arm that only decides.
    """
    columns = ("subject", "clip", "event", "trial", "start", *TRUTH_COLUMNS)
    frame = pd.DataFrame({name: getattr(table, name)[rows] for name in columns})
    frame.insert(0, "corpus", table.corpus)
    guess = np.full((len(rows), 2), np.nan) if va is None else va
    return frame.assign(**{name: guess[:, j] for j, name in enumerate(PREDICTED_COLUMNS)})


def checked(frame: pd.DataFrame, kind: Kind, where: str | Path) -> pd.DataFrame:
    """A copy of a predictions table in canonical form: known columns first, extra ones kept.

    Args:
        frame: the table.
        kind: "face" or "eeg".
        where: what to name in an error.

    Raises:
        InputError: naming the row and what to do about it.
    """
    missing = [name for name in COLUMNS[kind] if name not in frame.columns]
    if missing:
        found = f"columns missing for {kind} predictions: {', '.join(missing)}"
        raise InputError(where, found, f"a file has the columns {', '.join(COLUMNS[kind])}")
    if frame.empty:
        raise InputError(where, "holds no rows", "run the prediction step again")
    known = [*COLUMNS[kind], *(name for name in FACE_OPTIONAL if kind == "face" and name in frame)]
    extra = [name for name in frame.columns if name not in known]
    frame = frame[[*known, *extra]].reset_index(drop=True)
    _text(frame, TEXT[kind], where)
    return _check_face(frame, where) if kind == "face" else _check_eeg(frame, where)


def write_predictions(path: Path, frame: pd.DataFrame) -> None:
    """Check a predictions table and write it, aside and renamed.

    Args:
        path: ends in `.parquet` or `.csv`.
        frame: has `FACE_COLUMNS` or `EEG_COLUMNS`; extra columns are kept.

    Raises:
        InputError: for a table that could not be read back, or another suffix.
    """
    frame = checked(frame, kind_of(frame, path), path)
    with written_aside(_known_suffix(path)) as aside:
        if path.suffix == ".parquet":
            frame.to_parquet(aside, index=False)
        else:
            frame.to_csv(aside, index=False)


def read_predictions(path: Path, kind: Kind | None = None) -> pd.DataFrame:
    """Read a predictions file and check every row.

    Args:
        path: ends in `.parquet` or `.csv`.
        kind: "face" or "eeg"; None tells by the columns.

    Returns:
        The table in canonical form; see `checked`.

    Raises:
        InputError: naming the file, the row and what to do about it.
    """
    try:
        if _known_suffix(path).suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            text = dict.fromkeys(FACE_TEXT + FACE_KEYS + EEG_TEXT, str)
            frame = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
    except InputError:
        raise
    except (OSError, ValueError) as error:
        remedy = "give a predictions file in Parquet or CSV"
        raise InputError(path, f"cannot be read ({error})", remedy) from error
    return checked(frame, kind or kind_of(frame, path), path)


def _known_suffix(path: Path) -> Path:
    """The same path, if its suffix names a format that we write."""
    if path.suffix not in (".parquet", ".csv"):
        raise InputError(path, f"suffix {path.suffix!r} is not known", "use .parquet or .csv")
    return path


def face_arrays(frame: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class numbers `[N]` in the order of `EMOTIONS` and probabilities `[N, 8]` of a face table."""
    truth = frame["label"].map(EMOTIONS.index).to_numpy(np.int64)
    return truth, frame[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)


def vote_array(frame: pd.DataFrame) -> NDArray[np.float64] | None:
    """Share of the votes of each class, `[N, 8]`, or None for a face table without votes."""
    held = VOTE_COLUMNS[0] in frame
    return frame[list(VOTE_COLUMNS)].to_numpy(np.float64) if held else None


def face_units(frame: pd.DataFrame) -> NDArray[np.str_]:
    """What is resampled together, `str [N]`: rows tied by pixels, person or recording.

    An empty name ties nothing.
    """
    columns = [frame[k].to_numpy(np.str_) for k in ("group", *FACE_KEYS) if k in frame]
    named = len(columns) == 1 and bool((columns[0] != "").all())
    return columns[0] if named else tied(columns)


def va_arrays(frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rated and predicted (valence, arousal), each `[N, 2]`, of an EEG table."""
    truth = frame[list(TRUTH_COLUMNS)].to_numpy(np.float64)
    return truth, frame[list(PREDICTED_COLUMNS)].to_numpy(np.float64)
