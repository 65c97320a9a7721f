"""A real node of the local cloud: kubelet, containerd and runc.

kwok simulates all other nodes. This node runs containers, so that tests cover the behaviour of a kubelet: probes,
signals, exit codes, security contexts, and scripts in pods.

    machine.py   whether this machine can run the node, and what is missing
    images.py    images from local files, without a registry
    settings.py  addresses, and the configuration files of the programs
    outside.py   process on the machine: starts the node, relays connections, removes what remains
    inside.py    process 1 in the namespaces of the node: network, containerd, kubelet
    relay.py     connections between the two sides, through sockets in the node's directory

The node has separate network, mount, PID and host name namespaces, so that several clouds on the same machine can have
a node with the same addresses. Its cgroups are in the hierarchy of the machine, with a name that is unique to the node.
"""
