"""What people do on many pages: decide, choose from a lookup, look whether it fits."""

from playwright.sync_api import expect

from tests.browser.conftest import Window


def decide(desk: Window, name: str, **fields: str) -> None:
    """Press a decision on a page, fill in what it asks, and confirm it."""
    desk.page.get_by_role("button", name=name, exact=True).first.click()
    fill(desk, **fields)
    desk.page.locator("form.form button[data-once]").click()
    expect(desk.page.locator(".flash.good")).to_be_visible()


def fill(desk: Window, **fields: str) -> None:
    """Type into the fields of the form on a page."""
    for name, text in fields.items():
        desk.page.fill(f"form.form [name={name}]", text)


def send(desk: Window) -> None:
    """Send the form on a page and see that it was taken."""
    desk.page.click("form.form button[data-once]")
    expect(desk.page.locator(".flashes .flash:not(.bad)")).to_be_visible()


def pick(desk: Window, name: str, text: str) -> None:
    """Search with a lookup and take what it offers first."""
    desk.page.fill(f"#{name}-text", text)
    desk.page.locator(f"#{name}-list [role=option]", has_text=text).first.click()


def fits(desk: Window) -> bool:
    """Tell whether nothing on a page is wider than its window."""
    wide = "document.documentElement.scrollWidth > window.innerWidth"
    return desk.page.evaluate(wide) is False
