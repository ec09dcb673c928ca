"""A Ray cluster of several nodes on this machine, which can be taken away."""

import contextlib


class TwoNodes:
    """A Ray cluster whose head takes no work, and that has two nodes of one core."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        # Ten times as fast as usual to see that a node is dead, and too fast for a busy machine.
        health = {
            "health_check_initial_delay_ms": 1000,
            "health_check_period_ms": 1000,
            "health_check_timeout_ms": 1000,
            "health_check_failure_threshold": 3,
        }
        memory = {"object_store_memory": 10**8}
        head = memory | {"num_cpus": 0, "include_dashboard": False, "_system_config": health}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.cluster.add_node(num_cpus=1, **memory) for _ in range(2)]
        self.address = self.cluster.address

    def remove(self, node_id):
        """Take a node away without a word."""
        (node,) = [node for node in self.nodes if node.node_id == node_id]
        self.cluster.remove_node(node, allow_graceful=False)


@contextlib.contextmanager
def cluster():
    two = TwoNodes()
    try:
        yield two
    finally:
        two.cluster.shutdown()
