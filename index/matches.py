"""A plan looked up: the candidates, how they score, and which the text has yet to confirm."""

from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from .allowed import Mask
from .clock import Tick
from .columns import Ints
from .docs import Docs, common, places, union
from .fields import Tier
from .lookup import Found, look_up
from .plan import AllOf, Leaf, OneOf, Plan, TextLeaf, Ways, Without, leaves, positive, voices
from .scope import Scope
from .segments import LENGTHS
from .truth import Facts, Truth, judged

_K1, _B = 1.2, 0.75  # the customary constants of BM25
_FAINT = 1 / (_K1 + 1)
"""Another way to say it, said without end in a text of mean length, counts as much as the typed one said once."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Documents that are hits, or may be: where each stands, its node's number, and whether it is certain."""

    doc: Docs
    number: Ints
    certain: Mask

    def __len__(self) -> int:
        return len(self.doc)


class Matches:
    """The leaves of a plan, found once; everything else about the search is read off here."""

    def __init__(self, plan: Plan, scope: Scope, tick: Tick) -> None:
        self.scope = scope
        self.space = scope.space
        self.tick = tick
        self._found = {leaf: look_up(leaf, scope, tick) for leaf in leaves(plan)}
        self.plan = self._pruned(plan)
        self.leaves = tuple(leaves(self.plan))
        self.candidates = self._candidates()

    @property
    def size(self) -> int:
        """Bytes in memory of what the leaves found, about: some of it is shared with others."""
        return sum(found.size for found in self._found.values())

    def found(self, leaf: Leaf, docs: Docs) -> Mask:
        """Which of some documents a leaf found; of a leaf with a phrase those that may prove to be."""
        return self._found[leaf].among(docs)

    def _pruned(self, node: Plan) -> Plan:
        """Without the alternatives that found nothing: a word is looked for in every field, and is in few of them."""
        match node:
            case OneOf(parts):
                kept = map(self._pruned, parts)
                return replace(node, parts=tuple(part for part in kept if self._may_hit(part)))
            case AllOf(parts):
                return replace(node, parts=tuple(map(self._pruned, parts)))
            case Ways(typed, otherwise):
                return Ways(self._pruned(typed), tuple(map(self._pruned, otherwise)))
            case Without(part, tier):  # the tier is that of all that was asked, found or not
                return Without(self._pruned(part), tier)
        return node

    def _may_hit(self, part: Plan) -> bool:
        found = self._found[part] if isinstance(part, Leaf) else None
        return not isinstance(found, Found) or len(found.docs) > 0

    def _candidates(self) -> Candidates:
        near = self._near(self.plan)
        truth = judged(
            self.plan, Facts(lambda leaf: self._truth(leaf, near), lambda tier: self._held(tier, near))
        )
        if near is not None and truth.possible.all():
            return Candidates(near, self.space.numbers("number")[near], truth.certain)
        docs = np.flatnonzero(truth.possible) if near is None else near[truth.possible]
        return Candidates(docs, self.space.numbers("number")[docs], truth.certain[truth.possible])

    def _near(self, node: Plan) -> Docs | None:
        """Documents among which all hits are; None stands for every document."""
        match node:
            case AllOf(parts):
                sets = [docs for part in parts if (docs := self._near(part)) is not None]
                return min(sets, key=len, default=None)
            case OneOf() | Ways():
                near = [self._near(part) for part in node.parts]
                sets = [docs for docs in near if docs is not None]
                return union(sets, self.space.size) if len(sets) == len(near) else None
        found = self._found[node] if isinstance(node, Leaf) else None
        return found.docs if isinstance(found, Found) else None

    def _truth(self, leaf: Leaf, near: Docs | None) -> Truth:
        """What a leaf found as truth over some documents; a leaf with a phrase proves nothing yet."""
        self.tick()
        possible = self._found[leaf].row() if near is None else self.found(leaf, near)
        needs_text = isinstance(leaf, TextLeaf) and leaf.wanted.phrase is not None
        return Truth(np.zeros(len(possible), np.bool_) if needs_text else possible, possible)

    def _held(self, tier: Tier, near: Docs | None) -> Mask:
        held = self.scope.held(tier)
        return held.mask if near is None else held.of(near)

    def held(self, tier: Tier) -> Mask:
        """Which of the candidates are held at a tier; all of them are at the lowest."""
        docs = self.candidates.doc
        if tier is Tier.DISCOVER:
            return np.broadcast_to(np.True_, len(docs))
        return self.scope.held(tier).of(docs)

    @property
    def speaks(self) -> bool:
        """Whether anything gives one candidate another score than the next."""
        return any(self._found[leaf].lists for leaf in positive(self.plan))

    def scores(self, docs: Docs) -> Scores:
        """BM25 of each of some candidates, ascending, with frequencies and lengths counted over nothing but what is held.

        Whole collections of numbers are counted as integers, so hidden documents cannot even change the rounding.
        """
        scores = np.zeros(len(docs))
        for voice in voices(self.plan):
            if isinstance(voice, Ways):
                self._add_ways(voice, docs, scores)
            else:
                self._add(voice, docs, scores)
        return scores

    def _add_ways(self, ways: Ways, docs: Docs, scores: Scores) -> None:
        """In each field the way that gives most: whoever says it in several ways says it once.

        Where the typed word is common and the others are rare or long, they count as if they were as common as it.
        """
        typed = self._by_field(ways.typed)
        common_as = {name: sum(map(self._rarity, leaves)) for name, leaves in typed.items()}
        best: dict[str, Scores] = {}
        for way, share in [(typed, 1.0), *((self._by_field(part), _FAINT) for part in ways.otherwise)]:
            for name, found in way.items():
                own = np.zeros(len(docs))
                for leaf in found:
                    self._add(leaf, docs, own)
                rarity = sum(map(self._rarity, found))
                own *= share * min(1.0, common_as.get(name, rarity) / rarity) if rarity else share
                best[name] = np.maximum(best[name], own) if name in best else own
        for one in best.values():
            scores += one

    def _by_field(self, way: Plan) -> dict[str, list[Leaf]]:
        found: dict[str, list[Leaf]] = {}
        for leaf in positive(way):
            if self._may_hit(leaf):
                found.setdefault(leaf.field.name, []).append(leaf)
        return found

    def _add(self, leaf: Leaf, docs: Docs, scores: Scores) -> None:
        found = self._found[leaf]
        if not isinstance(found, Found) or not found.lists:
            return  # a number or a keyword narrows, and gives nothing
        hit = common(found.docs, docs, self.space.size)
        if len(hit):
            own = self._scores(leaf, found, hit)
            here = ... if len(hit) == len(docs) else places(hit, docs, self.space.size)
            scores[here] += own

    def _scores(self, leaf: Leaf, found: Found, docs: Docs) -> Scores:
        """What a leaf gives to each of some documents that it found."""
        self.tick()
        scores = np.zeros(len(docs))
        saturation = self._saturation(leaf, docs)
        for one, rarity in zip(found.lists, self._rarities(leaf), strict=True):
            whole = len(docs) == len(one.docs)
            counts = one.counts if whole else one.counts[places(docs, one.docs, self.space.size)]
            times = counts.astype(np.float64)
            scores += rarity * times * (_K1 + 1) / (times + saturation)
        return scores

    def _rarities(self, leaf: Leaf) -> list[float]:
        """How much each of the terms of a leaf says by itself, times what its field counts."""
        held, weight = self.scope.held(leaf.field.tier).count, leaf.field.weight
        sizes = [len(one.docs) for one in self._found[leaf].lists]
        return [weight * log(1 + (held - holders + 0.5) / (holders + 0.5)) for holders in sizes]

    def _rarity(self, leaf: Leaf) -> float:
        return sum(self._rarities(leaf))

    def _saturation(self, leaf: Leaf, docs: Docs) -> Scores:
        if not isinstance(leaf, TextLeaf):
            return np.full(len(docs), _K1)
        of_code = _K1 * (1 - _B + _B * (LENGTHS.astype(np.float64) / self.scope.mean_length(leaf.field)))
        return of_code.take(self.space.length_codes(leaf.field.name)[docs])
