"""What the price of a level is. Pure; amounts in fen."""

from app.kernel.money import share_of


def level_price(net_fen: int, discount_bp: int, *, excluded: bool) -> int:
    """Return what a line costs at a level that pays `discount_bp` of the price.

    Rounded down, so the fraction of a fen is the customer's gain; but what costs something never
    becomes free by it. Lines that the level leaves out keep their price.

    >>> level_price(9_999, 9_500, excluded=False), level_price(9_999, 9_500, excluded=True)
    (9499, 9999)
    >>> level_price(1, 9_500, excluded=False), level_price(0, 9_500, excluded=False)
    (1, 0)
    """
    if excluded or net_fen == 0:
        return net_fen
    return max(1, share_of(net_fen, discount_bp))
