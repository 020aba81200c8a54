"""What addresses and forms give, read strictly: nothing that means something else in another place."""

import re
from uuid import UUID

_WHOLE = re.compile(r"-?[0-9]{1,10}")


def whole(text: str) -> int:
    """A whole number that any column can hold: the `type=` of what is read from a form or query. Raises ValueError."""
    if _WHOLE.fullmatch(text) is None or abs(number := int(text)) >= 2**31:
        raise ValueError(text)
    return number


def uuid(text: str) -> str | None:
    """An id that stands in an address, in its usual form; nothing for anything else."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
