//! The attribute `template`.

use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Set};

/// The launch template that the provider creates.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Template {
    /// Root volume of the nodes; on Bottlerocket the volume for images and containers. Defaults to the volume of the
    /// AMI: 20 GiB, or 50 GiB for Windows AMI types.
    #[attr(optional)]
    pub root_volume: Value<RootVolume>,
    /// Additional EBS volumes of the nodes. Amazon Linux does not format or mount them: use `user_data`. Defaults to
    /// none.
    #[attr(optional)]
    pub volumes: Value<List<Volume>>,
    /// Use of the local NVMe disks of the instances: `raid0` combines them into one array for container images, and for
    /// the files and logs of pods. On instance types without local disks it has no effect. Amazon Linux 2023 and
    /// Bottlerocket only. By default the disks are not used.
    #[attr(optional)]
    pub instance_store: Value<String>,
    /// Settings of the instance metadata service. Defaults to IMDSv2 only, which pods can only reach with
    /// `node_role.addon_policies`.
    #[attr(optional)]
    pub metadata: Value<Metadata>,
    /// IDs of additional security groups of the nodes. The nodes always have the cluster security group. Defaults to
    /// none.
    #[attr(optional)]
    pub security_group_ids: Value<Set<String>>,
    /// Name of the EC2 key pair for SSH access. It does not open a port: a security group in `security_group_ids` must
    /// allow SSH. Defaults to none.
    #[attr(optional)]
    pub key_name: Value<String>,
    /// Whether CloudWatch collects metrics every minute instead of every five minutes, at additional cost.
    #[attr(optional, default = false)]
    pub detailed_monitoring: Value<bool>,
    /// User data of the instances, not base64-encoded. On Amazon Linux 2023: a shell script (`#!`), a `NodeConfig` of
    /// nodeadm, a `#cloud-config`, or a MIME multi-part document of these. On Bottlerocket: settings in TOML. EKS adds
    /// the part with which the node joins the cluster. Limited to 16 KiB, including the parts that other attributes
    /// add. It must not contain secrets: every pod that can reach the instance metadata service can read it. Defaults
    /// to none.
    #[attr(optional)]
    pub user_data: Value<String>,
    /// Mirrors of container registries, as a map of registry hosts to mirror URLs in order of preference, for example
    /// `{ "docker.io" = ["https://mirror.example.com"] }`. The key `_default` applies to all other registries. If no
    /// mirror is available, the registry itself is used. Amazon Linux 2023 and Bottlerocket only. Defaults to none.
    #[attr(optional)]
    pub registry_mirrors: Value<Map<List<String>>>,
    /// Settings of the kubelet. Amazon Linux 2023 and Bottlerocket only. Each defaults to the setting of the AMI.
    #[attr(optional)]
    pub kubelet: Value<Kubelet>,
    /// Tags of the instances and their volumes. `tags` and the `default_tags` of the provider do not apply to
    /// instances. On instances, `asg_tags` take precedence over tags with the same key. Defaults to none.
    #[attr(optional)]
    pub instance_tags: Value<Map<String>>,
}

/// The root volume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RootVolume {
    /// Size of the volume in GiB, at least 20 on Amazon Linux 2023 and Bottlerocket.
    #[attr(required)]
    pub size: Value<i64>,
    /// Volume type: `gp3`, `gp2`, `io2` or `io1`.
    #[attr(optional, default = "gp3")]
    pub r#type: Value<String>,
    /// I/O operations per second, for `gp3`, `io2` and `io1`. Required for `io2` and `io1`. Defaults to 3,000 for
    /// `gp3`.
    #[attr(optional)]
    pub iops: Value<i64>,
    /// Throughput in MiB/s, for `gp3` only. It requires 4 IOPS for each MiB/s. Defaults to 125.
    #[attr(optional)]
    pub throughput: Value<i64>,
    /// Whether the volume is encrypted. Defaults to the EBS encryption setting of the account.
    #[attr(optional)]
    pub encrypted: Value<bool>,
    /// ID, ARN or alias of the KMS key. Requires `encrypted = true`. The key policy must allow the service-linked role
    /// of EC2 Auto Scaling to use the key. Defaults to the EBS encryption key of the account.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
}

