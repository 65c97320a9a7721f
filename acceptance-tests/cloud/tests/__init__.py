"""Tests of the local cloud's own logic: python -m unittest discover -t . -s cloud/tests."""
