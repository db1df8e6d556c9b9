"""The ledger: bytes in, bytes out, each record chained to the last. It knows nothing of decisions."""
