"""Bringing an archive up: folders, keys, schema, seeds; and refusing to start on a schema ahead or behind."""

from archive import migrate
from archive.actor import Actor
from archive.services import setup
from archive.site import Site


def prepare(site: Site) -> bool:
    """Makes or upgrades everything an archive needs; gives whether it was new. Safe to call at every start."""
    site.keys.create()
    _ = site.keys.session
    migrate.upgrade(site)
    with site.uow(Actor.system("init")) as uow:
        new = setup.initialise(uow)
    with site.uow(Actor.system("init")) as uow:
        setup.catch_up(uow)
    return new
