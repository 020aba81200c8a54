"""Flask-Login's user: the bridge between a browser's session and the actor."""

from flask_login import UserMixin

from archive.actor import Actor


class SignedIn(UserMixin):
    """Its id is the secret of the session, never the number of the person."""

    def __init__(self, token: str, actor: Actor) -> None:
        self._token, self.actor = token, actor

    def get_id(self) -> str:
        return self._token
