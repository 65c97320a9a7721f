//! Superseded grants: they are kept while pods use them, then revoked.

use gitlabspot_clients::{ClientError, kubernetes};
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;

use super::access_method::AccessMethod;
use super::error::{During, Fault, IamObject, Remains, Result, Step};
use super::journal::{Grant, Journal, OutgoingKey};
use super::model::Desired;
use super::principal::Principal;
use super::recorder::Recorder;
use super::schema::RunnerCredentials;
use super::switch::SWITCHING;
use super::{Session, access_key, inline_policy, trust};
use crate::policy_document::text;
use crate::tags::{Tags, UNFINISHED};

/// The superseded grants that may be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// All grants that no pod uses.
    All,
    /// Only the grants of which the plan has shown the revocation.
    Idle,
}

/// The pods of the namespace.
enum Pods {
    Visible(Vec<Json>),
    /// The settings of the cluster are not known yet.
    NotYet,
    /// The pods cannot be listed, for this reason.
    Hidden(String),
}

impl Session<'_> {
    /// Revokes the superseded grants and keys that no pod uses. The others are kept, with a warning, or with an error
    /// if the plan has shown their revocation.
    pub(super) async fn revoke_unused(&self, recorder: &mut Recorder<'_>, which: Candidates) -> Result<()> {
        if let Some(key) = recorder.grant.outgoing.clone().filter(|key| key.is_idle) {
            self.revoke_outgoing(recorder, key).await?;
        }
        let is_candidate = |grant: &&Grant| which == Candidates::All || grant.is_idle;
        let candidates: Vec<Grant> = recorder.journal.others().filter(is_candidate).cloned().collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let pods = self.pods(&recorder.state).await;
        let mut kept = Vec::new();
        for grant in candidates {
            match pods.obstacle(&recorder.state, |pods| grant.method.users(&recorder.state, pods)) {
                None => self.revoke(recorder, grant).await?,
                Some(obstacle) => {
                    kept.push(format!("{}: {obstacle}.", grant.method.describe(&recorder.state)));
                    recorder.journal.put(Grant { is_idle: false, ..grant });
                }
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        recorder.record();
        if which == Candidates::Idle {
            return Err(Fault::UsedAgain(kept).into());
        }
        let text = format!("{} The first apply after the pods have ended revokes them.", kept.join(" "));
        recorder.warn(Diagnostic::warning("Old credentials kept", text));
        Ok(())
    }

    async fn revoke_outgoing(&self, recorder: &mut Recorder<'_>, key: OutgoingKey) -> Result<()> {
        if let Some(why) = self.why_kept(&key, &recorder.state).await {
            let kept = format!("{}: {why}.", key.describe(&recorder.state));
            recorder.update(|grant| grant.outgoing = Some(OutgoingKey { is_idle: false, ..key }));
            return Err(Fault::UsedAgain(vec![kept]).into());
        }
        recorder.grant.retire_outgoing();
        self.retire(recorder).await?;
        recorder.record();
        Ok(())
    }

    /// Returns why the key before a rotation must be kept; `None` if it can be deleted.
    pub(super) async fn why_kept(&self, key: &OutgoingKey, state: &RunnerCredentials) -> Option<String> {
        self.pods(state).await.obstacle(state, |pods| key.users(state, pods))
    }

    /// For a read: updates the superseded grants from the journal and the tags of the principal, and determines which
    /// of them no pod uses.
    pub(super) async fn refresh_superseded(
        &self,
        state: &RunnerCredentials,
        journal: &mut Journal,
        tags: &Tags,
    ) -> Option<Diagnostic> {
        note_switch(journal, tags);
        let mut current = journal.current();
        if journal.others().next().is_none() && current.outgoing.is_none() {
            return None;
        }
        let pods = self.pods(state).await;
        let mut kept = Vec::new();
        if let Some(key) = &mut current.outgoing {
            let why = pods.obstacle(state, |pods| key.users(state, pods));
            key.is_idle = why.is_none();
            kept.extend(why.map(|why| format!("{}: {why}.", key.describe(state))));
        }
        for grant in journal.grants.iter_mut().filter(|grant| grant.method != current.method) {
            let why = pods.obstacle(state, |pods| grant.method.users(state, pods));
            grant.is_idle = why.is_none();
            kept.extend(why.map(|why| format!("{}: {why}.", grant.method.describe(state))));
        }
        journal.put(current);
        matches!(pods, Pods::Hidden(_)).then(|| Diagnostic::warning("Old credentials kept", kept.join(" ")))
    }

    /// For a delete: revokes all superseded grants, even if pods use them.
    pub(super) async fn revoke_superseded(&self, recorder: &mut Recorder<'_>) -> Result<()> {
        let (principal, name) = (recorder.grant.method.principal(), recorder.name());
        // A killed run may have begun a grant that only the tag of the principal identifies.
        let observed = principal.read(&self.iam, &name).await;
        let observed = observed.during(Step::Read(IamObject::Principal(principal.id(&name))), Remains::Recorded)?;
        if let Some(observed) = observed {
            note_switch(&mut recorder.journal, &observed.tags);
        }
        for grant in recorder.journal.others().cloned().collect::<Vec<_>>() {
            self.revoke(recorder, grant).await?;
        }
        Ok(())
    }

    async fn revoke(&self, recorder: &mut Recorder<'_>, grant: Grant) -> Result<()> {
        let desired = Desired::of(&recorder.state, grant.method.clone());
        let principal = grant.method.principal();
        recorder.select(grant);
        match principal {
            Principal::User => self.revoke_user(recorder, &desired).await?,
            Principal::Role => self.revoke_role_binding(recorder, &desired).await?,
        }
        recorder.forget();
        Ok(())
    }

    async fn revoke_user(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        let user = &desired.settings.name;
        if !self.is_managed(&recorder.grant, user).await? {
            return Ok(());
        }
        if recorder.grant.arn.is_none() {
            // A killed run created this user. The secrets of its keys are lost, so that all keys are deleted.
            let keys = access_key::list(&self.iam, user).await;
            let keys = keys.during(Step::ListKeys(user.clone()), Remains::Recorded)?;
            recorder.grant.retiring = keys.into_iter().map(|key| key.id).collect();
        }
        self.revoke_key(recorder, desired).await
    }

    /// Deletes the binding of the service account to the role, and the role itself if no other grant uses it.
    async fn revoke_role_binding(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        let name = &desired.settings.name;
        let rest = recorder.journal.role_methods(Some(&desired.method));
        if rest.is_empty() && !self.is_managed(&recorder.grant, name).await? {
            return Ok(());
        }
        if recorder.grant.arn.is_none() {
            let observed = Principal::Role.read(&self.iam, name).await;
            let observed =
                observed.during(Step::Read(IamObject::Principal(Principal::Role.id(name))), Remains::Recorded)?;
            recorder.grant.arn = observed.map(|observed| observed.arn);
        }
        self.unbind_service_account(&recorder.grant, desired).await?;
        if rest.is_empty() {
            return self.revoke_principal(Principal::Role, name, &[]).await;
        }
        // A destroy deletes the role afterwards, so that its trust policy is not changed.
        if self.is_destroy {
            return Ok(());
        }
        let trust = self.trust_of(&recorder.state, &rest, Remains::Recorded).await?;
        self.set_trust(desired, &trust).await?;
        if recorder.journal.current.principal() == Principal::Role {
            recorder.state.trust_policy_json = text(&trust).into();
        }
        Ok(())
    }

    /// Whether the principal of a grant exists and this resource manages it. This is recorded, or determined from the
    /// tag or the inline policy of an interrupted operation.
    pub(super) async fn is_managed(&self, grant: &Grant, name: &str) -> Result<bool> {
        if grant.arn.is_some() {
            return Ok(true);
        }
        let principal = grant.method.principal();
        let step = || Step::Read(IamObject::Principal(principal.id(name)));
        match principal.read(&self.iam, name).await.during(step(), Remains::Recorded)? {
            None => Ok(false),
            Some(observed) if observed.tags.contains_key(UNFINISHED) => Ok(true),
            Some(_) => {
                let policy = inline_policy::read(&self.iam, principal, name).await;
                Ok(policy.during(step(), Remains::Recorded)?.is_some())
            }
        }
    }

    async fn pods(&self, state: &RunnerCredentials) -> Pods {
        let client = match self.home.connect(self.clients, state.cluster_name.as_str()).await {
            Ok(client) => client,
            // A deleted cluster has no pods.
            Err(ClientError::ClusterGone { .. }) => return Pods::Visible(Vec::new()),
            Err(ClientError::NotYetKnown { .. }) => return Pods::NotYet,
            Err(error) => return Pods::Hidden(error.to_string()),
        };
        match kubernetes::list(&client, "v1", "Pod", state.namespace.as_str(), "").await {
            Ok(pods) => Pods::Visible(pods),
            Err(error) => Pods::Hidden(error.to_string()),
        }
    }

    /// Returns the trust policy of a role with grants of these methods.
    pub(super) async fn trust_of(
        &self,
        state: &RunnerCredentials,
        methods: &[AccessMethod],
        remains: Remains,
    ) -> Result<Json> {
        let mut documents = Vec::new();
        for method in methods {
            documents.push(self.trust(&Desired::of(state, method.clone()), remains.clone()).await?);
        }
        Ok(trust::all(&documents))
    }
}

impl Pods {
    /// Returns why credentials cannot be revoked. `users` selects the names of the pods that use them.
    fn obstacle(&self, state: &RunnerCredentials, users: impl FnOnce(&[Json]) -> Vec<String>) -> Option<String> {
        match self {
            Self::Visible(pods) => {
                let users = users(pods);
                let count = if users.len() == 1 { "one pod".to_owned() } else { format!("{} pods", users.len()) };
                (!users.is_empty()).then(|| format!("used by {count} of the namespace ({})", some(&users)))
            }
            Self::NotYet => Some("the settings of the cluster are not known yet".to_owned()),
            Self::Hidden(reason) => Some(format!(
                "it could not be determined whether pods use it ({reason}). It is kept. Allow the provider to list the \
                 pods of the namespace {}",
                state.namespace.as_str().unwrap_or_default()
            )),
        }
    }
}

/// Joins the first five names.
fn some(names: &[String]) -> String {
    const FEW: usize = 5;
    let more = if names.len() > FEW { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", "))
}

/// Adds the grant of an interrupted switch, which the tag of the principal identifies.
fn note_switch(journal: &mut Journal, tags: &Tags) {
    journal.findings.is_switching = tags.contains_key(SWITCHING);
    let Some(method) = tags.get(SWITCHING).and_then(|mark| AccessMethod::from_mark(mark)) else { return };
    if method != journal.current && journal.find(&method).is_none() {
        let is_same_principal = method.principal() == journal.current.principal();
        let arn = journal.current().arn.filter(|_| is_same_principal);
        journal.put(Grant { arn, ..Grant::new(method) });
    }
}
