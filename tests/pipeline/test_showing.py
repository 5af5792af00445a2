"""A pipeline whose student is exported and asked: what the file says is what the student says."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from neurogaze.affect import EMOTIONS
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.showing import MODEL, SHEET, TABLE, leave_pictures
from tests.pipeline.tiny import tiny_settings


@pytest.fixture(scope="module")
def shown(tiny_run, tmp_path_factory):
    """The tiny run taken up again, with a student to show."""
    import shutil

    root = tmp_path_factory.mktemp("shown") / "run"
    shutil.copytree(tiny_run.run, root)
    pipeline = Pipeline(tiny_settings(show=6), root, tiny_run.store)
    pipeline.run()
    return pipeline


def test_the_file_says_what_the_student_says(shown):
    table = pd.read_csv(shown.root / "deployed" / TABLE)
    assert len(table) == 6
    assert set(table["note"].astype(str).str.contains("meaningless on people")) == {True}
    faces = np.stack(
        [np.asarray(Image.open(shown.root / "deployed/pictures" / name)) for name in table["file"]]
    )
    judged = pd.read_parquet(shown.root / "evaluate-valid" / "predictions.parquet")
    chosen = judged.iloc[[int(name[:6]) for name in table["file"]]]
    said = table[[f"p_{name}" for name in EMOTIONS]].to_numpy()
    model = open_recogniser(shown.root / "deployed" / MODEL)
    np.testing.assert_allclose(said, model.answers(faces).probabilities, atol=1e-4)
    np.testing.assert_allclose(said, chosen[[f"p_{name}" for name in EMOTIONS]], atol=1e-3)


def test_the_sheet_is_a_picture_of_all_of_them(shown):
    sheet = np.asarray(Image.open(shown.root / "deployed" / SHEET))
    assert sheet.shape[1] > 900
    assert sheet.std() > 10


def test_a_second_run_exports_nothing(shown, tiny_run):
    again = Pipeline(tiny_settings(show=6), shown.root, tiny_run.store)
    again.run()
    assert again.stages.records["deployed"].skipped


def test_pictures_keep_their_order_and_their_pixels(tmp_path):
    table = SyntheticFaces(8, 11).load("valid")
    folder = leave_pictures(table, 3, tmp_path / "pictures")
    files = sorted(folder.iterdir())
    last = len(table.ids) - 1
    assert [file.stem for file in files] == ["000000", f"{last // 2:06d}", f"{last:06d}"]
    np.testing.assert_array_equal(np.asarray(Image.open(files[-1])), table.images[-1])
    leave_pictures(table, 2, folder)  # fewer: nothing is left of the three
    assert [file.stem for file in sorted(folder.iterdir())] == ["000000", f"{last:06d}"]


def test_without_the_extra_the_run_ends_well_and_says_what_is_missing(
    tiny_run, monkeypatch, tmp_path, capsys
):
    import shutil

    from neurogaze.pipeline import run

    shutil.copytree(tiny_run.run, tmp_path / "run")
    monkeypatch.setattr(run, "missing", lambda: ["onnx"])
    pipeline = Pipeline(tiny_settings(show=6), tmp_path / "run", tiny_run.store)
    pipeline.run()
    assert "deployed" not in pipeline.stages.records
    assert "neurogaze[deploy]" in capsys.readouterr().err


def test_a_negative_number_is_refused():
    with pytest.raises(InputError, match="show"):
        tiny_settings(show=-1)
