//! Runs a resource in tests as a host does, and checks the rules of Terraform after every operation.

use std::sync::Arc;
use std::time::Duration;

use gitlabspot_clients::aws::AwsSettings;
use gitlabspot_clients::kubernetes::KubernetesSettings;
use gitlabspot_clients::{Clients, Environment, Settings};
use gitlabspot_testing::aws::Account;
use tfplugin::framework::clock::testing::TestClock;
use tfplugin::framework::conformance::{check_apply, check_plan, check_schema, check_state};
use tfplugin::framework::list_resource::{ErasedListResource, Listed};
use tfplugin::framework::resource::{Applied, ErasedResource, Planned};
use tfplugin::framework::schema::{Attribute, Kind, Mode, Nesting, Schema};
use tfplugin::framework::{Context, Diagnostics, Host, Import, Private, PrivateState, Raw};
use tokio_util::sync::CancellationToken;

use crate::configured::Data;
use crate::provider_tags::ProviderTags;
use crate::reservations::Reservations;

/// One resource of a configuration with its state, and the context of its operations.
pub(crate) struct Stage {
    resource: Arc<dyn ErasedResource<Data>>,
    pub(crate) context: Context<Data>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) state: Raw,
    pub(crate) private: PrivateState,
}

impl Stage {
    pub(crate) fn new(resource: impl ErasedResource<Data> + 'static, aws: AwsSettings) -> Self {
        Self::with_cluster(resource, aws, KubernetesSettings::default(), None)
    }

    /// Uses an existing Kubernetes client instead of connecting to a cluster.
    pub(crate) fn with_cluster(
        resource: impl ErasedResource<Data> + 'static,
        aws: AwsSettings,
        kubernetes: KubernetesSettings,
        client: Option<kube::Client>,
    ) -> Self {
        let clock = Arc::new(TestClock::new());
        let settings = Settings { aws, kubernetes, environment: Environment::fixed([]), ..Settings::default() };
        let clients = Clients::new(settings);
        if let Some(client) = client {
            clients.stand_in(client);
        }
        let tags =
            ProviderTags { default: Some([("team".to_owned(), "ci".to_owned())].into()), ..ProviderTags::default() };
        let stop = CancellationToken::new();
        let data = Data { clients: clients.until(&stop), tags, reservations: Reservations::default() };
        let context = Context::new(Some(Arc::new(data)), stop, clock.clone(), Host::default());
        let resource: Arc<dyn ErasedResource<Data>> = Arc::new(resource);
        assert_eq!(check_schema(&resource.schema()), []);
        Self { resource, context, clock, state: Raw::Null, private: PrivateState::default() }
    }

    /// Changes the private state, for instance to that of an older version of the provider.
    pub(crate) fn change_private<P: Private>(&mut self, change: impl FnOnce(&mut P)) {
        let mut content: P = self.private.read().unwrap();
        change(&mut content);
        self.private = PrivateState::of(&content);
    }

    /// Another resource in the same run.
    pub(crate) fn beside(&self, resource: impl ErasedResource<Data> + 'static) -> Self {
        Self {
            resource: Arc::new(resource),
            context: self.context.clone(),
            clock: self.clock.clone(),
            state: Raw::Null,
            private: PrivateState::default(),
        }
    }

    /// Lists at most `limit` objects. Returns them with the diagnostics.
    pub(crate) async fn list(
        &self,
        resource: &dyn ErasedListResource<Data>,
        given: &[(&str, Raw)],
        limit: usize,
    ) -> (Vec<Listed>, Diagnostics) {
        let names = resource.schema().attributes.into_iter().map(|attribute| attribute.name.into_owned());
        let mut filter: std::collections::BTreeMap<String, Raw> = names.map(|name| (name, Raw::Null)).collect();
        for (name, value) in given {
            *filter.get_mut(*name).unwrap() = value.clone();
        }
        let filter = Raw::Map(filter);
        assert!(!resource.validate(filter.clone()).has_errors());
        resource.list(&self.context, filter, limit).await
    }

