"""`python -m annealnn`."""

from annealnn.cli import main

main()
