"""The ``vistter`` command; the only room that wires the others together.

Start in main.py, which holds the commands and their help; each command's work is in a module of its own,
imported when it is needed, so that help and completion come at once. Data goes to stdout, talk to stderr.
"""
