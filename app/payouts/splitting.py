"""Dividing a payout into bills that WeChat accepts. Pure."""


def split(amount_fen: int, *, min_fen: int, max_fen: int) -> tuple[int, ...]:
    """Divide an amount into as few parts as possible, each within the limits, adding up exactly.

    Each part is as large as it may be without leaving less than the least for those after it.

    >>> split(50_000, min_fen=10, max_fen=20_000)
    (20000, 20000, 10000)
    >>> split(20_003, min_fen=10, max_fen=20_000)
    (19993, 10)

    Raises ValueError where no such parts exist.
    """
    count = -(-amount_fen // max_fen)
    if not 0 < count * min_fen <= amount_fen:
        raise ValueError(f"{amount_fen} fen cannot be sent in bills of {min_fen} to {max_fen} fen")
    parts: list[int] = []
    rest_fen = amount_fen
    for after in reversed(range(count)):
        parts.append(min(max_fen, rest_fen - after * min_fen))
        rest_fen -= parts[-1]
    return tuple(parts)
