"""Faces are where they are, on the one photograph that a dependency ships, and nowhere else."""

import hashlib
import math
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy.contract import CropRule
from neurogaze.deploy.cropping import crop_face, eye_angle
from neurogaze.deploy.detection import Box, Cropped, Haar, YuNet, open_detector
from neurogaze.errors import InputError

NOSE = (127, 112)
"""In the part of the photograph that is searched, looked up by eye; her face is about 90 pixels
wide."""


@pytest.fixture(scope="module")
def astronaut():
    """Head and shoulders of her, for the whole photograph takes four times as long."""
    return pytest.importorskip("skimage.data").astronaut()[:256, 96:352]


@pytest.fixture(scope="module")
def haar():
    pytest.importorskip("cv2")
    return Haar()


def is_her_face(box, scale=1.0):
    x, y = (part / scale for part in box.centre)
    near = math.hypot(x - NOSE[0], y - NOSE[1]) < 15
    return near and 70 < box.width / scale < 130


def resized(rgb, scale):
    size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def turned(rgb, degrees):
    return np.asarray(Image.fromarray(rgb).rotate(degrees, Image.Resampling.BICUBIC, center=NOSE))


def test_one_face_where_it_is(haar, astronaut):
    (box,) = haar.detect(astronaut)
    assert is_her_face(box)
    assert box.score > 0
    (left, upper), (right, lower) = box.eyes
    assert 94 < left < 119 < 139 < right < 164
    assert 85 < upper < 112
    assert 85 < lower < 112


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_after_resizing(haar, astronaut, scale):
    """At 3.0 the picture is searched smaller than it is, and the box is mapped back."""
    box, *others = haar.detect(resized(astronaut, scale))
    assert is_her_face(box, scale)
    assert all(other.width < 0.5 * box.width for other in others)


@pytest.mark.parametrize("degrees", [-15, 15])
def test_the_eyes_give_the_angle_of_a_turned_head(haar, astronaut, degrees):
    (upright,) = haar.detect(astronaut)
    (box,) = haar.detect(turned(astronaut, degrees))
    assert is_her_face(box)
    found = math.degrees(eye_angle(box) - eye_angle(upright))
    assert found == pytest.approx(-degrees, abs=4)  # y points down


def test_a_turned_face_is_cropped_upright(haar, astronaut):
    """Its box is set to that of the upright one: only the angle of the eyes is judged."""
    (upright,), picture = haar.detect(astronaut), turned(astronaut, 15)
    (box,) = haar.detect(picture)
    box = replace(
        box, left=upright.left, top=upright.top, width=upright.width, height=upright.height
    )
    face = crop_face(astronaut, upright, CropRule(1.0, 0.0, True)).ravel()
    level, askew = (
        np.corrcoef(face, crop_face(picture, box, CropRule(1.0, 0.0, turn)).ravel())[0, 1]
        for turn in (True, False)
    )
    assert level > 0.9
    assert level > askew + 0.1


def test_two_faces_the_larger_first(haar, astronaut):
    face = astronaut[20:200, 34:214]
    scene = np.full((300, 600, 3), 120, dtype=np.uint8)
    scene[20:128, 30:138] = resized(face, 0.6)
    scene[60:240, 300:480] = face
    first, second = haar.detect(scene)
    assert first.width > second.width
    assert abs(first.centre[0] - 393) < 20
    assert abs(second.centre[0] - 86) < 15


def test_the_same_answer_again(haar, astronaut):
    assert haar.detect(astronaut) == Haar().detect(astronaut)


def test_the_same_answer_to_threads_at_once(haar, astronaut):
    small = resized(astronaut, 0.5)
    expected, answers = haar.detect(small), []
    threads = [threading.Thread(target=lambda: answers.append(haar.detect(small))) for _ in "four"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (24, 24, 3), (200, 300, 3)])
def test_no_face(haar, shape):
    assert haar.detect(np.full(shape, 90, dtype=np.uint8)) == []


def test_a_cropped_picture_is_the_face():
    rgb = np.random.default_rng(0).integers(0, 256, (60, 48, 3), dtype=np.uint8)
    (box,) = Cropped().detect(rgb)
    assert (box.left, box.top, box.width, box.height) == (0, 6, 48, 48)
    grey = np.asarray(Image.fromarray(rgb).convert("L"))
    rule = CropRule(1.3, 0.1, True)  # made for the boxes of a detector
    np.testing.assert_array_equal(crop_face(rgb, box, rule), grey[6:54])


# --- the network: a file is supplied by its user, so a stand-in with planted answers is written


def outputs(cells, stride):
    """Answers of YuNet at one stride: cells {(row, column): (score, box, landmarks)}."""
    side = 64 // stride
    score, box = np.zeros((side * side, 1)), np.zeros((side * side, 4))
    points = np.zeros((side * side, 10))
    for (row, column), (value, corner, marks) in cells.items():
        i = row * side + column
        left, top, width, height = corner
        score[i] = value
        box[i, :2] = (left + width / 2) / stride - column, (top + height / 2) / stride - row
        box[i, 2:] = np.log([width / stride, height / stride])
        points[i] = (np.reshape(marks, (5, 2)) / stride - [column, row]).ravel()
    return {"cls": score, "obj": score, "bbox": box, "kps": points}


