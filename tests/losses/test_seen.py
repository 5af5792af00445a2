"""Half precision is widened and autocast is off where losses are computed."""

import pytest
import torch

from neurogaze.losses.seen import full_precision, widened


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_widened(given, expected):
    assert widened(torch.ones(2, dtype=given)).dtype is expected


def test_full_precision_inside_autocast():
    x = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (x @ x).dtype is torch.bfloat16
        with full_precision(x):
            assert (x @ x).dtype is torch.float32
