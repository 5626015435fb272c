"""A client we did not write: python-odata (PyPI, OData v4) reads every entity set from its own ``$metadata``."""

from __future__ import annotations

import datetime as dt

import pytest
from odata import ODataService
from odata.exceptions import ODataError

from erp_sandbox import business
from erp_sandbox.sage300.app import create_app
from erp_sandbox.sage300.model import INTEGER_TYPES, MODULES, catalogue

RECORDS = 103


def key_value(prop, number):
    if prop.type in INTEGER_TYPES or prop.type == "Edm.Decimal":
        return number
    if prop.type == "Edm.DateTimeOffset":
        return f"20{number // 12:02d}-{number % 12 + 1:02d}-01"
    if prop.type == "Enum":
        return next(iter(prop.members), "CA")
    return f"{number:06d}"


@pytest.fixture
def full_books(books):
    """Every readable set holds a page and three records."""
    for name, entity_set in catalogue().sets.items():
        if "GET" in entity_set.verbs:
            keys = entity_set.key_properties
            books.write(
                name,
                *({prop.name: key_value(prop, number) for prop in keys} for number in range(1, RECORDS + 1)),
                company="SAMLTD",
            )
    return books


def service_of(api, company, module):
    return ODataService(
        f"{api.base}/{company}/{module}/",
        reflect_entities=True,
        session=api.session,
        auth=("WEBAPI", "WEBAPI"),
        quiet_progress=True,
    )


@pytest.mark.parametrize("module", MODULES)
def test_it_walks_every_entity_set(full_books, start, module):
    api = start()
    service = service_of(api, "SAMLTD", module)
    sets = [each for each in catalogue().of_module(module) if "GET" in each.verbs]
    assert set(service.entities) == {each.name for each in catalogue().of_module(module)}
    for entity_set in sets:
        entity = service.entities[entity_set.name]
        rows = service.query(entity).all()
        assert len(rows) >= RECORDS, entity_set.name
        keys = {tuple(str(getattr(row, name)) for name in entity_set.key) for row in rows}
        assert len(keys) == len(rows), entity_set.name
        for prop in entity_set.properties:  # every value passes the client's own typed properties
            getattr(rows[-1], prop.name)
        assert rows[0].UpdateOperation.name == "Unspecified"


def test_its_filters_selects_and_ranges_are_understood(api):
    service = service_of(api, "SAMINC", "AR")
    customers = service.entities["ARCustomers"]
    query = service.query(customers)
    found = (
        query.filter(customers.City == "O'Fallon").filter(customers.CreditLimitCustomerCurrency > 24000).all()
    )
    assert [row.CustomerNumber for row in found] == ["C0242", "C0245", "C0248"]
    since = query.filter(
        customers.DateLastMaintained >= dt.datetime(2024, 12, 20, tzinfo=dt.timezone.utc)
    ).all()
    assert since
    assert all(row.DateLastMaintained.date() >= dt.date(2024, 12, 20) for row in since)
    rows = query.select(customers.CustomerNumber).offset(5).limit(2).all()
    assert [row["CustomerNumber"] for row in rows] == ["C0006", "C0007"]
    assert query.get("C0042").CustomerName == "Customer 42"


def test_it_creates_changes_and_deletes(api):
    service = service_of(api, "SAMINC", "AR")
    groups = service.entities["ARCustomerGroups"]
    group = groups()
    (key,) = catalogue().sets["ARCustomerGroups"].key
    setattr(group, key, "NEWGRP")
    service.save(group)
    assert [getattr(row, key) for row in service.query(groups).all()] == ["NEWGRP"]
    group.Description = "Changed"
    service.save(group, force_refresh=False)
    assert service.query(groups).get("NEWGRP").Description == "Changed"
    service.delete(group)
    assert service.query(groups).all() == []


def test_orderby_reaches_it_as_an_error(api):
    service = service_of(api, "SAMINC", "AR")
    customers = service.entities["ARCustomers"]
    with pytest.raises(ODataError, match="400"):
        service.query(customers).order_by(customers.City.asc()).all()


def read(row, prop):
    """A value through the client's typed property; Sage answers unnamed enum values as quoted numbers."""
    try:
        getattr(row, prop.name)
    except KeyError as unnamed:
        assert prop.type == "Enum", prop
        assert unnamed.args[0].isdigit(), (prop, unnamed)


def test_it_walks_the_generated_business(tmp_path, serving):
    path = tmp_path / "business.db"
    business.create(path, companies=["SAMINC"], scale=0.05, seed=1)
    with serving(create_app(path)) as api:
        for module in MODULES:
            service = service_of(api, "SAMINC", module)
            for entity_set in catalogue().of_module(module):
                if "GET" not in entity_set.verbs:
                    continue
                rows = service.query(service.entities[entity_set.name]).all()
                counted = api.get(f"SAMINC/{module}/{entity_set.name}", count="true", top=0).json()[
                    "@odata.count"
                ]
                assert len(rows) == counted > 0, entity_set.name
                for row in rows:
                    for prop in entity_set.properties:
                        read(row, prop)