def write_network(path, cells):
    """A graph with the input and the twelve outputs of YuNet that always says the same."""
    onnx = pytest.importorskip("onnx")
    helper, nodes, constants, given = onnx.helper, [], [], []
    nodes.append(helper.make_node("GlobalAveragePool", ["input"], ["mean"]))
    nodes.append(helper.make_node("ReduceMean", ["mean"], ["level"], axes=[1, 2, 3], keepdims=0))
    constants.append(onnx.numpy_helper.from_array(np.zeros(1, np.float32), "zero"))
    nodes.append(helper.make_node("Mul", ["level", "zero"], ["nothing"]))
    for stride in (8, 16, 32):
        for name, values in outputs(cells if stride == 16 else {}, stride).items():
            full = f"{name}_{stride}"
            array = values[None].astype(np.float32)
            constants.append(onnx.numpy_helper.from_array(array, f"{full}_values"))
            nodes.append(helper.make_node("Add", [f"{full}_values", "nothing"], [full]))
            given.append(helper.make_tensor_value_info(full, 1, array.shape))
    taken = helper.make_tensor_value_info("input", 1, [1, 3, 64, 64])
    order = [f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)]
    given.sort(key=lambda value: order.index(value.name))
    graph = helper.make_graph(nodes, "stand_in", [taken], given, constants)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


MARKS = [(34, 20), (20, 22), (28, 30), (32, 36), (22, 36)]
"""Both eyes (the one further right first), nose, corners of the mouth."""


@pytest.fixture
def network(tmp_path):
    pytest.importorskip("cv2")
    small = (0.75, (44, 44, 12, 14), [(46, 48), (52, 48), (49, 52), (47, 55), (51, 55)])
    face, unsure = (0.9, (10, 8, 32, 40), MARKS), (0.3, (0, 40, 16, 16), MARKS)
    write_network(tmp_path / "yunet.onnx", {(1, 1): face, (3, 3): small, (3, 0): unsure})
    return tmp_path / "yunet.onnx"


def test_boxes_eyes_and_scores_of_the_network(network):
    first, second = YuNet(network).detect(np.zeros((64, 64, 3), dtype=np.uint8))
    corner = (first.left, first.top, first.width, first.height)
    np.testing.assert_allclose(corner, (10, 8, 32, 40), atol=0.01)
    assert first.score == pytest.approx(0.9, abs=1e-4)
    np.testing.assert_allclose(first.eyes, [(20, 22), (34, 20)], atol=0.01)
    assert second.score == pytest.approx(0.75, abs=1e-4)
    np.testing.assert_allclose(second.eyes, [(46, 48), (52, 48)], atol=0.01)


def test_large_pictures_are_mapped_back(network, monkeypatch):
    monkeypatch.setattr("neurogaze.deploy.detection.LONGEST", 64)
    first, _ = YuNet(network).detect(np.zeros((640, 640, 3), dtype=np.uint8))
    corner = (first.left, first.top, first.width, first.height)
    np.testing.assert_allclose(corner, (100, 80, 320, 400), atol=0.1)


def test_auto_takes_the_network_where_its_file_is_given(network, haar):
    assert open_detector("auto", network).name == "yunet"
    sha = hashlib.sha256(network.read_bytes()).hexdigest()
    assert open_detector("auto", network).identity == f"yunet {sha}"
    assert open_detector("auto", None).identity == "haar"
    assert open_detector("cropped", None).identity == "cropped"
    assert open_detector("auto", None).name == "haar"
    assert open_detector("cropped", None).name == "cropped"


def test_a_file_that_is_no_network(tmp_path, haar):
    with pytest.raises(InputError, match=r"absent\.onnx: there is no such file.*model zoo"):
        open_detector("yunet", tmp_path / "absent.onnx")
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(InputError, match=r"text\.onnx: is no YuNet network"):
        open_detector("auto", tmp_path / "text.onnx")


def test_another_network(tmp_path, haar):
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    ends = [helper.make_tensor_value_info(name, 1, [1, 3, 64, 64]) for name in ("input", "logits")]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["input"], ["logits"])], "g", ends[:1], ends[1:]
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "s.onnx")
    with pytest.raises(InputError, match="is no YuNet network"):
        YuNet(tmp_path / "s.onnx")


def test_settings_that_contradict(tmp_path):
    with pytest.raises(InputError, match="needs its model file"):
        open_detector("yunet", None)
    with pytest.raises(InputError, match="is not used by the detector haar"):
        open_detector("haar", tmp_path / "yunet.onnx")
    with pytest.raises(InputError, match="use auto, yunet, haar or cropped"):
        open_detector("mtcnn", None)


def test_without_opencv_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"opencv: cannot be loaded.*pip install neurogaze\[dep"):
        open_detector("auto", None)
    assert open_detector("cropped", None).name == "cropped"


@pytest.mark.parametrize("folder", [None, "empty"])
def test_a_release_without_cascades(monkeypatch, tmp_path, folder):
    """Version 5 has the class no more, and its wheels no files."""
    data = SimpleNamespace(haarcascades=str(tmp_path)) if folder else None
    fake = SimpleNamespace(__version__="5.0.0", data=data, CascadeClassifier=object)
    monkeypatch.setitem(sys.modules, "cv2", fake)
    with pytest.raises(InputError, match=r"opencv 5\.0\.0: holds no haarcascade_frontal"):
        open_detector("haar", None)


def test_a_box_is_offered_beside_the_detectors():
    assert Box(0, 0, 2, 4, 1.0).centre == (1, 2)
