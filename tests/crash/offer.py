"""A process that offers one order to WeChat: `python -m tests.crash.offer NUMBER MEMBER_ID`."""

import sys

from app.access import settings
from app.kernel.db import database_now
from app.orders.services import offer_payment
from wsgi import create_application


def main() -> None:
    number, member_id = sys.argv[1:]
    with create_application().app_context():
        offer_payment(number, member_id=int(member_id), settings=settings(), now=database_now())


if __name__ == "__main__":
    main()
