"""The SDK's standard tests of a tap as one sweep: the tap runs once, then each stream answers every check.

The SDK makes a pytest item of each check of each attribute, some thousands for a tap. The checks here are the
SDK's own, those of its suites, whatever it adds to them; only who asks is another: one item for a stream, which
tells all that is wrong with it.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from contextlib import closing
from decimal import Decimal
from functools import cache, cached_property
from socket import socket

import pytest
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from singer_sdk.testing import SuiteConfig, suites
from singer_sdk.testing import tap_tests as sdk
from singer_sdk.testing.runners import TapTestRunner
from tap_server import sandbox

SETTINGS = SuiteConfig(max_records_limit=60)


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
    """A test class for a tap with everything selected.

    Args:
        tap: The tap's class.
        config: Its settings.
        most: How many columns of each stream; None for all.
    """
    sweep = Sweep(tap, config, most)

    class StandardTests:
        @pytest.fixture(scope="class")
        @classmethod
        def swept(cls):
            sweep.runner.sync_all()
            return sweep

        @pytest.mark.parametrize("check", suites.tap_tests.tests, ids=lambda check: check.name)
        def test_tap(self, swept, check):
            check().run(SETTINGS, None, swept.runner)

        @pytest.mark.parametrize("stream", sweep.streams)
        def test_stream(self, swept, stream):
            faults = swept.faults(stream)
            if faults:
                pytest.fail("\n".join(faults), pytrace=False)

    return StandardTests


class Runner(TapTestRunner):
    """The SDK's, which makes a tap anew for each question: a tap of hundreds of streams takes seconds to make."""

    @cached_property
    def _idle(self):
        return self.create()

    def new_tap(self):
        """A tap that has not read."""
        return self._idle

    def run_sync_dry_run(self):
        """Read with a tap of its own, so that the other one has no bookmarks."""
        return self.create().run_sync_dry_run(dry_run_record_limit=self.suite_config.max_records_limit)


class Sweep:
    """One run of a tap, and the SDK's checks of what it wrote."""

    def __init__(self, tap, config, most=None):
        catalog = tap(config=config, setup_mapper=False).catalog_dict
        for stream in catalog["streams"]:
            stream["schema"]["properties"] = dict(list(stream["schema"]["properties"].items())[:most])
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = True
        self.streams = [stream["tap_stream_id"] for stream in catalog["streams"]]
        self.runner = Runner(
            tap, config=config, catalog=catalog, suite_config=SETTINGS, parse_env_config=True
        )

    def faults(self, name):
        """All that is wrong with a stream, a line each: the stream, its attribute, the check, what it found."""
        stream, found, empty = self.runner.new_tap().streams[name], [], []
        for check in suites.tap_stream_tests.tests:
            found += _faults(name, INSTEAD.get(check, check), self.runner, stream)
        for attribute, schema in stream.stream_maps[-1].transformed_schema["properties"].items():
            for check in suites.tap_stream_attribute_tests.tests:
                if not check.evaluate(stream=stream, property_name=attribute, property_schema=schema):
                    continue
                # The SDK keeps one instance for all attributes, and with it the values of the first.
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    found += _faults(f"{name}.{attribute}", check, self.runner, stream, attribute)
                empty += [attribute] * bool(said)
        if empty:
            warnings.warn(f"{name}: nothing to check in {', '.join(dict.fromkeys(empty))}", stacklevel=2)
        return found


def _faults(where, check, runner, *arguments):
    try:
        check().run(SETTINGS, None, runner, *arguments)
    except Exception as fault:  # whatever a check stumbles over is a fault of the stream
        words = str(fault) if isinstance(fault, AssertionError) else repr(fault)
        lines = words.splitlines()
        # pytest adds to a sentence what its assertion compared, which here is all counts and sets
        told = [line for line in lines if not line.startswith(("assert ", " "))] or lines[:1]
        return [f"{where}: {check.name}: {line}" for line in told]
    return []


class SchemaIsValid(sdk.StreamSchemaIsValidTest):
    """The SDK's check, which looks once at a definition that hundreds of columns share but for their words."""

    def test(self):
        frame = {**self.stream.schema, "properties": {}}
        parts = [frame, *self.stream.schema.get("properties", {}).values()]
        if not all(_is_valid(json.dumps(_without_words(part))) for part in parts):
            super().test()


def _without_words(part):
    return {k: v for k, v in part.items() if k not in {"title", "description"} or not isinstance(v, str)}


@cache
def _is_valid(text):
    try:
        VALIDATOR.check_schema(json.loads(text))
    except SchemaError:
        return False
    return True


class EveryRecordMatches(sdk.StreamRecordMatchesStreamSchema):
    """The SDK's check stops at the first record, and is silent on what is wrong with a record as a whole."""

    def test(self):
        validator = VALIDATOR(self.stream.schema, format_checker=VALIDATOR.FORMAT_CHECKER)
        wrong = Counter(
            (".".join(map(str, error.path)) or "record", error.message)
            for record in self.stream_records
            for error in validator.iter_errors(record)
        )
        assert not wrong, "\n".join(f"{path}: {why} ({n} records)" for (path, why), n in wrong.items())


class KeysAreUnique(sdk.StreamPrimaryKeysTest):
    """The SDK's check counts generators, of which no two are ever equal."""

    def test(self):
        super().test()
        if not self.stream.primary_keys:
            return
        keys = Counter(
            tuple(record[name] for name in self.stream.primary_keys) for record in self.stream_records
        )
        repeated = {key: n for key, n in keys.items() if n > 1}
        assert not repeated, f"Keys of several records: {repeated}"


def _exactly_multiple_of(validator, step, instance, schema):
    # jsonschema divides binary floats, in which 100.01 is no multiple of 0.001.
    if isinstance(instance, (int, float)) and Decimal(str(instance)) % Decimal(str(step)):
        yield ValidationError(f"{instance} is not a multiple of {step}")


VALIDATOR = extend(sdk.DEFAULT_JSONSCHEMA_VALIDATOR, {"multipleOf": _exactly_multiple_of})
# What asks instead of a check of the SDK's: the same in less time, or what it lets pass though it says it finds it.
INSTEAD = {
    sdk.StreamSchemaIsValidTest: SchemaIsValid,
    sdk.StreamRecordMatchesStreamSchema: EveryRecordMatches,
    sdk.StreamPrimaryKeysTest: KeysAreUnique,
}
