import re
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask_babel import Babel

from admin.labels import STATES, WORDS, label_of
from app.kernel.errors import DomainError
from app.kernel.i18n import CHINESE, ENGLISH, TRANSLATIONS, Message, translate
from app.tables import orders  # noqa: F401 - loads every slice, and with it every error
from scripts import translations

ROOT: Final = Path(__file__).parents[3]
TEMPLATES: Final = sorted(
    path
    for folder in ("admin", "miniprogram_api")
    for path in (ROOT / folder / "templates").rglob("*.html")
)
PARAMETER: Final = re.compile(r"%\((\w+)\)[sd]")
CHINESE_LETTER: Final = "[\u4e00-\u9fff]"
WITHOUT_LETTERS: Final = {
    ", ",
    "; ",
    "%(a)s; %(b)s",
    "%(event)s, %(at)s",
    "%(max)s+",
    "%(name)s: %(what)s",
    "%(number)s. %(title)s (%(kind)s)",
    "%(occasion)s (%(values)s)",
    "%(rule)s: %(value)s",
    "%(said)s: %(options)s",
    "%(what)s: %(rate)s.",
}
"""Texts of parameters and signs alone, with nothing in them to translate."""

GLOSSARY: Final = {
    "audit trail": "操作日志",
    "authenticator app": "验证器",
    "channel": "渠道",
    "commission": "佣|分销",
    "coupon": "券",
    "customer": "客户",
    "debt": "欠款",
    "distributor": "分销员",
    "front desk": "前台",
    "ledger": "账",
    "mini-program": "小程序",
    "(?<!in )(?<!any )(?<!which )order(?! more)": "单",
    "ownership": "归属",
    "payout(?![-.])": "提现|打款",
    "plan version": "方案版本",
    "poster": "海报",
    "recommender": "推荐人",
    "recovery code": "恢复码",
    "refund": "退",
    "second factor": "两步验证",
    "(?<!can )share code": "分享码",
    "(?<!medical )staff": "员工",
    "stock": "库存|入库|预占|盘点",
    "store": "店",
    "(?<!never )touch(es)?": "触达",
}
"""What the brand's people call things: one English term, one Chinese term."""

SILENT_ATTRIBUTES: Final = {
    "skeleton.html": ["width=device-width, initial-scale=1", "light dark", "noindex"],
    "page.html": [
        "width=device-width, initial-scale=1, viewport-fit=cover",
        "telephone=no",
        "website",
        "image/jpeg",
        "summary_large_image",
    ],
    "mf_recovery.html": ["xxxx-xxxx-xxxx"],
}
"""Attributes that nobody reads, or that are the same in any language."""

OWN_NAMES: Final = {"poster_form.html": ["English"]}
"""Languages by the names that their own readers know, whatever language the page is in."""


@pytest.fixture(scope="module")
def collected() -> Catalog:
    return translations.collect()


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return translations.load()


def _pairs(catalogue: Catalog) -> list[tuple[str, str]]:
    """Every English text with its Chinese; of texts that count the form for one."""
    found = []
    for message in catalogue:
        ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
        texts = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if ids[0]:
            found.append((ids[0], texts[0] or ""))
    return found


def _without_parameters(text: str) -> str:
    return PARAMETER.sub("", text)


def _with_blanks(text: str) -> str:
    """A text with a sign that is no letter for each parameter."""
    return PARAMETER.sub("\u25a1", text)


def test_every_text_of_the_product_has_a_chinese_translation(
    catalogue: Catalog, collected: Catalog
) -> None:
    merged = translations.merge(translations.load(), collected)

    assert translations.missing(merged) == []
    assert translations.keys(merged) - translations.keys(catalogue) == set()


def test_the_catalogue_holds_nothing_that_the_product_no_longer_says(
    catalogue: Catalog, collected: Catalog
) -> None:
    assert translations.keys(catalogue) - translations.keys(collected) == set()


def test_both_sides_of_every_text_have_the_same_parameters(catalogue: Catalog) -> None:
    differing = [
        english
        for english, chinese in _pairs(catalogue)
        if set(PARAMETER.findall(english)) != set(PARAMETER.findall(chinese))
    ]

    assert differing == []


def test_programs_read_exactly_what_people_wrote(catalogue: Catalog) -> None:
    assert translations.MO.read_bytes() == translations.compiled(catalogue)


