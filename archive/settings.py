"""How to run: from the environment and juanzong.toml; a bad value stops the start. How to work stands in the database."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

PREFIX = "JUANZONG_"
MAILBOX = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)*[A-Za-z0-9][A-Za-z0-9-]{0,62}"
)
"""An address to which mail can go; no letter of it may end a line of a header or begin a second address."""
WEB = re.compile(r"https?://[^\s<>\"]+")


class BadSettings(Exception):
    """A setting cannot be used; the sentence names it."""


class Settings(BaseModel):
    """运行设置. Sizes in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    var: Path = Path("var")
    database_url: str = ""
    reads_url: str = ""
    checkpoints: Path | None = None
    """Where signed audit checkpoints go: best on another disk or machine than the database."""
    port: int = Field(default=8000, ge=1, le=65535)
    demo: bool = False
    timezone: str = "Asia/Shanghai"
    upload_limit: int = Field(default=2 * 1024**3, gt=0)
    session_hours: int = Field(default=12, gt=0)
    idle_minutes: int = Field(default=30, gt=0)
    secure_cookies: bool = False
    secret: str = ""
    """Empty: a random one is kept in var/keys. Otherwise at least 32 characters."""
    watch: Path | None = None
    """A folder into which scanners save: what lies there is taken in by itself."""
    watch_as: str = ""
    """The account that takes it in; its rights decide."""
    clamd: str = ""
    """The virus scanner that is asked about every file: host:port, or the path of its socket."""
    address: str = ""
    """Where people reach the archive, as it stands in a mail: https://…"""
    smtp_host: str = ""
    """The server that takes mail; empty: none is sent."""
    smtp_port: int = Field(default=0, ge=0, le=65535)
    """0: the usual one, 587 with STARTTLS, 465 with TLS from the first byte, 25 without."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_ca_file: Path | None = None
    """Whose certificates it may have, where the machine's own authorities do not know it."""
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    smtp_from: str = ""
    trusted_proxies: int = Field(default=0, ge=0)
    threads: int = Field(default=8, gt=0)
    processes: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _watched_by_somebody(self) -> Self:
        if self.watch and not self.watch_as:
            raise ValueError("a watched folder needs the account that takes files in: watch_as")
        return self

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        if not self.smtp_host:
            return self
        if not MAILBOX.fullmatch(self.smtp_from):
            raise ValueError("mail needs the address from which it comes: smtp_from")
        if not WEB.fullmatch(self.address):
            raise ValueError("mail names the address of the archive, https://… or http://…: address")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("a password is not sent in the clear: smtp_security must be starttls or tls")
        if self.smtp_user and not (self.smtp_password_file and self.smtp_password_file.is_file()):
            raise ValueError("smtp_user needs the file that holds its password: smtp_password_file")
        if self.smtp_ca_file and not self.smtp_ca_file.is_file():
            raise ValueError("there is no such file: smtp_ca_file")
        return self

    @property
    def mail_port(self) -> int:
        return self.smtp_port or {"starttls": 587, "tls": 465, "none": 25}[self.smtp_security]

    @property
    def main_url(self) -> str:
        return self.database_url or f"sqlite:///{self.var.resolve()}/db/juanzong.sqlite3"

    @property
    def journal_url(self) -> str:
        """The reads journal: a file of its own beside SQLite's, else the same server on a connection of its own."""
        return self.reads_url or self.database_url or f"sqlite:///{self.var.resolve()}/db/reads.sqlite3"

    @property
    def checkpoint_folder(self) -> Path:
        return self.checkpoints or self.var / "checkpoints"


def load(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Settings from `juanzong.toml` in `folder`, overridden by JUANZONG_… variables. Raises BadSettings."""
    environment = os.environ if environment is None else environment
    path = (folder or Path.cwd()) / "juanzong.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in Settings.model_fields:
        if (given := environment.get(PREFIX + name.upper())) is not None:
            values[name] = given
    if "PORT" in environment:
        values.setdefault("port", environment["PORT"])
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
