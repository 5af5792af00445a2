"""EDF files, sound ones and those whose samples were cut to 16 bits."""

import mne
import numpy as np
import pyedflib
import pytest

from neurogaze.eeg.corpora.edf import edf_signals, read_edf, unwrapped
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from tests.fixtures.deap import write_deap_bdf
from tests.fixtures.eeg import EDF_LABELS, truncate, write_dasps_edf


def odd_file(folder, **settings):
    seen = write_dasps_edf(folder, n_subjects=1, seconds=8, **settings)
    return folder / "Raw data .edf" / "S01.edf", seen["S01"]


def centred(array):
    return array - array.mean(axis=-1, keepdims=True)


def test_sound_file_of_another_writer(tmp_path):
    path = tmp_path / "plain.edf"
    truth = 50.0 * np.random.default_rng(0).standard_normal((3, 1024))
    with pyedflib.EdfWriter(str(path), 3, pyedflib.FILETYPE_EDF) as writer:
        for index, label in enumerate(("Cz", "F7", "O1")):
            writer.setLabel(index, label)
            writer.setPhysicalDimension(index, "uV")
            writer.setSamplefrequency(index, 128)
            writer.setPhysicalMinimum(index, -500)
            writer.setPhysicalMaximum(index, 500)
        writer.writeSamples(list(truth))
    ours = read_edf(path, ("O1", "F7"), 128.0)
    step = 1000 / 65535
    np.testing.assert_allclose(ours * 1e6, truth[[2, 1]], atol=step)
    assert ours.dtype == np.float32


def test_headers_of_the_odd_file(tmp_path):
    signals = {s.label: s for s in edf_signals(odd_file(tmp_path)[0])}
    assert tuple(signals) == EDF_LABELS
    assert {s.rate for s in signals.values()} == {128.0}
    assert signals["AF3"].step == pytest.approx(1e-6)
    assert signals["F7"].step == pytest.approx(1e-6 / 95)
    assert [n for n in EPOC if signals[n].digital_range > 65535] == list(EPOC[1::2])


def test_odd_file_is_what_other_libraries_make_of_it(tmp_path):
    path, _ = odd_file(tmp_path)
    with pytest.raises(OSError, match="Digital Maximum"):
        pyedflib.EdfReader(str(path))
    theirs = mne.io.read_raw_edf(path, verbose="ERROR").get_data(picks=list(EPOC))
    # 4226 * 95 levels leave 4226 * 95 - 6 * 65536 of them in 16 bits
    np.testing.assert_allclose(theirs[1::2].mean(axis=1) * 1e6, 86.9, atol=1.5)
    np.testing.assert_allclose(theirs[::2].mean(axis=1) * 1e6, 4226.0, atol=1.5)


@pytest.mark.parametrize("excursion", [0.0, 300.0, -600.0, 2500.0])
def test_excursions_are_restored(tmp_path, excursion):
    path, truth = odd_file(tmp_path, excursion=excursion)
    ours = read_edf(path, EPOC, 128.0)
    np.testing.assert_allclose(centred(ours) * 1e6, centred(truth), atol=1.1)


def test_excursions_are_lost_without_that(tmp_path):
    path, truth = odd_file(tmp_path, excursion=600.0)
    theirs = mne.io.read_raw_edf(path, verbose="ERROR").get_data(picks=["F7"])[0] * 1e6
    assert np.abs(centred(theirs) - centred(truth[1])).max() > 300


def test_unwrapped_leaves_small_steps_alone():
    walk = np.cumsum(np.random.default_rng(0).uniform(-30, 30, (2, 500)), axis=1)
    np.testing.assert_array_equal(unwrapped(walk, 64.0), walk)
    cut = (walk + 32) % 64 - 32
    restored = unwrapped(cut, 64.0)
    np.testing.assert_allclose(restored - restored[:, :1], walk - walk[:, :1], atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.1, 0.9, 0.9999])
def test_truncated_file(tmp_path, share):
    path = truncate(odd_file(tmp_path)[0], share)
    with pytest.raises(InputError, match=r"S01\.edf: (cannot be read|ends early)"):
        read_edf(path, EPOC, 128.0)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_edf(tmp_path / "S01.edf", EPOC, 128.0)


@pytest.mark.parametrize(
    ("place", "text", "match"),
    [
        (184, "8960", "36 signals and 8960 bytes of header do not agree"),
        (252, "-1", "do not agree"),
        (252, "0", "do not agree"),
        (252, "33", "33 signals and 9472 bytes"),
        (244, "0", "records last 0.0 s"),
        (244, "nan", "records last nan s"),
        (244, "inf", "records last inf s"),
        (256 + 36 * 216, "0", "a signal has 0 samples a record"),
        (256 + 36 * 216, "-128", "a signal has -128 samples a record"),
        (256 + 36 * 216, "1280", "ends early"),
        (236, "80", "ends early"),
    ],
)
def test_header_that_would_lead_a_library_astray(tmp_path, place, text, match):
    path, _ = odd_file(tmp_path)
    content = bytearray(path.read_bytes())
    assert int(content[252:256]) == len(EDF_LABELS) == 36
    width = {184: 8, 252: 4}.get(place, 8)
    content[place : place + width] = text.ljust(width).encode()
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"S01\.edf: .*{match}"):
        edf_signals(path)


