//! Logs are written to stderr as lines of JSON in the format of hclog, which the host merges into its own log.
//!
//! Nothing is logged unless the user enables it with `TF_LOG`, `TF_LOG_PROVIDER` or `TF_LOG_PROVIDER_<NAME>`. Other
//! crates than those of the provider log only warnings and errors: at lower levels HTTP crates and SDKs log whole
//! requests, which contain secrets.

use std::io::Write;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

mod hclog;
mod panic;

/// The log target of this crate.
const FRAMEWORK: &str = env!("CARGO_CRATE_NAME");

/// The log targets of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Logs<'a> {
    /// The name of the provider, as in `TF_LOG_PROVIDER_<NAME>`.
    pub name: &'a str,
    /// Its own targets, which are the names of its crates; prefixes match.
    pub own: &'a [&'static str],
    /// Targets that log nothing, for crates whose warnings quote responses of servers.
    pub silent: &'a [&'static str],
}

/// Starts logging and the reporting of panics. It must be called once, before anything else.
pub fn start(logs: &Logs) {
    panic::install();
    let Some(level) = level(logs.name, |variable| std::env::var(variable).ok()) else { return };
    let layer = hclog::Hclog::new(logs.name, |line: &str| {
        // One write for a line, so that lines of several threads do not mix. Its error is ignored, because a host that
        // no longer reads must not make the provider fail.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    });
    let subscriber = Registry::default().with(layer.with_filter(logs.filter(level)));
    // Fails only when there is one already, as in a test.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

impl Logs<'_> {
    fn filter(&self, level: LevelFilter) -> Targets {
        Targets::new()
            // At DEBUG and TRACE the crates for HTTP log headers and bodies.
            .with_default(level.min(LevelFilter::WARN))
            .with_target(FRAMEWORK, level)
            .with_targets(self.own.iter().map(|target| (*target, level)))
            .with_targets(self.silent.iter().map(|target| (*target, LevelFilter::OFF)))
    }
}

/// Returns the level of the most specific variable that is set. `None` disables logging.
fn level(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<LevelFilter> {
    // As in the Go SDKs: the name in capitals, with underscores for hyphens.
    let own = format!("TF_LOG_PROVIDER_{}", name.replace('-', "_").to_uppercase());
    let value = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))?;
    match value.to_uppercase().as_str() {
        "OFF" => None,
        "ERROR" => Some(LevelFilter::ERROR),
        "WARN" => Some(LevelFilter::WARN),
        "INFO" => Some(LevelFilter::INFO),
        "DEBUG" => Some(LevelFilter::DEBUG),
        // TRACE and JSON. The host treats any other word as TRACE too.
        _ => Some(LevelFilter::TRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn level_with(variables: &[(&str, &str)]) -> Option<LevelFilter> {
        level("gitlab-spot", |name| {
            variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn logging_is_off_by_default() {
        assert_eq!(level_with(&[]), None);
        assert_eq!(level_with(&[("TF_LOG", "")]), None);
        assert_eq!(level_with(&[("TF_LOG", "off")]), None);
        assert_eq!(level_with(&[("TF_LOG_CORE", "TRACE"), ("TF_LOG_PROVIDER_OTHER", "TRACE")]), None);
    }

    #[test]
    fn most_specific_variable_takes_precedence() {
        let own = ("TF_LOG_PROVIDER_GITLAB_SPOT", "error");
        let providers = ("TF_LOG_PROVIDER", "info");
        let all = ("TF_LOG", "debug");
        assert_eq!(level_with(&[all, providers, own]), Some(LevelFilter::ERROR));
        assert_eq!(level_with(&[all, providers]), Some(LevelFilter::INFO));
        assert_eq!(level_with(&[all]), Some(LevelFilter::DEBUG));
        assert_eq!(level_with(&[all, ("TF_LOG_PROVIDER", "OFF")]), None);
    }

    #[test]
    fn unknown_level_enables_every_level() {
        for word in ["TRACE", "json", "loud"] {
            assert_eq!(level_with(&[("TF_LOG", word)]), Some(LevelFilter::TRACE));
        }
    }

    #[test]
    fn other_crates_log_at_most_warnings() {
        let logs = Logs { name: "spot", own: &["spot", "terraform_provider_spot"], silent: &["quoting_client"] };
        let all = logs.filter(LevelFilter::TRACE);
        for own in ["tfplugin::plugin", "spot::resources", "terraform_provider_spot"] {
            assert!(all.would_enable(own, &Level::TRACE), "{own}");
        }
        for other in ["h2::codec", "hyper_util::client", "aws_smithy_runtime", "rustls::conn"] {
            assert!(all.would_enable(other, &Level::WARN), "{other}");
            assert!(!all.would_enable(other, &Level::INFO), "{other}");
        }
        assert!(!logs.filter(LevelFilter::ERROR).would_enable("h2", &Level::WARN));
        assert!(!all.would_enable("quoting_client::client", &Level::ERROR));
    }
}
