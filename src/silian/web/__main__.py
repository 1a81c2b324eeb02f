"""`python -m silian.web`: Django's commands and `serve`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silian.web.settings")
    execute_from_command_line(["silian web", *sys.argv[1:]])
