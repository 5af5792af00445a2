"""Class scores against scikit-learn, agreement against closed forms."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from neurogaze.errors import InputError
from neurogaze.evaluation import metrics


def one_hot(prediction: list[int]) -> np.ndarray:
    return np.eye(8)[prediction]


def random_case(seed: int, classes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.choice(classes, 120)
    truth[: len(classes)] = classes
    return truth, generator.dirichlet(np.full(8, 0.5), len(truth))


def test_the_metric_trap():
    scores = metrics.face_scores(np.array([0, 0, 1, 1, 2, 2]), one_hot([0, 0, 1, 1, 2, 5]))
    assert scores["macro_f1_8way"] == pytest.approx(1 / 3)
    assert scores["present_averaged_macro_f1"] == pytest.approx(8 / 9)
    assert scores["present_averaged_balanced_accuracy"] == pytest.approx(5 / 6)
    assert scores["balanced_accuracy_8way"] == pytest.approx(2.5 / 8)


@pytest.mark.parametrize("classes", [list(range(8)), [0, 1, 2, 3, 4, 5, 6], [1, 4], [6]])
@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_scikit_learn(seed, classes):
    truth, chances = random_case(seed, classes)
    prediction = chances.argmax(axis=1)
    scores = metrics.face_scores(truth, chances)
    every = {"labels": range(8), "average": "macro", "zero_division": 0}
    held = every | {"labels": classes}
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(truth, prediction))
    assert scores["macro_f1_8way"] == pytest.approx(sk.f1_score(truth, prediction, **every))
    expected = sk.recall_score(truth, prediction, **every)
    assert scores["balanced_accuracy_8way"] == pytest.approx(expected)
    expected = sk.f1_score(truth, prediction, **held)
    assert scores["present_averaged_macro_f1"] == pytest.approx(expected)
    expected = sk.recall_score(truth, prediction, **held)
    assert scores["present_averaged_balanced_accuracy"] == pytest.approx(expected)
    among = np.asarray(classes)[chances[:, classes].argmax(axis=1)]
    expected = sk.accuracy_score(truth, among)
    assert scores["present_restricted_accuracy"] == pytest.approx(expected)
    expected = sk.f1_score(truth, among, **held)
    assert scores["present_restricted_macro_f1"] == pytest.approx(expected)
    expected = sk.recall_score(truth, among, **held)
    assert scores["present_restricted_balanced_accuracy"] == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_present_averaged_is_the_balanced_accuracy_of_scikit_learn():
    truth, chances = random_case(5, [0, 3, 7])
    expected = sk.balanced_accuracy_score(truth, chances.argmax(axis=1))
    found = metrics.face_scores(truth, chances)["present_averaged_balanced_accuracy"]
    assert found == pytest.approx(expected)


def test_a_data_set_without_contempt_has_a_ceiling_below_one():
    truth = np.arange(7)
    scores = metrics.face_scores(truth, one_hot(list(truth)))
    assert scores["balanced_accuracy_8way"] == pytest.approx(0.875)
    assert scores["present_restricted_balanced_accuracy"] == 1.0


def test_restricting_must_raise_accuracy_where_an_absent_class_wins():
    # Truth holds classes 1 and 3 only; the second row is lost to contempt, which does not occur.
    chances = np.zeros((2, 8))
    chances[0, 1] = 1.0
    chances[1, [7, 3]] = 0.6, 0.4
    scores = metrics.face_scores(np.array([1, 3]), chances)
    assert scores["accuracy"] == 0.5
    assert scores["present_restricted_accuracy"] == 1.0
    assert scores["present_averaged_balanced_accuracy"] == 0.5


def test_restricting_can_lower_macro_f1_though_no_row_is_lost():
    """A row taken back from an absent class may land on a wrong one and cost it precision."""
    truth = np.array([0, 0, 1])
    chances = np.zeros((3, 8))
    chances[0, 0], chances[1, [7, 1]], chances[2, 1] = 1.0, (0.6, 0.4), 1.0
    scores = metrics.face_scores(truth, chances)
    assert scores["present_restricted_accuracy"] == scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["present_averaged_macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["present_restricted_macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_restricting_never_loses_a_correct_row():
    for seed in range(20):
        truth, chances = random_case(seed, [0, 2, 5])
        scores = metrics.face_scores(truth, chances)
        assert scores["present_restricted_accuracy"] >= scores["accuracy"]


def test_confusion_and_per_class_equal_scikit_learn():
    truth, chances = random_case(11, [0, 1, 2, 5])
    prediction = chances.argmax(axis=1)
    confusion = metrics.confusion_matrix(truth, prediction)
    assert confusion.dtype == np.int64
    np.testing.assert_array_equal(
        confusion, sk.confusion_matrix(truth, prediction, labels=range(8))
    )
    expected = sk.precision_recall_fscore_support(
        truth, prediction, labels=range(8), zero_division=0
    )
    found = metrics.per_class(confusion)
    for ours, theirs in zip(
        (found.precision, found.recall, found.f1, found.support), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("bad", [-1, 8])
def test_a_class_outside_the_eight_is_refused(bad):
    with pytest.raises(InputError, match=rf"class {bad} is not in 0\.\.7"):
        metrics.confusion_matrix(np.array([0, bad]), np.array([0, 0]))


def test_empty_and_misshapen_input_is_refused():
    with pytest.raises(InputError, match="give one row of 8"):
        metrics.face_scores(np.array([], int), np.zeros((0, 8)))
    with pytest.raises(InputError, match="give one row of 8"):
        metrics.face_scores(np.array([0]), np.ones((1, 7)) / 7)
    with pytest.raises(InputError, match="differ"):
        metrics.confusion_matrix(np.array([0, 1]), np.array([0]))


@pytest.mark.parametrize(
    "row", [np.arange(8.0), np.full(8, 0.1), np.full(8, np.nan), [-0.5, 1.5, *np.zeros(6)]]
)
def test_rows_that_are_no_probabilities_are_refused(row):
    """Of logits the accuracy would be right, and all that tells of confidence wrong."""
    with pytest.raises(InputError, match=r"row 1 holds .* sums to .*softmax"):
        metrics.face_scores(np.array([0, 1]), np.stack([np.eye(8)[0], row]))
    half = np.full((2, 8), 0.125).astype(np.float16)
    assert metrics.face_scores(np.array([0, 1]), half)["brier"] == pytest.approx(0.875)


@pytest.mark.parametrize("shape", [(0, 2), (3, 1), (3,)])
def test_ratings_that_are_no_pairs_are_refused(shape):
    with pytest.raises(InputError, match=r"valence and arousal: .* give a pair of both"):
        metrics.va_scores(np.zeros(shape), np.zeros(shape))
    with pytest.raises(InputError, match="give a pair of both"):
        metrics.va_scores(np.zeros((3, 2)), np.zeros((2, 2)))


def test_concordance_of_a_shift_and_a_scale():
    x = np.random.default_rng(0).normal(size=50)
    shifted = 2 * x.var() / (2 * x.var() + 0.25)
    assert metrics.concordance(x + 0.5, x) == pytest.approx(shifted)
    centred = x - x.mean()
    assert metrics.concordance(3 * centred, centred) == pytest.approx(6 / 10)
    assert metrics.concordance(-centred, centred) == pytest.approx(-1)


def test_concordance_of_constants_is_zero():
    third = np.full(3, 0.1)  # its mean is off by a rounding error
    assert metrics.concordance(third, third) == 0.0
    assert metrics.concordance(third, np.array([0.0, 0.1, 0.2])) == 0.0
    assert metrics.pearson(third, np.array([0.0, 0.1, 0.2])) == 0.0


def test_va_scores_equal_outside_references():
    generator = np.random.default_rng(3)
    truth, prediction = generator.uniform(-1, 1, (2, 40, 2))
    scores = metrics.va_scores(truth, prediction)
    for column, axis in enumerate(("valence", "arousal")):
        x, y = prediction[:, column], truth[:, column]
        assert scores[f"{axis}_pearson"] == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert scores[f"{axis}_rmse"] == pytest.approx(sk.root_mean_squared_error(y, x))
        cov = np.cov(x, y, ddof=0)
        expected = 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (x.mean() - y.mean()) ** 2)
        assert scores[f"{axis}_ccc"] == pytest.approx(expected)


def test_metrics_load_neither_pandas_nor_torch():
    code = (
        "import sys, neurogaze.evaluation.metrics\n"
        "print(sorted({'pandas', 'torch', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"
