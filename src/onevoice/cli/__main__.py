"""`python -m onevoice.cli`."""

from onevoice.cli.app import main

main()
