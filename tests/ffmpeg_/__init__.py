"""Tests of the room ffmpeg. Not called tests/ffmpeg, which would hide the package ffmpeg from everybody."""
