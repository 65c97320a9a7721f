"""Labels and taints of node groups: maximum lengths of the API, and prefixes that EKS reserves.

The lengths are those of the service model (labelKey, labelValue, taintKey, taintValue). The prefixes
are those of the error of eksctl-io/eksctl#4007. EKS has accepted some of them at times
(terraform-aws-modules/terraform-aws-eks#3346). The kubelet then rejects them, and no node joins.
"""

from .eks import invalid

LONGEST = 63
RESERVED = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")

# Labels that a kubelet may set on its own node (k8s.io/kubelet/pkg/apis, well_known_labels.go).
OF_KUBELET = ("kubelet.kubernetes.io", "node.kubernetes.io")
WELL_KNOWN = {
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
}


def check_labels(labels: dict, names: dict) -> None:
    for key, value in labels.items():
        _check_length("labelKey", key, 1, names)
        _check_length("labelValue", value, 1, names)
        if _is_reserved(key):
            prefixes = ", ".join(f"{prefix}/" for prefix in RESERVED)
            raise invalid(f"Label cannot contain reserved prefixes [{prefixes}]", **names)


def check_taints(taints: list[dict], names: dict) -> None:
    for taint in taints:
        _check_length("taintKey", taint["key"], 1, names)
        _check_length("taintValue", taint.get("value", ""), 0, names)


def _check_length(kind: str, text: str, least: int, names: dict) -> None:
    if not least <= len(text) <= LONGEST:
        message = f"{kind} {text!r} must have a length between {least} and {LONGEST}"
        raise invalid(message, **names)


def _is_reserved(key: str) -> bool:
    prefix, slash, _ = key.partition("/")
    if not slash or key in WELL_KNOWN or _is_within(prefix, OF_KUBELET):
        return False
    return _is_within(prefix, RESERVED)


def _is_within(prefix: str, domains: tuple[str, ...]) -> bool:
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)