    /// The configuration, in which all other attributes are null.
    fn config(&self, given: &[(&str, Raw)]) -> Raw {
        let names = self.resource.schema().attributes.into_iter().map(|attribute| attribute.name.into_owned());
        let mut config: std::collections::BTreeMap<String, Raw> = names.map(|name| (name, Raw::Null)).collect();
        for (name, value) in given {
            *config.get_mut(*name).unwrap() = value.clone();
        }
        Raw::Map(config)
    }

    /// Plans. Checks the rules of Terraform, and that a second plan is equal.
    pub(crate) async fn plan(&self, given: &[(&str, Raw)]) -> Planned {
        let config = self.config(given);
        let diagnostics = self.resource.validate(config.clone());
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let schema = self.resource.schema();
        let proposed = proposed(&schema, &self.state, &config);
        let plan = || {
            let (state, config) = (self.state.clone(), config.clone());
            self.resource.plan(&self.context, state, config, proposed.clone(), self.private.clone())
        };
        let planned = plan().await;
        if !planned.diagnostics.has_errors() {
            assert_eq!(check_plan(&schema, &self.state, &config, &proposed, &planned.state), []);
            assert_eq!(plan().await, planned, "a second plan differs");
        }
        planned
    }

    /// Plans and applies without a replacement. The answer of the provider becomes the state.
    pub(crate) async fn apply(&mut self, given: &[(&str, Raw)]) -> Diagnostics {
        let planned = self.plan(given).await;
        assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
        if self.state != Raw::Null {
            assert_eq!(planned.replace, []);
        }
        self.apply_plan(self.config(given), planned).await
    }

    async fn apply_plan(&mut self, config: Raw, planned: Planned) -> Diagnostics {
        let prior = self.state.clone();
        let Planned { state, private, .. } = planned;
        let applied = self.resource.apply(&self.context, prior, config, state.clone(), private).await;
        let schema = self.resource.schema();
        if applied.diagnostics.has_errors() {
            assert_eq!(check_state(&schema, &applied.state), []);
        } else {
            assert_eq!(check_apply(&schema, &state, &applied.state), []);
        }
        self.keep(applied)
    }

    pub(crate) async fn refresh(&mut self) -> Diagnostics {
        let read = self.resource.read(&self.context, self.state.clone(), self.private.clone()).await;
        assert_eq!(check_state(&self.resource.schema(), &read.state), []);
        self.keep(read)
    }

    pub(crate) async fn destroy(&mut self) -> Diagnostics {
        self.apply_plan(Raw::Null, Planned { private: self.private.clone(), ..Planned::default() }).await
    }

    pub(crate) async fn import(&mut self, id: &str) -> Diagnostics {
        let imported = self.resource.import(&self.context, Import::Id(id.to_owned())).await;
        let failed = imported.diagnostics.has_errors();
        let diagnostics = self.keep(imported);
        if failed { diagnostics } else { self.refresh().await }
    }

    /// The configuration that the provider generates for the state.
    pub(crate) fn generated(&self) -> Raw {
        self.resource.configuration(self.state.clone()).unwrap()
    }

    /// The configuration that hosts generate themselves: all attributes that can be configured, with the values of the
    /// state.
    pub(crate) fn written_by_hosts(&self) -> Raw {
        written(&self.resource.schema().attributes, &self.state)
    }

    /// Plans a generated configuration without a replacement. Returns the attributes that differ.
    pub(crate) async fn differences_to(&self, config: &Raw) -> Vec<String> {
        let Raw::Map(attributes) = config else { unreachable!() };
        let given: Vec<_> = attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let planned = self.plan(&given).await;
        assert_eq!(planned.replace, []);
        self.differences(&given).await
    }

    fn keep(&mut self, applied: Applied) -> Diagnostics {
        self.state = applied.state;
        self.private = applied.private;
        applied.diagnostics
    }

