"""Pictures of a folder are those of the corpus they belong to, labels and all else apart."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.folder import FaceFolder
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from tests.fixtures.faces import write_ferplus


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ferplus")
    write_ferplus(folder, n_train=24, n_valid=16)
    return folder


def test_pictures_without_a_label_are_there(root):
    """Two rows that the rule drops, and twin-aware: a picture has one name in folder and corpus."""
    table = FaceFolder(root / "FER2013Train").load("unlabelled")
    kept = FerPlus(root).load("train")
    names = {Path(name).name for name in kept.ids}
    assert len(set(table.ids) - names) == 2
    assert names < set(table.ids)
    groups = dict(zip(table.ids, table.groups, strict=True))
    assert [groups[Path(name).name] for name in kept.ids] == kept.groups.tolist()
    assert len(table) == len(list((root / "FER2013Train").glob("*.png")))
    np.testing.assert_allclose(table.votes, 1 / 8)


def test_colour_and_other_sizes_at_every_depth(tmp_path):
    picture = SyntheticFaces(8, 8).load("valid").images[0]
    (tmp_path / "a" / "b").mkdir(parents=True)
    Image.fromarray(picture).convert("RGB").save(tmp_path / "a" / "b" / "one.PNG")
    Image.fromarray(np.pad(picture, ((0, 0), (20, 20)))).save(tmp_path / "two.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        table = FaceFolder(tmp_path).load("unlabelled")
    assert table.ids.tolist() == ["a/b/one.PNG", "two.png"]
    np.testing.assert_array_equal(table.images, np.stack([picture, picture]))
    assert table.skipped[0].startswith("broken.jpg: ")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        FaceFolder(tmp_path, strict=True).load("unlabelled")


def test_the_identity_follows_the_listing(tmp_path):
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / "a.png")
    corpus = FaceFolder(tmp_path)
    before = corpus.identity("unlabelled")
    assert before == FaceFolder(tmp_path).identity("unlabelled")
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / "b.png")
    assert corpus.identity("unlabelled") != before


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no picture"):
        FaceFolder(tmp_path).load("unlabelled")


def test_nobody_can_train_with_labels_or_judge_on_it(root, tmp_path):
    data = FaceDataModule(FaceFolder(root / "FER2013Valid"), store=tmp_path)
    for stage in ("fit", "test"):
        with pytest.raises(InputError, match=r"use one of \('unlabelled',\)"):
            data.setup(stage)


def test_links_to_folders_are_followed_once(tmp_path):
    for name, level in (("root/a.png", 9), ("else/b.png", 7)):
        (tmp_path / name).parent.mkdir()
        Image.new("L", (48, 48), level).save(tmp_path / name)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "else")
    (tmp_path / "else" / "back").symlink_to(tmp_path / "root")
    table = FaceFolder(tmp_path / "root").load("unlabelled")
    assert table.ids.tolist() == ["a.png", "link/b.png"]


def test_a_pipe_and_a_broken_link_are_told_and_not_waited_for(tmp_path):
    Image.new("L", (48, 48)).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="2 pictures could not be read"):
        table = FaceFolder(tmp_path).load("unlabelled")
    assert table.ids.tolist() == ["a.png"]
    assert table.skipped == ("b.png: is not a regular file", "c.png: there is no such file")


def test_hidden_files_and_what_unpacking_leaves_are_passed_over(tmp_path):
    picture = Image.fromarray(np.zeros((48, 48), np.uint8))
    for name in ("a.png", "._a.png", ".thumbs/b.png", "__MACOSX/c.png", "d/._e.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        picture.save(path)
    assert FaceFolder(tmp_path).load("unlabelled").ids.tolist() == ["a.png"]
    assert FaceFolder(tmp_path).files("unlabelled") == (tmp_path / "a.png",)
