"""What the gateway says of its objects and of the company: ``lookup``, ``inspect`` and their like.

Reference section 2.3. Neither ``lookup`` nor ``inspect`` asks for permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from erp_sandbox.intacct.envelope import data, element
from erp_sandbox.intacct.model import catalogue

if TYPE_CHECKING:
    from lxml import etree  # type: ignore[import-untyped]

    from erp_sandbox.intacct.model import Field, ObjectType
    from erp_sandbox.intacct.odd_gateway import OddGateway
    from erp_sandbox.intacct.store import Store

_EXTERNAL: Final = {
    "INTEGER": "integer",
    "DECIMAL": "decimal",
    "CURRENCY": "currency",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


def lookup(kind: ObjectType) -> str:
    """Fields and relationships of an object."""
    fields = "".join(_field(field) for field in kind.fields.values())
    relationships = "".join(
        f"<Relationship>{element('OBJECTPATH', path)}{element('OBJECTNAME', path)}"
        f"{element('LABEL', path.title())}{element('RELATIONSHIPTYPE', 'MANY2ONE')}{element('RELATEDBY', by)}"
        "</Relationship>"
        for path, by in _relations(kind)
    )
    inside = f"<Fields>{fields}</Fields><Relationships>{relationships}</Relationships>"
    return data(f'<Type Name="{kind.name}" DocumentType="">{inside}</Type>', listtype="All", count=1)


def inspect(element_: etree._Element, store: Store, company: str, odd: OddGateway) -> str:
    """Names of fields, with their types if ``detail`` is asked for; of ``*``, all objects."""
    name = (element_.findtext("object") or element_.findtext("name") or "").strip()
    if name == "*":
        types = "".join(f"<type typename='{known.lower()}'>{known.title()}</type>" for known in catalogue())
        return data(types, listtype="All", count=len(catalogue()))
    kind = odd.kind(store.object(company, name), element_)
    if element_.get("detail", "0") == "1":
        fields = "".join(
            "<Field>"
            + element("Name", field.name)
            + element("GroupName", "")
            + element("dataName", "Pt_FieldString")
            + element("externalDataName", _EXTERNAL.get(field.type, "string"))
            + element("isRequired", "false")
            + element("isReadOnly", "false")
            + element("maxLength", "100")
            + element("DisplayLabel", field.label or field.name.title())
            + element("Description", "")
            + element("id", field.name)
            + "</Field>"
            for field in kind.fields.values()
        )
    else:
        fields = "".join(element("Field", field) for field in kind.fields)
    attributes = f"<Attributes>{element('SingularName', kind.name.title())}</Attributes>" * (
        element_.get("detail") == "1"
    )
    inside = f"{attributes}<Fields>{fields}</Fields>"
    return data(f"<Type Name='{kind.name}'>{inside}</Type>", listtype="All", count=1)


def entities(store: Store, company: str) -> str:
    """``readEntityDetails``: the entities that the user may see, in lower-case elements."""
    each = "".join(
        f"<entity>{element('id', entity)}{element('name', entity)}{element('recordno', number)}"
        f"{element('currency', 'USD')}{element('firstfiscalmonth', '1')}</entity>"
        for number, entity in enumerate(store.entities(company), 1)
    )
    return data(each, listtype="entity", count=len(store.entities(company)))


def user_formatting(offset: str, dates: str = "/mdY", clock: str = "24") -> str:
    """``readUserFormatting``: how the user sees dates.

    Args:
        offset: The zone's offset now, such as ``+01:00``.
        dates: Separator and order of dates.
        clock: Hours of the clock.
    """
    return data(
        f"<userformatting>{element('recordno', '1')}{element('locale', 'en_US')}"
        f"{element('dateformat', dates)}{element('gmtoffset', offset)}{element('clock', clock)}"
        "</userformatting>",
        listtype="userformatting",
        count=1,
    )


def _field(field: Field) -> str:
    valid = ""
    if field.values:
        labels = "".join(element("VALIDVALUE", label) for _, label in field.values)
        valid = f"<VALIDVALUES>{labels}</VALIDVALUES>"
    return (
        "<Field>"
        + element("ID", field.name)
        + element("LABEL", field.label or field.name.replace("_", " ").title())
        + element("DESCRIPTION", "")
        + element("REQUIRED", "false")
        + element("READONLY", "false")
        + element("DATATYPE", field.type)
        + valid
        + element("ISCUSTOM", "true" if field.custom else "false")
        + "</Field>"
    )


def _relations(kind: ObjectType) -> list[tuple[str, str]]:
    known = {"VENDORID": "VENDOR", "CUSTOMERID": "CUSTOMER", "ACCOUNTNO": "GLACCOUNT"}
    found = [(path, by) for by, path in known.items() if by in kind.fields and path != kind.name]
    return [*found, (kind.parent[0], kind.parent[1])] if kind.parent else found
