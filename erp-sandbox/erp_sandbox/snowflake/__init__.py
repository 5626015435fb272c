"""A Snowflake for tests and demos: fakesnow behind the genuine connectors' protocol, and what it lacks."""