def plain_edf(path, names, rates, seconds=20, kind=pyedflib.FILETYPE_EDF):
    """A tone of 10 Hz in every signal, whose amplitude is 10 microvolts a second gone by."""
    with pyedflib.EdfWriter(str(path), len(names), kind) as writer:
        for index, (name, rate) in enumerate(zip(names, rates, strict=True)):
            writer.setLabel(index, name)
            writer.setPhysicalDimension(index, "uV")
            writer.setSamplefrequency(index, rate)
            writer.setPhysicalMinimum(index, -500)
            writer.setPhysicalMaximum(index, 500)
        times = [np.arange(seconds * rate) / rate for rate in rates]
        writer.writeSamples([10 * t * np.sin(2 * np.pi * 10 * t) for t in times])
    return path


@pytest.mark.parametrize("rate", [32, 256])
def test_a_signal_of_another_rate_does_not_stretch_the_others(tmp_path, rate):
    alone = plain_edf(tmp_path / "alone.edf", ("Fz", "Cz"), (128, 128))
    beside = plain_edf(tmp_path / "beside.edf", ("Fz", "Cz", "MARKER"), (128, 128, rate))
    ours, truth = (read_edf(path, ("Cz", "Fz"), 128.0) for path in (beside, alone))
    assert ours.shape == (2, 20 * 128)
    np.testing.assert_array_equal(ours, truth)


def test_what_follows_the_last_record_is_no_eeg(tmp_path):
    path = plain_edf(tmp_path / "a.edf", ("Fz", "Cz"), (128, 128))
    sound, record = path.read_bytes(), 2 * 2 * 128
    path.write_bytes(sound + bytes(record - 1))  # MNE reads whole records only
    assert read_edf(path, ("Fz",), 128.0).shape == (1, 20 * 128)
    path.write_bytes(sound + bytes(record))
    with pytest.raises(InputError, match=r"a\.edf: goes on beyond its 20 records"):
        read_edf(path, ("Fz",), 128.0)


def test_a_recording_that_was_not_closed_is_read_to_its_end(tmp_path):
    path = plain_edf(tmp_path / "a.edf", ("Fz", "Cz"), (128, 128))
    content = bytearray(path.read_bytes())
    content[236:244] = b"-1".ljust(8)
    path.write_bytes(content)
    assert read_edf(path, ("Fz",), 128.0).shape == (1, 20 * 128)


@pytest.mark.parametrize("kind", ["EDF+D", "BDF+D"])
def test_an_interrupted_recording_is_refused(tmp_path, kind):
    kinds = {"EDF+D": pyedflib.FILETYPE_EDFPLUS, "BDF+D": pyedflib.FILETYPE_BDFPLUS}
    path = plain_edf(tmp_path / "a.edf", ("Fz", "Cz"), (128, 128), kind=kinds[kind])
    edf_signals(path)
    content = bytearray(path.read_bytes())
    assert content[192:197] == f"{kind[:-1]}C".encode()
    content[192:197] = kind.encode()
    path.write_bytes(content)
    told = rf"a\.edf: is of the kind {kind[:3]}\+D.*interrupted.*continuous file of its own"
    with pytest.raises(InputError, match=told):
        edf_signals(path)


def in_unit(path, unit):
    """Write another unit into the header of an odd file."""
    content = bytearray(path.read_bytes())
    for start in range(256 + 36 * 96, 256 + 36 * 104, 8):
        content[start : start + 8] = unit.ljust(8)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("unit", [b"\xb5V", b"\x83\xcaV"])
def test_microvolts_by_any_name_are_restored(tmp_path, unit):
    """The micro sign, and the Greek letter in Shift JIS."""
    path, truth = odd_file(tmp_path, excursion=600.0)
    ours = read_edf(in_unit(path, unit), EPOC, 128.0)
    np.testing.assert_allclose(centred(ours) * 1e6, centred(truth), atol=1.1)


@pytest.mark.parametrize("unit", [b"microV", b"", b"nV", "µV".encode()])
def test_electrodes_in_no_known_unit_are_refused(tmp_path, unit):
    path = in_unit(odd_file(tmp_path)[0], unit)
    with pytest.raises(InputError, match=r"S01\.edf: units of electrodes are .*uV, mV or V"):
        read_edf(path, EPOC, 128.0)


def test_headers_and_length_of_a_bdf(tmp_path):
    root = write_deap_bdf(tmp_path / "DEAP", subjects=(1,), n_trials=1, clip_seconds=3.0)
    path = root / "data_original" / "s01.bdf"
    signals = edf_signals(path)
    assert [s.label for s in signals[:3]] == ["Fp1", "AF3", "F7"]
    assert {s.rate for s in signals} == {512.0}
    assert signals[0].step == pytest.approx(524287 / (2**24 - 1) * 1e-6)
    path.write_bytes(path.read_bytes()[:-1])  # an EDF of two bytes a sample would be shorter
    with pytest.raises(InputError, match="ends early"):
        edf_signals(path)
