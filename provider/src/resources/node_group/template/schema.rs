//! The attribute `template`.

use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Set};

/// The launch template that the provider creates.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Template {
    /// The root volume; on Bottlerocket the volume for images and containers. Without it the nodes have that of the AMI,
    /// 20 GiB.
    #[attr(optional)]
    pub root_volume: Value<RootVolume>,
    /// Additional EBS volumes. Amazon Linux does not format or mount them; use `user_data`. Defaults to none.
    #[attr(optional)]
    pub volumes: Value<List<Volume>>,
    /// Use of the instance's local NVMe disks. `raid0` makes one array of them and puts container images, the files of pods
    /// and their logs on it. Instance types without such disks keep these on the root volume. Amazon Linux 2023 and
    /// Bottlerocket only. Disks are left unused by default.
    #[attr(optional)]
    pub instance_store: Value<String>,
    /// The instance metadata service. Defaults to IMDSv2 alone, which pods reach with `node_role.addon_policies` only.
    #[attr(optional)]
    pub metadata: Value<Metadata>,
    /// IDs of security groups of the nodes, beside the cluster's own, which is added. By default the nodes have the
    /// cluster's alone.
    #[attr(optional)]
    pub security_group_ids: Value<Set<String>>,
    /// Name of an EC2 key pair for SSH. It opens no port: a group of `security_group_ids` does. Defaults to no key.
    #[attr(optional)]
    pub key_name: Value<String>,
    /// Detailed monitoring in CloudWatch: metrics each minute instead of every five minutes, at extra cost.
    #[attr(optional, default = false)]
    pub detailed_monitoring: Value<bool>,
    /// User data of the instances, not encoded. On Amazon Linux 2023 a shell script (`#!`), a `NodeConfig` of nodeadm,
    /// a `#cloud-config` or a MIME multi-part document of these; on Bottlerocket settings in TOML. EKS adds what lets
    /// the node join the cluster. At most 16 KiB with everything that is added. Not a place for secrets: every pod that
    /// reaches the instance metadata service can read it. Defaults to none.
    #[attr(optional)]
    pub user_data: Value<String>,
    /// Mirrors of container registries: map of registry host to mirror URLs in order of preference, for instance `{
    /// "docker.io" = ["https://mirror.example.com"] }`. The key `_default` applies to all other registries. If no
    /// mirror answers, the registry itself is used. Amazon Linux 2023 and Bottlerocket only. Defaults to none.
    #[attr(optional)]
    pub registry_mirrors: Value<Map<List<String>>>,
    /// Settings of the kubelet. Amazon Linux 2023 and Bottlerocket only. Each defaults to the setting of the AMI.
    #[attr(optional)]
    pub kubelet: Value<Kubelet>,
    /// Tags of the instances and their volumes. `tags` and the provider's `default_tags` are not among them. The keys
    /// of `asg_tags` win on instances. Defaults to none.
    #[attr(optional)]
    pub instance_tags: Value<Map<String>>,
}

/// The root volume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RootVolume {
    /// Size in GiB, at least 20.
    #[attr(required)]
    pub size: Value<i64>,
    /// Volume type: `gp3`, `gp2`, `io2` or `io1`.
    #[attr(optional, default = "gp3")]
    pub r#type: Value<String>,
    /// I/O operations per second. Required for `io1` and `io2`; 3,000 by default for `gp3`.
    #[attr(optional)]
    pub iops: Value<i64>,
    /// Throughput in MiB/s, for `gp3`; 125 by default.
    #[attr(optional)]
    pub throughput: Value<i64>,
    /// Whether the volume is encrypted. Defaults to the account's EBS encryption setting.
    #[attr(optional)]
    pub encrypted: Value<bool>,
    /// ID, ARN or alias of a KMS key, with `encrypted = true`. The key's policy must let the Auto Scaling service-linked role
    /// use it. By default the account's key for EBS.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
}

