"""A cell of several real nodes: how it begins, grows, shrinks, and changes who leads and
whom it trusts, with agents and producers that go on meanwhile."""

import hmac
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import sys
import threading
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from cell import Cell, Node, wait_until  # noqa: E402
from cluster import Cluster  # noqa: E402
from control import Agent, Batch, Client, Commit, Refused, Run, make_request  # noqa: E402
from faults import FAULT_BUILD, points  # noqa: E402
from ports import free_ports  # noqa: E402
from workload import Workload  # noqa: E402

REMOVED_STATUS = 3
ALIKE_TOKEN = "weft_api_" + "of-three-nodes-that-begin-alike"


@pytest.fixture(scope="module", name="three")
def three_fixture(tmp_path_factory):
    """Three voters, shared by tests that leave them as they are."""
    with Cell(tmp_path_factory.mktemp("cell")) as cell:
        yield cell.grow(3)


def refuses(node, pattern):
    """NODE does not start, and says why."""
    with pytest.raises(RuntimeError, match=pattern):
        node.start()
    assert node.process.returncode == 1


# --- beginnings ---


def test_an_empty_directory_is_not_guessed_at(tmp_path):
    """Without --bootstrap, --join or --restore an empty directory is refused, with what to
    do; a second --bootstrap goes on with the same cell."""
    with Cell(tmp_path) as cell:
        refuses(Node(cell, tmp_path / "none", bootstrap=False), "--bootstrap founds a")
        node = cell.found()
        told = cell.call("GET", "/api/v1/cell")["id"]
        node.kill()
        node.start()
        assert cell.call("GET", "/api/v1/cell")["id"] == told


def test_a_port_in_use_is_named(three, tmp_path):
    """A listener whose port is taken stops the start, with its name."""
    people, agents, peers = three.nodes[0].all_ports
    for ports in ((people, 0, 0), (0, agents, 0), (0, 0, peers)):
        node = Node(three, tmp_path / f"p{ports}", ports=ports, bootstrap=True)
        refuses(node, rf"127\.0\.0\.1:{max(ports)}")


def test_join_tokens_are_for_one(three):
    """A used token, one that is no join token, and one that nobody made are refused, each
    with what to do; and the cell stays as it was."""
    token = three.token()
    used = three.joiner(token=token)
    three.nodes.append(used)
    used.start()
    three.wait_voters(4)
    second = three.joiner(token=token)
    refuses(second, "used already, by another node")
    cluster = three.call("POST", "/api/v1/clusters", {"name": "tokens"})
    enrol = three.call("POST", f"/api/v1/clusters/{cluster['id']}/enrolment-tokens", {})
    for wrong, told in ((enrol["token"], "HTTP 40[13]"), ("weft_join_" + "x" * 64, "HTTP 401")):
        shutil.rmtree(second.directory)
        refuses(three.joiner(token=wrong), told)
    node_id = three.id_of(used)
    three.call("DELETE", f"/api/v1/cell/nodes/{node_id}")
    assert used.process.wait(20) == REMOVED_STATUS
    three.nodes.remove(used)
    shutil.rmtree(used.directory)
    three.wait_voters(3)


def test_a_joiner_must_have_the_key_and_know_the_ca(three, tmp_path):
    """Another cell key, or another fingerprint, is refused before the token is used."""
    token = three.token()
    other_key = tmp_path / "other.key"
    other_key.write_text("ab" * 32)
    other_key.chmod(0o600)
    for changes, told in (({"cell_key_file": other_key}, "another cell key"),
                          ({"ca_fingerprint": "ab" * 32}, "another CA than"),
                          ({"cell_key_file": tmp_path / "none"}, "there is no cell key")):
        node = three.joiner(token=token, **changes)
        refuses(node, told)
        shutil.rmtree(node.directory)
    assert len(three.table()) == 3
    tokens = three.call("GET", "/api/v1/cell/join-tokens")["items"]
    assert max(tokens, key=lambda t: t["created_at_ms"])["used_at_ms"] is None


