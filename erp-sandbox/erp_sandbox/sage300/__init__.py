"""Sandbox: sage300."""
