"""`python -m rdi.cli`, for launchers that want a module."""

from rdi.cli.main import app

app()
