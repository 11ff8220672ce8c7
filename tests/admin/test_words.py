"""Whatever a page can show has a name for people."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask

from admin.column_names import COLUMNS
from admin.labels import STATES, WORDS
from admin.role_names import permission_names, role_name
from app.stores.permissions import Permission, RoleName


@pytest.mark.parametrize("kind", [*STATES, *WORDS], ids=lambda kind: kind.__name__)
def test_every_member_of_an_enumeration_has_a_label(kind: type[StrEnum]) -> None:
    labelled = STATES.get(kind) or WORDS[kind]

    assert set(labelled) == {one.value for one in kind}


def named(app: Flask) -> Iterator[tuple[str, str]]:
    for endpoint, view in app.extensions["backoffice"].items():
        own = {**view.labels, **view.details_labels}
        for name in (*(view.column_list or ()), *view.facts, *view.exported, view.badge):
            if name and name not in own and name not in COLUMNS:
                yield endpoint, name


def test_every_column_of_every_view_has_a_name(app: Flask) -> None:
    assert list(named(app)) == []


def test_every_permission_and_role_has_a_name(app: Flask) -> None:
    with app.app_context():
        assert set(permission_names()) == set(Permission)
        assert all(role_name(one.value) != one.value for one in RoleName)
