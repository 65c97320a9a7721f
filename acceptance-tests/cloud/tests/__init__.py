"""Tests of the local cloud itself: python -m unittest discover -t . -s cloud/tests."""
