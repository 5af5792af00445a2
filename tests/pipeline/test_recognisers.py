import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from neurogaze.pipeline.recognisers import Transformer, linear, nearest


@pytest.fixture(scope="module")
def data():
    """Features of 200 windows around 20 places, and three labellings of the places."""
    draw = np.random.default_rng(0)
    place = np.repeat(np.arange(20), 10)
    features = draw.normal(size=(20, 5, 4))[place] * 2 + 0.3 * draw.normal(size=(200, 5, 4)) + 7
    labels = draw.integers(0, 2, (20, 3))[place]
    rows = draw.permutation(200)
    return features.astype(np.float32), labels, rows[:150], rows[150:]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(nearest, KNeighborsClassifier(1)), (linear, RidgeClassifier(alpha=1.0))],
    ids=["nearest", "linear"],
)
def test_all_labellings_at_once_equal_one_after_another(data, ours, theirs):
    features, labels, train, test = data
    x = features.reshape(200, -1).astype(float)
    scaler = StandardScaler().fit(x[train])
    guess = ours(features, labels, train, test)
    assert guess.shape == (50, 3)
    for j, column in enumerate(labels.T):
        theirs.fit(scaler.transform(x[train]), column[train])
        np.testing.assert_array_equal(guess[:, j], theirs.predict(scaler.transform(x[test])))


def test_one_labelling_and_constant_features_are_taken(data):
    features, labels, train, test = data
    features = features.copy()
    features[:, 0, 0] = 3
    for recogniser in (nearest, linear):
        one = recogniser(features, labels[:, :1], train, test)
        np.testing.assert_array_equal(one[:, 0], recogniser(features, labels, train, test)[:, 0])


def test_transformer_learns_what_can_be_learned(data):
    features, labels, train, test = data
    guess = Transformer(epochs=25, seed=1)(features, labels[:, :1], train, test)
    assert (guess == labels[test, :1]).mean() > 0.9


def test_transformer_takes_labellings_one_by_one_and_leaves_the_generator_alone(data):
    features, labels, train, test = data
    state, network = torch.random.get_rng_state(), Transformer(epochs=2, seed=1)
    both = network(features, labels[:, :2], train, test)
    torch.testing.assert_close(torch.random.get_rng_state(), state)
    one = network(features, labels[:, 1:2], train, test)
    np.testing.assert_array_equal(one[:, 0], both[:, 1])
