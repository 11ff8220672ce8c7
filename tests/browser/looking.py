"""What every page must be: accessible, narrow enough, named, with one heading."""

from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Page

AXE: Final = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
SERIOUS: Final = frozenset({"serious", "critical"})
RUN: Final = """async () => (await axe.run(document, {resultTypes: ["violations"], preload: false}))
  .violations.map(one => ({impact: one.impact, rule: one.id,
    where: one.nodes.slice(0, 4).map(node => node.target.join(" ") + " " + node.html.slice(0, 200)
      + " " + node.any.concat(node.all).map(check => check.message).join("; "))}))"""

Colours = Literal["light", "dark"]


def barriers(page: Page) -> list[str]:
    """Return what axe finds on a page, in the colours it has now, that keeps some people out."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{page.url} {one['rule']}: {where}"
        for one in found
        if one["impact"] in SERIOUS
        for where in one["where"]
    ]


def flaws(page: Page, width: int) -> list[str]:
    """Return what is wrong with the frame of a page: its name, its heading, its width."""
    found = page.evaluate(
        "({name: document.title.split(' · ')[0].trim(),"
        " headings: document.querySelectorAll('h1').length,"
        " width: document.documentElement.scrollWidth})"
    )
    wrong = {
        "has no name": not found["name"],
        f"has {found['headings']} headings": found["headings"] != 1,
        f"is {found['width']} px wide": found["width"] > width,
    }
    return [f"{page.url} {what}" for what, is_so in wrong.items() if is_so]