/// An additional volume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Volume {
    /// Device name of the volume, for example `/dev/xvdf`.
    #[attr(required)]
    pub device_name: Value<String>,
    /// Size of the volume in GiB.
    #[attr(required)]
    pub size: Value<i64>,
    /// Volume type: `gp3`, `gp2`, `io2`, `io1`, `st1`, `sc1` or `standard`.
    #[attr(optional, default = "gp3")]
    pub r#type: Value<String>,
    /// I/O operations per second, for `gp3`, `io2` and `io1`. Required for `io2` and `io1`. Defaults to 3,000 for
    /// `gp3`.
    #[attr(optional)]
    pub iops: Value<i64>,
    /// Throughput in MiB/s, for `gp3` only. It requires 4 IOPS for each MiB/s. Defaults to 125.
    #[attr(optional)]
    pub throughput: Value<i64>,
    /// Whether the volume is encrypted. Defaults to the EBS encryption setting of the account.
    #[attr(optional)]
    pub encrypted: Value<bool>,
    /// ID, ARN or alias of the KMS key. Requires `encrypted = true`. The key policy must allow the service-linked role
    /// of EC2 Auto Scaling to use the key. Defaults to the EBS encryption key of the account.
    #[attr(optional)]
    pub kms_key_id: Value<String>,
}

/// The instance metadata service.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Metadata {
    /// Whether session tokens (IMDSv2) are required: `required` allows IMDSv2 only, `optional` allows IMDSv1 as well.
    #[attr(optional, default = "required")]
    pub http_tokens: Value<String>,
    /// Maximum number of network hops of a response, 1 to 64. Pods require 2, containers in Docker-in-Docker 3.
    /// Defaults to 2 if `pods` is `true`, otherwise to 1.
    #[attr(optional)]
    pub hop_limit: Value<i64>,
    /// Whether pods can reach the service, and with it the credentials of the node role. With `false` only pods in the
    /// network of the host can reach it. Defaults to `true` with `node_role.addon_policies`, otherwise to `false`.
    #[attr(optional)]
    pub pods: Value<bool>,
}

/// Settings of the kubelet, as in its `KubeletConfiguration`.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Kubelet {
    /// Maximum number of pods on a node. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub max_pods: Value<i64>,
    /// Disk usage in percent above which unused images are deleted. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub image_gc_high_threshold_percent: Value<i64>,
    /// Disk usage in percent at which the deletion of unused images stops. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub image_gc_low_threshold_percent: Value<i64>,
    /// Whether images are pulled one at a time. Amazon Linux 2023 only. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub serialize_image_pulls: Value<bool>,
    /// Maximum number of parallel image pulls. Requires `serialize_image_pulls = false`. Amazon Linux 2023 only.
    /// Defaults to the setting of the AMI.
    #[attr(optional)]
    pub max_parallel_image_pulls: Value<i64>,
    /// Maximum number of image pulls per second. `0` means no limit. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub registry_pull_qps: Value<i64>,
    /// Maximum number of image pulls in a burst, if `registry_pull_qps` is above 0. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub registry_burst: Value<i64>,
    /// Size of the log file of a container at which it is rotated, as a Kubernetes quantity, for example `50Mi`.
    /// Defaults to the setting of the AMI.
    #[attr(optional)]
    pub container_log_max_size: Value<String>,
    /// Maximum number of log files of a container, at least 2. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub container_log_max_files: Value<i64>,
    /// Maximum number of processes in a pod. `-1` means no limit. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub pod_pids_limit: Value<i64>,
    /// CPU management policy: `none`, or `static`, which gives exclusive CPUs to pods that request whole CPUs. Defaults
    /// to the setting of the AMI.
    #[attr(optional)]
    pub cpu_manager_policy: Value<String>,
    /// Resources that are reserved for the operating system, as Kubernetes quantities, for example
    /// `{ memory = "500Mi" }`. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub system_reserved: Value<Map<String>>,
    /// Resources that are reserved for Kubernetes components, as Kubernetes quantities. Defaults to the setting of the
    /// AMI.
    #[attr(optional)]
    pub kube_reserved: Value<Map<String>>,
    /// Thresholds of available resources below which pods are evicted, as Kubernetes quantities or percentages, for
    /// example `{ "memory.available" = "200Mi" }`. Defaults to the setting of the AMI.
    #[attr(optional)]
    pub eviction_hard: Value<Map<String>>,
}
