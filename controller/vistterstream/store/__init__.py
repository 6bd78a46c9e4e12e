"""Desired state, status, events and a watch, in SQLite. Start in store.py."""
