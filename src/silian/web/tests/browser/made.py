"""States that pages need: made once, through the site itself, as people make them. Each gives the address of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from silian.web.tests.browser.conftest import Browsers

PASSWORD = "slow river under nine bridges"
NEEDS = """需求编号,需求名称,需求类型,技术领域,期望成熟度,预算
N01,高速加工中心用重载丝杠的精度与寿命,technology,machinery,6,800000
N02,寻求蓝莓汁护色保质方案,technology,food,7,
N90,电池回收中的低温拆解,technology,battery,5,1200000
N91,写错了类型的一行,gift,battery,5,
N92,写错了成熟度的一行,technology,battery,eleven,
"""


class Made:
    """The addresses of made states by their names; a state is made when its address is first asked for."""

    def __init__(self, browsers: Browsers) -> None:
        self.browsers, self.addresses = browsers, browsers.site.made

    def __getitem__(self, name: str) -> str:
        if name not in self.addresses:
            self.addresses[name] = STATES[name](self)
        return self.addresses[name]


def _address(page: Page) -> str:
    return urlsplit(page.url).path.lstrip("/")


def _open(made: Made, role: str, address: str) -> Page:
    return made.browsers.new(role).open(address)


def ready_import(made: Made, *, name: str = "needs.csv") -> str:
    """A file that was read: what it would add and change, and two rows that are wrong."""
    page = _open(made, "administrator", "imports/")
    page.set_input_files("input[name=file]", {"name": name, "mimeType": "text/csv", "buffer": NEEDS.encode()})
    page.select_option("select[name=noun]", "needs")
    page.click("main form button.main")
    expect(page.locator("#import .badge.ready")).to_be_visible()
    address = _address(page)
    page.context.close()
    return address


def import_problems(made: Made) -> str:
    """What is wrong in a file."""
    return f"{ready_import(made, name='wrong.csv')}problems/"


def cancelled_import(made: Made) -> str:
    """A file that was read and given up."""
    page = _open(made, "administrator", ready_import(made, name="given-up.csv"))
    page.click("form[action$='/cancel/'] button")
    expect(page.locator("#import .badge.cancelled")).to_be_visible()
    address = _address(page)
    page.context.close()
    return address


def applied_import(made: Made) -> str:
    """A file that was written."""
    page = _open(made, "administrator", ready_import(made, name="written.csv"))
    page.click("form[action$='/apply/'] button.main")
    expect(page.locator("#import .badge.done")).to_be_visible()
    address = _address(page)
    page.context.close()
    return address


def change_set(made: Made) -> str:
    """What an import has written, with every record before and after."""
    assert made["applied"]
    page = _open(made, "administrator", "changes/")
    page.click("main tbody tr:first-child th a")
    address = _address(page)
    page.context.close()
    return address


def duplicate_report(made: Made) -> str:
    """A search for duplicates that is done and has found some."""
    page = _open(made, "administrator", "duplicates/")
    page.select_option("select[name=noun]", "organisations")
    page.click("main form button.main")
    expect(page.locator("#report .badge.done")).to_be_visible()
    address = _address(page)
    page.context.close()
    return address


def duplicate_pair(made: Made) -> str:
    """Two organisations that may be one."""
    assert made["report"]
    page = _open(made, "administrator", "duplicates/pairs/organisations/")
    page.click("main tbody tr:first-child th a")
    address = _address(page)
    page.context.close()
    return address


def park(made: Made) -> str:
    """A park below a county."""
    page = _open(made, "administrator", "people/places/")
    page.fill("input[name=name]", "望川高新园")
    page.fill("input[name=name_en]", "Wangchuan High-Tech Park")
    page.select_option("select[name=above]", index=2)
    page.click("main form button.main")
    address = page.locator("main a[href*='/people/places/']").last.get_attribute("href") or ""
    page.context.close()
    return address.lstrip("/")


def token(made: Made) -> str:
    """The page that asks once more before a token ends; `tokens_all` then lists one."""
    page = _open(made, "administrator", "tokens/")
    page.fill("main input[name=name]", "夜间同步")
    page.check("main input[value='read:registry']")
    page.click("main form button.main")
    page.fill("input[name=password]", made.browsers.site.accounts["administrator"][1])
    page.locator("main form button").last.click()
    page.click("main a.main")
    address = page.locator("main a[href$='/revoke/']").first.get_attribute("href") or ""
    page.context.close()
    return address.lstrip("/")


def invitation(made: Made, *, name: str = "周一鸣") -> str:
    """An invitation that nobody has answered yet."""
    page = _open(made, "manager", "people/organisations/O15/")
    page.fill("input[name=name]", name)
    page.fill("input[name=email]", f"{len(made.browsers.site.accounts)}-{abs(hash(name)) % 1000}@demo.invalid")
    page.click("main .part form button.main")
    link = page.input_value("#link")
    page.context.close()
    return urlsplit(link).path.lstrip("/")


def newcomer(made: Made, role: str) -> Page:
    """Somebody who has just joined and has confirmed who they are."""
    page = _open(made, "visitor", invitation(made, name=role))
    email = page.locator(".sheet dd").nth(2).inner_text()
    page.fill("input[name=password]", PASSWORD)
    page.check("input[name=consent]")
    page.click("main form button.main")
    page.wait_for_url(f"{made.browsers.site.url}/")
    page.goto(f"{made.browsers.site.url}/personal/erase/")  # what is grave asks for the password first
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button.main")
    page.wait_for_url(re.compile("/personal/erase/"))
    made.browsers.site.accounts[role] = (email, PASSWORD)
    return page


def receipt(made: Made) -> str:
    """What is left of an account that was erased."""
    page = newcomer(made, "leaver")
    page.goto(f"{made.browsers.site.url}/personal/erase/")
    page.check("input[name=is_meant]")
    page.click("main form button.main")
    page.wait_for_url(re.compile("/receipts/"))
    address = _address(page)
    page.context.close()
    return address


def second_step(made: Made) -> str:
    """The first step of signing in is done, the second is asked for; the account keeps what it had signed in with."""
    browsers, role = made.browsers, "auditor"
    page = _open(made, role, "account/2fa/totp/activate/")
    secret = page.input_value("#authenticator_secret")
    page.fill("input[name=code]", format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))
    page.click("main form button.main")
    page.wait_for_url(re.compile("/recovery-codes/"))
    page.context.close()
    page = _open(made, "visitor", "account/login/")
    address, password = browsers.site.accounts[role]
    page.fill("input[name=login]", address)
    page.fill("input[name=password]", password)
    page.click("main form button.main")
    page.wait_for_url(re.compile("/2fa/authenticate/"))
    browsers.site.signed_in["half-way"] = page.context.storage_state()
    page.context.close()
    return "account/2fa/authenticate/"


def recovery_codes(made: Made) -> str:
    """Codes for whoever has a second factor."""
    assert made["second"]
    return "account/2fa/recovery-codes/generate/"


def figures(made: Made) -> str:
    """The figures that the worker makes when the site starts."""
    page = _open(made, "leader", "dashboard/")
    while page.locator(".board-chains").count() == 0:
        page.wait_for_timeout(500)
        page.reload()
    page.context.close()
    return "dashboard/list/needs/"


def first_run(made: Made) -> str:
    """The run that a demo starts by itself, once it is done."""
    page = _open(made, "administrator", "runs/1/")
    expect(page.locator("#run .badge.done")).to_be_visible(timeout=300_000)
    page.context.close()
    return "runs/1/"


def ended_run(made: Made) -> str:
    """A run that somebody has ended."""
    assert made["run"]
    page = _open(made, "administrator", "runs/new/")
    page.fill("input[name=name]", "不再需要的运行")
    page.click("main form button.main")
    page.click("form[action$='/cancel/'] button")
    expect(page.locator("#run .badge.cancelled")).to_be_visible()
    address = _address(page)
    page.context.close()
    return address


def compared_runs(made: Made) -> str:
    """The first run beside one with another setting."""
    assert made["run"]
    page = _open(made, "administrator", "runs/new/?like=1")
    page.check("input[name=steps][value=experts]")
    page.fill("input[name='match.experts']", "3")
    page.click("main form button.main")
    expect(page.locator("#run .badge.done")).to_be_visible(timeout=300_000)
    address = _address(page)
    page.context.close()
    return f"{address}compare/?with=1"


STATES: dict[str, Callable[[Made], str]] = {
    "ready": ready_import,
    "problems": import_problems,
    "cancelled": cancelled_import,
    "applied": applied_import,
    "changed": change_set,
    "report": duplicate_report,
    "pair": duplicate_pair,
    "park": park,
    "token": token,
    "invitation": invitation,
    "receipt": receipt,
    "second": second_step,
    "codes": recovery_codes,
    "figures": figures,
    "run": first_run,
    "ended": ended_run,
    "compared": compared_runs,
}