def test_a_join_is_repeated_as_the_same(three, tmp_path):
    """A join whose answer was lost, and is repeated with the same instance and token, gets
    the same id; another instance gets nothing, and a proof that does not fit the request
    even less."""
    key = bytes.fromhex((three.founder_data / "cell.key").read_text().strip())
    _, request = make_request(tmp_path)
    body = {"request_pem": request, "name": "lost", "peer_address": "127.0.0.1:1",
            "people_url": "", "agents_url": "", "tls_names": "localhost", "version": "1",
            "feature_level_max": 1, "standby": True, "instance": str(uuid.uuid4()),
            "cell_key_proof": hmac.digest(key, b"weft join:" + request.encode(),
                                          "sha256").hex()}
    token = three.token()

    def post(**changes):
        admin = three.leader().admin
        try:
            return admin.call("POST", "/api/v1/cell/join", body | changes, token)
        finally:
            admin.close()

    with pytest.raises(Refused) as refused:
        post(cell_key_proof="00" * 32)
    assert refused.value.status == 403
    first = post()
    assert first["node_id"] not in (1, 2, 3) and len(first["peers"]) >= 3
    assert post()["node_id"] == first["node_id"]
    with pytest.raises(Refused) as refused:
        post(instance=str(uuid.uuid4()), peer_address="127.0.0.1:2")
    assert refused.value.status == 401
    token = three.token()
    with pytest.raises(Refused) as refused:
        post(instance=str(uuid.uuid4()))
    assert refused.value.status == 409, "the address is another node's"
    three.call("DELETE", f"/api/v1/cell/nodes/{first['node_id']}")
    three.wait_voters(3)


def alike(cell, count, **changes):
    """COUNT nodes that differ in name, directory and ports only, as Kubernetes starts them;
    the first founds."""
    key = cell.directory / "cell.key"
    key.write_text("5e" * 32)
    key.chmod(0o600)
    ports = [free_ports(3) for _ in range(count)]
    urls = ",".join(f"https://127.0.0.1:{people}" for people, _, _ in ports)
    options = {"join": urls, "join_by_key": True, "founder": "n1", "cell_key_file": key,
               "admin_token": ALIKE_TOKEN} | changes
    nodes = [Node(cell, cell.directory / f"n{i}", ports=taken, node_name=f"n{i}", **options)
             for i, taken in enumerate(ports, 1)]
    cell.founder_data = nodes[0].data
    return nodes


def begin_alike(cell, nodes):
    """Start NODES at the same time; Cell knows them from then on."""
    for node in nodes:
        node.start(wait=False)
    cell.nodes += nodes
    wait_until((cell.founder_data / "ca.crt").exists, "founded", 30)
    (cell.founder_data / "admin-token").write_text(ALIKE_TOKEN)
    for node in nodes:
        node.await_ready()


def test_nodes_that_are_started_alike(tmp_path):
    """Three nodes with the same command, but for name and addresses, become one cell without
    anybody's token; each restarts with it as well. The founder, started with its disk lost,
    founds no second cell: it is told that its old self is to be removed, and then joins."""
    with Cell(tmp_path) as cell:
        nodes = alike(cell, 3)
        begin_alike(cell, list(reversed(nodes)))
        cell.wait_voters(3)
        told = cell.call("GET", "/api/v1/cell")["id"]
        assert cell.table()[1]["name"] == "n1", "the founder is the first node"
        joins = cell.call("GET", "/api/v1/audit?action=node.join")["items"]
        assert {row["actor"]["name"] for row in joins} == {"cell key"}
        for node in nodes:
            node.kill()
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.await_ready()
        cell.wait_voters(3)
        assert cell.call("GET", "/api/v1/cell")["id"] == told

        (nodes[1].data / "ca.crt").write_bytes((nodes[0].data / "ca.crt").read_bytes())
        cell.founder_data = nodes[1].data
        (nodes[1].data / "admin-token").write_text(ALIKE_TOKEN)
        nodes[0].kill()
        shutil.rmtree(nodes[0].data)
        refuses(nodes[0], "node 1 has the address .* already: remove it first")
        wait_until(lambda: any(n.leads() for n in nodes[1:]), "a leader of two")
        cell.call("DELETE", "/api/v1/cell/nodes/1")
        nodes[0].start()
        cell.wait_voters(3)
        assert cell.call("GET", "/api/v1/cell")["id"] == told


