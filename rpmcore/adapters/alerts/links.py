"""Where an entry of the runbook is."""


def runbook_link(runbook: str, entry: str) -> str:
    """Return the address, or the path, of an entry of the runbook."""
    return f"{runbook}#{entry}"