def test_no_translation_was_left_in_english(catalogue: Catalog) -> None:
    left = [
        english
        for english, chinese in _pairs(catalogue)
        if english not in WITHOUT_LETTERS and not re.search(CHINESE_LETTER, chinese)
    ]

    assert left == []


def test_latin_words_in_chinese_are_names_that_the_english_has_too(catalogue: Catalog) -> None:
    strange = {
        english: words
        for english, chinese in _pairs(catalogue)
        if (
            words := set(re.findall(r"[A-Za-z]+", _without_parameters(chinese)))
            - set(re.findall(r"[A-Za-z]+", _without_parameters(english)))
        )
    }

    assert strange == {}


def test_chinese_sentences_use_chinese_punctuation(catalogue: Catalog) -> None:
    after_chinese = re.compile(f"{CHINESE_LETTER}[,;:?!.()]|[,;:?!()]{CHINESE_LETTER}|\\.\\.\\.")

    assert [text for _, text in _pairs(catalogue) if after_chinese.search(text)] == []


def test_a_sentence_stays_a_sentence_and_a_label_a_label(catalogue: Catalog) -> None:
    ends = {".": "。", "?": "？", ":": "："}
    differing = [
        english
        for english, chinese in _pairs(catalogue)
        if ends.get(english[-1], "") != (chinese[-1] if chinese[-1] in ends.values() else "")
        and not english.lower().endswith("no.")
    ]

    assert differing == []


def test_a_space_stands_between_chinese_and_latin_and_nowhere_else(catalogue: Catalog) -> None:
    wrong = re.compile(
        f"{CHINESE_LETTER}[A-Za-z0-9]|[A-Za-z0-9]{CHINESE_LETTER}"
        f"|{CHINESE_LETTER} +{CHINESE_LETTER}|  "
    )

    assert [text for _, text in _pairs(catalogue) if wrong.search(_with_blanks(text))] == []


def test_terms_are_called_the_same_everywhere(catalogue: Catalog) -> None:
    differing = {
        english: term
        for english, chinese in _pairs(catalogue)
        for term, wanted in GLOSSARY.items()
        if re.search(rf"\b{term}s?\b", _without_parameters(english), re.IGNORECASE)
        and not re.search(wanted, chinese)
    }

    assert differing == {}


@pytest.mark.parametrize("kind", [*STATES, *WORDS], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("locale", [CHINESE, ENGLISH])
def test_no_two_values_of_an_enumeration_are_called_the_same(
    kind: type[StrEnum], locale: str
) -> None:
    app = Flask(__name__)
    Babel(app, default_translation_directories=str(TRANSLATIONS), locale_selector=lambda: locale)

    with app.test_request_context():
        names = [str(label_of(one)) for one in kind]

    assert len(set(names)) == len(names)


def _all_errors(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    return [found for one in kind.__subclasses__() for found in (one, *_all_errors(one))]


def test_every_refusal_of_the_core_can_be_said_in_both_languages() -> None:
    errors = [one for one in _all_errors() if one.__module__.startswith("app.")]

    assert len(errors) > 80
    for error in errors:
        assert re.search(CHINESE_LETTER, translate(error.text, CHINESE)), error
        assert translate(error.text, ENGLISH) == error.text


def test_a_message_within_a_message_is_translated_too() -> None:
    within = Message("%(days)s days", {"days": 30})
    message = Message("A touch binds for %(span)s.", {"span": within})

    assert translate(message, CHINESE) == "触达后归属期为 30 天。"
    assert translate(message, ENGLISH) == "A touch binds for 30 days."


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_says_anything_that_cannot_be_translated(path: Path) -> None:
    source = path.read_text()
    spoken = re.findall(
        r'\b(?:aria-label|title|alt|placeholder|content)="([^"{]*)"', source.replace("\n", " ")
    )
    source = re.sub(r"\{% block body_class %\}\w*\{% endblock %\}", "", source)
    source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)
    visible = re.sub(r"<[^<>]*>", " ", source)

    assert re.findall(r"[A-Za-z]{2,}", visible) == OWN_NAMES.get(path.name, [])
    assert [text for text in spoken if re.search(r"[A-Za-z]{3,}", text)] == SILENT_ATTRIBUTES.get(
        path.name, []
    )
