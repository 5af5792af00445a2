import pytest

from neurogaze.eeg.feature_settings import PAPER_CODE, FeatureSettings, window_samples
from neurogaze.errors import InputError


@pytest.mark.parametrize(
    "bad",
    [
        {"bands": "six"},
        {"window": 0.0},
        {"hop": -1.0},
        {"floor": 0.0},
        {"filter_order": 0},
        {"filtering": "causal"},
        {"zscore": "trial"},
        {"baseline_mode": "mean"},
        {"unit": "hartleys"},
        {"zscore": "window", "filtering": "streaming"},
    ],
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        FeatureSettings(**bad)


def test_windows_of_the_paper_are_512_samples_every_117():
    assert window_samples(PAPER_CODE) == (512, 117)
    assert window_samples(FeatureSettings()) == (512, 256)
