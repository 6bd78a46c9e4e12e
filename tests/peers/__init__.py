"""Real servers and devices for the tests, each a process of its own on a free loopback port.

Every peer is a context manager. What it started is ended by id, at a deadline, when the block ends, frozen
or not. Start reading in process.py.
"""
