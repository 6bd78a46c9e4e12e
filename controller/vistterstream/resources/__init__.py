"""The kinds: pydantic models, references, conditions, YAML loading, CRD generation. No I/O.

May import ``base`` alone. Start in kinds.py for the objects, in manifests.py for how they are read.
"""
