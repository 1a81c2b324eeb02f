"""Pages about people: the members of an organisation, the posts of a place, one account, the tree of places."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any, Final

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.errors import WebError
from silian.web.base import invitations, organisations, people
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.base.models import Invitation, Membership, Place, Post, User
from silian.web.base.people_forms import GivePost, InviteMember, InvitePost, Park, ParkName, governed
from silian.web.base.rules import GRANTS, may_govern, may_grant, may_lead, may_plant, may_shut

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.actors import Actor
    from silian.web.base.organisations import Organisation
    from silian.web.base.requests import SignedIn
    from silian.web.base.rules import Standing

PAGE: Final = 50
UNDO_SECONDS: Final = 600  # how long what was taken can be given back with one button


# ── members of an organisation ──


@login_required
def organisation_list(request: SignedIn) -> HttpResponse:
    """The organisations whose members the person manages; who looks after a place finds any there."""
    actor = request.actor
    paths = actor.paths(GRANTS)
    if not actor.led and not paths:
        raise Http404
    if len(actor.led) == 1 and not paths:
        return redirect("members", next(iter(actor.led)))
    words = request.GET.get("q", "").strip()[:100]
    found = organisations.find(words, paths)
    own = sorted(organisations.named(actor.led).values())
    shown = {"own": own, "found": found, "words": words, "may_find": bool(paths)}
    return render(request, "base/people/organisations.html", shown)


@login_required
def member_list(request: SignedIn, org_id: str) -> HttpResponse:
    """The members of an organisation, and who is invited."""
    organisation = _led(request.actor, org_id)
    form = InviteMember(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        return _invite(request, reverse("members", args=[org_id]), org_id=org_id, **given)
    members = Membership.objects.filter(org_id=org_id).select_related("user").order_by("-role", "user__name", "pk")
    shown = {
        "organisation": organisation, "members": Paginator(members, PAGE).get_page(request.GET.get("page")),
        "invitations": _open_ones(Q(org_id=org_id)), "form": form, "roles": Membership.Role.choices, **_once(request),
    }  # fmt: skip
    return render(request, "base/people/members.html", shown)


@require_POST
@login_required
def member_change(request: SignedIn, number: int) -> HttpResponse:
    """Give a member another role, or end the membership."""
    membership = get_object_or_404(Membership.objects.select_related("user"), pk=number)
    _led(request.actor, membership.org_id)
    wanted = request.POST.get("role", "")
    try:
        if wanted == "none":
            people.remove(request.actor, membership)
            kept = {"org_id": membership.org_id, "role": membership.role, "user": membership.user_id}
            request.session["undo"] = {**kept, "told": _("已移除成员。"), "at": int(time())}
        elif wanted in Membership.Role.values:
            people.set_role(request.actor, membership, wanted)
            messages.success(request, _("角色已更改。"))
    except WebError as error:
        messages.error(request, error.message(page_language()))
    return redirect("members", membership.org_id)


# ── posts in places ──


@login_required
def post_list(request: SignedIn) -> HttpResponse:
    """Who holds which post where, in the places that the person looks after."""
    places = governed(request.actor)
    if not request.actor.paths(GRANTS):
        raise Http404
    asked = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "role", "place")}
    found = Post.objects.filter(place__in=places).select_related("user", "place")
    if asked["q"]:
        found = found.filter(Q(user__name__contains=asked["q"]) | Q(user__email=asked["q"].lower()))
    if asked["role"]:
        found = found.filter(role=asked["role"])
    listed = [(p, "　" * (p.path.count("/") - 2) + str(p)) for p in places]
    chosen = next((p for p, _name in listed if p.pk == asked["place"]), None)
    if chosen:
        found = found.filter(place__path__startswith=chosen.path)
    shown = {
        "posts": Paginator(found.order_by("place__path", "role", "user__name", "pk"), PAGE).get_page(
            request.GET.get("page")
        ),
        "places": listed, "roles": Post.Role.choices, "asked": asked,
        "invitations": _open_ones(Q(place__in=places)), **_once(request),
    }  # fmt: skip
    return render(request, "base/people/posts.html", shown)


@login_required
def post_invite(request: SignedIn) -> HttpResponse:
    """Ask somebody to take a post."""
    if not request.actor.paths(GRANTS):
        raise Http404
    form = InvitePost(request.actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _invite(request, reverse("posts"), **form.cleaned_data)
    return render(request, "base/people/invite.html", {"form": form})


@login_required
def person_page(request: SignedIn, number: int) -> HttpResponse:
    """One account: what it is entrusted with, and what may be done about it."""
    user, standing = _governed_person(request.actor, number)
    form = GivePost(request.actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        people.grant(request.actor, user, form.cleaned_data["role"], form.cleaned_data["place"])
        messages.success(request, _("岗位已授予。"))
        return redirect("person", number)
    if request.method != "POST":
        log(request.actor, "people.read", noun="people", record_id=user.pseudonym)
    actor = request.actor
    posts = [p for p in user.posts.select_related("place") if may_govern(actor, p.place.path)]
    paths = dict(standing.orgs)
    memberships = [m for m in user.memberships.all() if m.org_id in paths and may_govern(actor, paths[m.org_id])]
    named = organisations.named([m.org_id for m in memberships])
    shown = {
        "person": user, "form": form, "may_shut": may_shut(actor, standing),
        "posts": [(p, may_grant(actor, p.role, p.place.path)) for p in posts],
        "memberships": [(m, named[m.org_id]) for m in memberships],
        "elsewhere": len(standing.posts) + len(standing.orgs) - len(posts) - len(memberships),
    }  # fmt: skip
    return render(request, "base/people/person.html", shown)


@require_POST
@login_required
def post_withdraw(request: SignedIn, number: int) -> HttpResponse:
    """Take a post back."""
    post = get_object_or_404(Post.objects.select_related("user", "place"), pk=number)
    if not may_grant(request.actor, post.role, post.place.path):
        raise Http404
    try:
        people.withdraw(request.actor, post)
        request.session["undo"] = {
            "post": post.role, "place": post.place_id, "user": post.user_id, "told": _("岗位已收回。"),
            "at": int(time()),
        }  # fmt: skip
    except WebError as error:
        messages.error(request, error.message(page_language()))
    return redirect("posts")


@require_POST
@login_required
def person_shut(request: SignedIn, number: int) -> HttpResponse:
    """Shut an account out, or open it again."""
    user, standing = _governed_person(request.actor, number)
    if not may_shut(request.actor, standing):
        raise PermissionDenied
    try:
        if request.POST.get("open"):
            people.reopen(request.actor, user)
            messages.success(request, _("账户已恢复。"))
        else:
            people.shut(request.actor, user)
            messages.success(request, _("账户已停用，其全部登录已结束。"))
    except WebError as error:
        messages.error(request, error.message(page_language()))
    return redirect("person", number)


@require_POST
@login_required
def people_undo(request: SignedIn) -> HttpResponse:
    """Give back what the person has just taken from somebody; nothing else can be asked for."""
    kept = request.session.pop("undo", None)
    user = User.objects.filter(pk=kept["user"]).first() if kept else None
    if kept is None or user is None:
        messages.error(request, _("已没有可撤销的操作。"))
        return redirect("home")
    if "post" in kept:
        place = get_object_or_404(Place, pk=kept["place"])
        if not may_grant(request.actor, kept["post"], place.path):
            raise Http404
        people.grant(request.actor, user, kept["post"], place)
        messages.success(request, _("已撤销，岗位恢复。"))
        return redirect("posts")
    _led(request.actor, kept["org_id"])
    people.restore(request.actor, user, kept["org_id"], kept["role"])
    messages.success(request, _("已撤销，成员恢复。"))
    return redirect("members", kept["org_id"])


# ── places ──


@login_required
def place_list(request: SignedIn) -> HttpResponse:
    """The tree of places that the person looks after; parks are added here."""
    places = governed(request.actor)
    if not request.actor.paths(GRANTS):
        raise Http404
    may_add = request.actor.holds("administrator")
    form = Park(request.actor, request.POST or None) if may_add else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid():
            given = form.cleaned_data
            people.plant(request.actor, given["above"], name=given["name"], name_en=given["name_en"])
            messages.success(request, _("园区已添加。"))
            return redirect("places")
    listed = [(p, p.path.count("/") - 2, _may_rename(request.actor, p)) for p in places.select_related("parent")]
    return render(request, "base/people/places.html", {"places": listed, "form": form})


@login_required
def park_page(request: SignedIn, place_id: str) -> HttpResponse:
    """Give a park another name."""
    park = get_object_or_404(Place.objects.select_related("parent"), pk=place_id)
    if not _may_rename(request.actor, park):
        raise Http404
    form = ParkName(request.POST or None, initial={"name": park.name, "name_en": park.name_en})
    if request.method == "POST" and form.is_valid():
        people.rename(request.actor, park, name=form.cleaned_data["name"], name_en=form.cleaned_data["name_en"])
        messages.success(request, _("已保存。"))
        return redirect("places")
    return render(request, "base/people/park.html", {"form": form, "park": park})


# ── invitations, as who invites sees them ──


@require_POST
@login_required
def invitation_revoke(request: SignedIn, number: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(Invitation.objects.select_related("place"), pk=number)
    if invitation.place:
        if not may_grant(request.actor, invitation.role, invitation.place.path):
            raise Http404
        back = redirect("posts")
    else:
        _led(request.actor, invitation.org_id)
        back = redirect("members", invitation.org_id)
    invitations.revoke(request.actor, invitation)
    messages.success(request, _("邀请已收回，链接失效。"))
    return back


def _invite(request: SignedIn, back: str, **given: Any) -> HttpResponse:
    """Invite, send the letter, and keep the link for the one page that shows it."""
    if not ratelimit.consume(request, action="silian_invite", user=request.user):
        return ratelimit.respond_429(request)  # type: ignore[no-any-return]
    made = invitations.invite(request.actor, **given)
    mailed, handed = (
        request.build_absolute_uri(reverse("invitation", args=[invitations.key_of(made, way)]))
        for way in ("mail", "hand")
    )
    request.session["link"] = {"link": handed, "to": made.email, "is_sent": invitations.send(made, mailed)}
    return redirect(back)


def _once(request: SignedIn) -> dict[str, Any]:
    """What the page shows once: the link of a new invitation, the button that gives back what was taken."""
    shown = {"new_link": request.session.pop("link")} if "link" in request.session else {}
    undo = request.session.get("undo")
    return {**shown, "undo": undo if undo and time() - undo["at"] < UNDO_SECONDS else None}


def _open_ones(target: Q) -> list[Invitation]:
    waiting = Invitation.objects.filter(target, accepted_at=None, revoked_at=None).select_related("place", "by")
    return list(waiting.order_by("-made_at")[:100])


def _led(actor: Actor, org_id: str) -> Organisation:
    """The organisation, for whom manages its members; for others there is no such page."""
    found = organisations.named([org_id]).get(org_id)
    if found is None or not may_lead(actor, org_id, found.path):
        raise Http404
    return found


def _governed_person(actor: Actor, number: int) -> tuple[User, Standing]:
    """An account and its standing, for whom looks after a place of one of its rights; for others there is none."""
    user = get_object_or_404(User, pk=number)
    standing = people.standing_of(user)
    paths = [path for _role, path in standing.posts] + [path for _org, path in standing.orgs]
    if not any(may_govern(actor, path) for path in paths) and not (not paths and actor.holds("administrator")):
        raise Http404
    return user, standing


def _may_rename(actor: Actor, place: Place) -> bool:
    above = place.parent
    return place.level == Place.Level.PARK and above is not None and may_plant(actor, above.level, above.path)
