//! Nested attributes of the release itself.

use crate::framework::value::{List, Map, Value};
use crate::framework::{Object, Raw};

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Default, PartialEq, Object)]
            pub struct $name { $($(#[$field_doc])* #[attr(optional)] pub $field: Value<$type>,)+ }
        )+
    };
}
pub(super) use objects;

use super::kubernetes::Relabeling;

objects! {
    /// Options of the older registration. An authentication token carries them itself, and GitLab refuses them there.
    Registration {
        /// Tags of the runner.
        tag_list: List<String>,
        /// Whether it takes jobs without tags.
        run_untagged: bool,
        /// Whether it is locked to its project; `true` unless set.
        locked: bool,
        /// `not_protected` or `ref_protected`.
        access_level: String,
        /// Longest job, in seconds.
        maximum_timeout: i64,
    }

    /// The server of interactive web terminals. Needs a single manager pod.
    SessionServer {
        /// Whether there is one.
        enabled: bool,
        /// Annotations of its Service.
        annotations: Map<String>,
        /// Seconds after which a session ends; 1800 unless set.
        timeout: i64,
        /// Port in the pod; 8093 unless set.
        internal_port: i64,
        /// Port of the Service; 9000 unless set.
        external_port: i64,
        /// Port of the nodes, for a Service of type `NodePort`.
        node_port: i64,
        /// Address that GitLab is told.
        public_ip: String,
        /// Addresses that a load balancer lets in.
        load_balancer_source_ranges: List<String>,
        /// `ClusterIP`, `Headless`, `NodePort` or `LoadBalancer`, which it is unless set.
        service_type: String,
        /// `Cluster` or `Local`.
        external_traffic_policy: String,
        /// `Cluster` or `Local`.
        internal_traffic_policy: String,
        /// An Ingress for it.
        ingress: SessionServerIngress,
    }

    /// The Ingress of the session server.
    SessionServerIngress {
        /// Whether there is one.
        enabled: bool,
        /// Its class.
        class_name: String,
        /// Its annotations.
        annotations: Map<String>,
        /// Its certificates.
        tls: List<IngressTls>,
    }

    /// A certificate of the Ingress.
    IngressTls {
        /// Secret that holds it.
        secret_name: String,
        /// Hosts it is for; `public_ip` unless set.
        hosts: List<String>,
    }

    /// What a pod needs to land on the build nodes, as `gitlabspot_node_group.build_nodes` gives it.
    BuildNodes {
        /// Labels of the nodes: a required node affinity of job pods.
        node_selector: Map<String>,
        /// Tolerations of job pods.
        tolerations: List<BuildNodesToleration>,
        /// `SPOT` makes job pods prefer Spot nodes.
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

    /// Docker in jobs: the variables, the privileged mode and the volume of certificates that it needs.
    DockerInDocker {
        /// Image of jobs that name none; `docker:19.03.12` unless set.
        image: String,
        /// Whether Docker is reached over TLS; `true` unless set.
        tls: bool,
    }

    /// The manager's service account.
    ServiceAccount {
        /// Whether it is made; `true` unless set.
        create: bool,
        /// Its name; the release's unless set.
        name: String,
        /// Its annotations, such as `eks.amazonaws.com/role-arn`.
        annotations: Map<String>,
        /// Names of its image pull Secrets.
        image_pull_secrets: List<String>,
    }

    /// What the manager may do in the cluster.
    Rbac {
        /// Whether roles are made; `true` unless set.
        create: bool,
        /// ClusterRoles in place of Roles; where the configuration needs it unless set.
        cluster_wide: bool,
        /// Rules in place of the least that the configuration needs.
        rules: List<RbacRule>,
    }

    /// A rule of the role.
    RbacRule {
        /// API groups; the core group unless set.
        api_groups: List<String>,
        /// Resources.
        resources: List<String>,
        /// Names that it is limited to.
        resource_names: List<String>,
        /// Verbs.
        verbs: List<String>,
    }

    /// Prometheus metrics of the manager.
    Metrics {
        /// Whether there are any; `false` unless set.
        enabled: bool,
        /// Port; 9252 unless set.
        port: i64,
        /// Name of the port; `metrics` unless set.
        port_name: String,
    }

    /// The Service in front of the metrics.
    Service {
        /// Whether there is one; `false` unless set. Needs `metrics`.
        enabled: bool,
        /// Its type; `ClusterIP` unless set.
        r#type: String,
        /// Its labels.
        labels: Map<String>,
        /// Its annotations.
        annotations: Map<String>,
        /// Its address in the cluster.
        cluster_ip: String,
        /// Its addresses outside.
        external_ips: List<String>,
        /// Address of the load balancer.
        load_balancer_ip: String,
        /// Addresses that the load balancer lets in.
        load_balancer_source_ranges: List<String>,
        /// Port of the nodes for the metrics.
        node_port: i64,
        /// Further ports.
        additional_ports: List<ServicePort>,
        /// `Cluster` or `Local`.
        external_traffic_policy: String,
        /// `Cluster` or `Local`.
        internal_traffic_policy: String,
    }

    /// A port of the Service.
    ServicePort {
        /// Its name.
        name: String,
        /// The port.
        port: i64,
        /// Port of the pod, by number or name.
        target_port: String,
        /// Port of the nodes.
        node_port: i64,
        /// `TCP` unless set.
        protocol: String,
        /// Protocol of the application.
        app_protocol: String,
    }

    /// A ServiceMonitor or a PodMonitor of the Prometheus operator. Needs `metrics`.
    Monitor {
        /// Whether there is one; `false` unless set.
        enabled: bool,
        /// Its namespace; the release's unless set.
        namespace: String,
        /// Its labels.
        labels: Map<String>,
        /// Its annotations.
        annotations: Map<String>,
        /// How often metrics are read.
        interval: String,
        /// `http` or `https`.
        scheme: String,
        /// TLS settings, as the operator defines them.
        #[attr(kind = super::dynamic)]
        tls_config: Raw,
        /// Path of the metrics.
        path: String,
        /// Keeps labels of the metrics that collide with Prometheus' own.
        honor_labels: bool,
        /// Changes of the target's labels.
        relabelings: List<Relabeling>,
        /// Changes of the metrics' labels.
        metric_relabelings: List<Relabeling>,
        /// Label whose value is the job's name.
        job_label: String,
    }

    /// How many manager pods may be away. Give one of the two.
    DisruptionBudget {
        /// Fewest that are there: a number or a percentage.
        min_available: String,
        /// Most that are away: a number or a percentage.
        max_unavailable: String,
    }

    /// An autoscaler of the manager.
    Hpa {
        /// Fewest pods; 1 unless set.
        min_replicas: i64,
        /// Most pods; 1 unless set.
        max_replicas: i64,
        /// Metrics, as autoscaling/v2 defines them.
        #[attr(kind = super::dynamic)]
        metrics: Raw,
        /// Speed, as autoscaling/v2 defines it.
        #[attr(kind = super::dynamic)]
        behavior: Raw,
    }

    /// Times of a probe.
    Probe {
        /// Seconds before the first one.
        initial_delay_seconds: i64,
        /// Seconds between two.
        period_seconds: i64,
        /// Successes until it is good; 1 unless set.
        success_threshold: i64,
        /// Failures until it is bad; 3 unless set.
        failure_threshold: i64,
        /// Seconds that a container has to end after it.
        termination_grace_period_seconds: i64,
    }

    /// A further Secret whose keys appear under `/secrets`.
    SecretItems {
        /// Its name.
        name: String,
        /// Some of its keys; all unless set.
        items: List<SecretItem>,
    }

    /// A key of a Secret.
    SecretItem {
        /// The key.
        key: String,
        /// File that it becomes.
        path: String,
        /// Permissions of the file.
        mode: i64,
    }
}
