"""The site's settings for tests: a folder that goes away, passwords that cost little to make."""

import atexit
import os
import pathlib
import shutil
import tempfile

os.environ["SILIAN_MODE"] = "demo"
os.environ["SILIAN_HOME"] = tempfile.mkdtemp(prefix="silian-tests-")
for name in ("static", "uploads"):
    (pathlib.Path(os.environ["SILIAN_HOME"]) / name).mkdir()
atexit.register(shutil.rmtree, os.environ["SILIAN_HOME"], ignore_errors=True)

from silian.web.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
SECURE_SSL_REDIRECT = False
