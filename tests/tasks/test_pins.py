"""Pinned logits: the content their hash says, in the order of the images, or an error."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.tasks.pins import LogitsPin, load_logits
from tests.tasks.small import pinned_logits

IDS = np.array(["fer0", "fer1", "fer2", "fer3"])
CORPUS = "synthetic_faces"
LOGITS = np.arange(32, dtype=np.float32).reshape(4, 8)


def test_order_is_restored_by_id(tmp_path):
    order = [2, 0, 3, 1]
    pin = pinned_logits(tmp_path, IDS[order], LOGITS[order])
    np.testing.assert_array_equal(load_logits(pin, IDS, CORPUS).numpy(), LOGITS)
    np.testing.assert_array_equal(load_logits(pin, IDS[[3, 1]], CORPUS).numpy(), LOGITS[[3, 1]])


def test_altered_logits_are_refused(tmp_path):
    pin = pinned_logits(tmp_path, IDS, LOGITS)
    other = pinned_logits(tmp_path, IDS, LOGITS + 1e-4)
    with pytest.raises(InputError, match=r"logits\.npz.*content hash") as caught:
        load_logits(pin, IDS, CORPUS)
    assert pin.sha256 in str(caught.value)
    assert other.sha256 in str(caught.value)


def test_swapped_ids_are_another_content(tmp_path):
    pin = pinned_logits(tmp_path, IDS, LOGITS)
    pinned_logits(tmp_path, IDS[::-1], LOGITS)
    with pytest.raises(InputError, match="content hash"):
        load_logits(pin, IDS, CORPUS)


def test_a_missing_image_is_named(tmp_path):
    pin = pinned_logits(tmp_path, IDS[:2], LOGITS[:2])
    with pytest.raises(InputError, match="no logits for 2 images, the first 'fer2'"):
        load_logits(pin, IDS, CORPUS)


def test_another_class_order_is_refused(tmp_path):
    pin = pinned_logits(tmp_path, IDS, LOGITS, sorted(EMOTIONS))
    with pytest.raises(InputError, match=r"class order \['anger', 'contempt'.*reorder"):
        load_logits(pin, IDS, CORPUS)


@pytest.mark.parametrize("told", ["ferplus", ["synthetic_faces"]])
def test_logits_of_another_corpus_are_refused(tmp_path, told):
    """Ids of two corpora may be alike; the hash cannot tell, the name can."""
    pin = pinned_logits(tmp_path, IDS, LOGITS, dataset=told)
    with pytest.raises(InputError, match=r"logits of .* the training is on 'synthetic_faces'"):
        load_logits(pin, IDS, CORPUS)


def test_the_corpus_is_part_of_what_the_hash_says(tmp_path):
    pin = pinned_logits(tmp_path, IDS, LOGITS)
    pinned_logits(tmp_path, IDS, LOGITS, dataset="ferplus")
    with pytest.raises(InputError, match="content hash"):
        load_logits(pin, IDS, "ferplus")


@pytest.mark.parametrize("shape", [(4, 7), (4,), (3, 8)])
def test_logits_of_another_shape_are_refused(tmp_path, shape):
    pin = pinned_logits(tmp_path, IDS, np.zeros(shape, np.float32))
    with pytest.raises(InputError, match=r"not floats \(4, 8\)"):
        load_logits(pin, IDS, CORPUS)


@pytest.mark.parametrize(
    ("ids", "logits", "said"),
    [
        (np.array("fer0"), LOGITS, r"ids are <U4 \(\), not a list of text"),
        (np.arange(4), LOGITS, r"ids are int64 \(4,\), not a list of text"),
        (IDS.reshape(2, 2), LOGITS, r"ids are <U4 \(2, 2\), not a list of text"),
        (IDS, LOGITS.astype(str), r"logits are <U\d+ \(4, 8\), not floats"),
        (IDS, LOGITS.astype(complex), r"logits are complex128 \(4, 8\), not floats"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, ids, logits, said):
    pin = pinned_logits(tmp_path, ids, logits)
    with pytest.raises(InputError, match=said):
        load_logits(pin, IDS, CORPUS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_refused(tmp_path, value):
    logits = LOGITS.copy()
    logits[2, 3] = logits[3, 0] = value
    pin = pinned_logits(tmp_path, IDS, logits)
    with pytest.raises(InputError, match=r"logits of 2 pictures are not finite, the first fer2"):
        load_logits(pin, IDS[:1], CORPUS)  # the file is told of, whichever pictures are asked for


def test_a_logit_beyond_what_training_computes_with_is_refused(tmp_path):
    pin = pinned_logits(tmp_path, IDS, LOGITS + np.eye(4, 8) * [1e300, *[0] * 7])
    with pytest.raises(InputError, match=r"logits of 1 pictures are not finite, the first fer0"):
        load_logits(pin, IDS, CORPUS)


def test_a_picture_of_which_two_rows_speak_is_refused(tmp_path):
    pin = pinned_logits(tmp_path, IDS[[0, 2, 1, 2]], LOGITS)
    with pytest.raises(InputError, match=r"1 pictures more than once, the first fer2"):
        load_logits(pin, IDS[:3], CORPUS)


def test_logits_of_other_pixels_are_refused(tmp_path):
    """Ids that are numbers of rows go on being ids where a row was taken out."""
    pixels = np.array(["a", "b", "c", "d"])
    pin = pinned_logits(tmp_path, IDS, LOGITS, groups=pixels)
    order = [2, 0, 3]
    found = load_logits(pin, IDS[order], CORPUS, pixels[order])
    np.testing.assert_array_equal(found.numpy(), LOGITS[order])
    with pytest.raises(InputError, match=r"other pixels for 2 images, the first fer1"):
        load_logits(pin, IDS[:3], CORPUS, np.array(["a", "c", "d"]))
    earlier = pinned_logits(tmp_path, IDS, LOGITS)
    assert len(load_logits(earlier, IDS[:3], CORPUS, np.array(["a", "c", "d"]))) == 3
    with pytest.raises(InputError, match=r"hashed pixels are \(3,\), not \(4,\)"):
        load_logits(pinned_logits(tmp_path, IDS, LOGITS, groups=pixels[:3]), IDS, CORPUS, pixels)


def test_python_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "logits.npz"
    np.savez(path, ids=IDS, logits=np.array([print, None], dtype=object))
    with pytest.raises(InputError, match=r"logits\.npz.*allow_pickle"):
        load_logits(LogitsPin(str(path), "0" * 64), IDS, CORPUS)


@pytest.mark.parametrize("damage", ["absent", "junk", "truncated", "array", "fields", "nameless"])
def test_an_unreadable_file_is_named(tmp_path, damage):
    pin = pinned_logits(tmp_path, IDS, LOGITS)
    path = tmp_path / "logits.npz"
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    elif damage == "junk":
        path.write_bytes(b"junk")
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "array":
        with path.open("wb") as stream:
            np.save(stream, LOGITS)
    elif damage == "fields":
        np.savez(path, logits=LOGITS)
    else:  # nobody knows whose pictures they are
        np.savez(path, ids=IDS, logits=LOGITS, labels=np.array(EMOTIONS))
    with pytest.raises(InputError, match=r"logits\.npz"):
        load_logits(pin, IDS, CORPUS)
