"""Singer messages of one stream, for tests."""

from __future__ import annotations

BILL = {
    "id": {"type": "integer"},
    "VendorName": {"type": ["string", "null"]},
    "Amount": {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3},
}
COMPANY = {
    "source_company": {"type": "string"},
    "id": {"type": "integer"},
    "name": {"type": ["string", "null"]},
}


class Stream:
    """Makes messages of a stream."""

    def __init__(self, name="bills", properties=BILL, key=("id",), **schema_message):
        self.name, self.properties, self.key, self.more = name, properties, list(key), schema_message

    def schema(self, properties=None, key=None, **more):
        own = {"type": "object", "properties": properties or self.properties}
        keys = self.key if key is None else list(key)
        return {
            "type": "SCHEMA",
            "stream": self.name,
            "schema": own,
            "key_properties": keys,
            **self.more,
            **more,
        }

    def record(self, *, at=None, version=None, **record):
        about = {"time_extracted": at, "version": version}
        return {
            "type": "RECORD",
            "stream": self.name,
            "record": record,
            **{name: value for name, value in about.items() if value is not None},
        }

    def bill(self, id, name=None, amount=1, **about):
        own = {name: about.pop(name) for name in ("at", "version") if name in about}
        return self.record(id=id, VendorName=name, Amount=amount, **about, **own)

    def version(self, number, partitions=None):
        message = {"type": "ACTIVATE_VERSION", "stream": self.name, "version": number}
        return message if partitions is None else message | {"x-partitions": partitions}


def state(value, stream="bills"):
    return {
        "type": "STATE",
        "value": {"bookmarks": {stream: {"replication_key": "id", "replication_key_value": value}}},
    }
