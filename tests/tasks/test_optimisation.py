"""Learning rates against PyTorch's own schedules, groups and decay by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from neurogaze.errors import InputError
from neurogaze.tasks.optimisation import MIN_LR_RATIO, Optimisation, build_optimiser, lr_factor


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def learning_rates(built, steps):
    seen = []
    for _ in range(steps):
        seen.append(built["optimizer"].param_groups[0]["lr"])
        built["optimizer"].step()
        built["lr_scheduler"]["scheduler"].step()
    return seen


def test_cosine_is_that_of_pytorch():
    steps, lr = 40, 3e-3
    ours = learning_rates(
        build_optimiser(Optimisation(lr=lr), network().parameters(), steps), steps
    )
    reference = torch.optim.SGD(network().parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        reference, T_max=steps, eta_min=lr * MIN_LR_RATIO
    )
    theirs = []
    for _ in range(steps):
        theirs.append(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_onecycle_is_that_of_pytorch():
    """PyTorch counts `total_steps - 1` intervals: its last step ends the cosine."""
    steps, lr = 41, 0.1
    reference = torch.optim.SGD(network().parameters(), lr=lr, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        reference,
        max_lr=lr,
        total_steps=steps,
        pct_start=11 / 41,  # peak after 10 of 40 intervals
        div_factor=25,
        final_div_factor=4,
        cycle_momentum=False,
    )
    for step in range(steps):
        assert reference.param_groups[0]["lr"] == pytest.approx(
            lr * lr_factor(step / 40, "onecycle", 0.25), rel=1e-9
        )
        reference.step()
        if step < steps - 1:
            schedule.step()


@pytest.mark.parametrize(
    ("schedule", "warmup", "values"),
    [
        ("cosine", 0.0, {0.0: 1.0, 0.25: 0.01 + 0.99 * 0.8535534, 0.5: 0.505, 1.0: 0.01}),
        ("onecycle", 0.25, {0.0: 0.04, 0.125: 0.52, 0.25: 1.0, 0.625: 0.505, 1.0: 0.01}),
        ("onecycle", 0.5, {0.25: 0.52, 0.5: 1.0, 0.75: 0.505}),
    ],
)
def test_factor_by_hand(schedule, warmup, values):
    for progress, factor in values.items():
        assert lr_factor(progress, schedule, warmup) == pytest.approx(factor, rel=1e-6)


def test_past_the_end_the_rate_stays():
    assert lr_factor(1.5, "cosine", 0.0) == pytest.approx(MIN_LR_RATIO)


@pytest.mark.parametrize(("name", "times"), [("adamw", 1.0), ("sgd", 1.9)])
def test_only_matrices_and_kernels_decay(name, times):
    """AdamW takes the decay off the weight itself; SGD puts it in the gradient, before momentum."""
    model = network()
    settings = Optimisation(name=name, lr=0.1, weight_decay=0.5)
    built = build_optimiser(settings, model.parameters(), 10)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    with torch.no_grad():
        model[1].bias.fill_(2.0)
    before = {k: v.clone() for k, v in model.named_parameters()}
    built["optimizer"].step()
    for key, value in model.named_parameters():
        shrink = 1 - 0.1 * 0.5 * times if value.ndim > 1 else 1.0
        torch.testing.assert_close(value, before[key] * shrink)


def test_sgd_has_nesterov_momentum():
    """Unit gradient twice: steps of lr (1 + m), then lr (1 + m + m^2)."""
    weight = nn.Parameter(torch.zeros(1, 1))
    settings = Optimisation(name="sgd", lr=0.1, weight_decay=0.0, momentum=0.9)
    optimiser = build_optimiser(settings, [weight], 10)["optimizer"]
    for total in (0.1 * 1.9, 0.1 * (1.9 + 2.71)):
        weight.grad = torch.ones(1, 1)
        optimiser.step()
        assert weight.item() == pytest.approx(-total, rel=1e-5)


def test_sgd_without_momentum_is_plain_descent():
    """Unit gradient twice: two steps of lr."""
    weight = nn.Parameter(torch.zeros(1, 1))
    settings = Optimisation(name="sgd", lr=0.1, weight_decay=0.0, momentum=0.0)
    optimiser = build_optimiser(settings, [weight], 10)["optimizer"]
    for total in (0.1, 0.2):
        weight.grad = torch.ones(1, 1)
        optimiser.step()
        assert weight.item() == pytest.approx(-total, rel=1e-6)


def test_the_schedule_is_stepped_once_a_batch():
    built = build_optimiser(Optimisation(), network().parameters(), 10)
    assert built["lr_scheduler"]["interval"] == "step"


@pytest.mark.parametrize("warmup", [1.0, -0.1, 1.5, float("nan")])
def test_a_rise_must_leave_steps_to_fall(warmup):
    with pytest.raises(InputError, match="warmup"):
        Optimisation(schedule="onecycle", warmup=warmup)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("lr", [0.0, -1e-3, float("inf"), float("nan")]),
        ("weight_decay", [-1e-2, float("inf"), float("nan")]),
        ("momentum", [-0.1, 1.0, 1.5, float("inf"), float("nan")]),
        ("warmup", [-0.1, 1.0]),
    ],
)
def test_numbers_that_cannot_train(optimiser, name, values):
    for value in values:
        with pytest.raises(InputError, match=rf"^model\.optimisation\.{name}: is {value}\."):
            Optimisation(name=optimiser, **{name: value})


def test_the_least_that_can_train():
    settings = Optimisation(lr=1e-12, weight_decay=0, momentum=0, warmup=0)
    assert build_optimiser(settings, network().parameters(), 1)["optimizer"]
