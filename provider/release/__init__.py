"""The files of a release: what registries, mirrors and users download."""


class Failed(Exception):
    """An error that prevents the release. The message is shown to the user."""
