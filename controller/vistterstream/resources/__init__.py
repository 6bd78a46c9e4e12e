"""The kinds: pydantic models, references, conditions, YAML loading, CRD generation. No I/O. Start in manifests.py."""
