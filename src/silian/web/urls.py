"""Every address of the site."""

from django.urls import include, path, register_converter

from silian.web.base.addresses import RecordId

register_converter(RecordId, "record")

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("", include("silian.web.base.urls")),
    path("", include("silian.web.catalog.urls")),
]

handler400 = "silian.web.base.errors.bad_request"
handler403 = "silian.web.base.errors.forbidden"
handler404 = "silian.web.base.errors.not_found"
handler429 = "silian.web.base.errors.too_many"
handler500 = "silian.web.base.errors.broken"
