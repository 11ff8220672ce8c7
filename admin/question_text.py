"""Questions as staff type them: blocks of plain text, so that the builder needs no script."""

import re
from collections.abc import Sequence
from typing import Any, Final

_HEAD: Final = re.compile(
    r"\[(?P<kind>choice|multi|scale|text)(?: (?P<to>[0-9]{1,2}))?(?P<star>\*)?\] *(?P<title>.+)"
)


def read_text(text: str) -> list[dict[str, Any]]:
    r"""Return the questions of a text. Raises ValueError with the number of the block, from 1.

    >>> read_text("[choice*] Tea?\nYes\nNo")[0]["options"]
    ['Yes', 'No']
    """
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    questions = []
    for number, block in enumerate(blocks, 1):
        head, *options = [line.strip() for line in block.split("\n") if line.strip()] or [""]
        match = _HEAD.fullmatch(head)
        if match is None:
            raise ValueError(number)
        question: dict[str, Any] = {
            "kind": match["kind"],
            "title": match["title"].strip(),
            "is_required": match["star"] is not None,
            "options": options,
        }
        if match["to"] is not None:
            question["scale_to"] = int(match["to"])
        questions.append(question)
    return questions


def write_text(questions: Sequence[dict[str, Any]]) -> str:
    """Return the text that stands for questions; reading it gives the same questions."""
    blocks = []
    for one in questions:
        size = f" {one['scale_to']}" if one["kind"] == "scale" else ""
        star = "*" if one["is_required"] else ""
        blocks.append("\n".join([f"[{one['kind']}{size}{star}] {one['title']}", *one["options"]]))
    return "\n\n".join(blocks)
