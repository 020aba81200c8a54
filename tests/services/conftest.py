"""What tests of services share."""

from collections.abc import Iterator

import pytest

from archive.i18n import speaking


@pytest.fixture
def in_english() -> Iterator[None]:
    """Sentences come in English: their ids, which no translation changes."""
    with speaking("en"):
        yield