/// An additional volume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Volume {
    /// Name of the device, for instance `/dev/xvdf`.
    #[attr(required)]
    pub device_name: Value<String>,
    /// Size in GiB.
    #[attr(required)]
    pub size: Value<i64>,
    /// Volume type: `gp3`, `gp2`, `io2`, `io1`, `st1`, `sc1` or `standard`.
    #[attr(optional, default = "gp3")]
    pub r#type: Value<String>,
    /// I/O operations per second. Required for `io1` and `io2`; 3,000 by default for `gp3`.
    #[attr(optional)]
    pub iops: Value<i64>,
    /// Throughput in MiB/s, for `gp3`; 125 by default.
    #[attr(optional)]
    pub throughput: Value<i64>,
    /// Whether the volume is encrypted. Defaults to the account's EBS encryption setting.
    #[attr(optional)]
    pub encrypted: Value<bool>,
    /// ID, ARN or alias of a KMS key, with `encrypted = true`. The key's policy must let the Auto Scaling service-linked role
    /// use it. By default the account's key for EBS.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
}

/// The instance metadata service.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Metadata {
    /// `required` for IMDSv2 alone, `optional` to answer IMDSv1 as well.
    #[attr(optional, default = "required")]
    pub http_tokens: Value<String>,
    /// Network hops that an answer may take, 1 to 64. Pods need 2, containers of Docker in Docker 3. By default 2 where
    /// `pods` is true, otherwise 1.
    #[attr(optional)]
    pub hop_limit: Value<i64>,
    /// Whether pods reach the service, and with it the credentials of the nodes' role. `false` keeps every pod away that is
    /// not in the host's network. By default `true` with `node_role.addon_policies`, otherwise `false`.
    #[attr(optional)]
    pub pods: Value<bool>,
}

/// Settings of the kubelet, as in its `KubeletConfiguration`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Kubelet {
    /// Maximum number of pods on a node. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub max_pods: Value<i64>,
    /// Disk usage in percent from which unused images are deleted. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub image_gc_high_threshold_percent: Value<i64>,
    /// Disk usage in percent down to which unused images are deleted. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub image_gc_low_threshold_percent: Value<i64>,
    /// Whether only one image is pulled at a time. Amazon Linux 2023 only. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub serialize_image_pulls: Value<bool>,
    /// Maximum number of images that are pulled at the same time, with `serialize_image_pulls = false`. Amazon Linux
    /// 2023 only. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub max_parallel_image_pulls: Value<i64>,
    /// Maximum number of image pulls per second. 0 means no limit. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub registry_pull_qps: Value<i64>,
    /// Maximum number of image pulls in a burst. Only used when `registry_pull_qps` is above 0. Defaults to the setting
    /// of the AMI.
    #[attr(optional)]
    pub registry_burst: Value<i64>,
    /// Size of a container's log file from which it is rotated, as a Kubernetes quantity, for instance `50Mi`. Defaults
    /// to the setting of the AMI.
    #[attr(optional)]
    pub container_log_max_size: Value<String>,
    /// Maximum number of log files of a container, at least 2. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub container_log_max_files: Value<i64>,
    /// Maximum number of processes in a pod. -1 means no limit. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub pod_pids_limit: Value<i64>,
    /// `none`, or `static` to give whole CPUs to pods that ask for them. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub cpu_manager_policy: Value<String>,
    /// Resources that are kept for the operating system, as Kubernetes quantities, for instance `{ memory = "500Mi" }`.
    /// Defaults to the setting of the AMI.
    #[attr(optional)]
    pub system_reserved: Value<Map<String>>,
    /// Resources that are kept for Kubernetes itself, as Kubernetes quantities. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub kube_reserved: Value<Map<String>>,
    /// Thresholds below which pods are evicted, as Kubernetes quantities or percentages, for instance `{
    /// "memory.available" = "200Mi" }`. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub eviction_hard: Value<Map<String>>,
}
