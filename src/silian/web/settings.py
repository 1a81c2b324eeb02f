"""Django's settings, made from the environment; see `environment.py` for what can be set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from silian.web.environment import Environment

HERE = Path(__file__).parent
ENVIRONMENT = Environment.read(os.environ)

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT.hosts)
ROOT_URLCONF = "silian.web.urls"
WSGI_APPLICATION = "silian.web.wsgi.application"
DATABASES = {"default": ENVIRONMENT.databases()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "silian.web.base",
    "silian.web.catalog",
    "silian.web.runs",
    "silian.web.api",
    "silian.web.standards",
    "django.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "silian.web.base.operation.probes.probed",
    "silian.web.base.middleware.numbered",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "silian.web.api.middleware.machines",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "silian.web.base.middleware.limited",
    "silian.web.base.middleware.lasting",
    "silian.web.base.middleware.actor",
    "silian.web.base.middleware.second_factor",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "silian.web.base.frame.frame",
            ],
        },
    }
]

FORM_RENDERER = "silian.web.base.forms.Renderer"

# ── people ──
AUTH_USER_MODEL = "base.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "silian.web.base.passwords.LongestPassword"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_ADAPTER = "silian.web.base.adapters.Accounts"
ACCOUNT_FORMS = {"login": "silian.web.base.sign_in_forms.SignIn"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # of nobody: accounts are opened by invitations
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none" if ENVIRONMENT.is_demo else "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a stranger's address gets no letter; the page says the same
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a letter when a password, an address or a second factor changes
ACCOUNT_CHANGE_EMAIL = True  # one address an account; a new one counts once it is confirmed
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # of this session; all others end
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = True  # nobody is asked: a session lasts as SESSION_COOKIE_AGE says
# What `Accounts.error_messages` says in words: five wrong passwords of one account shut it for 15 minutes.
# An office behind one address signs in at nine o'clock: all its sign-ins have room, guesses have not.
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": "20/m/ip,5/15m/key",
    "reset_password": "20/m/ip,3/15m/key",
    "silian_invite": "60/h/user",
}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # SILIAN_OIDC names an issuer whose confirmed addresses are believed
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Silian 四链"
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ENVIRONMENT.is_demo  # http://localhost
SECOND_FACTOR_REQUIRED = not ENVIRONMENT.is_demo  # of administrators, officers and auditors
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
if ENVIRONMENT.oidc:
    _issuer, _client, _secret, _name = ENVIRONMENT.oidc
    _app = {
        "provider_id": "oidc",
        "name": _name,
        "client_id": _client,
        "secret": _secret,
        "settings": {"server_url": _issuer},
    }
    SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [_app]}}

# ── languages ──
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [HERE / "locale"]
FORMAT_MODULE_PATH = "silian.web.formats"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# ── files, cache, tasks, letters ──
STATIC_URL = "static/"
STATIC_ROOT = ENVIRONMENT.home / "static"
# half-written uploads lie here, and are swept when the site starts
_uploads = ENVIRONMENT.home / "uploads"  # `serve` makes it
FILE_UPLOAD_TEMP_DIR = str(_uploads) if _uploads.is_dir() else None
STORAGES = {
    "default": {
        "BACKEND": "silian.web.base.operation.holding.Storage",
        "OPTIONS": {"location": str(ENVIRONMENT.home / "files")},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
SILIAN_SCAN = ENVIRONMENT.scan
SILIAN_PUBLISHER, SILIAN_LICENCE, SILIAN_REPOSITORY = ENVIRONMENT.publisher, ENVIRONMENT.licence, ENVIRONMENT.repository
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}
CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 200_000}  # a cull may not forget who is locked out
TASKS = {"default": {"BACKEND": "silian.web.base.operation.background.Backend", "QUEUES": ["default", "runs"]}}
HOME_FOLDER = ENVIRONMENT.home
SEARCH_FOLDER = ENVIRONMENT.home / "index"
RUNS_FOLDER = ENVIRONMENT.home / "runs"
SNAPSHOTS_FOLDER = ENVIRONMENT.home / "snapshots"  # figures of the leader's page: the live ones and the frozen months
IS_DEMO = ENVIRONMENT.is_demo
DISTRICTS_FILE = ENVIRONMENT.home / "districts.geojson"  # borders of the districts, for maps; there may be none
SITE_ADDRESS = ENVIRONMENT.address
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ENVIRONMENT.mail else 'console'}.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = f"silian@{ENVIRONMENT.hosts[0] if ENVIRONMENT.hosts else 'localhost'}"
if ENVIRONMENT.mail:
    EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.mail.host, ENVIRONMENT.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.mail.user, ENVIRONMENT.mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = ENVIRONMENT.mail.encryption == "starttls", ENVIRONMENT.mail.encryption == "tls"
    if ENVIRONMENT.mail.sender or "@" in EMAIL_HOST_USER:
        DEFAULT_FROM_EMAIL = ENVIRONMENT.mail.sender or EMAIL_HOST_USER
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# ── sessions ──
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 2 * 3600  # without a request; what was being typed is kept by autosave
SESSION_LONGEST = 12 * 3600  # then the person signs in anew, however busy
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict would lose who follows a link of a letter
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not ENVIRONMENT.is_demo
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "silian.web.catalog.entry.views.stale_form"
if not ENVIRONMENT.is_demo:  # a browser takes these names over TLS, for this host alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

# ── safety ──
_form_targets = [SELF]
if ENVIRONMENT.oidc:  # the button that leads to the issuer is a form
    _form_targets.append("{0.scheme}://{0.netloc}".format(urlsplit(ENVIRONMENT.oidc[0])))
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF], "img-src": [SELF, "data:"], "object-src": [NONE], "base-uri": [SELF],
        "form-action": _form_targets, "frame-ancestors": [NONE],
    }
}  # fmt: skip
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = not ENVIRONMENT.is_demo
SECURE_HSTS_SECONDS = 0 if ENVIRONMENT.is_demo else 31_536_000
if ENVIRONMENT.proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024**2  # of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
BODY_MAX_SIZE = 520 * 1024**2  # of a request of somebody signed in, files included; a visitor's: the form's

METRICS_TOKEN = ENVIRONMENT.metrics_token

# ── what the process writes: one JSON line for each request and error, no address of a page, no personal data ──
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "silian.web.base.console.Line"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "silian": {"level": ENVIRONMENT.log_level},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.request": {"level": "ERROR"},  # the line of the request tells of 4xx
    },
}
