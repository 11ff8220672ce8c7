"""Who can sign in to the demo, and what they see there."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo.brand import load_brand
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.queries import staff_permissions, visible_store_ids


def test_the_regional_manager_of_the_demo_sees_the_stores_of_the_region(session: Session) -> None:
    list(load_brand())

    manager = session.scalars(sa.select(Staff).where(Staff.email == "region@demo.tuoke")).one()
    store_ids = visible_store_ids(manager)
    assert store_ids is not None
    assert len(store_ids) == 2
    assert Permission.STOCK_EDIT in staff_permissions(manager)
    assert manager.must_change_password
