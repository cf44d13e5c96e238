"""Two identifiers that are two people's: said once, they are kept apart in all of history, until undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.compiled import Split
from onevoice.errors import EventError, LimitError, Mistake
from onevoice.events.batch import HASH_HIGH, HASH_LOW
from onevoice.runtime.customer import identified, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.runtime.fold import Fold

SPLITS_MAX: Final = 1_000  # each is looked through where two customers may be joined


class Parted(NamedTuple):
    """The numbers of the customers who have two identifiers now: two of them once those are kept apart.

    >>> by_mail = {"email": "ada@x.org"}
    >>> _ = engine.ingest([{"type": "store_visited", "identifiers": ada | by_mail}])
    >>> _ = engine.ingest([{"type": "store_visited", "identifiers": by_mail}])
    >>> engine.split(ada, by_mail)
    Parted(one=0, other=1)
    """

    one: int
    other: int


def split_of(fold: Fold, one: Mapping[str, str], other: Mapping[str, str]) -> Split:
    """Return two identifiers as what keeps them apart, in one order whichever is named first.

    Raises EventError where one of them is not one known identifier, both are the same, or nobody has one of them and
    they are not kept apart already: what came in only beside the other is nobody's then.
    """
    halves = sorted((_half(fold, one), _half(fold, other)))
    if halves[0] == halves[1]:
        raise EventError(Mistake("an identifier cannot be kept apart from itself", "split", mend="name two"))
    split = Split(*halves[0], *halves[1])
    if split not in fold.published.splits:
        for named in (one, other):
            _check_somebody_has(fold, named)
    return split


def _half(fold: Fold, named: Mapping[str, str]) -> tuple[str, int, int]:
    if len(named) != 1:
        raise EventError(Mistake("not one identifier", "split", "one kind and value", f"{dict(named)}"))
    [(kind, value)] = named.items()
    kinds = fold.published.playbook.identifiers
    if kind in kinds and kinds[kind].anonymous:
        mend = "name an identifier of a person; a device belongs to whoever identified on it last"
        raise EventError(Mistake("a device cannot be split", f"split: {kind}", "a known kind", value, mend))
    found = identified(fold, named)
    return kind, int(found[0][HASH_LOW]), int(found[0][HASH_HIGH])


def _check_somebody_has(fold: Fold, named: Mapping[str, str]) -> None:
    if number_of(fold, named) is None:
        [(kind, value)] = named.items()
        mend = "only what has come in can be split; look somebody up with `onevoice timeline`"
        raise EventError(Mistake("nobody has this identifier", f"split: {kind}", "one that has come in", value, mend))


def with_split(splits: tuple[Split, ...], split: Split) -> tuple[Split, ...]:
    """Return splits with one more; LimitError for too many."""
    if split in splits:
        return splits
    if len(splits) >= SPLITS_MAX:
        raise LimitError(Mistake("too many splits", "split", f"at most {SPLITS_MAX:,}", f"{len(splits) + 1:,}"))
    return (*splits, split)


def without_split(splits: tuple[Split, ...], split: Split) -> tuple[Split, ...]:
    """Return splits with one less; EventError where it is not among them."""
    if split not in splits:
        raise EventError(Mistake("these are not kept apart", "split", "two identifiers that were split"))
    return tuple(each for each in splits if each != split)


def parted(fold: Fold, one: Mapping[str, str], other: Mapping[str, str]) -> Parted:
    """Return who has each of two identifiers now; -1 where nobody does."""
    found = [number_of(fold, named) for named in (one, other)]
    return Parted(*(-1 if number is None else number for number in found))
