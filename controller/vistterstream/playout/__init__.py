"""The data plane, one process per program: clock, ingests, compositor, encoders, hub, pushers.

Start in engine.py. A controller uses client.py alone.
"""
