"""What others reach from outside the process: the local socket for the ``vistter`` command; metrics, health
and the preview page over HTTP.

Imports what is below: ``reconcile`` and down. Start in answers.py (what is said), then local.py and http.py
(to whom).
"""
