"""Desired state, status, events and a watch, in SQLite. Imports resources and base; start in store.py.

`store.py` is what the other rooms use; `fields.py` (pure) decides who owns which field; `records.py` turns
what managers wrote into objects; `watching.py` and `events.py` say what watchers and people see;
`database.py` is the file.
"""
