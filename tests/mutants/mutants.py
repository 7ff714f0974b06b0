"""Deliberately broken builds: what the crash test's checker and the simulators (of the
cell, of groups) must find.

Each mutant is a few edits of the sources, (file, old text, new text); the old text must be
there exactly once, so that a mutant that no longer fits fails instead of testing nothing.
`build` makes it in a copy of the tree, build/mutants/tree, and puts the programs (with
fault points) into build/mutants/NAME; `build_simulator` makes a mutant's simulator in
build/mutants/simulator.
"""

import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE = ROOT / "build" / "mutants" / "tree"
SOURCES = ("agent", "cli", "common", "controlplane", "proto", "Makefile")
PROGRAMS = ("weft-agent", "weft-controlplane", "weft")


@dataclass
class Mutant:
    """NAME, what is wrong with it, the violations one of which must be seen, the faults
    that bring it to light (process and WEFT_FAULT, None for kill -9 at any time)."""

    name: str
    wrong: str
    edits: list
    kinds: set
    faults: list
    in_ci: bool = False


MUTANTS = [
    Mutant("no-dedupe", "a repeated batch of an idempotent producer is appended again",
           [("controlplane/producers.c", "            *duplicate = batch;\n", "")],
           {"doubled"}, [("agent-1", "agent.reply.before:5"),
                         ("agent-2", "agent.commit.after:5")], in_ci=True),
    Mutant("log-not-replayed", "a restart of the control plane stops at the checkpoint",
           [("controlplane/node_propose.c", "    if (data.len == 0 && !node->dead)",
             "    if ((data.len == 0 || batch == NULL) && !node->dead)"),
            ("controlplane/node_propose.c", "    while (!node->dead && command_unpack(",
             "    while (batch != NULL && !node->dead && command_unpack(")],
           {"lost", "changed", "failed", "watermark"}, [("controlplane-1", None)],
           in_ci=True),
    Mutant("object-not-stored", "the store says that an object is there which is not",
           [("common/store_dir.c", "    if (linkat(dir, temp, dir, name, 0) == 0)\n"
             "        linked = true;",
             # An agent looks at the start whether its store holds what it is given.
             "    if (strcmp(name, \"agent-check\") != 0)\n        linked = false;\n"
             "    else if (linkat(dir, temp, dir, name, 0) == 0)\n        linked = true;")],
           {"lost", "failed"}, [("agent-1", None), ("agent-2", None)], in_ci=True),
    Mutant("ack-before-commit", "a produce is acknowledged before its object is stored",
           [("agent/produces.c", "produce->deadline_at_ms = ask->deadline_at_ms;",
             "produce->deadline_at_ms = now;"),
            ("agent/produces.c", "MAX(ask->deadline_at_ms / PRODUCES_SLOT_MS",
             "MAX(now / PRODUCES_SLOT_MS"),
            ("agent/produces.c", ".kafka_error = err_kafka(ERR_TIMEOUT)",
             ".kafka_error = 0")],
           {"lost"}, [("agent-1", "agent.put.before:3"),
                      ("agent-2", "agent.commit.before:3")], in_ci=True),
    Mutant("short-memory", "only the oldest remembered batch of a producer is recognised",
           [("controlplane/producers.c", "    for (uint8_t i = 0; i < producer->count; i++) {\n"
             "        const struct producer_batch *batch",
             "    for (uint8_t i = 0; i + 4 < producer->count; i++) {\n"
             "        const struct producer_batch *batch")],
           {"failed"}, [("agent-1", "agent.reply.before:5"),
                        ("agent-2", "agent.commit.after:5")]),
    Mutant("duplicate-offset", "a repeated batch is answered with another batch's offset",
           [("controlplane/apply_commit.c",
             ".base_offset = offset,\n        .timestamp",
             ".base_offset = offset + 1,\n        .timestamp")],
           {"lost"}, [("agent-1", "agent.reply.before:5"),
                      ("agent-2", "agent.commit.after:5")]),
    Mutant("base-offset", "later batches of a run are served with wrong offsets",
           [("agent/fetch_assemble.c", "        offset += records;\n    }",
             "        offset += records > 1 ? records : 2;\n    }")],
           {"gap", "lost", "failed", "changed", "content"}, [("agent-1", None)]),
    Mutant("short-watermark", "the last record of a partition is not told of",
           [("controlplane/state.c", "offsets->high_watermark = partition->next_offset;",
             "offsets->high_watermark =\n            MAX(partition->next_offset, 1) - 1;")],
           {"lost", "watermark", "failed"}, [("agent-1", None), ("agent-2", None)]),
]


@dataclass
class SimulatorMutant:
    """NAME, what is wrong with it, how many seeds of the simulator may pass before one
    fails, which simulator it is, and the first seed."""

    name: str
    wrong: str
    edits: list
    seeds: int = 100
    simulator: str = "test_cell"
    first: int = 1


