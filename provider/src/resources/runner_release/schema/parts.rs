//! Nested attributes of the release itself.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tfplugin::framework::value::{List, Map, Value};
use tfplugin::framework::{Object, Raw, Settings};

/// Objects of optional attributes. What is in brackets is derived as well.
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

/// A setting of `secrets`. Values files also say whether the pod starts without the Secret.
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
        /// Tags of the runner.
        tag_list: List<String>,
        /// Whether the runner runs jobs without tags.
        run_untagged: bool,
        /// Whether the runner is locked to its project. Defaults to `true`.
        locked: bool,
        /// Access level: `not_protected` or `ref_protected`.
        access_level: String,
        /// Maximum duration of a job in seconds.
        maximum_timeout: i64,
    }

    /// Session server for interactive web terminals. Requires a single manager pod.
    SessionServer {
        /// Whether the session server is enabled. Defaults to `false`.
        enabled: bool,
        /// Annotations of the Service.
        annotations: Map<String>,
        /// Number of seconds after which a session ends. Defaults to 1800.
        timeout: i64,
        /// Port of the pod. Defaults to 8093.
        internal_port: i64,
        /// Port of the Service. Defaults to 9000.
        external_port: i64,
        /// Node port of the Service of type `NodePort`.
        node_port: i64,
        /// IP address or host that is reported to GitLab.
        public_ip: String,
        /// CIDR blocks from which the load balancer accepts connections.
        load_balancer_source_ranges: List<String>,
        /// Type of the Service: `ClusterIP`, `Headless`, `NodePort` or `LoadBalancer`. Defaults to `LoadBalancer`.
        service_type: String,
        /// Traffic policy: `Cluster` or `Local`.
        external_traffic_policy: String,
        /// Traffic policy: `Cluster` or `Local`.
        internal_traffic_policy: String,
        /// Ingress of the session server.
        ingress: SessionServerIngress,
    }

    /// Ingress of the session server.
    SessionServerIngress {
        /// Whether the Ingress is created. Defaults to `false`.
        enabled: bool,
        /// Ingress class.
        class_name: String,
        /// Annotations of the Ingress.
        annotations: Map<String>,
        /// TLS certificates of the Ingress.
        #[attr(marks(kubernetes), setting = Objects)]
        tls: List<IngressTls>,
    }

    /// TLS certificate of the Ingress.
    IngressTls {
        /// Name of the Secret that contains the certificate.
        secret_name: String,
        /// Hosts of the certificate. Defaults to `public_ip`.
        hosts: List<String>,
    }

    /// Node selector and tolerations of job pods, as in `gitlabspot_node_group.build_nodes`.
    BuildNodes {
        /// Labels of the nodes, which become a required node affinity of the job pods.
        node_selector: Map<String>,
        /// Tolerations of job pods.
        tolerations: List<BuildNodesToleration>,
        /// Capacity type of the nodes. With `SPOT` job pods prefer Spot nodes.
        capacity_type: String,
    }

    /// A toleration of job pods.
    BuildNodesToleration {
        /// Key of the taint.
        key: String,
        /// `Equal` or `Exists`.
        operator: String,
        /// Value of the taint.
        value: String,
        /// Effect of the taint.
        effect: String,
    }

    /// Docker-in-Docker in jobs: sets the variables, the privileged mode and the volume of certificates that it needs.
    DockerInDocker {
        /// Image of jobs that do not specify one. Defaults to `docker:19.03.12`.
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
        /// Annotations of the service account, for example `eks.amazonaws.com/role-arn`.
        annotations: Map<String>,
        /// Names of the image pull Secrets of the service account.
        image_pull_secrets: List<String>,
    }

    /// Permissions of the manager in the cluster.
    Rbac {
        /// Whether roles are created. Defaults to `true`.
        create: bool,
        /// Whether ClusterRoles are created instead of Roles. Defaults to whether the configuration requires it.
        cluster_wide: bool,
        /// Rules of the role. Default to the least that the configuration requires.
        rules: List<RbacRule>,
    }

    /// Rule of the role.
    RbacRule {
        /// API groups. Default to the core group.
        api_groups: List<String>,
        /// Resources.
        resources: List<String>,
        /// Names of the objects to which the rule is limited.
        resource_names: List<String>,
        /// Verbs.
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
        /// Labels of the Service.
        labels: Map<String>,
        /// Annotations of the Service.
        annotations: Map<String>,
        /// Cluster IP address of the Service.
        cluster_ip: String,
        /// External IP addresses of the Service.
        external_ips: List<String>,
        /// IP address of the load balancer.
        load_balancer_ip: String,
        /// CIDR blocks from which the load balancer accepts connections.
        load_balancer_source_ranges: List<String>,
        /// Node port of the metrics.
        node_port: i64,
        /// Additional ports.
        #[attr(marks(kubernetes), setting = Objects)]
        additional_ports: List<ServicePort>,
        /// Traffic policy: `Cluster` or `Local`.
        external_traffic_policy: String,
        /// Traffic policy: `Cluster` or `Local`.
        internal_traffic_policy: String,
    }

    /// Port of the Service.
    ServicePort {
        /// Name of the port.
        name: String,
        /// Port number.
        port: i64,
        /// Number or name of the port of the pod.
        #[attr(marks(int_or_string))]
        target_port: String,
        /// Node port.
        node_port: i64,
        /// Protocol of the port. Defaults to `TCP`.
        protocol: String,
        /// Application protocol of the port.
        app_protocol: String,
    }

    /// ServiceMonitor or PodMonitor of the Prometheus operator. Requires `metrics`.
    Monitor {
        /// Whether the object is created. Defaults to `false`.
        enabled: bool,
        /// Namespace of the object. Defaults to the namespace of the release.
        namespace: String,
        /// Labels of the object.
        labels: Map<String>,
        /// Annotations of the object.
        annotations: Map<String>,
        /// Scrape interval, for example `30s`.
        interval: String,
        /// Scheme: `http` or `https`.
        scheme: String,
        /// TLS settings, as the operator defines them.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Fields)]
        tls_config: Raw,
        /// Path of the metrics.
        path: String,
        /// Whether labels of the metrics take precedence over labels of the target.
        honor_labels: bool,
        /// Relabelings of the target.
        #[attr(marks(kubernetes), setting = Objects)]
        relabelings: List<Relabeling>,
        /// Relabelings of the metrics.
        #[attr(marks(kubernetes), setting = Objects)]
        metric_relabelings: List<Relabeling>,
        /// Label from which the name of the job is taken.
        job_label: String,
    }

    /// Disruption budget of the manager pods. Specify one of the two.
    DisruptionBudget {
        /// Minimum number or percentage of available pods.
        #[attr(marks(int_or_string), setting = Json)]
        min_available: String,
        /// Maximum number or percentage of unavailable pods.
        #[attr(marks(int_or_string), setting = Json)]
        max_unavailable: String,
    }

    /// HorizontalPodAutoscaler of the manager.
    Hpa {
        /// Minimum number of pods. Defaults to 1.
        min_replicas: i64,
        /// Maximum number of pods. Defaults to 1.
        max_replicas: i64,
        /// Metrics, as autoscaling/v2 defines them.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Objects)]
        metrics: Raw,
        /// Scaling behavior, as autoscaling/v2 defines it.
        #[attr(kind = super::dynamic, marks(kubernetes), setting = Fields)]
        behavior: Raw,
    }

    /// Settings of a probe.
    Probe {
        /// Initial delay in seconds.
        initial_delay_seconds: i64,
        /// Period in seconds.
        period_seconds: i64,
        /// Success threshold. Defaults to 1.
        success_threshold: i64,
        /// Failure threshold. Defaults to 3.
        failure_threshold: i64,
        /// Number of seconds in which the container can terminate after a failed probe.
        termination_grace_period_seconds: i64,
    }

    /// Additional Secret that is mounted at `/secrets`.
    SecretItems {
        /// Name of the Secret.
        name: String,
        /// Keys to mount. Defaults to all keys.
        items: List<SecretItem>,
    }

    /// Key of a Secret.
    SecretItem {
        /// Name of the key.
        key: String,
        /// Path of the file.
        path: String,
        /// Permissions of the file, for example `0400`.
        mode: i64,
    }
}
