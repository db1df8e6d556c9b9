"""The in-memory broker is one: it passes the suite that every adapter is held against."""

from rpmcore.conformance.in_memory import InMemoryDriver
from rpmcore.conformance.suite import BrokerConformance


class TestInMemoryBroker(BrokerConformance):
    def make_driver(self, releases):
        return InMemoryDriver(releases)
