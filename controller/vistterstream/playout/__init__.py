"""The data plane, a process per program: clock, ingests, compositor, encoders, hub, pushers, and the socket protocol. Start in engine.py; a controller uses client.py alone."""
