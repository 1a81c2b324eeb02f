"""A passkey is made, signs in alone, and goes again, with the scripts that the policy of contents lets run."""

from __future__ import annotations

from silian.web.tests.browser.test_every_page import in_browser


@in_browser
def test_passkey_signs_in_without_a_password(browser_as):
    reader = browser_as.new("visitor")
    page, home = reader.page, browser_as.site.url.replace("127.0.0.1", "localhost")  # a key belongs to a name
    key = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True,
    }  # fmt: skip
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    address, password = browser_as.site.accounts["judge"]

    page.goto(f"{home}/account/login/")
    page.fill("input[name=login]", address)
    page.fill("input[name=password]", password)
    page.click("main form button.main")
    page.wait_for_url(lambda url: "/account/login/" not in url)
    page.goto(f"{home}/account/2fa/webauthn/add/")
    page.fill("input[name=password]", password)
    page.click("main form button.main")
    page.check("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/recovery-codes/**")
    page.context.clear_cookies()
    page.on("dialog", lambda dialog: dialog.accept())  # the page of recovery codes asks whether they are kept

    page.goto(f"{home}/account/login/?next=/needs/")
    page.click("#passkey_login")
    page.wait_for_url(f"{home}/needs/")

    page.goto(f"{home}/account/2fa/webauthn/")
    page.click("a[href$='/remove/']")
    if page.locator("input[name=password]").count():
        page.fill("input[name=password]", password)
        page.click("main form button.main")
    page.click("main form button:not([name])")
    page.wait_for_url("**/2fa/webauthn/")
    assert reader.faults == []
