"""For which stores and products a version is meant. Pure but for PostgreSQL's range type."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.dialects.postgresql import Range

from app.engines.faults import PlanRulesInvalid, faults_of
from app.engines.parameters import ID_MAX, Parameters

RECTANGLES_MAX: Final = 10_000
EVERYTHING: Final[Range[int]] = Range(None, None, bounds="()")

_Ids = Annotated[tuple[Annotated[int, Field(ge=1, le=ID_MAX)], ...], Field(min_length=1)]


class Scope(Parameters):
    """Stores and products; None means all of them, those of the future included.

    >>> Scope().describe_all, Scope(store_ids=(3,)).describe_all
    (True, False)
    """

    store_ids: _Ids | None = None
    product_ids: _Ids | None = None

    @field_validator("store_ids", "product_ids")
    @classmethod
    def _each_once(cls, ids: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if ids is not None and len(set(ids)) != len(ids):
            raise PydanticCustomError("id_twice", "an id stands there twice")
        return tuple(sorted(ids)) if ids else None

    @field_validator("product_ids")
    @classmethod
    def _not_too_many(cls, ids: tuple[int, ...] | None, info: Any) -> tuple[int, ...] | None:
        stores = info.data.get("store_ids")
        if ids and len(ids) * len(stores or (0,)) > RECTANGLES_MAX:
            raise PydanticCustomError("scope_too_large", "too many", {"most": RECTANGLES_MAX})
        return ids

    @property
    def describe_all(self) -> bool:
        """Tell whether nothing is left out."""
        return self.store_ids is None and self.product_ids is None

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote, or what a person did. Raises PlanRulesInvalid."""
        try:
            return cls.model_validate(
                {
                    name: tuple(value) if isinstance(value, list) else value
                    for name, value in document.items()
                }
            )
        except ValidationError as error:
            raise PlanRulesInvalid(tuple(faults_of(error))) from error

    def to_json(self) -> dict[str, Any]:
        """Return the scope as the version stores it."""
        return self.model_dump(mode="json", exclude_none=True)

    def rectangles(self) -> Iterator[tuple[Range[int], Range[int]]]:
        """Yield every store range with every product range."""
        for stores in _ranges(self.store_ids):
            for products in _ranges(self.product_ids):
                yield stores, products


def _ranges(ids: tuple[int, ...] | None) -> Iterator[Range[int]]:
    """Yield ranges that hold just these ids; neighbours share one."""
    if ids is None:
        yield EVERYTHING
        return
    start = last = ids[0]
    for one in ids[1:]:
        if one != last + 1:
            yield Range(start, last + 1, bounds="[)")
            start = one
        last = one
    yield Range(start, last + 1, bounds="[)")
