//! The nested objects of [`super::ReleaseInputs`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name { $($(#[$field_doc])* pub $field: Option<$type>,)+ }
        )+
    };
}

type Strings = BTreeMap<String, String>;

objects! {
    /// The three parts of an image name, as the chart has them.
    ImageParts { registry: String, image: String, tag: String, }

    /// Options of the older registration; an authentication token carries them itself.
    Registration {
        tag_list: Vec<String>,
        run_untagged: bool,
        locked: bool,
        /// `not_protected` or `ref_protected`.
        access_level: String,
        /// Seconds.
        maximum_timeout: i64,
    }

    SessionServer {
        enabled: bool,
        annotations: Strings,
        /// Seconds.
        timeout: i64,
        internal_port: i64,
        external_port: i64,
        node_port: i64,
        public_ip: String,
        load_balancer_source_ranges: Vec<String>,
        /// ClusterIP, Headless, NodePort or LoadBalancer.
        service_type: String,
        external_traffic_policy: String,
        internal_traffic_policy: String,
        ingress: SessionServerIngress,
    }

    SessionServerIngress {
        enabled: bool,
        class_name: String,
        annotations: Strings,
        /// In the API's spelling.
        tls: Vec<Value>,
    }

    /// What a pod needs to land on the build nodes, as `gitlabspot_node_group.build_nodes` gives it.
    BuildNodes {
        node_selector: Strings,
        tolerations: Vec<Toleration>,
        /// SPOT or ON_DEMAND.
        capacity_type: String,
    }

    Toleration { key: String, operator: String, value: String, effect: String, }

    DockerInDocker { image: String, tls: bool, }

    ServiceAccount {
        create: bool,
        name: String,
        annotations: Strings,
        image_pull_secrets: Vec<String>,
    }

    Rbac { create: bool, cluster_wide: bool, rules: Vec<RbacRule>, }

    RbacRule {
        api_groups: Vec<String>,
        resources: Vec<String>,
        resource_names: Vec<String>,
        verbs: Vec<String>,
    }

    Metrics { enabled: bool, port: i64, port_name: String, }

    Service {
        enabled: bool,
        r#type: String,
        labels: Strings,
        annotations: Strings,
        cluster_ip: String,
        external_ips: Vec<String>,
        load_balancer_ip: String,
        load_balancer_source_ranges: Vec<String>,
        node_port: i64,
        /// In the API's spelling.
        additional_ports: Vec<Value>,
        external_traffic_policy: String,
        internal_traffic_policy: String,
    }

    /// A ServiceMonitor or a PodMonitor.
    Monitor {
        enabled: bool,
        namespace: String,
        labels: Strings,
        annotations: Strings,
        interval: String,
        scheme: String,
        /// In the API's spelling, like the relabelings.
        tls_config: Map<String, Value>,
        path: String,
        honor_labels: bool,
        relabelings: Vec<Value>,
        metric_relabelings: Vec<Value>,
        job_label: String,
    }

    /// One of the two, a number or a percentage.
    DisruptionBudget { min_available: Value, max_unavailable: Value, }

    Hpa {
        min_replicas: i64,
        max_replicas: i64,
        /// In the API's spelling, like the behavior.
        metrics: Vec<Value>,
        behavior: Map<String, Value>,
    }

    Probe {
        initial_delay_seconds: i64,
        period_seconds: i64,
        success_threshold: i64,
        failure_threshold: i64,
        termination_grace_period_seconds: i64,
    }

    /// A further Secret whose keys appear under `/secrets`.
    SecretItems {
        name: String,
        /// `{key, path}`; all keys when unset.
        items: Vec<Value>,
        /// Whether the pod starts without it.
        optional: bool,
    }
}