def test_nodes_that_are_started_alike_restore(tmp_path):
    """All volumes are lost, and the same nodes are started with a backup beside: the founder
    makes a cell of it, the others join that; who restarts so goes on as what it is."""
    with Cell(tmp_path) as cell:
        nodes = alike(cell, 3)
        begin_alike(cell, nodes)
        cell.wait_voters(3)
        made = cell.call("POST", "/api/v1/clusters", {"name": "kept"})
        download_backup(cell, tmp_path / "backup")
        for node in nodes:
            node.kill()
            shutil.rmtree(node.data)
            node.options["restore"] = tmp_path / "backup"
        cell.nodes = []
        begin_alike(cell, nodes)
        cell.wait_voters(3)
        told = cell.call("GET", "/api/v1/cell")["id"]
        for node in nodes:
            node.kill()
        for node in reversed(nodes):
            node.start(wait=False)
        for node in nodes:
            node.await_ready()
        cell.wait_voters(3)
        assert cell.call("GET", "/api/v1/cell")["id"] == told
        assert cell.call("GET", f"/api/v1/clusters/{made['id']}")["name"] == "kept"


def test_joining_by_key_wants_the_key_and_leave(three, tmp_path):
    """A node with another key, and one that asks a cell which was not started with
    --join-by-key, are refused with what to do; nothing of them stays."""
    with Cell(tmp_path) as cell:
        nodes = alike(cell, 2)
        begin_alike(cell, nodes[:1])
        other = tmp_path / "other.key"
        other.write_text("ab" * 32)
        other.chmod(0o600)
        nodes[1].options["cell_key_file"] = other
        refuses(nodes[1], "another cell key than this node was given")
        shutil.rmtree(nodes[1].data)
        nodes[1].options |= {"join": three.leader().people_url,
                             "cell_key_file": three.founder_data / "cell.key"}
        refuses(nodes[1], "takes no node in by the cell key alone: start the cell's nodes")
        assert len(cell.table()) == 1 and len(three.table()) == 3


def test_another_cells_data_is_refused(tmp_path):
    """A node does not start on the log of another cell, nor of another node."""
    with Cell(tmp_path / "a") as one, Cell(tmp_path / "b") as other:
        mine, theirs = one.found(), other.found()
        mine.stop()
        theirs.stop()
        identity = (mine.data / "identity").read_bytes()
        key = (mine.data / "cell.key").read_bytes()
        shutil.rmtree(mine.data)
        shutil.copytree(theirs.data, mine.data)
        (mine.data / "identity").write_bytes(identity)
        (mine.data / "cell.key").write_bytes(key)
        refuses(mine, "another cell|of cell|belongs to")


def test_a_member_without_its_log_is_refused(tmp_path):
    """Who may have voted does not begin again from nothing."""
    with Cell(tmp_path) as cell:
        node = cell.found()
        node.stop()
        for path in node.data.iterdir():
            if path.name not in ("identity", "cell.key", "admin-token"):
                path.unlink()
        with pytest.raises(RuntimeError):
            node.start()


# --- who leads ---


def test_followers_name_the_leader(three):
    """421 has the leader's URL of the listener that was asked."""
    leader = three.leader()
    cluster = three.call("POST", "/api/v1/clusters", {"name": "who-leads"})
    agent = leader.enrol(cluster["id"])
    for node in three.followers():
        with pytest.raises(Refused) as people:
            node.ask("GET", "/api/v1/clusters")
        assert people.value.status == 421
        assert people.value.problem["leader"] == leader.people_url
        directory = leader.directory
        asked = Agent(node.agents_url, three.founder_data / "ca.crt",
                      directory / f"{agent.agent_id}.crt", directory / f"{agent.agent_id}.key",
                      agent.agent_id)
        for name in ("register", "nodes"):
            with pytest.raises(Refused) as refused:
                asked.register() if name == "register" else asked.call("nodes", {})
            assert refused.value.status == 421
            assert refused.value.problem["leader"] == leader.agents_url
    told = agent.call("nodes", {})
    assert sorted(url for _, url in told["nodes"]) == sorted(n.agents_url for n in three.nodes)
    assert told["ca"] == three.fingerprint


def test_a_watcher_is_told_at_once(three):
    """Who waits on a leader that hands over is answered 421, not kept waiting."""
    leader = three.leader()
    cluster = three.call("POST", "/api/v1/clusters", {"name": "watchers"})
    agent = leader.enrol(cluster["id"])
    agent.register()
    cursor = agent.call("metadata", {})["cursor"]
    begin = time.monotonic()
    moved = threading.Timer(0.5, lambda: leader.ask("POST", "/api/v1/cell/transfer", {}))
    moved.start()
    with pytest.raises(Refused) as refused:
        agent.watch(cursor, 3000)
        agent.watch(cursor, 3000)
    moved.join()
    assert refused.value.status in (421, 503)
    assert time.monotonic() - begin < 2
    assert three.leader() is not leader


