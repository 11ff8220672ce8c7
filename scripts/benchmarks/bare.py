"""The baseline of a signed-in GET: Flask, one SELECT by primary key, nothing else.

No authentication, no validation, no log and no import of the product; the table, the PostgreSQL
and the server's settings are the product's own.
"""

import os
from datetime import datetime

import sqlalchemy as sa
from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """Base of the one model."""


class Member(Base):
    """As much of a member as is shown."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    nickname: Mapped[str]
    registered_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


engine = sa.create_engine(os.environ["DATABASE_URL"])
application = Flask("bare")


@application.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer that the server is up."""
    return {"status": "ok"}


@application.get("/core/<int:member_id>")
def by_core(member_id: int) -> ResponseReturnValue:
    """Read one row as columns."""
    statement = sa.select(Member.id, Member.nickname, Member.registered_at).where(
        Member.id == member_id
    )
    with engine.connect() as connection:
        row = connection.execute(statement).one()
    return jsonify(id=row.id, nickname=row.nickname, registered_at=row.registered_at.isoformat())


@application.get("/orm/<int:member_id>")
def by_orm(member_id: int) -> ResponseReturnValue:
    """Read one row as an object."""
    with Session(engine) as session:
        row = session.get_one(Member, member_id)
        return jsonify(
            id=row.id, nickname=row.nickname, registered_at=row.registered_at.isoformat()
        )
