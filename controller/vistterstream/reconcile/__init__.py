"""The kopf-style loop and one reconciler per kind. Start in loop.py."""
