"""Invite the first administrator of a site: `python -m silian.web appoint EMAIL NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from silian.web.base import invitations
from silian.web.base.actors import VISITOR
from silian.web.base.models import Place, Post

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Print the link by which somebody becomes an administrator of the whole region."""

    help = "Print the link by which somebody becomes an administrator of the whole region."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who."""
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Invite in the name of the operator; whoever can run this owns the site."""
        made = invitations.invite(
            VISITOR, email=options["email"], name=options["name"], role=Post.Role.ADMINISTRATOR, place=Place.root()
        )
        path = reverse("invitation", args=[invitations.key_of(made, "mail")])
        scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
        self.stdout.write(f"{scheme}://{settings.ALLOWED_HOSTS[0]}{path}")
