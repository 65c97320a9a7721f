//! Ways beside the one of the state: kept as long as pods use them, and revoked then.

use gitlabspot_clients::ClientError;
use gitlabspot_clients::kubernetes;
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;
use tfplugin::framework::wait::WaitError;

use super::access_method::AccessMethod;
use super::error::Error;
use super::key_grant::{IN_STATE, aws};
use super::memory::{Beside, Book, Memory, Outgoing};
use super::model::Desired;
use super::principal::Principal;
use super::schema::RunnerCredentials;
use super::switch::SWITCHING;
use super::{Session, access_key, bare, inline_policy, trust};
use crate::policy_document::text;
use crate::tags::{Tags, UNFINISHED};

/// Which of the ways beside may be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// All that no pod uses.
    All,
    /// Those of which the plan has said so.
    Idle,
}

/// The pods of the namespace.
enum Pods {
    Seen(Vec<Json>),
    /// The cluster's settings are not known yet.
    NotYet,
    /// Why they cannot be seen.
    Hidden(String),
}

impl Session<'_> {
    /// Revokes what no pod uses. What stays is told.
    pub(super) async fn settle(
        &self,
        which: Candidates,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let is_candidate = |beside: &Beside| which == Candidates::All || beside.is_idle;
        if let Some(key) = memory.outgoing.clone().filter(|key| key.is_idle) {
            if let Some(why) = self.why_outgoing_stays(&key, state).await {
                memory.outgoing = Some(Outgoing { is_idle: false, ..key.clone() });
                book.write(state, memory);
                return Err(Error::UsedAgain { kept: vec![format!("{}: {why}.", key.shown(state))] });
            }
            memory.retire_outgoing();
            self.retire(&Desired::of(state), state, memory, book).await?;
            state.superseded = memory.superseded(state);
            book.write(state, memory);
        }
        if !memory.beside.iter().any(is_candidate) {
            return Ok(Vec::new());
        }
        let pods = self.pods(state).await;
        let (mut warnings, mut kept) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(beside) = memory.beside.get_mut(at) {
            if !is_candidate(beside) {
                at += 1;
                continue;
            }
            match obstacle(&beside.way.users(state, pods.seen()), state, &pods) {
                None => warnings.extend(Box::pin(self.revoke(at, state, memory, book)).await?),
                Some(obstacle) => {
                    beside.is_idle = false;
                    kept.push(format!("{}: {obstacle}.", beside.way.shown(state)));
                    at += 1;
                }
            }
        }
        if kept.is_empty() {
            return Ok(warnings);
        }
        book.write(state, memory);
        if which == Candidates::Idle {
            return Err(Error::UsedAgain { kept });
        }
        let text = format!("{} As soon as no pod uses it, a plan shows its revocation.", kept.join(" "));
        warnings.push(Diagnostic::warning("Old credentials kept", text));
        Ok(warnings)
    }

    /// Why the key of before a rotation is not to be deleted.
    pub(super) async fn why_outgoing_stays(&self, key: &Outgoing, state: &RunnerCredentials) -> Option<String> {
        let pods = self.pods(state).await;
        obstacle(&key.users(state, pods.seen()), state, &pods)
    }

    /// For a read: which ways are there beside the one of the state, by what is remembered and by the tags of user or
    /// role, and which of them no pod uses.
    pub(super) async fn refresh_superseded(
        &self,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        tags: &Tags,
    ) -> Option<Diagnostic> {
        note_switch(state, memory, tags);
        state.superseded = memory.superseded(state);
        if memory.beside.is_empty() && memory.outgoing.is_none() {
            return None;
        }
        let pods = self.pods(state).await;
        let mut kept = Vec::new();
        if let Some(key) = &mut memory.outgoing {
            let why = obstacle(&key.users(state, pods.seen()), state, &pods);
            key.is_idle = why.is_none();
            kept.extend(why.map(|why| format!("{}: {why}.", key.shown(state))));
        }
        for beside in &mut memory.beside {
            beside.is_idle = obstacle(&beside.way.users(state, pods.seen()), state, &pods).is_none();
        }
        let Pods::Hidden(_) = pods else { return None };
        kept.extend(memory.beside.iter().filter_map(|beside| {
            let why = obstacle(&beside.way.users(state, pods.seen()), state, &pods)?;
            Some(format!("{}: {why}.", beside.way.shown(state)))
        }));
        Some(Diagnostic::warning("Old credentials kept", kept.join(" ")))
    }

    /// For a delete: revokes all of them, whoever uses them.
    pub(super) async fn revoke_all_beside(
        &self,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let mut warnings = Vec::new();
        let (way, name) = (AccessMethod::of(state), state.name.as_str().unwrap_or_default().to_owned());
        // A run that was killed may have begun one, of which only this tells.
        let found = way.principal().read(self.iam, &name).await;
        let doing = format!("Reading the IAM {} {name}", way.principal().label());
        if let Some(found) = found.map_err(|error| aws(doing, WaitError::Failed(error), IN_STATE))? {
            note_switch(state, memory, &found.tags);
        }
        while !memory.beside.is_empty() {
            warnings.extend(Box::pin(self.revoke(0, state, memory, book)).await?);
        }
        Ok(warnings)
    }

    /// Revokes one.
    async fn revoke(
        &self,
        at: usize,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let Some(beside) = memory.beside.get(at).cloned() else { return Ok(Vec::new()) };
        let desired = beside.way.desired(state);
        let warnings = match beside.way.principal() {
            Principal::User => Box::pin(self.revoke_user(at, &beside, &desired, state, memory, book)).await?,
            Principal::Role => {
                Box::pin(self.revoke_role_binding(&beside, &desired, state, memory)).await?;
                Vec::new()
            }
        };
        memory.beside.remove(at);
        state.superseded = memory.superseded(state);
        book.write(state, memory);
        Ok(warnings)
    }

    async fn revoke_user(
        &self,
        at: usize,
        beside: &Beside,
        desired: &Desired,
        state: &RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let user = &desired.settings.name;
        if !self.is_ours(beside, user).await? {
            return Ok(Vec::new());
        }
        let mut left = bare(&beside.way.model(state));
        let mut remembered = Memory::default();
        beside.tell(&mut left, &mut remembered);
        if beside.arn.is_none() {
            // Begun by a run that was killed; nobody knows the secrets of its keys.
            let keys = access_key::list(self.iam, user).await;
            let doing = || format!("Listing the access keys of {user}");
            let keys = keys.map_err(|error| aws(doing(), WaitError::Failed(error), IN_STATE))?;
            remembered.retiring = keys.into_iter().map(|key| key.id).collect();
        }
        let mut noted = Noted { book, state, memory, at };
        Box::pin(self.revoke_key(desired, &mut left, &mut remembered, &mut noted)).await
    }

    /// What leads to the role, and the role itself when nothing else does.
    async fn revoke_role_binding(
        &self,
        beside: &Beside,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &Memory,
    ) -> Result<(), Error> {
        let name = &desired.settings.name;
        let current = AccessMethod::of(state);
        let others = memory.beside.iter().map(|other| &other.way).filter(|way| *way != &beside.way);
        let rest: Vec<AccessMethod> =
            std::iter::once(&current).chain(others).filter(|way| way.principal() == Principal::Role).cloned().collect();
        if rest.is_empty() && !self.is_ours(beside, name).await? {
            return Ok(());
        }
        let mut left = beside.way.model(state);
        if left.role_arn.is_null() {
            left.role_arn = self.role_arn(beside, name).await?.into();
        }
        self.unbind_service_account(desired, &left).await?;
        if rest.is_empty() {
            return Box::pin(self.revoke_principal(Principal::Role, name, &[])).await;
        }
        // A destroy, after which nobody needs the role.
        if self.is_ending {
            return Ok(());
        }
        let trust = self.trust_of(state, &rest, IN_STATE).await?;
        self.set_trust(desired, &trust).await?;
        if current.principal() == Principal::Role {
            state.trust_policy_json = text(&trust).into();
        }
        Ok(())
    }

    async fn role_arn(&self, beside: &Beside, name: &str) -> Result<Option<String>, Error> {
        if beside.arn.is_some() {
            return Ok(beside.arn.clone());
        }
        let found = Principal::Role.read(self.iam, name).await;
        let doing = format!("Reading the IAM role {name}");
        Ok(found.map_err(|error| aws(doing, WaitError::Failed(error), IN_STATE))?.map(|found| found.arn))
    }

    /// Whether user or role of a way is there and ours: known for certain, or with the marks that a switch leaves.
    pub(super) async fn is_ours(&self, beside: &Beside, name: &str) -> Result<bool, Error> {
        if beside.arn.is_some() {
            return Ok(true);
        }
        let principal = beside.way.principal();
        let failed =
            |error| aws(format!("Reading the IAM {} {name}", principal.label()), WaitError::Failed(error), IN_STATE);
        let Some(found) = principal.read(self.iam, name).await.map_err(failed)? else { return Ok(false) };
        if found.tags.contains_key(UNFINISHED) {
            return Ok(true);
        }
        Ok(inline_policy::read(self.iam, principal, name).await.map_err(failed)?.is_some())
    }

    async fn pods(&self, state: &RunnerCredentials) -> Pods {
        let client = match self.home.connect(self.clients, state.cluster_name.as_str()).await {
            Ok(client) => client,
            Err(ClientError::ClusterGone { .. }) => return Pods::Seen(Vec::new()),
            Err(ClientError::NotYetKnown { .. }) => return Pods::NotYet,
            Err(error) => return Pods::Hidden(error.to_string()),
        };
        match kubernetes::list(&client, "v1", "Pod", state.namespace.as_str(), "").await {
            Ok(pods) => Pods::Seen(pods),
            Err(error) => Pods::Hidden(error.to_string()),
        }
    }

    /// Who may use the role: every service account that one of the ways leads to it.
    pub(super) async fn trust_of(
        &self,
        state: &RunnerCredentials,
        ways: &[AccessMethod],
        left: &str,
    ) -> Result<Json, Error> {
        let mut documents = Vec::new();
        for way in ways {
            documents.push(self.trust(&way.desired(state), left).await?);
        }
        Ok(trust::all(&documents))
    }
}

