"""Who may do what with people: invite, entrust, withdraw, shut out. Pure functions over the one who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from silian.web.base.actors import Actor

# The posts that the holder of a post may give for a place at or below the own one. Whoever audits is appointed by
# administrators alone: an officer must not choose who looks at what officers do.
GRANTS: Final = {
    "administrator": ("broker", "officer", "leader", "judge", "auditor", "administrator"),
    "officer": ("broker", "officer", "leader", "judge"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account is entrusted with, as the rules see it."""

    user_id: int
    posts: frozenset[tuple[str, str]] = field(default=frozenset())  # (role, path of the place)
    orgs: frozenset[tuple[str, str]] = field(default=frozenset())  # (organisation, path of its place)


def grantable(actor: Actor, path: str) -> tuple[str, ...]:
    """The posts that a person may give and take for the place with a path, in the order of their weight."""
    given = {role for own, roles in GRANTS.items() if actor.holds(own, over=path) for role in roles}
    return tuple(role for role in GRANTS["administrator"] if role in given)


def may_grant(actor: Actor, role: str, path: str) -> bool:
    """Whether a person may give or take a post for the place with a path."""
    return role in grantable(actor, path)


def may_lead(actor: Actor, org_id: str, path: str) -> bool:
    """Whether a person manages the members of an organisation that lies in the place with a path."""
    return org_id in actor.led or may_govern(actor, path)


def may_govern(actor: Actor, path: str) -> bool:
    """Whether a person looks after the people of the place with a path."""
    return any(actor.holds(role, over=path) for role in GRANTS)


def may_shut(actor: Actor, standing: Standing) -> bool:
    """Whether a person may shut an account out: only one of whom the person could take every post and membership."""
    if standing.user_id == actor.user_id:
        return False
    if not standing.posts and not standing.orgs:
        return actor.holds("administrator")
    taken = all(may_grant(actor, role, path) for role, path in standing.posts)
    return taken and all(may_govern(actor, path) for _, path in standing.orgs)


def may_plant(actor: Actor, level: str, path: str) -> bool:
    """Whether a person may add a park below the place with a level and path, or rename one there."""
    return level in ("city", "county") and actor.holds("administrator", over=path)
