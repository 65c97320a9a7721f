"""The files of a release: what registries, mirrors and users download."""


class Failed(Exception):
    """Why there is no release. The message is for the user."""
