"""Whatever a caller passes on from a request, it never becomes a path."""

from uuid import uuid4

import pytest

from storage import Store

RECORD = "3fa2c1de-0b1d-4c55-9a0e-2f6d1c7b8a90"


@pytest.mark.parametrize("record", ["..", "../../etc", "", "1234", f"{RECORD}/..", f"{RECORD}\n"])
def test_a_record_that_is_a_path_is_refused(store: Store, record: str) -> None:
    for attempt in (
        lambda: store.open(record, "0" * 64),
        lambda: store.remove_record(record),
        lambda: store.put_derivative(record, "a", b""),
        lambda: store.read_sidecar(record),
    ):
        with pytest.raises(ValueError, match="UUID"):
            attempt()


@pytest.mark.parametrize("name", ["record.json", "../" + "0" * 61, "0" * 63, "A" * 64, "0" * 64 + "\n", ""])
def test_a_hash_that_is_a_path_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.open(uuid4(), name)
    with pytest.raises(ValueError, match="SHA-256"):
        store.verify(uuid4(), name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", ".hidden", "P.jpg", "a\n", "a\0", "页", "x" * 201]
)
def test_a_derivative_that_is_a_path_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="derivative"):
        store.put_derivative(uuid4(), name, b"")
    with pytest.raises(ValueError, match="derivative"):
        store.has_derivative(uuid4(), name)
