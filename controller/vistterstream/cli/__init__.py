"""The vistter command; the only room that wires the others together. Start in main.py."""
