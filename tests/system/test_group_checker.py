"""The checker of groups is itself shown to fail, on made-up histories."""

import copy

import pytest

from checker import Violation
from group_checker import GroupChecker

# Two partitions of ten records. a reads both, gives 1 to b after it committed it; b dies
# with work that it did not commit, a reads that again.
RIGHT = [
    (1.0, "a", "assigned", {"partitions": [0, 1], "generation": 1}),
    (1.1, "a", "records", {"partition": 0, "first": 0, "last": 3, "count": 4}),
    (1.2, "a", "records", {"partition": 1, "first": 0, "last": 4, "count": 5}),
    (2.0, "a", "committing", {"offsets": {0: 4, 1: 5}}),
    (2.1, "a", "committed", {"offsets": {0: 4, 1: 5}}),
    (2.2, "a", "revoked", {"partitions": [1]}),
    (3.0, "b", "assigned", {"partitions": [1], "generation": 2}),
    (3.1, "b", "records", {"partition": 1, "first": 5, "last": 7, "count": 3}),
    (3.2, "b", "committing", {"offsets": {1: 8}}),
    (3.3, "b", "dead", {}),
    (3.4, "a", "records", {"partition": 0, "first": 4, "last": 9, "count": 6}),
    (9.0, "a", "assigned", {"partitions": [1], "generation": 3}),
    (9.1, "a", "records", {"partition": 1, "first": 5, "last": 9, "count": 5}),
    (9.2, "a", "committing", {"offsets": {0: 10, 1: 10}}),
    (9.3, "a", "committed", {"offsets": {0: 10, 1: 10}}),
]
ENDS = {0: 10, 1: 10}


def judged(history, ends=ENDS, committed=None):
    checker = GroupChecker(2)
    for at, member, kind, what in history:
        checker.told(member, kind, at, **what)
    checker.verify(ends, ENDS if committed is None else committed)
    return checker


# A right history, told in any order, has nothing wrong in it.
def test_right_history():
    judged(RIGHT).assert_clean()
    judged(list(reversed(RIGHT))).assert_clean()


# The dead member's commit may have been done, and then its work is not read again.
def test_commit_of_the_dead():
    history = copy.deepcopy(RIGHT)
    history[12][3].update(first=8, count=2)
    judged(history).assert_clean()


# Who pauses may be taken for dead, reads on for a while and is refused its commit.
def test_paused():
    history = RIGHT[:9] + [
        (3.3, "b", "paused", {}),
        *RIGHT[10:13],
        (9.15, "b", "records", {"partition": 1, "first": 8, "last": 9, "count": 2}),
        (9.16, "b", "committing", {"offsets": {1: 10}}),
        (9.17, "b", "commit_failed", {"offsets": {1: 10}}),
        (9.18, "b", "lost", {"partitions": [1]}),
        *RIGHT[13:]]
    judged(history).assert_clean()


def edited(number, **changes):
    def edit(history):
        history[number][3].update(changes)
        return history
    return edit


def without(*numbers):
    return lambda history: [e for n, e in enumerate(history) if n not in numbers]


def plus(*events):
    return lambda history: history + list(events)


@pytest.mark.parametrize("kind,change", [
    # b gets the partition before a gives it away
    ("owned-twice", without(5)),
    ("owned-twice", plus((2.15, "b", "assigned", {"partitions": [0]}))),
    # in turn, but in the same generation
    ("owned-twice", edited(6, generation=1)),
    # a hole in what one member reads, within a batch of it and between two
    ("skipped", edited(1, count=3)),
    ("skipped", edited(10, first=5, count=5)),
    # b begins past what a committed
    ("skipped", edited(7, first=6, count=2)),
    # nobody reads the end
    ("skipped", edited(10, last=8, count=5)),
    ("skipped", without(12)),
    # a commit of what nobody read
    ("skipped", edited(8, offsets={1: 9})),
    # b begins before what a committed; a goes back
    ("doubled", edited(7, first=4, count=4)),
    ("doubled", edited(10, first=3, count=7)),
    # the second time as if the commit of b had not been acknowledged
    ("doubled", plus((3.25, "b", "committed", {"offsets": {1: 8}}))),
    # a commits what b has since long
    ("fence", plus((3.11, "a", "committing", {"offsets": {1: 5}}),
                   (3.12, "a", "committed", {"offsets": {1: 5}}))),
    ("stray", plus((2.5, "a", "records",
                    {"partition": 1, "first": 5, "last": 5, "count": 1}))),
    ("order", plus((1.5, "a", "assigned", {"partitions": [0]}))),
    ("order", plus((1.5, "a", "committed", {"offsets": {0: 4}}))),
    ("failed", plus((1.5, "a", "error", {"message": "broken"}))),
])
def test_wrong_history(kind, change):
    """Each kind of wrong is found in an otherwise right history."""
    checker = judged(change(copy.deepcopy(RIGHT)))
    assert kind in checker.kinds()
    with pytest.raises(Violation):
        checker.assert_clean()


@pytest.mark.parametrize("committed", [{0: 9, 1: 10}, {0: 10, 1: 11}, {0: -1, 1: 10}])
def test_wrong_end(committed):
    """What the server has at the end is what it acknowledged."""
    assert judged(RIGHT, committed=committed).kinds() == {"lost-commit"}


# A group is settled when every partition has one owner, and every member a part.
def test_settled():
    checker = GroupChecker(3)
    assert not checker.settled(["a"])
    checker.told("a", "assigned", 1, partitions=[0, 1, 2])
    assert checker.settled(["a"])
    assert not checker.settled(["a", "b"])
    checker.told("b", "assigned", 2, partitions=[2])
    assert not checker.settled(["a", "b"])
    checker.told("a", "revoked", 2, partitions=[2])
    assert checker.settled(["a", "b"])
    assert checker.wait_settled(["a", "b"], 0.5, 1) == 1.5
    checker.dead("b", 5)
    assert not checker.settled(["a", "b"])
    with pytest.raises(Violation):
        checker.wait_settled(["a"], 0, 0.1)
    with pytest.raises(Violation):
        checker.wait_covered({0: 1}, 0.1)
    checker.told("a", "records", 6, partition=0, first=0, last=0, count=1)
    checker.wait_covered({0: 1}, 0.1)
