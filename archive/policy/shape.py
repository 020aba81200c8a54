"""What the shapes of all policies are made of. Pure."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[^\s/\"'\\]{1,40}$")]
Days = Annotated[int, Field(ge=1, le=365)]


class Shape(BaseModel):
    """A table of a policy: what is not named here is a slip of the pen, and 30.0 or "30" is no 30."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Label(Shape):
    """A word as people read it; the English may be left out."""

    zh: Annotated[str, Field(min_length=1, max_length=60)]
    en: Annotated[str, Field(max_length=100)] = ""
