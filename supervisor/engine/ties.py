"""Who needs whom, ready to be asked in both directions; made once for many questions."""

from __future__ import annotations

from supervisor.core.order import needing, pulled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supervisor.engine.service import Service
    from supervisor.model.order import Order


class Ties:
    """Those of the services of an engine. Whoever adds one, or changes its order, says so."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services
        self._orders: dict[str, Order] | None = None
        self._ended_with: dict[str, list[str]] = {}
        self._restarted_with: dict[str, list[str]] = {}

    def renew(self) -> None:
        """At the next question."""
        self._orders = None

    @property
    def orders(self) -> dict[str, Order]:
        if self._orders is None:
            self._orders = {name: service.spec.order for name, service in self._services.items()}
            self._ended_with, self._restarted_with = needing(self._orders)
        return self._orders

    def ended_with(self, names: Iterable[str]) -> dict[str, str]:
        """Everybody who can't be up without one of these, directly or not, and the first of these for which."""
        return _followed(names, self._ended_with if self.orders else {}, root=True)

    def restarted_with(self, names: Iterable[str]) -> dict[str, str]:
        """Everybody who asked to be restarted with one of these, or with one that is, and for whom that was asked."""
        return _followed(names, self._restarted_with if self.orders else {}, root=False)

    def required_by(self, names: Iterable[str]) -> list[str]:
        """These and everything they require, directly or not, what comes first first."""
        return pulled(self.orders, names)


def _followed(names: Iterable[str], edges: Mapping[str, list[str]], *, root: bool) -> dict[str, str]:
    """All that the names lead to; with where it began (`root`), or where it was come from."""
    found: dict[str, str] = {}
    for name in names:
        left = [name]
        while left:
            one = left.pop()
            for other in edges.get(one, ()):
                if other not in found and other != name:
                    found[other] = name if root else one
                    left.append(other)
    return found
