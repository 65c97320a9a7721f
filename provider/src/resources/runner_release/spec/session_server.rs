//! The addresses of the session server.

use tfplugin::framework::{AttributePath, Diagnostic};
use toml::Table;

use super::super::schema::{SessionServerIngressSettings, SessionServerSettings};
use super::Names;

#[derive(Debug, Clone, PartialEq)]
pub struct SessionServer {
    pub settings: SessionServerSettings,
    pub internal_port: i64,
    pub external_port: i64,
    pub service_type: String,
    /// Only set if it is enabled.
    pub ingress: Option<SessionServerIngressSettings>,
    pub advertise: Advertise,
}

/// The address at which GitLab reaches the session server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advertise {
    /// Known in the plan: `host:port`.
    Fixed(String),
    /// The address of the pod's node, with this port.
    Node(i64),
    /// The address of the load balancer with this port, which is read when the pod starts.
    LoadBalancer(i64),
}

/// Placeholder in config.toml that is replaced when the pod starts.
pub const ADDRESS_PLACEHOLDER: &str = "@SESSION_SERVER_ADDRESS@";

impl SessionServer {
    /// Returns `None` if the session server is not enabled.
    ///
    /// # Errors
    ///
    /// More than one manager pod, or an address that cannot be determined.
    pub(super) fn new(
        given: Option<&SessionServerSettings>,
        names: &Names,
        single_pod: bool,
    ) -> Result<Option<Self>, Vec<Diagnostic>> {
        let Some(given) = given.filter(|given| given.enabled == Some(true)).cloned() else { return Ok(None) };
        if !single_pod {
            return Err(vec![
                Diagnostic::error(
                    "Session server requires a single manager pod",
                    "A terminal session belongs to the manager pod that runs the job, but the Service would select any \
                     of them. Set replicas to 1 and remove hpa, or disable the session server.",
                )
                .at(AttributePath::dotted("session_server.enabled")),
            ]);
        }
        let service_type = given.service_type.clone().unwrap_or_else(|| "LoadBalancer".to_owned());
        let external_port = given.external_port.unwrap_or(9000);
        let host_in_cluster = format!("{}.{}.svc", names.with("session-server"), names.namespace);
        let public_ip = given.public_ip.as_deref().map(with_brackets);
        let advertise = match (public_ip.as_deref(), service_type.as_str(), given.node_port) {
            (Some(address), "NodePort", Some(port)) => Advertise::Fixed(format!("{address}:{port}")),
            (Some(address), _, _) => Advertise::Fixed(format!("{address}:{external_port}")),
            (None, "ClusterIP" | "Headless", _) => Advertise::Fixed(format!("{host_in_cluster}:{external_port}")),
            (None, "NodePort", Some(port)) => Advertise::Node(port),
            (None, "NodePort", None) => {
                return Err(vec![
                    Diagnostic::error(
                        "Missing session server port",
                        "Kubernetes would choose a node port that is not known in config.toml. Set node_port.",
                    )
                    .at(AttributePath::dotted("session_server.node_port")),
                ]);
            }
            (None, "LoadBalancer", _) => Advertise::LoadBalancer(external_port),
            (None, _, _) => {
                return Err(vec![
                    Diagnostic::error(
                        "Invalid Service type",
                        "service_type must be one of ClusterIP, Headless, NodePort, LoadBalancer.",
                    )
                    .at(AttributePath::dotted("session_server.service_type")),
                ]);
            }
        };
        Ok(Some(Self {
            internal_port: given.internal_port.unwrap_or(8093),
            external_port,
            service_type,
            ingress: given.ingress.clone().filter(|ingress| ingress.enabled == Some(true)),
            settings: given,
            advertise,
        }))
    }

    /// `[session_server]`.
    pub(super) fn config(&self, timeout: Option<i64>) -> Table {
        let advertise = match &self.advertise {
            Advertise::Fixed(address) => address.clone(),
            Advertise::Node(port) | Advertise::LoadBalancer(port) => format!("{ADDRESS_PLACEHOLDER}:{port}"),
        };
        let mut table = Table::new();
        // Without a host, it listens on IPv4 and IPv6.
        table.insert("listen_address".into(), format!(":{}", self.internal_port).into());
        table.insert("advertise_address".into(), advertise.into());
        table.insert("session_timeout".into(), timeout.unwrap_or(1800).into());
        table
    }
}

/// Encloses an IPv6 address in brackets, which separate it from the port that follows.
fn with_brackets(address: &str) -> String {
    if address.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{address}]") } else { address.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn advertise(given: serde_json::Value) -> Result<Option<Advertise>, String> {
        let given: SessionServerSettings = serde_json::from_value(given).unwrap();
        let names = Names::new("gitlab-runner", "ci", None, None);
        SessionServer::new(Some(&given), &names, true)
            .map(|server| server.map(|server| server.advertise))
            .map_err(|findings| findings[0].summary.to_string())
    }

    #[test]
    fn the_address_is_known_or_found_out() {
        let fixed = |address: &str| Ok(Some(Advertise::Fixed(address.to_owned())));
        assert_eq!(advertise(json!({})), Ok(None));
        assert_eq!(advertise(json!({ "enabled": true })), Ok(Some(Advertise::LoadBalancer(9000))));
        assert_eq!(advertise(json!({ "enabled": true, "public_ip": "1.2.3.4" })), fixed("1.2.3.4:9000"));
        assert_eq!(advertise(json!({ "enabled": true, "public_ip": "2001:db8::1" })), fixed("[2001:db8::1]:9000"));
        assert_eq!(
            advertise(json!({ "enabled": true, "service_type": "Headless" })),
            fixed("gitlab-runner-session-server.ci.svc:9000")
        );
        assert_eq!(
            advertise(json!({ "enabled": true, "service_type": "NodePort", "node_port": 30001 })),
            Ok(Some(Advertise::Node(30001)))
        );
        assert_eq!(
            advertise(json!({ "enabled": true, "service_type": "NodePort" })),
            Err("Missing session server port".to_owned())
        );
        assert_eq!(
            advertise(json!({ "enabled": true, "service_type": "Foo" })),
            Err("Invalid Service type".to_owned())
        );
    }
}
