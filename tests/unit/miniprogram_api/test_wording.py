import pytest

from app.kernel.i18n import ENGLISH, translate
from miniprogram_api.wording import OTHER, WORDINGS, word


@pytest.mark.parametrize("kind", sorted(WORDINGS))
def test_every_wording_reads_as_a_sentence(kind: str) -> None:
    wording = WORDINGS[kind]
    context = {wording.limit: 7} if wording.limit else {}

    code, message = word(kind, context)

    text = translate(message, ENGLISH)
    assert code == wording.code
    assert text[0].isupper() or text.startswith("true")
    assert text.endswith(".")
    assert "%" not in text
    assert ("7" in text) is (wording.limit is not None)


def test_an_unknown_fault_still_has_a_code_and_a_text() -> None:
    code, message = word("some_new_error_of_pydantic", {"secret": "x"})

    assert (code, message.text, message.parameters) == ("not_valid", OTHER.text, {})
