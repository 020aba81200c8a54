"""Keys: one a purpose, in var/keys with mode 0600; what is encrypted begins with the id of its key (model §6)."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_ID = 1
DEFAULT_SECRETS = frozenset({"secret", "changeme", "dev", "development", "password", "juanzong"})


class WeakSecret(Exception):
    """The start is refused with a default or short secret."""


class Keys:
    """密钥. The hash key cannot rotate: every stored hash would be lost."""

    def __init__(self, folder: Path, secret: str = "") -> None:
        self._folder = folder
        self._secret = secret

    def create(self) -> None:
        """Makes whatever key is missing; existing keys are never touched."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for purpose in ("session", "cursor", "identity-enc", "identity-hash", "detail-enc", "audit-sign"):
            path = self._folder / purpose
            if not path.exists():
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
                    file.flush()
                    os.fsync(file.fileno())

    def _read(self, purpose: str) -> bytes:
        return (self._folder / purpose).read_bytes()

    @cached_property
    def session(self) -> str:
        """The secret of cookies. Raises WeakSecret for one that could be guessed."""
        if not self._secret:
            return self._read("session").hex()
        if len(self._secret) < 32 or self._secret.lower() in DEFAULT_SECRETS or len(set(self._secret)) < 8:
            raise WeakSecret(
                "JUANZONG_SECRET is short or a default; give at least 32 random characters, or none"
            )
        return self._secret

    @cached_property
    def _addresses(self) -> AESGCM:
        return AESGCM(self._read("cursor"))

    @cached_property
    def _identity_hash(self) -> bytes:
        return self._read("identity-hash")

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        return {purpose: AESGCM(self._read(purpose)) for purpose in ("identity-enc", "detail-enc")}

    @cached_property
    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._read("audit-sign"))

    @property
    def verify_key(self) -> str:
        """The public half of the audit key, in hex."""
        raw = self.signer.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return raw.hex()

    def identity_hash(self, value: str) -> str:
        """A keyed hash under which an identity number or a 病案号 is found without being stored."""
        return hmac.new(self._identity_hash, value.strip().upper().encode(), hashlib.sha256).hexdigest()

    def seal_address(self, text: str, purpose: str) -> str:
        """`text` for an address: there nobody can read it, change it, or use it for another purpose."""
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._addresses.encrypt(nonce, text.encode(), purpose.encode())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open_address(self, token: str, purpose: str) -> str:
        """Raises ValueError for what was not sealed here for this purpose."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._addresses.decrypt(sealed[:12], sealed[12:], purpose.encode()).decode()
        except InvalidTag as error:
            raise ValueError("not sealed here for this") from error

    def encrypt(self, purpose: str, text: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return bytes([KEY_ID]) + nonce + self._ciphers[purpose].encrypt(nonce, text.encode(), None)

    def decrypt(self, purpose: str, sealed: bytes) -> str:
        """Raises ValueError when the key id is unknown or the bytes were changed."""
        if sealed[:1] != bytes([KEY_ID]):
            raise ValueError(f"no such key for {purpose}")
        try:
            return self._ciphers[purpose].decrypt(sealed[1:13], sealed[13:], None).decode()
        except InvalidTag as error:
            raise ValueError(f"changed since it was sealed for {purpose}") from error
