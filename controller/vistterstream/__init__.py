"""VistterStream: live video kept on the air from YAML manifests.

Rooms, from the ground up: ``base``, ``resources``, then ``store``, ``timeline`` and ``ffmpeg`` side by
side, then ``cameras`` and ``playout``, then ``reconcile``, then ``sources`` and ``api``, and ``cli`` on
top, which alone wires them together. Start reading in ``cli``, then ``reconcile``.
"""

__version__ = "0.1.0"
