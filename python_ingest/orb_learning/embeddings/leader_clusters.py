"""Leader clustering that follows texts as they come and go.

In their order, each text joins the most similar leader before it (of equally similar ones the
first), or leads a cluster itself where none is similar enough. So the clusters are a function of
the texts, their order and their vectors.

A text that comes or goes changes only what is similar to it. Waiting texts are settled in their
order, a batch at a time. A leader that a new one comes before is lost: it is settled again, and so
are the texts that it led. A text that a new leader is nearer to follows that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orb_learning.embeddings.near_pairs import ONE, Pairs, Vectors

if TYPE_CHECKING:
    from orb_learning.embeddings.near_pairs import Array

FEWEST_AT_ONCE, MOST_AT_ONCE = 1_024, 16_384
"""Texts of a batch. The first are few, as no leader stands yet and each may be similar to each;
in a random order, as that of hashes is, doubling keeps the pairs about as many as the texts."""


def assign(vectors: Vectors, leaders: Array, products: Array) -> tuple[Array, Array]:
    """Give each text its leader.

    Args:
        vectors: one a text, in the texts' order.
        leaders: for each text the place of its leader as it was; -1 where it has none. A leader's
            is its own.
        products: what vector and leader's vector multiply to, as it was.

    Returns:
        leaders and products as they are now.
    """
    clusters = _Clusters(vectors, leaders, products)
    clusters.settle()
    return clusters.leaders, clusters.products


class _Clusters:
    def __init__(self, vectors: Vectors, leaders: Array, products: Array):
        import numpy

        self.leaders, self.products = leaders.copy(), products.copy()
        self._vectors = vectors
        self._places = numpy.arange(len(leaders))
        self._was_leader = leaders == self._places
        self._is_waiting = leaders < 0

    def settle(self) -> None:
        """Give every waiting text its leader."""
        import numpy

        most = FEWEST_AT_ONCE
        while len(waiting := numpy.flatnonzero(self._is_waiting)):
            end = int(waiting[most]) if len(waiting) > most else len(self._places)
            self._settle(waiting[:most], end)
            most = min(2 * most, MOST_AT_ONCE)

    def _settle(self, batch: Array, end: int) -> None:
        """Settle these texts, and with them all that stand before the end."""
        import numpy

        self._is_waiting[batch] = False
        open_texts = _OpenTexts(self._vectors)
        near: list[Pairs] = []  # texts that are settled, and leaders that stand
        is_asking = numpy.zeros(len(self._places), bool)
        new = batch
        while len(new):
            is_asking[new] = True
            self.leaders[new], self.products[new] = -1, -ONE
            is_standing = (self.leaders == self._places) & ~is_asking
            near.extend(self._vectors.pairs(new, numpy.flatnonzero(is_standing[:end])))
            text, leader, product = _joined(near)
            is_led = numpy.zeros(len(self._places), bool)
            is_led[text[(leader < text) & is_standing[leader]]] = True
            is_leading = open_texts.lead(is_asking & ~is_led)
            new = self._lose(leader[is_leading[text] & is_standing[leader]], end)
        heads = numpy.flatnonzero(is_leading)
        self.leaders[heads], self.products[heads] = heads, ONE
        self._follow([Pairs(text, leader, product)], is_standing)
        self._follow(self._vectors.pairs(numpy.flatnonzero(is_asking), heads), is_leading)
        self._tell(heads[~self._was_leader[heads]], is_asking)

    def _lose(self, lost: Array, end: int) -> Array:
        """Take from these leaders what they lead; return the texts before the end."""
        import numpy

        is_lost = numpy.zeros(len(self._places) + 1, bool)  # the last one for -1, no leader
        is_lost[lost] = True
        texts = numpy.flatnonzero(is_lost[self.leaders])
        before, after = texts[texts < end], texts[texts >= end]
        self.leaders[after] = -1
        self._is_waiting[after] = True
        return before

    def _follow(self, pairs: Iterable[Pairs], is_leader: Array) -> None:
        """Let each text of the pairs follow the leader before it that is nearest."""
        import numpy

        for text, leader, product in pairs:
            counts = (leader < text) & is_leader[leader]
            text, leader, product = text[counts], leader[counts], product[counts]
            order = numpy.lexsort((leader, -product, text))
            text, leader, product = text[order], leader[order], product[order]
            is_best = numpy.diff(text, prepend=-1) > 0
            text, leader, product = text[is_best], leader[is_best], product[is_best]
            is_nearer = (product > self.products[text]) | (
                (product == self.products[text]) & (leader < self.leaders[text])
            )
            self.leaders[text[is_nearer]] = leader[is_nearer]
            self.products[text[is_nearer]] = product[is_nearer]

    def _tell(self, gained: Array, is_settled: Array) -> None:
        """Let texts after new leaders follow them, where they are nearer than the old ones."""
        import numpy

        if not len(gained):
            return
        is_told = (self._places > gained[0]) & ~is_settled & ~self._is_waiting
        is_gained = numpy.zeros(len(self._places), bool)
        is_gained[gained] = True
        for text, leader, product in self._vectors.pairs(numpy.flatnonzero(is_told), gained):
            is_lost = (leader < text) & (self.leaders[text] == text)
            self._lose(text[is_lost], 0)
            is_member = ~self._is_waiting[text]
            self._follow([Pairs(text[is_member], leader[is_member], product[is_member])], is_gained)


class _OpenTexts:
    """Texts that no standing leader leads: some of them will lead the others."""

    def __init__(self, vectors: Vectors):
        import numpy

        self._vectors = vectors
        self._is_known = numpy.zeros(len(vectors), bool)
        self._between: list[Pairs] = []

    def lead(self, is_open: Array) -> Array:
        """Return which of the open texts lead: those that none before them leads."""
        import numpy

        known = numpy.flatnonzero(self._is_known)
        new = numpy.flatnonzero(is_open & ~self._is_known)
        self._between.extend(self._vectors.pairs(new, known))
        self._between.extend(self._vectors.pairs(new, new))
        self._is_known[new] = True
        one, other, _ = _joined(self._between)
        counts = is_open[one] & is_open[other] & (one != other)
        first, second = numpy.minimum(one, other)[counts], numpy.maximum(one, other)[counts]
        order = numpy.argsort(second, kind="stable")
        is_leading = is_open.copy()
        for before, after in zip(first[order].tolist(), second[order].tolist(), strict=True):
            if is_leading[before]:
                is_leading[after] = False
        return is_leading


def _joined(parts: list[Pairs]) -> Pairs:
    """Join the parts into one, in place."""
    import numpy

    empty = numpy.empty(0, int)
    columns = zip(*parts, strict=True) if parts else iter([(empty,), (empty,), (empty,)])
    parts[:] = [Pairs(*(numpy.concatenate(column) for column in columns))]
    return parts[0]
