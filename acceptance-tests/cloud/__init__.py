"""The local cloud of the acceptance tests: AWS, Kubernetes and GitLab on loopback.

`python -m cloud up` starts everything in the background, `down` stops it, `run` runs it in the
foreground. Addresses and credentials for tests are in cloud.json in the cloud's directory (layout.py).

    layout.py           files in the cloud's directory
    processes.py        child processes: ports, logs, readiness, termination
    supervisor.py       starts everything in order, watches it, stops it
    control_plane.py    etcd, API server, controller manager, scheduler, kwok
    certificates.py     certificate authority, certificates and keys of the control plane
    kubernetes.py       a small client, and the objects of a new cluster
    gitlab.py           the GitLab stub
    aws/                the AWS side: moto with corrections towards the documented behaviour of AWS
"""