def test_transfer_to_a_node(three):
    """An operator chooses who leads; the answer names it. A node that cannot is refused."""
    target = three.followers()[0]
    node_id = three.id_of(target)
    told = three.call("POST", "/api/v1/cell/transfer", {"node_id": node_id})
    assert told == {"leader": node_id, "leader_url": target.people_url}
    assert three.leader() is target
    with pytest.raises(Refused) as refused:
        three.call("POST", "/api/v1/cell/transfer", {"node_id": 99})
    assert refused.value.status in (409, 422)


def test_all_nodes_killed(three):
    """After kill -9 of all nodes the cell goes on with what it knew."""
    made = three.call("POST", "/api/v1/clusters", {"name": "survivor"})
    for node in three.nodes:
        node.kill()
    for node in three.nodes:
        node.start(wait=False)
    assert three.call("GET", f"/api/v1/clusters/{made['id']}")["name"] == "survivor"
    three.wait_voters(3)


# --- members ---


def test_growth_removal_and_replacement(tmp_path):
    """From one node to five; two are killed, the others go on; a lost one is replaced by an
    empty machine at the same addresses; the leader itself is removed."""
    with Cell(tmp_path) as cell:
        cell.grow(5)
        lost = cell.followers()[:2]
        for node in lost:
            node.kill()
        made = cell.call("POST", "/api/v1/clusters", {"name": "with-three"})
        # One comes back, the other never.
        lost[0].start()
        lost_id = cell.id_of(lost[1])
        shutil.rmtree(lost[1].directory)
        cell.nodes.remove(lost[1])
        cell.call("DELETE", f"/api/v1/cell/nodes/{lost_id}")
        cell.wait_voters(4)
        new = cell.joiner()
        new = Node(cell, tmp_path / "replacement", ports=lost[1].all_ports, **{
            k: v for k, v in new.options.items() if k != "listen_peers"})
        cell.nodes.append(new)
        new.start()
        cell.wait_voters(5)
        assert cell.id_of(new) == 6, "ids are never used again"
        leader = cell.leader()
        cell.call("DELETE", f"/api/v1/cell/nodes/{cell.id_of(leader)}")
        assert leader.process.wait(20) == REMOVED_STATUS
        assert "no member of its cell any more" in leader.log
        cell.nodes.remove(leader)
        cell.wait_voters(4)
        assert cell.call("GET", f"/api/v1/clusters/{made['id']}")["name"] == "with-three"
        # It stays out: its id is not taken in again.
        with pytest.raises(RuntimeError):
            leader.start()


def test_standby(tmp_path):
    """A standby gets everything and does not vote until it is promoted; the last voter
    cannot be demoted or removed."""
    with Cell(tmp_path) as cell:
        cell.found()
        standby = cell.join(standby=True)
        node_id = cell.id_of(standby)
        wait_until(lambda: cell.table()[node_id]["behind"] == 0, "the standby is caught up")
        assert cell.table()[node_id]["role"] == "standby"
        for method, path in (("DELETE", "/api/v1/cell/nodes/1"),
                             ("POST", "/api/v1/cell/nodes/1/demote")):
            with pytest.raises(Refused) as refused:
                cell.call(method, path, {} if method == "POST" else None)
            assert refused.value.status == 409
        standby.stop()    # a voter's absence would stop the cell, a standby's does not
        cell.call("POST", "/api/v1/clusters", {"name": "x"})
        standby.start()
        cell.call("POST", f"/api/v1/cell/nodes/{node_id}/promote", {})
        cell.wait_voters(2)
        cell.call("POST", f"/api/v1/cell/nodes/{node_id}/demote", {})
        wait_until(lambda: cell.table()[node_id]["role"] == "standby", "demoted")


