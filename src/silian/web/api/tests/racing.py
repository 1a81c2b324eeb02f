"""Many threads ask at once: a program that a test runs on a database of its own; prints what they got."""

import json
import sys
import threading

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from silian.web.api import tokens  # noqa: E402
from silian.web.base.actors import actor_of  # noqa: E402
from silian.web.base.models import User  # noqa: E402
from silian.web.catalog.models import Change, Need  # noqa: E402

MANY = 8


def at_once(ask):
    """What so many threads get that ask at the same moment."""
    start, got = threading.Barrier(MANY), []

    def one(number):
        start.wait()
        answer = ask(number)
        got.append((answer.status_code, answer.json()))
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def main():
    actor = actor_of(User.objects.get(email="broker@demo.invalid"))
    secret = tokens.make(actor, name="race", scopes=["read:registry", "write:registry"])[1]
    headers = {"Authorization": f"Bearer {secret}"}

    def patch(number):
        sent = json.dumps({"version": 1, "values": {"title": f"第 {number} 个"}})
        return Client(SERVER_NAME="localhost").patch(
            "/api/v1/needs/N01", sent, content_type="application/json", headers=headers
        )

    def post(_number):
        sent = json.dumps({"values": {"title": "一次", "kind": "technology"}})
        keyed = headers | {"Idempotency-Key": "race"}
        return Client(SERVER_NAME="localhost").post(
            "/api/v1/needs", sent, content_type="application/json", headers=keyed
        )

    patched, posted = at_once(patch), at_once(post)
    titles = sorted(told["values"]["title"] for status, told in patched if status == 200)
    sys.stdout.write(json.dumps({
        "patched": sorted(status for status, _ in patched), "title": titles,
        "kept": [Need.objects.get(pk="N01").title], "changes": Change.objects.filter(record_id="N01").count(),
        "conflicts": sorted(told["conflicts"][0]["theirs"] for status, told in patched if status == 409),
        "posted": sorted(status for status, _ in posted), "ids": sorted({told.get("id") for _, told in posted}),
        "made": Need.objects.filter(title="一次").count(),
    }))  # fmt: skip


main()
