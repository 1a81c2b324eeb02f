"""Every page of the site, and as whom it is looked at: `test_every_page_is_listed` fails for one that is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterator


class Page(NamedTuple):
    """One page as one person sees it."""

    view: str  # name of its address
    role: str
    address: str  # in the made-up region of the smallest size; {ready} is a state of made.py
    name: str  # of its pictures
    status: int = 200


def _page(view: str, role: str, address: str, *, state: str = "", status: int = 200) -> Page:
    path = address.partition("?")[0].strip("/{}").translate({ord("/"): "-", ord("}"): "-"})
    name = "-".join(filter(None, (path or "home", role, state)))
    return Page(view, role, address, name, status)


# ── add a page here: name of its address, who looks, the address; N01, E01, … are of the made-up region ──
PAGES = (
    _page("home", "visitor", ""),
    _page("home", "enterprise", ""),
    _page("home", "researcher", ""),
    _page("home", "manager", ""),
    _page("home", "broker", ""),
    _page("home", "officer", ""),
    _page("home", "judge", ""),
    _page("home", "auditor", ""),
    _page("home", "administrator", ""),
    _page("help", "visitor", "help/"),
    _page("help", "enterprise", "help/"),
    _page("list", "visitor", "needs/"),
    _page("list", "visitor", "needs/?q=不会有的词", state="empty"),
    _page("list", "broker", "achievements/"),
    _page("list", "visitor", "experts/"),
    _page("list", "enterprise", "organisations/"),
    _page("list", "visitor", "facilities/"),
    _page("list", "visitor", "products/"),
    _page("list", "visitor", "funds/"),
    _page("list", "visitor", "policies/"),
    _page("detail", "visitor", "needs/N01/"),
    _page("detail", "broker", "needs/N01/"),
    _page("detail", "researcher", "experts/E01/"),
    _page("detail", "enterprise", "organisations/O04/"),
    _page("related", "visitor", "organisations/O04/all/needs/org_id/"),
    _page("edit", "enterprise", "needs/N01/edit/"),
    _page("create", "enterprise", "needs/new/"),
    _page("create", "administrator", "organisations/new/"),
    _page("waiting", "enterprise", "confirm/"),
    _page("history", "enterprise", "needs/N01/history/"),
    _page("changes", "broker", "changes/"),
    _page("search", "visitor", "search/"),
    _page("search", "visitor", "search/?q=电池", state="found"),
    _page("search", "enterprise", "search/?q=马达&noun=needs", state="nothing"),
    _page("search", "administrator", "search/?q=电池"),
    _page("searches", "enterprise", "searches/"),
    _page("claim", "enterprise", "experts/E02/claim/"),
    _page("claims", "researcher", "claims/"),
    _page("expert_works", "researcher", "experts/E01/works/"),
    _page("booking", "visitor", "facilities/F1/booking/"),
    _page("booking", "broker", "facilities/F1/booking/"),
    _page("bookings", "enterprise", "bookings/"),
    _page("attachments", "enterprise", "needs/N01/attachments/"),
    _page("imports", "broker", "imports/"),
    _page("import", "administrator", "{ready}", state="import"),
    _page("import", "administrator", "{applied}", state="import"),
    _page("import", "administrator", "{cancelled}", state="import"),
    _page("import_problems", "administrator", "{problems}"),
    _page("change_set", "administrator", "{changed}"),
    _page("exports", "broker", "exports/"),
    _page("duplicates", "broker", "duplicates/"),
    _page("duplicate_pairs", "officer", "duplicates/pairs/organisations/"),
    _page("duplicate_report", "administrator", "{report}"),
    _page("duplicate_pair", "administrator", "{pair}"),
    _page("merge_partners", "broker", "duplicates/of/organisations/O01/"),
    _page("merge", "broker", "duplicates/merge/organisations/?kept=O01&gone=O02"),
    _page("organisations", "manager", "people/organisations/"),
    _page("organisations", "administrator", "people/organisations/?q=学"),
    _page("members", "administrator", "people/organisations/O01/"),
    _page("posts", "administrator", "people/posts/"),
    _page("posts", "officer", "people/posts/"),
    _page("post_invite", "officer", "people/posts/invite/"),
    _page("person", "administrator", "people/1/"),
    _page("places", "administrator", "people/places/"),
    _page("park", "administrator", "{park}"),
    _page("invitation", "visitor", "{invitation}"),
    _page("invitation", "visitor", "invitation/x/", status=404),
    _page("standards", "visitor", "standards/"),
    _page("een", "enterprise", "standards/een/needs/N01/"),
    _page("audit", "auditor", "audit/"),
    _page("audit", "auditor", "audit/?who=nobody", state="empty"),
    _page("operation", "administrator", "operation/"),
    _page("checklist", "auditor", "operation/checklist/"),
    _page("tokens", "enterprise", "tokens/"),
    _page("tokens_all", "administrator", "tokens/all/"),
    _page("token_revoke", "administrator", "{token}"),
    _page("interface", "visitor", "api/"),
    _page("personal", "researcher", "personal/"),
    _page("personal_erase", "researcher", "personal/erase/"),
    _page("receipt", "visitor", "{receipt}"),
    _page("interests", "enterprise", "interests/"),
    _page("notifications", "manager", "notifications/"),
    _page("notifications", "manager", "notifications/?which=unread", state="unread"),
    _page("notifications", "judge", "notifications/?kind=exports.ready", state="empty"),
    _page("notification_kinds", "enterprise", "notifications/kinds/"),
    _page("notifications_stop", "visitor", "notifications/stop/x/", status=404),
    _page("todo", "manager", "todo/"),
    _page("todo", "judge", "todo/", state="empty"),
    _page("dashboard", "officer", "dashboard/"),
    _page("dashboard", "leader", "dashboard/"),
    _page("dashboard", "enterprise", "dashboard/", status=403),
    _page("dashboard_list", "leader", "{figures}"),
    _page("dashboard_list", "administrator", "dashboard/list/funds_amount/?sort=-amount"),
    _page("home", "leader", ""),
    _page("matches", "broker", "results/matches/"),
    _page("matches", "officer", "results/matches/?noun=experts", state="experts"),
    _page("matches", "leader", "results/matches/"),
    _page("matches", "enterprise", "results/matches/", status=403),
    _page("match", "broker", "results/matches/N01/"),
    _page("match", "leader", "results/matches/N01/"),
    _page("assignment", "broker", "results/assignment/"),
    _page("served", "broker", "results/assignment/served/"),
    _page("loads", "officer", "results/assignment/loads/"),
    _page("unmet", "broker", "results/assignment/unmet/"),
    _page("gaps", "broker", "results/gaps/"),
    _page("firms", "broker", "results/gaps/firms/"),
    _page("districts", "officer", "results/districts/"),
    _page("product", "broker", "results/gaps/of/P005/"),
    _page("runs", "broker", "runs/"),
    _page("runs", "officer", "runs/"),
    _page("runs", "enterprise", "runs/", status=403),
    _page("run_new", "officer", "runs/new/"),
    _page("run_new", "administrator", "runs/new/?like=1", state="like"),
    _page("run", "administrator", "{run}"),
    _page("run", "broker", "{run}"),
    _page("run", "administrator", "{ended}"),
    _page("run_compare", "administrator", "{compared}"),
    _page("run", "enterprise", "runs/999/", status=404),
    _page("run_assignment", "broker", "{run}assignment/"),
    _page("run_served", "broker", "{run}assignment/served/"),
    _page("run_loads", "broker", "{run}assignment/loads/"),
    _page("run_unmet", "broker", "{run}assignment/unmet/"),
    _page("run_gaps", "broker", "{run}gaps/"),
    _page("run_firms", "broker", "{run}gaps/firms/"),
    _page("run_districts", "broker", "{run}districts/"),
    _page("run_product", "broker", "{run}gaps/of/P005/"),
    _page("run_matches", "broker", "{run}matches/"),
    _page("run_match", "broker", "{run}matches/N01/"),
    _page("account_login", "visitor", "account/login/"),
    _page("account_signup", "visitor", "account/signup/"),
    _page("account_reset_password", "visitor", "account/password/reset/"),
    _page("account_email", "enterprise", "account/email/"),
    _page("account_change_password", "enterprise", "account/password/change/"),
    _page("mfa_index", "enterprise", "account/2fa/"),
    _page("usersessions_list", "enterprise", "account/sessions/"),
    _page("account_logout", "judge", "account/logout/"),
    _page("account_reauthenticate", "judge", "account/reauthenticate/"),
    _page("account_inactive", "visitor", "account/inactive/"),
    _page("account_email_verification_sent", "visitor", "account/confirm-email/"),
    _page("account_reset_password_done", "visitor", "account/password/reset/done/"),
    _page("account_reset_password_from_key", "visitor", "account/password/reset/key/x-y/"),
    _page("account_reset_password_from_key_done", "visitor", "account/password/reset/key/done/"),
    _page("mfa_authenticate", "half-way", "{second}"),
    _page("mfa_activate_totp", "broker", "account/2fa/totp/activate/"),
    _page("mfa_generate_recovery_codes", "auditor", "{codes}"),
    _page("mfa_list_webauthn", "broker", "account/2fa/webauthn/"),
    _page("mfa_add_webauthn", "broker", "account/2fa/webauthn/add/"),
    _page("list", "visitor", "nothing-here/", status=404),
    _page("audit", "enterprise", "audit/", status=403),
)

# Addresses that answer a GET and are no page to look at on its own: with the reason.
NO_PAGES = {
    "attachment": "a file",
    "audit_export": "a file",
    "checklist_export": "a file",
    "dashboard_document": "a file",
    "dashboard_list_file": "a file",
    "dashboard_workbook": "a file",
    "personal_export": "a file",
    "import_faulty": "a file",
    "bookings_calendar": "a file",
    "booking_calendar": "a file",
    "export_file": "a file",
    "picture": "a file",
    "matches_file": "a file",
    "list_file": "a file",
    "run_matches_file": "a file",
    "run_list_file": "a file",
    "run_picture": "a file",
    "run_file": "a file",
    "account_set_password": "of allauth: leads to account_change_password",
    "account_confirm_login_code": "of allauth: is switched off",
    "account_confirm_email": "of allauth: leads on",
    "mfa_reauthenticate": "of allauth: the second step of signing in",
    "mfa_deactivate_totp": "of allauth: asks for the password first",
    "mfa_view_recovery_codes": "of allauth: there are none yet",
    "mfa_download_recovery_codes": "a file",
    "mfa_reauthenticate_webauthn": "data for the browser's own dialog",
    "mfa_remove_webauthn": "of allauth: there is none yet",
    "mfa_edit_webauthn": "of allauth: there is none yet",
    "mfa_login_webauthn": "data for the browser's own dialog",
    "socialaccount_login_cancelled": "needs a provider of sign-in",
    "socialaccount_login_error": "needs a provider of sign-in",
    "socialaccount_signup": "needs a provider of sign-in",
    "socialaccount_connections": "needs a provider of sign-in",
    "openid_connect_login": "needs a provider of sign-in",
    "openid_connect_callback": "needs a provider of sign-in",
    "search_names": "a part of every page",
    "oai": "for harvesters",
    "openapi-json": "for programs",
    "api-root": "for programs",
    "dcat": "for machines",
    "open_csv": "a file",
    "open_documentation": "for machines",
    "record_jsonld": "for machines",
    "language": "takes the choice of a language and leads back",
}


def readable_views() -> set[str]:
    """The names of all addresses that answer a GET."""
    named = [p for p in _patterns(get_resolver()) if p.name and not p.name.startswith("api_")]  # those are for programs
    return {pattern.name for pattern in named if _answers_get(pattern.callback)}


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)
        else:
            yield pattern


def _answers_get(view: object) -> bool:
    """Whether a view is not behind `require_POST`, which keeps the methods it takes in its closure."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            if isinstance(cell.cell_contents, list) and "POST" in cell.cell_contents:
                return "GET" in cell.cell_contents
        view = getattr(view, "__wrapped__", None)
    return True
