"""Output of the demo."""

import base64
import json
import textwrap

from cloud.kubernetes import Kubernetes

from .stack import BUCKET, NAMESPACE, Stack

WIDTH = 100


def heading(text: str) -> None:
    print(f"\n{'=' * WIDTH}\n  {text}\n{'=' * WIDTH}", flush=True)


def part(title: str) -> None:
    print(f"\n--- {title}", flush=True)


def row(name: str, value) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    print(f"  {name:<34} {text}", flush=True)


def block(text: str) -> None:
    print(textwrap.indent(text.rstrip(), "  "), flush=True)


def cloud(description: dict) -> None:
    aws, kubernetes = description["aws"], description["kubernetes"]
    row("AWS", f"{aws['endpoint']}, account {aws['account']}, EKS cluster {aws['cluster']!r}")
    row("Kubernetes", kubernetes["host"])
    row("GitLab", description["gitlab"]["url"])


def node_group(stack: Stack) -> None:
    cluster = stack.cloud["aws"]["cluster"]
    eks, autoscaling = stack.client("eks"), stack.client("autoscaling")
    for name in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
        group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        part(f"node group {cluster}:{name}")
        for key in ("status", "capacityType", "instanceTypes", "scalingConfig", "labels", "taints", "nodeRole"):
            row(key, group.get(key))
        for found in group["resources"]["autoScalingGroups"]:
            _auto_scaling_group(autoscaling, found["name"])


def _auto_scaling_group(autoscaling, name: str) -> None:
    answer = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    part(f"its Auto Scaling Group {name}: the tags that the cluster-autoscaler reads")
    for tag in answer["AutoScalingGroups"][0]["Tags"]:
        print(f"  {tag['Key']} = {tag['Value']}")


def bucket(stack: Stack) -> None:
    s3 = stack.client("s3")
    part(f"bucket {BUCKET}: its rules")
    for rule in s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]:
        row("lifecycle", rule)
    row("public access block", s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"])
    row("ownership", s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"])
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    row("encryption", rules)
    row("policy", json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]))


def secret(stack: Stack) -> None:
    cluster = Kubernetes.of(stack.cloud["kubernetes"])
    found = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/gitlab-runner-s3-access")
    part(f"Secret {NAMESPACE}/gitlab-runner-s3-access: its keys")
    for key, value in sorted(found["data"].items()):
        row(key, f"({len(base64.b64decode(value))} bytes, not shown)")
    state = (stack.folder / "complete" / "terraform.tfstate").read_text()
    secret_key = base64.b64decode(found["data"]["secretkey"]).decode()
    row("secretkey in the state file", "FOUND" if secret_key in state else "not found")


def runner(stack: Stack) -> None:
    cluster = Kubernetes.of(stack.cloud["kubernetes"])
    for found in cluster.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments")["items"]:
        spec = found["spec"]["template"]["spec"]
        part(f"Deployment {NAMESPACE}/{found['metadata']['name']}")
        row("ready", f"{found['status'].get('readyReplicas', 0)} of {found['spec']['replicas']}")
        row("image", spec["containers"][0]["image"])
        row("service account", spec.get("serviceAccountName"))
        row("image pull secrets", spec.get("imagePullSecrets"))
        row("pod annotations", found["spec"]["template"]["metadata"].get("annotations"))
        row("before it stops", spec["containers"][0].get("lifecycle"))
    part("the other objects of the release")
    for path, kind in OTHERS:
        for found in cluster.get(path.format(namespace=NAMESPACE))["items"]:
            if found["metadata"]["name"].startswith("gitlab-runner"):
                row(kind, found["metadata"]["name"])
    part("its pods")
    for pod in cluster.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]:
        row(pod["metadata"]["name"], f"{pod['status']['phase']} on {pod['spec'].get('nodeName')}")
    part("config.toml as it is rendered")
    block(stack.output("config_toml"))


OTHERS = [
    ("/api/v1/namespaces/{namespace}/configmaps", "ConfigMap"),
    ("/api/v1/namespaces/{namespace}/secrets", "Secret"),
    ("/api/v1/namespaces/{namespace}/serviceaccounts", "ServiceAccount"),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles", "Role"),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", "RoleBinding"),
    ("/api/v1/namespaces/{namespace}/services", "Service"),
    ("/apis/monitoring.coreos.com/v1/namespaces/{namespace}/servicemonitors", "ServiceMonitor"),
]


def left(left: list[str]) -> None:
    if left:
        for name in left:
            print(f"  LEFT BEHIND: {name}")
    else:
        print("  AWS: nothing. Kubernetes: nothing. Every object that was not there before is gone.", flush=True)


def kept(stack: Stack, description: dict) -> None:
    heading("Everything is left running")
    kubeconfig = description["kubernetes"]["kubeconfig"]
    print(f"""
  cd {stack.folder}/complete
  . {stack.folder}/environment
  {description["tools"]["tofu"]} plan
  kubectl --kubeconfig {kubeconfig} -n {NAMESPACE} get all

  `make demo-down` destroys it and stops the cloud.""")
