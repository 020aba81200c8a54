from pathlib import Path

import numpy as np

from index import Index, Put
from index.building import Building
from index.documents import stored
from index.fields import by_name
from index.files import DurableStorage
from index.segments import SegmentView

from .naive import FIELDS


def test_documents_added_after_others_were_taken_over_stand_behind_them(index: Index, tmp_path: Path) -> None:
    index.apply([Put(number, 1, {"code": "A1", "body": "肺炎", "year": number}) for number in (5, 6)])
    (part,) = index._open().parts
    (tmp_path / "other").mkdir()
    storage, specs = DurableStorage(str(tmp_path / "other")), by_name(FIELDS)
    building = Building(storage, specs)
    for number in (1, 2):
        building.add(stored(Put(number, 1, {"code": "A1", "body": "肺炎", "year": number}), specs))
        building.take(part.view, np.array([True, False]))
    view = SegmentView(storage, building.finish())
    assert view.numbers("number").tolist() == view.numbers("year").tolist() == [1, 5, 2, 5]
    for field, term in (("code", "a1"), ("body", "肺炎")):
        assert view.postings(field, term).docs.tolist() == [0, 1, 2, 3]
