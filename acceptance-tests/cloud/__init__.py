"""The local cloud of the acceptance tests: AWS, Kubernetes and GitLab on loopback.

`python -m cloud up` starts everything in the background, `down` stops it, `run` stays in the
foreground. What a test needs to know is in cloud.json in the cloud's directory (layout.py).

    layout.py           where things are in the cloud's directory
    processes.py        child processes: ports, logs, readiness, an end that nothing survives
    supervisor.py       starts everything in order, watches it, stops it
    control_plane.py    etcd, API server, controller manager, scheduler, kwok
    certificates.py     the authority and keys of the control plane
    kubernetes.py       a small client, and the objects that a fresh cluster gets
    gitlab.py           the GitLab stub
    aws/                the AWS side: moto, corrected towards AWS's documented behaviour
"""
