"""Where manifests come from: watched folders. Imports store and resources; start in folders.py.

`folders.py` goes round: `scan.py` looks at the folders, `loading.py` reads files, `ledger.py` and `order.py`
(pure) decide what to write and what may go, `watcher.py` says when to look again.
"""
