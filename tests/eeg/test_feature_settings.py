import math
from dataclasses import replace

import pytest

from neurogaze.eeg.feature_settings import PAPER_CODE, FeatureSettings, quirks_of, window_samples
from neurogaze.errors import InputError


@pytest.mark.parametrize(
    "bad",
    [
        {"bands": "six"},
        {"window": 0.0},
        {"hop": -1.0},
        {"floor": 0.0},
        {"filter_order": 0},
        {"window": math.inf},
        {"hop": math.inf},
        {"floor": math.inf},
        {"window": 1e307},
        {"hop": 1e307},
        {"filter_order": 4.5},
        {"filter_order": 4.0},
        {"filter_order": True},
        {"window": math.nan},
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


@pytest.mark.parametrize("change", [{"hop": 1.0}, {"unit": "nats"}, {"window": 2.0}])
def test_one_other_setting_does_not_wash_the_quirks_off(change):
    said = quirks_of(replace(PAPER_CODE, **change))
    assert said == "features of paper_code in bands, filtering, zscore, baseline_mode"
    assert quirks_of(FeatureSettings(**change)) == ""
