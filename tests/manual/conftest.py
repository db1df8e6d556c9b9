"""The manual is held against the command as a user runs it."""

from tests.cli.conftest import rpm as rpm
