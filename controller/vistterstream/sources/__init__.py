"""Where manifests come from: watched folders. Start in folders.py."""