impl Pods {
    fn seen(&self) -> &[Json] {
        match self {
            Self::Seen(pods) => pods,
            Self::NotYet | Self::Hidden(_) => &[],
        }
    }
}

/// Why credentials cannot be revoked that these pods use.
fn obstacle(users: &[String], state: &RunnerCredentials, pods: &Pods) -> Option<String> {
    match pods {
        Pods::Seen(_) => {
            (!users.is_empty()).then(|| format!("used by {} of the namespace ({})", number(users.len()), some(users)))
        }
        Pods::NotYet => Some("the cluster's settings are not known yet".to_owned()),
        Pods::Hidden(reason) => Some(format!(
            "whether pods use it cannot be seen ({reason}), so it stays; let the provider list the pods of the namespace {}",
            state.namespace.as_str().unwrap_or_default()
        )),
    }
}

fn number(count: usize) -> String {
    if count == 1 { "one pod".to_owned() } else { format!("{count} pods") }
}

/// The first few names.
fn some(names: &[String]) -> String {
    const FEW: usize = 5;
    let more = if names.len() > FEW { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", "))
}

/// Remembers a way that an interrupted switch has begun.
fn note_switch(state: &RunnerCredentials, memory: &mut Memory, tags: &Tags) {
    memory.is_marked = tags.contains_key(SWITCHING);
    let Some(begun) = tags.get(SWITCHING).and_then(|mark| AccessMethod::from_mark(mark)) else { return };
    if begun != AccessMethod::of(state) && !memory.beside.iter().any(|beside| beside.way == begun) {
        let mut begun = Beside::begun(begun);
        if begun.way.principal() == AccessMethod::of(state).principal() {
            begun.arn = state.role_arn.known().cloned();
        }
        memory.beside.push(begun);
    }
}

/// Writes down what is left of a way beside while it is revoked.
struct Noted<'a> {
    book: &'a mut dyn Book,
    state: &'a RunnerCredentials,
    memory: &'a mut Memory,
    at: usize,
}

impl Book for Noted<'_> {
    fn write(&mut self, left: &RunnerCredentials, remembered: &Memory) {
        if let Some(beside) = self.memory.beside.get_mut(self.at) {
            beside.note(left, remembered);
        }
        self.book.write(self.state, self.memory);
    }
}