SIMULATOR_MUTANTS = [
    SimulatorMutant("forget-vote", "a restart remembers the term but not the vote",
                    [("controlplane/vote.c", "next.voted_for = voted_for;",
                      "next.voted_for = 0 * voted_for;")], seeds=400),
    SimulatorMutant("vote-not-synced", "term and vote are not durable before they count",
                    [("controlplane/vote.c", "vote->ops->fdatasync(vote->fd) != 0",
                      "vote->fd < 0")]),
    SimulatorMutant("ack-before-fsync", "entries count as durable that are only written",
                    [("controlplane/wal.c",
                      "if (wal->ops->fdatasync(wal->fd) != 0)\n"
                      "        return break_errno(wal, errno, err, \"sync\");\n"
                      "    FAULT_POINT(\"wal-synced\");",
                      "FAULT_POINT(\"wal-synced\");")]),
    SimulatorMutant("failed-fsync-forgotten", "after a failed fsync the log goes on",
                    [("controlplane/wal.c", "    wal->broken = true;\n"
                      "    err_set_errno(err, errnum,",
                      "    err_set_errno(err, errnum,"),
                     ("controlplane/wal.c",
                      "if (wal->ops->fdatasync(wal->fd) != 0)\n"
                      "        return break_errno(wal, errno, err, \"sync\");\n"
                      "    FAULT_POINT(\"wal-synced\");",
                      "(void)wal->ops->fdatasync(wal->fd);")]),
    SimulatorMutant("no-guard-1", "a change of members need not begin an append",
                    [("controlplane/replica_message.c",
                      "while (end < whole->count && whole->entries[end].type != PEER_CHANGE)",
                      "while (end < whole->count)")]),
    # Guard 2 is tests/unit/test_replica_guards.c's: what it keeps away did not come in 400 seeds,
    # not even with messages that come late and twice.
    SimulatorMutant("no-guard-3", "promoted when not caught up, with others behind",
                    [("controlplane/replica_members.c",
                      "if (match_of(replica, id) < "
                      "replica->raft.configuration_committed_index)",
                      "if (false)"),
                     ("controlplane/replica_members.c",
                      "return rc != 0 ? rc : check_caught_up(replica, id, now_ms, err);",
                      "return 0 * check_caught_up(replica, id, now_ms, err);"),
                     ("controlplane/replica_message.c",
                      "int was = begin_voting(replica);",
                      "int was = begin_voting(replica);\n"
                      "    end_voting(replica, was);\n    was = VOTING_NOT_CHANGED;")]),
    # Guard 4 has its test in test_replica_guards.c: here voters stand for election in turn,
    # and a thousand seeds do not need it.
    SimulatorMutant("no-guard-9", "only who knows that it is a voter votes",
                    [("controlplane/replica_message.c",
                      "int was = begin_voting(replica);",
                      "int was = begin_voting(replica);\n"
                      "    end_voting(replica, was);\n    was = VOTING_NOT_CHANGED;")]),
    # One seed in ten thousand needs it, one of those in test_cell.c.
    SimulatorMutant("no-guard-10", "a standby gets what is not committed",
                    [("controlplane/replica_message.c",
                      "bool standby = !replica_is_voter(replica, to);",
                      "bool standby = false;")],
                    seeds=1, first=108833),
    SimulatorMutant("read-without-lease", "a leader reads as long as it takes itself for one",
                    [("controlplane/replica.c",
                      "           now_ms < replica_lease_end_ms(replica);",
                      "           now_ms >= 0;")]),
    SimulatorMutant("read-too-early", "a new leader reads before it has applied all",
                    [("controlplane/replica.c",
                      "           replica->applied_index >= replica->term_start_index &&\n",
                      "")]),
    SimulatorMutant("vote-at-once", "a restarted node votes before the leader's lease ends",
                    [("controlplane/replica_lease.c", "now_ms >= lease->deaf_until_ms ||",
                      "now_ms >= 0 ||")]),
    SimulatorMutant("apply-twice", "each 50th entry is applied twice",
                    [("controlplane/replica.c",
                      "        replica->applied_index = index;\n",
                      "        replica->applied_index = index - (index % 50 == 0);\n")]),
    SimulatorMutant("apply-by-clock", "what a command does depends on the node",
                    [("controlplane/apply_commit.c",
                      "    object->created_at_ms = commit->created_at_ms;",
                      "    object->created_at_ms =\n"
                      "        commit->created_at_ms + ((uintptr_t)object & 64) / 64;")]),
    SimulatorMutant("apply-before-durable", "what others have is applied, durable here or not",
                    [("controlplane/replica.c",
                      "MIN(raft_commit_index(&replica->raft), replica->persisted_index)) {",
                      "MIN(raft_commit_index(&replica->raft), replica->window.last)) {")]),
    SimulatorMutant("truncate-not-done", "a conflicting suffix stays in the log",
                    [("controlplane/replica.c",
                      "        replica_submit_job(replica, LOG_TRUNCATE, index);\n", "")]),
    SimulatorMutant("truncate-torn", "a crash in the midst of a truncation is damage",
                    [("controlplane/wal.c", "    wal->cut_index = from;\n", "")]),
    SimulatorMutant("install-without-reset", "the old log stays under a new snapshot",
                    [("controlplane/wal.c",
                      "    while (wal->segment_count > 0) {\n"
                      "        FAULT_POINT(\"wal-reset\");",
                      "    while (wal->segment_count > WAL_ENTRY_MAX) {")]),
    SimulatorMutant("install-not-finished", "a crash in the midst of an install is final",
                    [("controlplane/replica_start.c", "if (!replica->options.reset_log ||",
                      "if (replica->options.reset_log ||")]),
    SimulatorMutant("transfer-keeps-lease", "a leader that hands over goes on reading",
                    [("controlplane/replica_lease.c",
                      "if (!lease->leading || lease_transferring(lease))",
                      "if (!lease->leading)")],
                    seeds=400),
    SimulatorMutant("term-not-stored", "a new term is kept in memory only",
                    [("controlplane/vote.c", "next.term = term;",
                      "next.term = vote->term == 0 ? term : vote->term;")]),
    SimulatorMutant("joiner-stops", "a new node takes itself for removed",
                    [("controlplane/replica_members.c", "return replica->was_member &&",
                      "return raft->configuration_committed_index != 0 &&")]),
]

