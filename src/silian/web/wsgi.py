"""What a web server calls."""

import os

import pypinyin  # noqa: F401 - loaded now, not by the first who types a name
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silian.web.settings")
application = get_wsgi_application()
PAGES = get_resolver().url_patterns  # loaded now, not by the first request, which would wait 2 s for it
