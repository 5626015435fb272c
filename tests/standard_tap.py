"""What the SDK's standard tests of every tap need: a server of the sandbox's, a catalog, an exact validator."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from socket import socket

from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from pipeline import sandbox
from singer_sdk.testing import SuiteConfig, get_tap_test_class, tap_tests


def free_port():
    """A port: the suite wants its settings when it is collected, before any server runs."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def served(erp, port, folder, *options):
    """A small business behind the sandbox's server."""
    arguments = ("--port", port, "--path", folder / "books.db", "--scale", "0.05", *options)
    return sandbox(erp, *arguments, log=folder / "log")


def standard_tests(tap, config, most=None):
    """The SDK's test class for a tap with everything selected.

    Args:
        tap: The tap's class.
        config: Its settings.
        most: How many columns of each stream; None for all.
    """
    catalog = tap(config=config, setup_mapper=False).catalog_dict
    for stream in catalog["streams"]:
        stream["schema"]["properties"] = dict(list(stream["schema"]["properties"].items())[:most])
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    tap_tests.DEFAULT_JSONSCHEMA_VALIDATOR = extend(
        tap_tests.DEFAULT_JSONSCHEMA_VALIDATOR, {"multipleOf": _exactly_multiple_of}
    )
    return get_tap_test_class(
        tap, config=config, catalog=catalog, suite_config=SuiteConfig(max_records_limit=60)
    )


def _exactly_multiple_of(validator, step, instance, schema):
    # jsonschema divides binary floats, in which 100.01 is no multiple of 0.001.
    if isinstance(instance, (int, float)) and Decimal(str(instance)) % Decimal(str(step)):
        yield ValidationError(f"{instance} is not a multiple of {step}")
