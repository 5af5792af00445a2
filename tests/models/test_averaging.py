"""Averaged weights in closed form; batch norms against the statistics of the batches."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from neurogaze.errors import InputError
from neurogaze.models.averaging import (
    average_decay,
    check_averaging,
    reestimate_batchnorm,
    swa_decay,
    swa_first,
    update_average,
)


def test_decay_grows_to_its_ceiling():
    assert average_decay(0, 0.998) == 0.1
    assert average_decay(1, 0.998) == 2 / 11
    assert average_decay(8, 0.998) == 0.5
    assert average_decay(10**6, 0.998) == 0.998
    assert average_decay(50, 0.3) == 0.3


def test_average_in_closed_form():
    """a_n = d^n a_0 + (1 - d) sum_i d^(n - i) m_i."""
    model, decay, rng = nn.Linear(3, 2), 0.8, np.random.default_rng(0)
    average = copy.deepcopy(model)
    start = average.weight.detach().numpy().copy()
    path = rng.standard_normal((6, 2, 3)).astype(np.float32)
    for point in path:
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(point))
        update_average(average, model, decay)
    powers = decay ** np.arange(5, -1, -1)
    expected = decay**6 * start + (1 - decay) * np.einsum("n,nij->ij", powers, path)
    np.testing.assert_allclose(average.weight.detach().numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(model.weight.detach().numpy(), path[-1])


@pytest.mark.parametrize(("start", "epochs", "first"), [(0.0, 5, 0), (0.5, 6, 3), (0.75, 7, 5)])
def test_mean_of_epochs_is_the_numpy_mean(start, epochs, first):
    """Up to the first epoch of the mean the average is the network itself."""
    model, rng = nn.Linear(3, 2), np.random.default_rng(0)
    average = copy.deepcopy(model)
    path = rng.standard_normal((epochs, 2, 3)).astype(np.float32)
    assert swa_first(start, epochs) == first
    for epoch, point in enumerate(path):
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(point))
        update_average(average, model, swa_decay(epoch, first))
        expected = path[min(first, epoch) : epoch + 1].mean(0) if epoch >= first else point
        np.testing.assert_allclose(average.weight.detach().numpy(), expected, rtol=2e-6, atol=1e-7)


def test_the_last_epoch_is_always_in_the_mean():
    for epochs in range(1, 50):
        for start in (0.0, 0.3, 0.75, 0.999):
            assert 0 <= swa_first(start, epochs) < epochs


def test_one_average_at_a_time():
    assert check_averaging(0.0, None) is False
    assert check_averaging(0.9, None) is True
    assert check_averaging(0.0, 0.0) is True
    for ema_decay, swa_start, match in (
        (0.9, 0.5, "keep one average"),
        (1.0, None, "ema_decay: is 1.0"),
        (0.0, 1.0, "swa_start: is 1.0"),
        (0.0, -0.1, "swa_start: is -0.1"),
    ):
        with pytest.raises(InputError, match=match):
            check_averaging(ema_decay, swa_start)


def test_buffers_are_copied():
    model = nn.BatchNorm1d(2)
    average = copy.deepcopy(model)
    model(torch.randn(8, 2))
    update_average(average, model, 0.9)
    torch.testing.assert_close(average.running_mean, model.running_mean)
    assert int(average.num_batches_tracked) == 1


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Flatten(), nn.Linear(108, 2)
    )


def test_batchnorm_is_the_mean_of_batch_statistics():
    """Unbiased variances, each batch counted alike, whatever was there before."""
    model = convolutional().train()
    norm = model[1]
    model(torch.randn(4, 1, 8, 8) * 100)
    batches = [torch.randn(n, 1, 8, 8) * s for n, s in ((5, 1.0), (3, 2.0), (7, 0.5))]
    reestimate_batchnorm(model, batches)
    with torch.no_grad():
        maps = [model[0](batch) for batch in batches]
    mean = torch.stack([m.mean(dim=(0, 2, 3)) for m in maps]).mean(0)
    variance = torch.stack([m.var(dim=(0, 2, 3), unbiased=True) for m in maps]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    assert int(norm.num_batches_tracked) == 3


@pytest.mark.parametrize("training", [True, False])
def test_nothing_else_changes(training):
    model = convolutional().train(training)
    before = {k: v.clone() for k, v in model.named_parameters()}
    random = torch.get_rng_state()
    reestimate_batchnorm(model, [torch.ones(4, 1, 8, 8)])
    assert all(m.training is training for m in model.modules())
    assert model[1].momentum == 0.1
    assert torch.equal(random, torch.get_rng_state()), "dropout must be off"
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name])


def test_a_network_without_batch_norms_is_left_alone():
    calls = []
    model = nn.Linear(2, 2)
    model.register_forward_hook(lambda *_: calls.append(1))
    reestimate_batchnorm(model, [torch.ones(1, 2)])
    assert not calls


def test_a_remainder_of_one_is_left_out():
    """Where the last map is 1x1, one picture has no spread, and PyTorch refuses it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 8), nn.BatchNorm2d(3))
    whole = torch.randn(6, 1, 8, 8)
    reestimate_batchnorm(model, [whole, torch.randn(1, 1, 8, 8)])
    with torch.no_grad():
        torch.testing.assert_close(model[1].running_mean, model[0](whole).mean(dim=(0, 2, 3)))


def test_a_failure_leaves_the_network_as_it_was():
    model = convolutional().eval()
    with pytest.raises(RuntimeError):
        reestimate_batchnorm(model, [torch.ones(4, 9, 8, 8)])
    assert (model[1].momentum, model[1].training) == (0.1, False)
