//! This provider: what its block can say, what operations get of it, and the one list of what it offers.

mod connection;
#[cfg(test)]
mod matrix;
mod registry;
mod schema;
mod validate;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;
use gitlabspot_clients::{Clients, Environment, Settings, UserAgent};
use tfplugin::framework::provider::OldestHost;
use tfplugin::framework::value::known_map;
use tfplugin::framework::{Clock, Diagnostics, Host, Provider, Registry, Value};
use tokio_util::sync::CancellationToken;

pub use self::schema::Config;
use self::schema::IgnoreTags;
use crate::configured::Data;
use crate::provider_tags::{IgnoredTags, ProviderTags};
use crate::reservations::Reservations;

/// The provider gitlabspot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gitlabspot {
    /// How much faster than real time passes, for tests; 0 and 1 are real time. Retries of the SDK follow it.
    pub clock_speed: u32,
    /// The product that started the provider, `Terraform` or `OpenTofu`, where that is known.
    pub host: Option<&'static str>,
}

impl Provider for Gitlabspot {
    type Config = Config;
    type Data = Data;

    fn name(&self) -> &'static str {
        "gitlabspot"
    }

    fn description(&self) -> &'static str {
        "Manages GitLab CI on Spot nodes of an EKS cluster, which only exist while there is work: the node group with the \
         tags that scaling from zero requires, the cache bucket, its credentials, and GitLab Runner.\n\n\
         Requires OpenTofu 1.11 or Terraform 1.11, or newer. The provider makes no call when it is configured: each \
         connection is established when a resource first requires it."
    }

    fn oldest_host(&self) -> Option<OldestHost> {
        let reason = "older versions do not know write-only arguments, and would store runner tokens in the state";
        Some(OldestHost { version: (1, 11), reason })
    }

    fn validate(&self, config: &Config, diagnostics: &mut Diagnostics) {
        validate::check(config, diagnostics);
    }

    fn configure(&self, config: Config, host: &Host) -> Result<Data, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        validate::check(&config, &mut diagnostics);
        diagnostics.into_result()?;
        let tags = ProviderTags { default: known_map(&config.default_tags), ignored: ignored(&config.ignore_tags) };
        let environment = Environment::process();
        // CloudTrail and the audit log of a cluster record the user agent.
        let product = self.host.unwrap_or("Terraform-or-OpenTofu");
        // OpenTofu tells providers which Terraform it wants to be taken for, not its own version.
        let version = Some(host.version.clone()).filter(|version| product != "OpenTofu" && !version.is_empty());
        let user_agent =
            UserAgent { host: Some((product.to_owned(), version)), appended: environment.get("TF_APPEND_USER_AGENT") };
        let settings = Settings {
            aws: connection::aws(&config, self.clock_speed),
            kubernetes: connection::kubernetes(&config),
            user_agent,
            environment,
        };
        let clock = Arc::new(ClientClock::new(self.clock_speed));
        Ok(Data { clients: Clients::with_clock(settings, clock), tags, reservations: Reservations::default() })
    }

    fn until(data: &Arc<Data>, stop: &CancellationToken) -> Arc<Data> {
        Arc::new(Data { clients: data.clients.until(stop), ..data.as_ref().clone() })
    }

    fn registry(&self) -> Registry<Data> {
        registry::registry()
    }
}

fn ignored(tags: &Value<IgnoreTags>) -> IgnoredTags {
    match tags {
        Value::Null => IgnoredTags::default(),
        Value::Unknown => IgnoredTags::unknown(),
        Value::Known(IgnoreTags { keys, key_prefixes }) => IgnoredTags::new(keys, key_prefixes),
    }
}

/// The framework's clock, as the clients know one: tests that make time pass faster mean all of it.
#[derive(Debug)]
struct ClientClock {
    clock: tfplugin::framework::clock::SystemClock,
    hurried_since: Option<(Instant, SystemTime)>,
}

impl ClientClock {
    fn new(speed: u32) -> Self {
        let clock = tfplugin::framework::clock::SystemClock::new(speed);
        Self { clock, hurried_since: (speed > 1).then(|| (clock.now(), clock.time_of_day())) }
    }
}

impl gitlabspot_clients::Clock for ClientClock {
    fn now(&self) -> SystemTime {
        // Where time passes as it does everywhere, the machine may sleep meanwhile: only the time of day knows.
        let Some((instant, time_of_day)) = self.hurried_since else { return Clock::time_of_day(&self.clock) };
        time_of_day + Clock::now(&self.clock).saturating_duration_since(instant)
    }

    fn time_of_day(&self) -> SystemTime {
        Clock::time_of_day(&self.clock)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Clock::sleep(&self.clock, duration)
    }
}