def test_feature_level(three):
    """The level goes up to what all nodes can, and never down."""
    told = three.call("GET", "/api/v1/cell")
    assert told["feature_level"] == told["feature_level_max"] == 1
    with pytest.raises(Refused) as refused:
        three.call("PATCH", "/api/v1/cell", {"feature_level": 2})
    assert refused.value.status == 409
    assert "Upgrade all nodes" in refused.value.problem["detail"]
    assert three.call("PATCH", "/api/v1/cell", {"feature_level": 1})["feature_level"] == 1


# --- certificates ---


def handshake(node, ca_file):
    """Does NODE's people's listener verify against CA_FILE alone?"""
    client = Client(node.people_url, ssl.create_default_context(cafile=str(ca_file)))
    try:
        return client.raw("GET", "/healthz")[0] == 200
    except ssl.SSLCertVerificationError:
        return False
    finally:
        client.close()


def test_the_ca_is_changed(tmp_path):
    """With a new CA, who trusts only the old one goes on, until the old one is retired;
    agents of the old CA renew in between; a third CA waits for that."""
    with Cell(tmp_path) as cell:
        cell.grow(3)
        old = tmp_path / "old.crt"
        old.write_bytes((cell.founder_data / "ca.crt").read_bytes())
        old_print = cell.fingerprint
        cluster = cell.call("POST", "/api/v1/clusters", {"name": "x"})
        first = cell.leader()
        agent = first.enrol(cluster["id"])
        agent.register()
        made = cell.call("POST", "/api/v1/cell/ca", {})
        assert made["state"] == "signing" and made["fingerprint"] != old_print
        wait_until(lambda: cell.fingerprint == made["fingerprint"], "the new CA is published")
        time.sleep(2)    # each node has taken its new certificate
        new = tmp_path / "new.crt"
        new.write_text(made["certificate_pem"])
        for node in cell.nodes:
            assert handshake(node, old), "the cross-certificate leads to the old CA"
            assert handshake(node, new)
        agent.close()
        assert agent.call("nodes", {})["ca"] == made["fingerprint"]    # its old certificate
        with pytest.raises(Refused) as refused:
            cell.call("POST", "/api/v1/cell/ca", {})
        assert refused.value.status == 409
        with pytest.raises(Refused) as refused:
            cell.call("DELETE", f"/api/v1/cell/ca/{made['fingerprint']}")
        assert refused.value.status == 409, "the one that signs cannot be retired"
        # Peers go on too: a leader that must reconnect to all.
        cell.leader().kill()
        cell.call("POST", "/api/v1/clusters", {"name": "y"})
        for node in cell.nodes:
            if node.process.poll() is not None:
                node.start()
        cell.wait_voters(3)
        # Every node says when its certificate ends, and none lets itself be locked out.
        wait_until(lambda: all(n["certificate_expires_at_ms"]
                               for n in cell.call("GET", "/api/v1/cell/nodes")["items"]),
                   "all nodes' certificates are known")
        with pytest.raises(Refused) as refused:
            cell.call("DELETE", f"/api/v1/cell/ca/{old_print}")
        assert refused.value.status == 409 and "1 agents" in str(refused.value)
        agent = Agent(cell.leader().agents_url, cell.founder_data / "ca.crt",
                      first.directory / f"{agent.agent_id}.crt",
                      first.directory / f"{agent.agent_id}.key", agent.agent_id)
        agent.call("nodes", {})    # its connection stays open
        try:
            cell.call("DELETE", f"/api/v1/cell/ca/{old_print}?force=true")
        except ValueError:
            pass    # 204 has no JSON
        time.sleep(3)    # each node has heard of it
        with pytest.raises(Refused) as refused:
            agent.call("nodes", {})
        assert refused.value.status == 401
        agent.close()
        with pytest.raises((OSError, Refused)):
            agent.call("nodes", {})
        states = [ca["state"] for ca in cell.call("GET", "/api/v1/cell/ca")["items"]]
        assert states == ["signing"]
        fresh = cell.leader().enrol(cluster["id"])
        fresh.register()


def test_certificates_expire_and_are_renewed(tmp_path):
    """Nodes and agents with certificates of a few seconds go on for many lives of them."""
    with Cluster(tmp_path / "c", agents=2, control_planes=3,
                 control_plane_set={"node-certificate-life": "12s",
                                    "certificate-life": "15s"}) as cluster, \
            Workload(cluster) as load:
        load.add_default_producers().start()
        for life in range(2):
            time.sleep(15)
            load.wait_progress(f"life {life}")
        # Connections between nodes were made with certificates that have ended since.
        leader = cluster.leader()
        cluster.kill(leader)
        load.wait_progress("a leader lost")
        cluster.start(leader)
        load.finish()


