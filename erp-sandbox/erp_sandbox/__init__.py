"""Simulators of ERPs and of Snowflake."""
