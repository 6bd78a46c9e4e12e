"""``python -m vistterstream`` is the ``vistter`` command."""

from vistterstream.cli.main import main

main()
