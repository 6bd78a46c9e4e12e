"""The kopf-style loop and one reconciler per kind. May import playout's client and everything below it.

Start in controller.py (who runs), then program.py (the whole way from manifests to the air and back), then
loop.py (what calls it). Decisions that need no process stand apart and are pure: queue.py, decisions.py,
observations.py, verdict.py, planner.py.
"""
