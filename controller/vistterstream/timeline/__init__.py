"""Pure: compiles timelines and overlays into a plan, evaluates a frame of it. No I/O, no clock.

Start in plan.py.
"""
