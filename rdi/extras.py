"""How to install an extra of rdi; the project is installed from its checkout, not from an index."""


def install_command(extra: str) -> str:
    """The command that installs rdi with an extra, to be run in rdi's checkout."""
    return f'pip install ".[{extra}]"'


def install_hint(extra: str) -> str:
    """What an error message says to do: the command and where to run it."""
    return f"{install_command(extra)} in rdi's checkout"
