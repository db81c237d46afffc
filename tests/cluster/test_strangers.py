"""A peer with another version of the protocol is refused with a reason, on either side."""
from cluster import PATIENCE_S, ClusterAgent, Scene, main
from zmq_peer import HELLO, REFUSED, VERSION, Peer, envelope, fields, hello, read_key, welcome


class Versions(Scene):
    def test_an_agent_of_another_version(self):
        cluster = self.cluster(agents=2, guests=["stranger"])
        key = read_key(cluster.folder / "stranger.key")
        campaign = cluster.start(workers=4, room_size=2, duration_ms=4000)
        for lowest, highest, spoken in ((99, 99, "version 99"), (97, 99, "versions 97 to 99")):
            said = f"the agent speaks {spoken} of the protocol, this coordinator version {VERSION}: upgrade the coordinator"
            with Peer(key, connect=cluster.address) as peer:
                peer.send(envelope(4711), hello("stranger", lowest, highest))
                refused = fields(fields(peer.receive()[1])[REFUSED])
            self.assertEqual(refused, {1: 1, 2: said.encode()}, "for good, and why")
        cluster.coordinator.wait_for("agent stranger was refused: the agent speaks version 99 of the protocol")
        cluster.coordinator.wait_agents(2)
        self.assertEnds(cluster, campaign, ["passed"])

    def test_a_coordinator_of_another_version(self):
        cluster = self.cluster(agents=1)
        cluster.agents["a1"].end()
        address = f"tcp://{cluster.network.address}:7440"
        with Peer(read_key(cluster.folder / "keys" / "coordinator.key"), bind=address) as peer:
            agent = self.enterContext(ClusterAgent(cluster.network["a1"], address, cluster.folder / "a1.key", cluster.folder / "again.trace"))
            route, sent, message = peer.receive()
            self.assertIn(HELLO, fields(message))
            said = fields(sent)
            peer.send(route, envelope(said[1], epoch=5, sequence=1, sent_ns=1, echoed_sent_ns=said[5]), welcome(99, 5))
            agent.wait_for("the coordinator speaks another version of the protocol")
            self.assertEqual(agent.code(PATIENCE_S), 2)


if __name__ == "__main__":
    main()
