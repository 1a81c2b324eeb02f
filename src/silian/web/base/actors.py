"""Who acts: what a rule needs to know of a person, read once for each request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from silian.web.base.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the rules see them; without an account: a visitor."""

    user_id: int | None = None
    pseudonym: str = ""
    expert_id: str = ""
    orgs: frozenset[str] = frozenset()  # organisations for which the person acts
    led: frozenset[str] = frozenset()  # of these, the ones whose members the person manages
    posts: frozenset[tuple[str, str]] = field(default=frozenset())  # (role, path of the place)

    @property
    def is_visitor(self) -> bool:
        """Whether nobody is signed in."""
        return self.user_id is None

    def holds(self, role: str, *, over: str | None = None) -> bool:
        """Whether the person holds a role: for the place with a path, or anywhere.

        Examples
        --------
        >>> officer = Actor(user_id=1, posts=frozenset({("officer", "/52/5226/")}))
        >>> officer.holds("officer", over="/52/5226/D01/"), officer.holds("officer", over="/52/5227/")
        (True, False)
        """
        return any(r == role and (over is None or over.startswith(path)) for r, path in self.posts)

    def paths(self, roles: Iterable[str]) -> list[str]:
        """The places for which the person holds one of some roles."""
        wanted = set(roles)
        return sorted({path for role, path in self.posts if role in wanted})


VISITOR = Actor()


def actor_of(user: User) -> Actor:
    """The actor that an account stands for. Cost: two queries."""
    memberships = list(user.memberships.values_list("org_id", "role"))
    posts = user.posts.values_list("role", "place__path")
    return Actor(
        user_id=user.pk,
        pseudonym=user.pseudonym,
        expert_id=user.expert_id,
        orgs=frozenset(org for org, _ in memberships),
        led=frozenset(org for org, role in memberships if role == "administrator"),
        posts=frozenset(posts),
    )