CLASSIC, CONSUMER = "test_groups", "test_consumer_groups"

# One line each of the machines that decide about groups.
GROUP_MUTANTS = [
    SimulatorMutant("sync-not-fenced", "the leader of a generation that is over assigns",
                    [("controlplane/group_classic.c",
                      "    if (cmd->group_sync.generation != group->generation)\n"
                      "        return KAFKA_ILLEGAL_GENERATION;\n", "")],
                    seeds=5000, simulator=CLASSIC),
    SimulatorMutant("generation-not-bumped", "a rebalance ends in the generation it began in",
                    [("controlplane/apply_group.c",
                      "    group_set_generation(group, group_next_generation(group));\n", "")],
                    simulator=CLASSIC),
    SimulatorMutant("static-not-kept", "a static member that joins late is no member more",
                    [("controlplane/apply_group.c",
                      "if (!group_member_joined(member) && member->instance_id.ptr == NULL)",
                      "if (!group_member_joined(member))")],
                    simulator=CLASSIC),
    SimulatorMutant("pending-not-waited-for", "a rebalance ends without who was given an id",
                    [("controlplane/apply_group.c",
                      "group->joined_count == group->member_count &&\n"
                      "          group->pending_count == 0)))",
                      "group->joined_count == group->member_count)))")],
                    simulator=CLASSIC),
    SimulatorMutant("old-assignment", "whom the leader names not has its old partitions",
                    [("controlplane/group_classic.c",
                      "    if (member->assigned_generation == group->generation)\n", "")],
                    simulator=CLASSIC),
    SimulatorMutant("all-lead", "a follower is told that it leads",
                    [("controlplane/group_classic.c",
                      "    answer->leads = group->leader == member;",
                      "    answer->leads = group->leader != NULL;")],
                    simulator=CLASSIC),
    SimulatorMutant("late-expiry", "a session of a generation that is over ends a member",
                    [("controlplane/apply_group.c",
                      "    if (epoch != group->generation)\n        return false;\n",
                      "    if (epoch > group->generation)\n        return false;\n")],
                    simulator=CLASSIC),
    SimulatorMutant("late-timer", "the timer of a phase that is over ends the next one",
                    [("controlplane/apply_group.c",
                      "        group->generation != cmd->group_due.generation)",
                      "        group->generation < cmd->group_due.generation)")],
                    simulator=CLASSIC),
    SimulatorMutant("sync-timer-forgotten", "a follower has all time to sync",
                    [("controlplane/coordinator.c",
                      "    return group_classic_due(group, GROUP_PHASE_SYNC) ?",
                      "    return group->state == GROUP_COMPLETING ?")],
                    simulator=CLASSIC),
    SimulatorMutant("old-commit", "a member of an older generation commits",
                    [("controlplane/group_classic.c",
                      "    if (generation != group->generation)\n"
                      "        return KAFKA_ILLEGAL_GENERATION;\n"
                      "    return group->state == GROUP_COMPLETING ?",
                      "    if (generation > group->generation)\n"
                      "        return KAFKA_ILLEGAL_GENERATION;\n"
                      "    return group->state == GROUP_COMPLETING ?")],
                    simulator=CLASSIC),
    SimulatorMutant("assign-before-revoke", "who has a partition is not waited for",
                    [("controlplane/group_reconcile.c",
                      "        (owned == NULL || partition_set_overlaps(owned, "
                      "&out->revoking))) {",
                      "        owned != NULL && partition_set_overlaps(owned, "
                      "&out->revoking)) {")],
                    simulator=CONSUMER),
    SimulatorMutant("half-revoked", "one partition given up counts for all of them",
                    [("controlplane/group_reconcile.c",
                      "if (owned == NULL || partition_set_overlaps(owned, &now.revoking)) {",
                      "if (owned == NULL || partition_set_covers(owned, &now.revoking)) {")],
                    simulator=CONSUMER),
    SimulatorMutant("target-not-moved", "a member that waits never gets the rest",
                    [("controlplane/group_reconcile.c",
                      "    partition_set_merge(&out->assigned, &free);\n", "")],
                    simulator=CONSUMER),
    SimulatorMutant("late-expiry-consumer", "a session of an older epoch ends a member",
                    [("controlplane/group_convert.c",
                      "member->consumer->epoch != expiry->epoch)",
                      "member->consumer->epoch < expiry->epoch)")],
                    simulator=CONSUMER),
    SimulatorMutant("old-commit-consumer", "a member commits with an older epoch",
                    [("controlplane/group_heartbeat.c",
                      "    if (epoch == member->consumer->epoch)\n        return 0;",
                      "    if (epoch <= member->consumer->epoch)\n        return 0;")],
                    simulator=CONSUMER),
    SimulatorMutant("revocation-not-timed", "who gives nothing up is waited for, for ever",
                    [("controlplane/coordinator.c",
                      "    look->move_ms = consumer_member_deadline_ms(",
                      "    look->move_ms = 0 * consumer_member_deadline_ms(")],
                    simulator=CONSUMER),
    SimulatorMutant("quiet-change", "a heartbeat that changes something is not proposed",
                    [("controlplane/group_heartbeat.c",
                      "           says_new(judgement.member, cmd) || ",
                      "           ")],
                    simulator=CONSUMER),
]


