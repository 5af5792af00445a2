"""Twenty-five damaged files of every format end in finite data or in a clean error."""

import pytest

from tests.fuzz.formats import FORMATS
from tests.fuzz.harness import cases, reader

N_CASES = 25


@pytest.fixture(scope="module")
def process():
    with reader() as running:
        yield running


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_end_well(process, format, tmp_path):
    done = list(cases(process, format, range(N_CASES), tmp_path / "corpus", tmp_path / "kept"))
    assert len(done) == N_CASES
    assert [str(case) for case in done if case.failed] == []


def test_every_corpus_on_disk_is_there():
    from neurogaze.eeg import corpora
    from neurogaze.eeg.recordings import Corpus

    known = {vars(corpora)[name] for name in corpora.__all__}
    on_disk = {c for c in known if issubclass(c, Corpus)} - {
        corpora.LatentEeg,
        corpora.SyntheticEeg,
    }
    assert on_disk <= {made.open for made in FORMATS.values()}
