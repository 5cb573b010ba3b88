"""Run the command line as `python -m web`."""

from web.cli import main

main()
