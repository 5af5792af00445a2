"""A term of negative weight, or of none that is a number, is refused; one of weight 0 is not."""

import math

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.losses.concordance import va_loss
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.va_head import VaHead
from neurogaze.losses.vicreg import VicregWeights

TERMS = {"ce": CrossEntropy, "kd": LogitKD, "proto": ProtoKD, "geo": Geometry, "va": VaHead}
BAD = [-1e-9, -1.0, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("slot", TERMS)
@pytest.mark.parametrize("weight", BAD)
def test_a_loss_is_not_driven_up(slot, weight):
    with pytest.raises(InputError, match=rf"^loss\.{slot}\.weight: is {weight}\. .*0 or more"):
        TERMS[slot](weight=weight)


@pytest.mark.parametrize("slot", TERMS)
def test_any_other_weight_will_do(slot):
    assert [TERMS[slot](weight=w).weight for w in (0, 0.0, 1e-9, 1e9)] == [0, 0.0, 1e-9, 1e9]


@pytest.mark.parametrize("name", ["invariance", "variance", "covariance"])
@pytest.mark.parametrize("weight", BAD)
def test_factors_of_views(name, weight):
    with pytest.raises(InputError, match=rf"^model\.weights\.{name}: is {weight}\. "):
        VicregWeights(**{name: weight})


@pytest.mark.parametrize("share", [-0.1, 1.1, math.inf, math.nan])
def test_neither_error_nor_concordance_is_driven_up(share):
    with pytest.raises(InputError, match=rf"^model\.mse_weight: is {share}\. "):
        va_loss(torch.zeros(4, 2), torch.ones(4, 2), share)