# --- under load ---


def test_leaders_lost_under_load(tmp_path):
    """The leader is killed again and again, with default settings, and once it goes in good
    order: producers see delay and nothing else."""
    with Cluster(tmp_path / "c", agents=2, control_planes=3) as cluster, \
            Workload(cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        for round_number in range(4):
            leader = wait_until(cluster.leader, "a leader")
            cluster.kill(leader)
            load.wait_progress(f"without {leader}, round {round_number}")
            cluster.start(leader)
        leader = wait_until(cluster.leader, "a leader")
        cluster.stop(leader)
        assert "leadership handed over" in cluster.logs(leader)
        load.wait_progress("after a hand-over")
        cluster.start(leader)
        load.finish()
    found = [int(ms) for name in ("agent-1", "agent-2")
             for ms in re.findall(r"plane leads\".*after_ms=(\d+)",
                                  (tmp_path / "c" / "logs" / f"{name}.log").read_text())]
    assert len(found) >= 5 and max(found) < 3000, found


def test_a_silent_leader_and_a_new_ca_under_load(tmp_path):
    """A leader that is stopped (SIGSTOP) is left for the next one; then the CA is changed
    and the old one retired, when all agents have renewed: producers see nothing of it."""
    with Cluster(tmp_path / "c", agents=2, control_planes=3) as cluster, \
            Workload(cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        silent = cluster.leader()
        pid = int(cluster.status()[silent]["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            load.wait_progress(f"with a silent {silent}", 20)
        finally:
            os.kill(pid, signal.SIGCONT)

        def ask_leader(method, path):
            def once():
                for url in cluster.control_plane.split(","):
                    client = Client(url, ssl.create_default_context(cafile=cluster.ca_file))
                    status, _, body = client.raw(
                        method, path, None, {"Authorization": f"Bearer {cluster.admin_token}"})
                    client.close()
                    if status < 300:
                        return status, body
                return None
            return wait_until(once, f"{method} {path}")

        old = json.loads(ask_leader("GET", "/api/v1/cell/ca")[1])["items"][0]["fingerprint"]
        ask_leader("POST", "/api/v1/cell/ca")
        for name in ("agent-1", "agent-2"):
            wait_until(lambda name=name: "certificate renewed" in cluster.logs(name),
                       f"{name} has renewed", 90)
        load.wait_progress("with a new CA")
        assert ask_leader("DELETE", f"/api/v1/cell/ca/{old}")[0] == 204
        time.sleep(3)
        leader = cluster.leader()
        cluster.kill(leader)
        load.wait_progress("without the old CA, and a leader lost")
        cluster.start(leader)
        load.finish()


def download_backup(cell, path):
    """Put a backup of CELL, as its leader gives it, into the file PATH."""
    admin = cell.leader().admin
    _, _, backup = admin.raw("GET", "/api/v1/backups/download", None,
                             {"Authorization": f"Bearer {admin.token}"})
    path.write_bytes(backup)


def restored_node_of_lost_cell(cell, tmp_path):
    """A node, not started, that restores what CELL held, a cluster, before it was killed."""
    cell.found()
    cell.call("POST", "/api/v1/clusters", {"name": "kept"})
    download_backup(cell, tmp_path / "backup")
    cell.leader().kill()
    return Node(cell, tmp_path / "restored", restore=tmp_path / "backup",
                cell_key_file=cell.founder_data / "cell.key")


def test_restored_cell(tmp_path):
    """A backup makes a new cell, with what was there and nothing of the old nodes, under a
    new id; into a directory that is not empty it is not restored."""
    with Cell(tmp_path) as cell:
        cell.grow(3)
        made = cell.call("POST", "/api/v1/clusters", {"name": "kept"})
        agent = cell.leader().enrol(made["id"])
        agent.register()
        topic = agent.create_topic("t")
        code, offsets, _ = agent.commit([Commit([Run(topic, 0, [Batch(7)])])])[0]
        assert code == 0 and offsets == [0]
        download_backup(cell, tmp_path / "backup")
        lost = cell.call("POST", "/api/v1/clusters", {"name": "too-late"})
        agent.commit([Commit([Run(topic, 0, [Batch(3)])])])
        seen = agent.call("metadata", {})["cursor"]
        old_id = cell.call("GET", "/api/v1/cell")["id"]
        values = {"restore": tmp_path / "backup",
                  "cell_key_file": cell.founder_data / "cell.key"}
        ports = cell.nodes[0].all_ports
        for node in cell.nodes:
            node.kill()
        again = Node(cell, tmp_path / "restored", ports=ports, **values)
        cell.nodes.append(again)
        again.start()
        told = cell.call("GET", "/api/v1/cell")
        assert told["id"] != old_id and told["node_id"] == 4
        assert list(cell.table()) == [4]
        assert cell.call("GET", f"/api/v1/clusters/{made['id']}")["name"] == "kept"
        with pytest.raises(Refused) as refused:
            cell.call("GET", f"/api/v1/clusters/{lost['id']}")
        assert refused.value.status == 404
        agent.close()    # the same CA, at the same address: it goes on
        agent.register()
        assert agent.plan([(topic, 0, 0, 1000)])[0]["high_watermark"] == 7
        # Nobody hides that commits are missing: the agent has seen them.
        assert agent.watch(seen, 0)["reset"]
        entries = cell.call("GET", f"/api/v1/clusters/{made['id']}/audit")["items"]
        assert f"seen index {seen}" in next(
            e["target"] for e in entries if e["action"] == "cell.commits-missing")
        again.stop()
        refuses(again, "holds a node already")
        del again.options["restore"]
        again.options["bootstrap"] = False
        again.start()
        assert cell.call("GET", "/api/v1/cell")["id"] == told["id"]


def test_interrupted_restore(tmp_path):
    """A restore that a crash broke off is begun again by the same command, and without it
    refused; behind the end of it, the node goes on as what it is."""
    with Cell(tmp_path) as cell:
        again = restored_node_of_lost_cell(cell, tmp_path)
        cell.nodes.append(again)
        again.data.mkdir(parents=True, mode=0o700)
        for name in ("restoring", "state.db", "state.db-wal", "install", "vote",
                     "wal-00000000000000000001.log"):
            (again.data / name).write_bytes(b"half of it")
        del again.options["restore"]
        refuses(again, "a restore that was interrupted")
        again.options["restore"] = tmp_path / "backup"
        again.start()
        told = cell.call("GET", "/api/v1/cell")
        assert [c["name"] for c in cell.call("GET", "/api/v1/clusters")["items"]] == ["kept"]
        assert not (again.data / "restoring").exists()
        again.kill()
        (again.data / "restoring").touch()
        again.start()
        assert cell.call("GET", "/api/v1/cell")["id"] == told["id"]
        again.stop()
        refuses(again, "holds a node already")


@pytest.mark.parametrize("point", [p for p in points("controlplane") if "restore-" in p])
def test_killed_restore(tmp_path, point):
    """A restore that is killed at any of its steps is brought to its end by the same
    command: one cell, with all that the backup held."""
    with Cell(tmp_path) as cell:
        again = restored_node_of_lost_cell(cell, tmp_path)
        again.program = FAULT_BUILD / "weft-controlplane"
        cell.nodes.append(again)
        again.start(env={"WEFT_FAULT": f"{point}:1"}, wait=False)
        assert again.process.wait(60) == -signal.SIGKILL, again.log
        again.start()
        assert [c["name"] for c in cell.call("GET", "/api/v1/clusters")["items"]] == ["kept"]
        assert not (again.data / "restoring").exists()


def test_nothing_secret_is_in_the_log(three):
    """Neither tokens nor keys are logged."""
    texts = [(three.founder_data / "admin-token").read_text().strip(),
             (three.founder_data / "cell.key").read_text().strip()]
    for node in three.nodes:
        assert "PRIVATE" not in node.log
        assert not re.search(r"weft_(api|join|enrol)_[A-Za-z0-9_-]{20}", node.log)
        for text in texts:
            assert text not in node.log
    for node in three.nodes:
        for path in node.data.iterdir():
            if path.name in ("admin-token", "cell.key") or not path.is_file():
                continue
            data = path.read_bytes()
            assert b"PRIVATE KEY" not in data, path
            assert texts[0].encode() not in data and texts[1].encode() not in data, path
        assert os.stat(node.data / "identity").st_mode & 0o777 == 0o600
