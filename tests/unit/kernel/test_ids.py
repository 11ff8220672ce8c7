"""Random texts have the length and the characters that were asked for, all of them."""

from app.kernel.ids import BASE62, DIGITS_AND_CAPITALS, random_text


def test_a_text_has_the_length_and_alphabet_that_were_asked_for() -> None:
    texts = [random_text(16, DIGITS_AND_CAPITALS) for _ in range(500)]

    assert {len(text) for text in texts} == {16}
    assert set("".join(texts)) == set(DIGITS_AND_CAPITALS)


def test_every_place_takes_every_character_about_equally_often() -> None:
    texts = [random_text(4) for _ in range(6200)]

    for place in range(4):
        counts = [[text[place] for text in texts].count(one) for one in BASE62]
        assert min(counts) > 40
        assert max(counts) < 170


def test_no_text_comes_twice() -> None:
    assert len({random_text(22) for _ in range(1000)}) == 1000
