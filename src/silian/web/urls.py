"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("silian.web.base.urls")),
    path("", include("silian.web.api.urls")),
    path("", include("silian.web.standards.urls")),
    path("", include("silian.web.runs.urls")),
    path("", include("silian.web.catalog.urls")),  # the last: any first part may name a noun
]

handler400 = "silian.web.base.errors.bad_request"
handler403 = "silian.web.base.errors.forbidden"
handler404 = "silian.web.base.errors.not_found"
handler429 = "silian.web.base.errors.too_many"
handler500 = "silian.web.base.errors.broken"
