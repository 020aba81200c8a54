"""随附照片: the envelope of a sealed package, a paper that was shown at the copying window."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class KeptPicture(Base):
    """随附照片: drawn anew from what was sent, and kept encrypted in the store, in the folder of its seal or slip."""

    __tablename__ = "kept_picture"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"), index=True)
    copy_id: Mapped[int | None] = mapped_column(ForeignKey("copy_request.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    """envelope, or the kind of paper that it shows."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the picture as it is shown; it stands in the journal, too."""
    stored: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the encrypted bytes, by which the store knows them."""
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
