"""Published numbers against what the papers print, and against arithmetic on them."""

import pytest

from neurogaze.report.published import FACES
from neurogaze.report.published_eeg import RECORDINGS
from neurogaze.report.reported import KNOWN


def numbers(row_id):
    return {score.column: (score.value, score.spread) for score in KNOWN[row_id].scores}


def counted(prefix):
    return sum(row_id.startswith(prefix) for row_id in KNOWN)


@pytest.mark.parametrize(
    ("prefix", "rows"),
    [
        ("neurogaze/T1/", 5),
        ("neurogaze/T2/", 3),
        ("neurogaze/T3/", 3),
        ("rbtransformer/I/", 11),
        ("rbtransformer/II/", 9),
        ("rbtransformer/III/", 9),
        ("rbtransformer/IV/", 2),
        ("rbtransformer/V/", 2),
        ("rbtransformer/VI/", 13),
        ("rbtransformer/ablations/", 7),
    ],
)
def test_every_row_of_every_table_is_there_once(prefix, rows):
    assert counted(prefix) == rows
    assert len(FACES) + len(RECORDINGS) == len(KNOWN) == 64


def test_rows_on_faces():
    full = numbers("neurogaze/T1/B3")
    assert [value for value, _ in full.values()] == [83.06, 64.74, 59.90]
    assert numbers("neurogaze/T1/T=1")["Macro-F1"] == (65.39, None)
    ckplus = numbers("neurogaze/T2/ckplus")
    assert (ckplus["present-only Acc"][0], ckplus["8-way Acc"][0]) == (64.93, 55.86)


def test_arithmetic_that_the_paper_states_holds():
    base, kd = numbers("neurogaze/T1/B0"), numbers("neurogaze/T1/B1")
    assert kd["Macro-F1"][0] - base["Macro-F1"][0] == pytest.approx(12.27)
    proto = numbers("neurogaze/T1/B2")
    assert proto["bACC"][0] - kd["bACC"][0] == pytest.approx(1.02)
    for table, mean in (("T2", 62.465), ("T3", 62.605)):  # printed as 62.60
        f1 = [numbers(f"neurogaze/{table}/{d}")["present-only F1"][0]
              for d in ("ckplus", "affectnet_mini")]  # fmt: skip
        assert sum(f1) / 2 == pytest.approx(mean)
    for right, percent in ((637, 64.93), (548, 55.86), (631, 64.32), (534, 54.43)):
        assert round(100 * right / 981, 2) == percent


def test_rows_where_all_classes_are_present_say_the_same_twice():
    for table in ("T2", "T3"):
        for data in ("affectnet_mini", "ferplus"):
            values = [v for v, _ in numbers(f"neurogaze/{table}/{data}").values()]
            assert values[:3] == values[3:]


def test_rows_on_recordings():
    dreamer = numbers("rbtransformer/II/RBTransformer")
    assert dreamer == {"V": (99.61, 0.05), "A": (99.74, 0.06), "D": (99.79, 0.04)}
    assert "D" not in numbers("rbtransformer/II/GANSER")
    assert numbers("rbtransformer/III/DGCNN")["Acc"] == (90.40, 8.49)
    assert numbers("rbtransformer/VI/DREAMER, 5 classes, dominance")["R"] == (99.58, 0.14)
    assert numbers("rbtransformer/ablations/no inter-cortical attention")["F1"] == (63.90, 0.29)
    full, extended = (numbers(f"rbtransformer/{part}") for part in
                      ("ablations/full", "VI/DREAMER, 2 classes, arousal"))  # fmt: skip
    assert {k: full[k] for k in "PR"} == {k: extended[k] for k in "PR"}
    assert full["Acc"] == dreamer["A"]


def test_every_row_has_a_source_and_a_protocol_and_leaks_are_called_so():
    assert all("arXiv 25" in row.source and row.protocol for row in KNOWN.values())
    assert all("LEAKY" in row.protocol for row in RECORDINGS)
    assert KNOWN["rbtransformer/II/DGCNN"].source == "arXiv 2511.13954, Table II"
    assert "quoted" in KNOWN["rbtransformer/II/DGCNN"].caveat
    assert "trained on" in KNOWN["neurogaze/T2/affectnet_mini"].caveat


def test_metrics_are_ours_and_per_axis():
    import numpy as np

    from neurogaze.evaluation.metrics import face_scores

    known = face_scores(np.arange(8), np.eye(8)).keys()
    assert {score.metric for row in FACES for score in row.scores} <= set(known)
    axes = [score.metric for score in KNOWN["rbtransformer/I/DFCN"].scores]
    assert axes == [f"{a}_accuracy_window" for a in ("valence", "arousal", "dominance")]
