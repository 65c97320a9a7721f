"""A real node of the local cloud: kubelet, containerd and runc.

kwok simulates every other node. On this one containers run, so that what only a kubelet does can be tested: probes,
signals, exit codes, security contexts, and the scripts in a pod.

    machine.py   whether this machine can run it, and what is missing
    images.py    images from local files, without a registry
    settings.py  addresses, and the configuration files of its programs
    outside.py   on the machine's side: starts the node, relays connections, removes what it left
    inside.py    process 1 in the namespaces of the node: network, containerd, kubelet
    relay.py     connections between the two sides, through sockets in the node's directory

The node has network, mount, PID and host name namespaces of its own, so that several clouds can have one on the same
machine, with the same addresses. Only its cgroups are the machine's; their name is the node's own.
"""
