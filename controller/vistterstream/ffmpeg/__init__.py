"""Everything that knows FFmpeg: command lines, child processes, progress, reading its log.

Start in commands.py.
"""
