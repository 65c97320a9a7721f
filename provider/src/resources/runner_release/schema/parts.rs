//! Nested attributes of the release itself.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Raw, Settings};

/// Objects with optional attributes, for which the trait in brackets is derived too.
macro_rules! objects {
    (@ [$($derive:ident)?] $(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Object $(, $derive)?)]
        pub struct $name { $($(#[$field_doc])* #[attr(optional)] pub $field: Value<$type>,)+ }
    };
    ($derive:tt $($(#[$doc:meta])* $name:ident { $($fields:tt)+ })+) => {
        $($crate::resources::runner_release::schema::parts::objects!(@ $derive $(#[$doc])* $name { $($fields)+ });)+
    };
}
pub(super) use objects;

use super::kubernetes::Relabeling;
use super::{Fields, Objects};

/// A setting of `secrets`. Values files can also set whether the pod starts without the Secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretProjection {
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Objects>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

objects! { [Settings]
    /// Options of the deprecated registration workflow. With an authentication token they are set in GitLab.
    Registration {
        /// Tags of the runner. Defaults to none.
        tag_list: List<String>,
        /// Whether the runner runs jobs without tags. Defaults to `false`.
        run_untagged: bool,
        /// Whether the runner is locked to its project. Defaults to `true`.
        locked: bool,
        /// Access level: `not_protected` or `ref_protected`. Defaults to `not_protected`.
        access_level: String,
        /// Maximum duration of a job in seconds. Defaults to no limit.
        maximum_timeout: i64,
    }

    /// Session server for interactive web terminals. Requires a single manager pod.
    SessionServer {
        /// Whether the session server is enabled. Defaults to `false`.
        enabled: bool,
        /// Annotations of the Service. Defaults to none.
        annotations: Map<String>,
        /// Number of seconds after which a session ends. Defaults to 1800.
        timeout: i64,
        /// Port of the pod. Defaults to 8093.
        internal_port: i64,
        /// Port of the Service. Defaults to 9000.
        external_port: i64,
        /// Node port of the Service of type `NodePort`. Required with that type, unless `public_ip` is set: Kubernetes
        /// then chooses a port.
        node_port: i64,
        /// IP address or host that is reported to GitLab. Defaults to the address of the load balancer, the node or the
        /// Service.
        public_ip: String,
        /// CIDR blocks from which the load balancer accepts connections. Defaults to all addresses.
        load_balancer_source_ranges: List<String>,
        /// Type of the Service: `ClusterIP`, `Headless`, `NodePort` or `LoadBalancer`. Defaults to `LoadBalancer`.
        service_type: String,
        /// External traffic policy of the Service: `Cluster` or `Local`. Defaults to `Cluster`.
        external_traffic_policy: String,
        /// Internal traffic policy of the Service: `Cluster` or `Local`. Defaults to `Cluster`.
        internal_traffic_policy: String,
        /// Ingress of the session server. Defaults to none.
        ingress: SessionServerIngress,
    }

    /// Ingress of the session server.
    SessionServerIngress {
        /// Whether the Ingress is created. Defaults to `false`.
        enabled: bool,
        /// Ingress class. Defaults to the default class of the cluster.
        class_name: String,
        /// Annotations of the Ingress. Defaults to none.
        annotations: Map<String>,
        /// TLS certificates of the Ingress. Defaults to the Secret `gitlab-runner-session-server`.
        #[attr(marks(kubernetes), setting = Objects)]
        tls: List<IngressTls>,
    }

    /// TLS certificate of the Ingress.
    IngressTls {
        /// Name of the Secret that contains the certificate. Defaults to the certificate of the ingress controller.
        secret_name: String,
        /// Hosts of the certificate. Defaults to `public_ip`.
        hosts: List<String>,
    }

    /// Node selector and tolerations of job pods, as in `gitlabspot_node_group.build_nodes`.
    BuildNodes {
        /// Labels of the nodes, which become a required node affinity of the job pods. Defaults to none.
        node_selector: Map<String>,
        /// Tolerations of job pods. Defaults to none.
        tolerations: List<BuildNodesToleration>,
        /// Capacity type of the nodes. With `SPOT` job pods prefer Spot nodes. Defaults to no preference.
        capacity_type: String,
    }

    /// A toleration of job pods.
    BuildNodesToleration {
        /// Key of the taint. Defaults to all keys.
        key: String,
        /// Operator: `Equal` or `Exists`. Defaults to `Equal` with a value, otherwise to `Exists`.
        operator: String,
        /// Value of the taint. Defaults to any value.
        value: String,
        /// Effect of the taint: `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Defaults to all effects.
        effect: String,
    }

    /// Docker-in-Docker in jobs: sets the variables, the privileged mode and the volume of certificates that it needs.
    DockerInDocker {
        /// Image of jobs that do not specify one. Defaults to the image in `config`, or to `alpine` if no `config` is
        /// set.
        image: String,
        /// Whether Docker is used with TLS. Defaults to `true`.
        tls: bool,
    }

    /// Service account of the manager.
    ServiceAccount {
        /// Whether the service account is created. Defaults to `true`.
        create: bool,
        /// Name of the service account. Defaults to the name of the objects of the release.
        name: String,
        /// Annotations of the service account, for example `eks.amazonaws.com/role-arn`. Defaults to none.
        annotations: Map<String>,
        /// Names of the image pull Secrets of the service account. Defaults to none.
        image_pull_secrets: List<String>,
    }

    /// Permissions of the manager in the cluster.
    Rbac {
        /// Whether roles are created. Defaults to `true`.
        create: bool,
        /// Whether ClusterRoles are created instead of Roles. Defaults to `true` if the configuration requires it,
        /// otherwise to `false`.
        cluster_wide: bool,
        /// Rules of the role. Default to the minimum permissions that the configuration requires.
        rules: List<RbacRule>,
    }

    /// Rule of the role.
    RbacRule {
        /// API groups. Default to the core group.
        api_groups: List<String>,
        /// Resources, for example `pods`. Required.
        resources: List<String>,
        /// Names of the objects to which the rule is limited. Defaults to all objects.
        resource_names: List<String>,
        /// Verbs, for example `get`. Required.
        verbs: List<String>,
    }

    /// Prometheus metrics of the manager.
    Metrics {
        /// Whether metrics are enabled. Defaults to `false`.
        enabled: bool,
        /// Port of the metrics. Defaults to 9252.
        port: i64,
        /// Name of the port. Defaults to `metrics`.
        port_name: String,
    }

    /// Service of the metrics.
    Service {
        /// Whether the Service is created. Requires `metrics`. Defaults to `false`.
        enabled: bool,
        /// Type of the Service. Defaults to `ClusterIP`.
        r#type: String,
        /// Labels of the Service. Defaults to none.
        labels: Map<String>,
        /// Annotations of the Service. Defaults to none.
        annotations: Map<String>,
        /// Cluster IP address of the Service. Defaults to an address that Kubernetes chooses.
        cluster_ip: String,
        /// External IP addresses of the Service. Defaults to none.
        external_ips: List<String>,
        /// IP address of the load balancer. Defaults to an address that the load balancer chooses.
        load_balancer_ip: String,
        /// CIDR blocks from which the load balancer accepts connections. Defaults to all addresses.
        load_balancer_source_ranges: List<String>,
        /// Node port of the metrics. Defaults to a port that Kubernetes chooses.
        node_port: i64,
        /// Additional ports. Defaults to none.
        #[attr(marks(kubernetes), setting = Objects)]
        additional_ports: List<ServicePort>,
        /// External traffic policy: `Cluster` or `Local`. Defaults to `Cluster`.
        external_traffic_policy: String,
        /// Internal traffic policy: `Cluster` or `Local`. Defaults to `Cluster`.
        internal_traffic_policy: String,
    }

    /// Port of the Service.
    ServicePort {
        /// Name of the port. Required.
        name: String,
        /// Port number. Required.
        port: i64,
        /// Number or name of the port of the pod. Defaults to `port`.
        #[attr(marks(int_or_string))]
        target_port: String,
        /// Node port. Defaults to a port that Kubernetes chooses.
        node_port: i64,
        /// Protocol of the port. Defaults to `TCP`.
        protocol: String,
        /// Application protocol of the port. Defaults to none.
        app_protocol: String,
    }

    /// ServiceMonitor or PodMonitor of the Prometheus operator. Requires `metrics`.
    Monitor {
        /// Whether the object is created. Defaults to `false`.
        enabled: bool,
        /// Namespace of the object. Defaults to the namespace of the release.
        namespace: String,
        /// Labels of the object. Defaults to none.
        labels: Map<String>,
        /// Annotations of the object. Defaults to none.
        annotations: Map<String>,
        /// Scrape interval as a duration, for example `30s`. Defaults to the interval of Prometheus.
        interval: String,
        /// Scheme: `http` or `https`. Defaults to `http`.
        scheme: String,
        /// TLS settings, as the operator defines them. Defaults to none.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Fields)]
        tls_config: Raw,
        /// Path of the metrics. Defaults to `/metrics`.
        path: String,
        /// Whether labels of the metrics take precedence over labels of the target. Defaults to `false`.
        honor_labels: bool,
        /// Relabelings of the target. Defaults to none.
        #[attr(marks(kubernetes), setting = Objects)]
        relabelings: List<Relabeling>,
        /// Relabelings of the metrics. Defaults to none.
        #[attr(marks(kubernetes), setting = Objects)]
        metric_relabelings: List<Relabeling>,
        /// Label from which the name of the job is taken. Defaults to the name of the Service, or to namespace and name
        /// of the PodMonitor.
        job_label: String,
    }

    /// Disruption budget of the manager pods. Specify one of the two.
    DisruptionBudget {
        /// Minimum number or percentage of available pods. One of the two attributes is required.
        #[attr(marks(int_or_string), setting = Json)]
        min_available: String,
        /// Maximum number or percentage of unavailable pods. One of the two attributes is required.
        #[attr(marks(int_or_string), setting = Json)]
        max_unavailable: String,
    }

    /// HorizontalPodAutoscaler of the manager.
    Hpa {
        /// Minimum number of pods. Defaults to 1.
        min_replicas: i64,
        /// Maximum number of pods. Defaults to `min_replicas`.
        max_replicas: i64,
        /// Metrics, as autoscaling/v2 defines them. At least one metric is required.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Objects)]
        metrics: Raw,
        /// Scaling behavior, as autoscaling/v2 defines it. Defaults to the behavior of Kubernetes.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Fields)]
        behavior: Raw,
    }

    /// Settings of a probe.
    Probe {
        /// Initial delay in seconds. Defaults to 60 for the liveness probe and to 0 for the readiness probe.
        initial_delay_seconds: i64,
        /// Period in seconds. Defaults to 60 for the liveness probe and to 10 for the readiness probe.
        period_seconds: i64,
        /// Number of successes after which the probe succeeds. Defaults to 1.
        success_threshold: i64,
        /// Number of failures after which the probe fails. Defaults to 3.
        failure_threshold: i64,
        /// Number of seconds in which the container can terminate after a failed probe. Defaults to the grace period of
        /// the pod.
        termination_grace_period_seconds: i64,
    }

    /// Additional Secret that is mounted at `/secrets`.
    SecretItems {
        /// Name of the Secret. Required.
        name: String,
        /// Keys to mount. Defaults to all keys.
        items: List<SecretItem>,
    }

    /// Key of a Secret.
    SecretItem {
        /// Name of the key. Required.
        key: String,
        /// Path of the file. Required.
        path: String,
        /// Permissions of the file, for example `parseint("0400", 8)`. Defaults to `parseint("0644", 8)`.
        mode: i64,
    }
}
