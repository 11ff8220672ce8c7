import pytest
from sqlalchemy.orm import Session

from app.members.errors import MemberNotFound
from app.members.texts import may_be_shown
from app.wechat.errors import ContentRefused
from app.wechat.texts import TEXT_LENGTH_MAX, TextScene
from scripts.sandbox.client import SandboxClient
from tests.factories.people import make_member

CHECK = "/wxa/msg_sec_check"


def someone(session: Session, sandbox: SandboxClient) -> int:
    """Return a member who is in the mini-program at the moment."""
    return make_member(session, openid=sandbox.user()).id


@pytest.mark.parametrize(("text", "is_clear"), [("很好", True), ("加微信", False), (" \n", True)])
def test_what_is_doubtful_is_kept_but_not_shown(
    session: Session, sandbox: SandboxClient, text: str, is_clear: bool
) -> None:
    member_id = someone(session, sandbox)

    assert may_be_shown(member_id, scene=TextScene.COMMENT, text=text) is is_clear


def test_what_must_not_be_published_is_refused_wherever_it_hides(
    session: Session, sandbox: SandboxClient
) -> None:
    member_id = someone(session, sandbox)

    with pytest.raises(ContentRefused):
        may_be_shown(member_id, scene=TextScene.COMMENT, text="好" * TEXT_LENGTH_MAX + "赌博")


def test_while_wechat_is_silent_a_text_waits_for_staff(
    session: Session, sandbox: SandboxClient
) -> None:
    member_id = someone(session, sandbox)
    sandbox.fault(CHECK, "error_before", times=0)

    assert may_be_shown(member_id, scene=TextScene.COMMENT, text="很好") is False


def test_a_writer_whom_wechat_does_not_know_waits_for_staff(
    session: Session, sandbox: SandboxClient
) -> None:
    member_id = make_member(session).id

    assert may_be_shown(member_id, scene=TextScene.COMMENT, text="赌博") is False


def test_nobody_writes_nothing(session: Session, sandbox: SandboxClient) -> None:
    with pytest.raises(MemberNotFound):
        may_be_shown(10**12, scene=TextScene.COMMENT, text="很好")
