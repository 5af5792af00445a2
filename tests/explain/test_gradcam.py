"""Grad-CAM lights up where the evidence is, in networks whose evidence is known."""

import numpy as np
import pytest
import torch
from torch import nn

from neurogaze.errors import InputError
from neurogaze.explain.gradcam import grad_cam, last_stage, on_template, unit_maps
from neurogaze.faces.preprocessing import FacePreprocessing, centred, to_input
from neurogaze.models.student import Student
from tests.explain.hand_made import HandMade, Small, lit

PATCH = (slice(8, 16), slice(30, 40))
OTHER = (slice(30, 36), slice(4, 12))


def two_patches():
    return lit(PATCH) + lit(OTHER, -1.0)


@pytest.mark.parametrize(("label", "where"), [(1, PATCH), (2, OTHER)])
def test_only_the_patch_that_matters_lights_up(label, where):
    found = grad_cam(HandMade(), two_patches(), torch.tensor([label]))[0]
    expected = torch.zeros(48, 48)
    expected[where] = 1.0
    torch.testing.assert_close(found, expected)


def test_a_class_without_evidence_is_dark():
    assert grad_cam(HandMade(), two_patches(), torch.tensor([5])).abs().max() == 0


def test_each_picture_is_explained_for_its_own_class():
    images = torch.cat([two_patches(), two_patches()])
    both = grad_cam(HandMade(), images, torch.tensor([1, 2]))
    assert both[0][PATCH].min() == 1
    assert both[0][OTHER].max() == 0
    assert both[1][OTHER].min() == 1
    for row, label in enumerate((1, 2)):
        alone = grad_cam(HandMade(), images[row : row + 1], torch.tensor([label]))
        torch.testing.assert_close(both[row : row + 1], alone)


def striped(n, generator):
    """Pictures with one striped patch somewhere: upright for class 1, level for class 2."""
    images, inside = 0.1 * torch.randn(n, 1, 24, 24, generator=generator), torch.zeros(n, 24, 24)
    labels = 1 + torch.arange(n) % 2
    stripes = torch.tensor([3.0, -3.0]).repeat(4)
    for row in range(n):
        top, left = torch.randint(0, 16, (2,), generator=generator).tolist()
        where = (slice(top, top + 8), slice(left, left + 8))
        images[row, 0][where] += stripes[None] if labels[row] == 1 else stripes[:, None]
        inside[row][where] = 1
    return images, labels, inside > 0


def test_a_student_that_learnt_a_patch_looks_at_it_wherever_it_is():
    torch.manual_seed(0)
    generator, student = torch.Generator().manual_seed(1), HandMade(Small())
    optimiser = torch.optim.Adam(student.parameters(), lr=0.02)
    for _ in range(80):
        images, labels, _ = striped(32, generator)
        optimiser.zero_grad()
        nn.functional.cross_entropy(student(images).logits, labels).backward()
        optimiser.step()
    images, labels, inside = striped(64, generator)
    assert (student(images).logits.argmax(1) == labels).float().mean() > 0.95
    maps = grad_cam(student, images, labels)
    on = torch.stack([m[i].mean() for m, i in zip(maps, inside, strict=True)])
    off = torch.stack([m[~i].mean() for m, i in zip(maps, inside, strict=True)])
    assert (on > 3 * off).float().mean() > 0.9


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenetv3_small_050", "efficientnet_lite0", "convnext_atto"]
)
def test_any_timm_network_of_convolutions_has_maps(name):
    student = Student(name, embedding_dim=4, stem="imagenet")
    images = torch.rand(2, 1, 64, 64)
    found = grad_cam(student, images, torch.tensor([0, 3]))
    assert found.shape == (2, 64, 64)
    assert ((found >= 0) & (found <= 1)).all()


def test_it_is_the_formula():
    """Equations 1 and 2 of the paper, by a second backward pass through the stages."""
    torch.manual_seed(1)
    student = Student("resnet10t", embedding_dim=4, stem="imagenet").eval()
    images = torch.rand(1, 1, 64, 64)
    features = student.backbone.forward_features(images).detach().requires_grad_(True)
    embedding = student.embed(student.backbone.forward_head(features))
    student.classify(embedding)[0, 6].backward()
    weights = features.grad.mean(dim=(2, 3), keepdim=True)
    coarse = (weights * features).sum(dim=1, keepdim=True).relu().detach()
    large = nn.functional.interpolate(coarse, size=(64, 64), mode="bilinear")[:, 0]
    found = grad_cam(student, images, torch.tensor([6]))
    torch.testing.assert_close(found, unit_maps(large), rtol=1e-4, atol=1e-5)


def test_the_student_is_left_as_it_was():
    student = Student("resnet10t", embedding_dim=4, stem="imagenet").requires_grad_(False)
    student.train()
    before = {k: v.clone() for k, v in student.state_dict().items()}
    grad_cam(student, torch.rand(2, 1, 64, 64), torch.tensor([0, 1]))
    assert student.training
    assert all(torch.equal(before[k], v) for k, v in student.state_dict().items())
    assert not any(m._forward_hooks for m in student.modules())


def test_a_vision_transformer_is_refused_with_the_reason():
    student = Student("test_vit", embedding_dim=4, stem="imagenet", img_size=48)
    with pytest.raises(InputError, match="tokens"):
        grad_cam(student, torch.rand(1, 1, 48, 48), torch.tensor([0]))
    with pytest.raises(InputError, match="which of its stages"):
        last_stage(nn.Conv2d(1, 1, 1))
    small = Student("resnet18", embedding_dim=4, stem="imagenet")
    with pytest.raises(InputError, match="single place"):
        grad_cam(small, torch.rand(1, 1, 32, 32), torch.tensor([0]))


@pytest.mark.parametrize("size", [44, 43, 48, 96])
def test_a_map_lies_where_the_input_was_cut(size):
    face = np.zeros((1, 48, 48), np.uint8)
    face[:, 20:28, 10:18] = 255
    ready = to_input(torch.from_numpy(face), FacePreprocessing(size=size, mean=0.0, std=1.0))
    back = on_template(ready[:, 0]).numpy()
    np.testing.assert_allclose(back[0, 21:27, 11:17], 1.0)
    assert back.shape == (1, 48, 48)
    np.testing.assert_allclose(back[0, :18], 0.0)
    np.testing.assert_allclose(back[0, :, 20:], 0.0)


@pytest.mark.parametrize("size", [48, 44, 43, 20])
def test_whatever_picture_is_cut_lies_where_it_was(size):
    picture = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(size))
    back = on_template(centred(picture, size)[0])[0]
    seen = back > 0
    assert int(seen.sum()) == size * size
    torch.testing.assert_close(back[seen], picture[0, 0][seen])


def test_a_map_of_an_enlarged_face_is_brought_back():
    maps = torch.arange(4.0).reshape(1, 2, 2).repeat_interleave(48, 1).repeat_interleave(48, 2)
    (back,) = on_template(maps)
    assert back[:24, :24].eq(0).all()
    assert back[24:, 24:].eq(3).all()
