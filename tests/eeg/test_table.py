from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError
from tests.eeg.toy import make_table


def test_take_and_content_hash():
    table = make_table(n_subjects=3)
    part = table.take(table.subject == "S01")
    assert set(part.subject.tolist()) == {"S01"}
    assert part.n_rows == table.n_rows // 3
    assert isinstance(part, FeatureTable)
    whole = table.take(np.arange(table.n_rows))
    assert whole.sha256 == table.sha256 != part.sha256
    wider = replace(table, subject=table.subject.astype("<U40"))
    assert wider.sha256 == table.sha256
    assert replace(table, window=3.0).sha256 != table.sha256
    assert replace(table, quirks="said").sha256 == table.sha256


def test_table_with_columns_of_other_lengths_is_refused():
    table = make_table(n_subjects=3)
    with pytest.raises(InputError, match="toy"):
        replace(table, start=table.start[:-1])
