"""Databases keep the value, the order and the uniqueness of every type of field."""

import random
from dataclasses import make_dataclass
from importlib import import_module
from typing import Any

import pytest

from app.kit.fields import Id
from app.kit.ids import new_id
from app.kit.storage import Storage
from tests.kit.kept import ALL, ORDERED
from tests.kit.support import ENGINE

KEPT = import_module(f"tests.kit.kept.{ENGINE.KIND}")


def instances(annotation: Any, values: list[Any]) -> list[Any]:
    model: Any = make_dataclass("Value", [("id", Id), ("value", annotation)], slots=True)
    return [model(new_id(), value) for value in values]


@pytest.mark.parametrize("name", ALL)
async def test_databases_keep_value_order_and_uniqueness(storage: Storage, name: str) -> None:
    made = instances(*ALL[name])
    values = KEPT.Values(storage, f"values_{name}", type(made[0]))
    await values.create()

    for each in random.Random(1).sample(made, len(made)):
        await values.add(each)

    found = await values.in_order()
    assert {each.id: each for each in found} == {each.id: each for each in made}
    assert all(isinstance(each.value, type(made[0].value)) for each in found)
    if name in ORDERED:
        assert found == made
    for each in made:
        assert await values.equal(each.value) == [each]
        with pytest.raises(KEPT.TAKEN):
            await values.add(type(each)(new_id(), each.value))


@pytest.mark.parametrize("name", ALL)
async def test_null_is_kept_where_it_is_allowed(storage: Storage, name: str) -> None:
    (made,) = instances(ALL[name][0] | None, [None])
    values = KEPT.Values(storage, f"nulls_{name}", type(made))
    await values.create()

    await values.add(made)

    assert await values.in_order() == [made]
