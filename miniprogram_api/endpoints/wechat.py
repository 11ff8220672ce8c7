"""Where WeChat Pay reports what happened. Nobody signs in; the body's signature is the proof."""

from flask import Response, request

from app.access import settings
from app.kernel.clock import utc_now
from app.kernel.db import database_now
from app.orders import notices as orders
from app.payouts import recording as payouts
from app.wechat.access import pay
from app.wechat.errors import NoticeRefused
from app.wechat.notices import BODY_BYTES_MAX
from app.wechat.values import TransferReport
from miniprogram_api.auth import Who
from miniprogram_api.routing import Group

group = Group("wechat", about="Callbacks of WeChat Pay.")


@group.operation("POST", "/wechat/notices", Who.WECHAT, status=204)
def receive_wechat_notice() -> Response:
    """Take a signed callback about a payment, a refund or a transfer.

    204 says that it has had its effect, now or before. 401 refuses what is not proven to be
    WeChat's; anything else makes WeChat repeat it.
    """
    request.max_content_length = BODY_BYTES_MAX
    raw = request.get_data(cache=False)
    try:
        notice = pay().read_notice(request.headers, raw, now=utc_now())
    except NoticeRefused:
        return Response('{"code":"FAIL","message":"refused"}', 401, mimetype="application/json")
    now = database_now()
    if isinstance(notice.report, TransferReport):
        payouts.handle_transfer_notice(notice, settings=settings(), now=now)
    elif notice.report is not None:
        orders.handle(notice, now=now)
    return Response(status=204)
