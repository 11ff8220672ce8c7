"""The statements of giving are short enough for the driver to keep them prepared.

A longer one is taken apart at every call: a tenth of a millisecond of each claim.
"""

from typing import Final

import pytest
import sqlalchemy as sa
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from app.coupons.giving import Gift
from app.coupons.models import CouponChannel

DRIVER: Final = sa.create_engine("postgresql+psycopg://").dialect


@pytest.mark.parametrize("channel", CouponChannel)
def test_the_driver_keeps_what_gives_coupons(channel: CouponChannel) -> None:
    gift = Gift(channel=channel, actor="system")

    texts = [
        str(gift.writing().compile(dialect=DRIVER)),
        gift.writing_one(waits=False),
        gift.writing_one(waits=True),
    ]

    assert max(map(len, texts)) <= MAX_CACHED_STATEMENT_LENGTH
    assert all("coupon_holdings" in one for one in texts)
