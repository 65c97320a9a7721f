//! The provider: its configuration block, the data for operations, and the registry of resources.

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

/// The provider `gitlabspot`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gitlabspot {
    /// Speed of the clock in tests, as a multiple of real time; 0 and 1 are real time. It also applies to retries of
    /// the SDK.
    pub clock_speed: u32,
    /// The product that started the provider, `Terraform` or `OpenTofu`, if known.
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
        // OpenTofu does not send its own version here, but that of a compatible Terraform.
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

/// Adapter of the framework's clock for the clients, so that tests with a faster clock also speed up the clients.
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
        // In real time, the time of day is used: unlike the monotonic clock, it also advances while the machine is
        // suspended.
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