def copy_tree():
    """The sources, and objects of an ordinary build, so that little is built anew."""
    TREE.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        # Or what was taken out since the last time would be built, too.
        shutil.rmtree(TREE / name, ignore_errors=True)
        subprocess.run(["cp", "-a", str(ROOT / name), str(TREE)], check=True)
    objects = ROOT / "build" / "release-faults"
    assert (objects / "weft-agent").exists(), f"{objects}: run 'make FAULTS=1' first"
    (TREE / "build").mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(objects), str(TREE / "build")], check=True)


def edited(text, old, new, path):
    assert text.count(old) == 1, f"{path}: {text.count(old)} times, not once: {old!r}"
    return text.replace(old, new)


def build(mutant):
    """Build MUTANT; the directory of its programs."""
    copy_tree()
    for path, old, new in mutant.edits:
        file = TREE / path
        file.write_text(edited(file.read_text(), old, new, path))
    done = subprocess.run(["make", "-s", "FAULTS=1", "WERROR=", "all"], cwd=TREE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert done.returncode == 0, done.stdout
    programs = TREE.parent / mutant.name
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        shutil.copy2(TREE / "build" / "release-faults" / name, programs / name)
    return programs


def build_simulator(mutant):
    """Build MUTANT's simulator; its path."""
    tree = TREE.parent / "simulator"
    objects = ROOT / "build" / "release"
    assert (objects / "tests/sim/test_cell").exists(), f"{objects}: run 'make tests' first"
    for place in ("tests", "build/release/tests"):
        (tree / place).mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        subprocess.run(["cp", "-a", str(ROOT / name), str(tree)], check=True)
    for name in ("lib", "sim"):
        subprocess.run(["cp", "-a", str(ROOT / "tests" / name), str(tree / "tests")],
                       check=True)
        subprocess.run(["cp", "-a", str(objects / "tests" / name),
                        str(tree / "build/release/tests")], check=True)
    for name in ("common", "controlplane", "proto", *(f.name for f in objects.glob("*.a"))):
        subprocess.run(["cp", "-a", str(objects / name), str(tree / "build/release")],
                       check=True)
    for path, old, new in mutant.edits:
        file = tree / path
        file.write_text(edited(file.read_text(), old, new, path))
    target = f"build/release/tests/sim/{mutant.simulator}"
    done = subprocess.run(["make", "-s", "WERROR=", target], cwd=tree, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert done.returncode == 0, done.stdout
    return tree / target
