import numpy as np
import pytest

from neurogaze.eeg.montage import chosen_names, electrode_positions, partners, project
from neurogaze.errors import InputError


def test_partners_are_the_names_across_the_midline():
    names = ("F3", "Fz", "F4", "AFp10h", "AFp9h", "T10", "T9")
    assert [names[i] for i in partners(names)] == ["F4", "Fz", "F3", "AFp9h", "AFp10h", "T9", "T10"]
    with pytest.raises(InputError, match=r"'F3'.*'F4'"):
        partners(("F3", "Fz", "Pz"))


def test_positions_are_those_of_a_head():
    left, right, front, back, top = electrode_positions(("T7", "T8", "Fpz", "Oz", "Cz"))
    assert np.linalg.norm(left - right) == pytest.approx(0.17, abs=0.02)
    assert left[0] < 0 < right[0]
    assert front[1] > 0 > back[1]
    assert top[2] == max(left[2], right[2], front[2], back[2], top[2])


def test_projection_keeps_the_polar_angle():
    x, y = project(np.array([[0.1008, -0.0162, -0.0012], [0.0008, 0.0838, 0.0988]])).T
    np.testing.assert_allclose([x[0], y[0]], [1, 0], atol=1e-12)
    np.testing.assert_allclose([x[1], y[1]], [0, 0.5], atol=1e-12)
    every = project(electrode_positions(("T7", "T8", "Fpz", "Oz")))
    np.testing.assert_allclose(np.hypot(*every.T), 1, atol=0.11)
    assert np.hypot(*project(electrode_positions(("Cz",))).T) < 0.06


def test_old_names_and_letter_case():
    old, new = ("T3", "T4", "T5", "T6", "FP1", "cz"), ("T7", "T8", "P7", "P8", "Fp1", "Cz")
    np.testing.assert_array_equal(electrode_positions(old), electrode_positions(new))


def test_chosen_electrodes_are_some_and_differ():
    assert chosen_names(["t3", "CZ"]) == ("T7", "Cz")
    with pytest.raises(InputError, match=r"electrodes \['Cz', 'T7'\] are named twice"):
        chosen_names(("T3", "Cz", "F3", "t7", "cz"))
    for nothing in ((), []):
        with pytest.raises(InputError, match=r"names no electrodes.*list one or more"):
            chosen_names(nothing)


def test_unknown_electrode_is_refused_with_close_names():
    with pytest.raises(InputError, match=r"'AF33'.*AF3"):
        electrode_positions(("AF3", "AF33"))