    /// Applies without diagnostics, and checks that the next plan is empty.
    pub(crate) async fn apply_wholly(&mut self, given: &[(&str, Raw)]) {
        assert_eq!(self.apply(given).await, Diagnostics::new());
        assert_eq!(self.changes(given).await, [""; 0]);
    }

    /// Refreshes without diagnostics and plans. Returns the attributes that differ.
    pub(crate) async fn changes(&mut self, given: &[(&str, Raw)]) -> Vec<String> {
        assert_eq!(self.refresh().await, Diagnostics::new());
        self.differences(given).await
    }

    /// Plans. Returns the attributes that differ.
    pub(crate) async fn differences(&self, given: &[(&str, Raw)]) -> Vec<String> {
        let planned = self.plan(given).await;
        assert!(!planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
        let Raw::Map(planned) = planned.state else { unreachable!() };
        planned.into_iter().filter(|(name, value)| &self.state.get(name) != value).map(|(name, _)| name).collect()
    }
}

fn written(attributes: &[Attribute], state: &Raw) -> Raw {
    let attributes = attributes.iter().map(|attribute| {
        let value = match (attribute.mode, &attribute.kind, state.get(&attribute.name)) {
            (Mode::Computed(_), ..) => Raw::Null,
            (_, Kind::Nested(Nesting::Single, nested), value @ Raw::Map(_)) => written(nested, &value),
            (_, _, value) => value,
        };
        (attribute.name.clone().into_owned(), value)
    });
    Raw::Map(attributes.collect())
}

/// Settings for an AWS account in memory.
pub(crate) fn aws_settings(account: &Account, region: &str) -> AwsSettings {
    AwsSettings {
        region: Some(region.to_owned()),
        access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        secret_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
        max_retries: Some(1),
        initial_backoff: Some(Duration::from_micros(10)),
        http_client: Some(account.http_client()),
        ..AwsSettings::default()
    }
}

/// The proposed state of the host: the configuration, with the prior values of computed attributes that it does not
/// set.
pub(crate) fn proposed(schema: &Schema, prior: &Raw, config: &Raw) -> Raw {
    proposed_object(&schema.attributes, prior, config)
}

fn proposed_object(attributes: &[Attribute], prior: &Raw, config: &Raw) -> Raw {
    let attributes = attributes.iter().map(|attribute| {
        let (before, given) = (prior.get(&attribute.name), config.get(&attribute.name));
        let is_computed = attribute.mode.computed().is_some() || !attribute.default.is_null();
        let value = match (&attribute.kind, &given) {
            (_, Raw::Null) if is_computed => before,
            (Kind::Nested(Nesting::Single, nested), Raw::Map(_)) => proposed_object(nested, &before, &given),
            _ => given,
        };
        (attribute.name.clone().into_owned(), value)
    });
    Raw::Map(attributes.collect())
}

/// The summaries of diagnostics.
pub(crate) fn summaries(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.to_string()).collect()
}

/// Checks the committed private state of every version. `versions[n]` is that of version `n`, and the last one must
/// equal the serialized `content`, in which no field has its default. A different format requires a new version.
pub(crate) fn check_private_versions<P: Private>(versions: &[&str], content: &P) {
    assert_eq!(versions.len() as u64, P::VERSION + 1);
    for (version, text) in versions.iter().enumerate() {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json["version"], version);
        PrivateState::from_bytes(text.as_bytes().to_vec()).read::<P>().unwrap();
    }
    let written: serde_json::Value = serde_json::from_slice(&PrivateState::of(content).into_bytes()).unwrap();
    let committed: serde_json::Value = serde_json::from_str(versions.last().unwrap()).unwrap();
    assert_eq!(written, committed, "{}", serde_json::to_string_pretty(&written).unwrap());
    assert_eq!(PrivateState::from_bytes(written.to_string().into_bytes()).read::<P>().as_ref(), Ok(content));
}
