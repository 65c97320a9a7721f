//! Mode `access_key`: a user with a policy, and its key in a Secret.

use gitlabspot_clients::aws::AwsError;

use super::access_key::{self, Created, Failure, Listed};
use super::error::{During, Fault, Occupant, Remains, Result, Step, either_key, previous_key};
use super::flatten::SECRET_CHANGED;
use super::journal::Key;
use super::manifests::secret::{KeyPair, Seen};
use super::model::Desired;
use super::principal::{CreateFailure, Principal};
use super::recorder::Recorder;
use super::{Session, import, inline_policy};
use crate::objects::namespace::{self, Namespace};
use crate::policy_document;
use crate::propagation::{PROPAGATION, accepted};
use crate::steps::Fault as _;

impl Session<'_> {
    /// Creates namespace, user, policy, key and Secret. The cluster is connected first, because a key without a Secret
    /// is not usable.
    pub(super) async fn grant_key(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        let cluster = self.cluster(desired, Remains::Nothing).await?;
        self.check_secret(desired, &cluster).await?;
        if self.ensure_namespace(desired, &cluster, Remains::Nothing).await? {
            recorder.record();
        }
        let user = &desired.settings.name;
        let is_continued = self.grant_principal(recorder, desired).await?;
        let mut listed = self.keys(user).await?;
        if recorder.grant.key.is_some() {
            return self.reclaim_key(recorder, desired, listed).await;
        }
        if is_continued {
            // The secrets of these keys were lost with the interrupted create.
            for key in listed.drain(..) {
                self.delete_key(user, &key.id, Remains::Recorded).await?;
            }
        }
        self.new_key(recorder, desired, &listed).await
    }

    /// Creates the principal with its policy. Returns whether it existed already, from an interrupted create or an
    /// earlier grant.
    pub(super) async fn grant_principal(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<bool> {
        let (principal, name) = (desired.method.principal(), &desired.settings.name);
        let step = Step::CreatePrincipal(principal.id(name));
        recorder.grant.tags = desired.settings.tags.clone();
        let created = match principal.create(self.iam, &desired.settings).await {
            Ok(created) => created,
            Err(CreateFailure::Exists) => {
                let (name, id) = (name.clone(), desired.import_id());
                return Err(Fault::Exists { principal, name, id }.leaving(Remains::Nothing));
            }
            Err(CreateFailure::Refused(source)) => return Err(source).during(step, Remains::Nothing),
            Err(CreateFailure::Unclear(source)) => {
                // The principal may exist, so that a later destroy must find it in the state.
                recorder.record();
                return Err(source).during(step, Remains::Recorded);
            }
        };
        recorder.update(|grant| grant.arn = Some(created.arn));
        let attached = recorder.state.policy_json.as_str().and_then(policy_document::parse);
        if attached.as_ref() != Some(&desired.policy) {
            self.put_policy(desired).await?;
            recorder.state.policy_json = policy_document::text(&desired.policy).into();
            recorder.record();
        }
        Ok(created.is_continued)
    }

    pub(super) async fn put_policy(&self, desired: &Desired) -> Result<()> {
        let (principal, name) = (desired.method.principal(), &desired.settings.name);
        let put = inline_policy::put(self.iam, principal, (name, &desired.policy)).await;
        put.during(Step::AttachPolicy(principal.id(name)), Remains::Recorded)
    }

    /// Lists the keys of a user, who exists but may still be propagating.
    pub(super) async fn keys(&self, user: &str) -> Result<Vec<Listed>> {
        let list = || access_key::list(&self.iam, user);
        let listed = accepted(self.context, PROPAGATION, AwsError::is_not_found, list).await;
        listed.during(Step::ListKeys(user.to_owned()), Remains::Recorded)
    }

    pub(super) async fn delete_key(&self, user: &str, id: &str, remains: Remains) -> Result<()> {
        let deleted = access_key::delete(self.iam, user, id).await;
        deleted.during(Step::DeleteKey(id.to_owned()), remains)
    }

    /// Keeps the key that is still in the Secret, or replaces it.
    async fn reclaim_key(&self, recorder: &mut Recorder<'_>, desired: &Desired, listed: Vec<Listed>) -> Result<()> {
        self.retire(recorder).await?;
        let trigger = desired.rotation_trigger.known();
        let known = recorder.grant.key.clone().filter(|key| key.rotation_trigger.as_ref() == trigger);
        let known = known.filter(|key| listed.iter().any(|listed| listed.is_active && listed.id == key.id));
        if let Some(key) = known
            && self.write_again(recorder, desired, &key).await?
        {
            recorder.record();
            return Ok(());
        }
        recorder.journal.findings.rotation = Some(SECRET_CHANGED.to_owned());
        self.new_key(recorder, desired, &listed).await?;
        recorder.grant.retire_outgoing();
        self.retire(recorder).await
    }

    /// Writes labels and annotations together with the key in the Secret, because server-side apply removes managed
    /// fields that a request omits. Returns false if the key in the Secret is not `key`.
    async fn write_again(&self, recorder: &mut Recorder<'_>, desired: &Desired, key: &Key) -> Result<bool> {
        let cluster = self.cluster(desired, Remains::Recorded).await?;
        let read = desired.place.read(&cluster).await.during(Step::ReadSecret, Remains::Recorded)?;
        let Some(pair) = read.and_then(|observed| observed.pair).filter(|pair| key.id == pair.id && key.is(pair))
        else {
            return Ok(false);
        };
        let written = desired.place.apply(&cluster, &pair, &seen(recorder)).await;
        written.map_err(|failure| failure.error).during(Step::WriteSecret, Remains::Recorded)?;
        recorder.grant.is_adopted = false;
        Ok(true)
    }

    /// Updates labels and annotations of the Secret.
    pub(super) async fn relabel(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        if let Some(key) = recorder.grant.key.clone()
            && self.write_again(recorder, desired, &key).await?
        {
            return Ok(());
        }
        let (namespace, name) = (desired.place.namespace.clone(), desired.place.name.clone());
        Err(Fault::SecretChanged { namespace, name }.into())
    }

    /// Returns an error if others created the Secret, or if it contains the key of another user that exists.
    async fn check_secret(&self, desired: &Desired, cluster: &kube::Client) -> Result<()> {
        let place = &desired.place;
        let observed = place.read(cluster).await.during(Step::FindSecret, Remains::Nothing)?;
        let Some(observed) = observed else { return Ok(()) };
        let user = observed.user().map(str::to_owned);
        let is_managed = match &user {
            Some(user) if observed.is_ours => {
                user == &place.user || matches!(Principal::User.read(&self.iam, user).await, Ok(None))
            }
            _ => false,
        };
        if is_managed {
            return Ok(());
        }
        let (namespace, name) = (place.namespace.clone(), place.name.clone());
        let cluster = desired.cluster_name.as_deref();
        let id = |user: &str| import::id(cluster, (&place.namespace, &place.name), (Principal::User, user));
        let user = user.map(|user| Occupant { id: id(&user), user });
        Err(Fault::SecretExists { namespace, name, user }.leaving(Remains::Nothing))
    }

    /// Creates the namespace if it does not exist and `create_namespace` is set. Returns whether it was created.
    pub(super) async fn ensure_namespace(
        &self,
        desired: &Desired,
        cluster: &kube::Client,
        remains: Remains,
    ) -> Result<bool> {
        let namespace = self.namespace(cluster, desired);
        match namespace.ensure(self.context, desired.create_namespace, self.limit).await {
            Ok(created) => Ok(created),
            Err(namespace::Failure::Missing) => Err(Fault::NoNamespace(namespace.name.to_owned()).leaving(remains)),
            Err(namespace::Failure::Call(source)) => Err(source).during(Step::CreateNamespace, remains),
            Err(namespace::Failure::Wait(source)) => Err(source).during(Step::AwaitNamespace, remains),
        }
    }

    pub(super) fn namespace<'b>(&self, client: &'b kube::Client, desired: &'b Desired) -> Namespace<'b> {
        let owner = format!("runner-credentials/{}", desired.place.name);
        Namespace { client, name: &desired.place.namespace, owner }
    }

    /// Creates a key, verifies it, and writes it to the Secret. If that fails, the key is deleted, because a key that
    /// is not in the Secret is only a risk. `listed` are the keys that the user had before.
    pub(super) async fn new_key(
        &self,
        recorder: &mut Recorder<'_>,
        desired: &Desired,
        listed: &[Listed],
    ) -> Result<()> {
        let cluster = self.cluster(desired, Remains::Recorded).await?;
        let user = &desired.settings.name;
        let created = match access_key::create(self.iam, user, listed).await {
            Ok(created) => created,
            Err(Failure::TooMany(keys)) => {
                return Err(Fault::TooManyKeys { user: user.clone(), keys }.leaving(Remains::Recorded));
            }
            Err(Failure::Empty) => return Err(Fault::EmptyKey(user.clone()).leaving(Remains::Recorded)),
            Err(Failure::Call(source)) => {
                return Err(source).during(Step::CreateKey(user.clone()), Remains::Recorded);
            }
        };
        let Created { pair, created_at } = created;
        let key = Key::of(&pair, Some(created_at), &desired.rotation_trigger);
        // AWS does not accept a new key everywhere at once, and pods use it as soon as it is in the Secret.
        if let Err(source) = access_key::prove(self.context, self.sts, &pair).await {
            let remains = self.discard_key(recorder, user, &pair).await;
            return Err(source).during(Step::AwaitKey, remains);
        }
        match desired.place.apply(&cluster, &pair, &seen(recorder)).await {
            Ok(()) => {
                recorder.use_key(key, listed);
                Ok(())
            }
            // Both keys are kept, because either may be in the Secret. Without a previous key no pod uses the Secret,
            // so that the new one is deleted below.
            Err(failure) if failure.is_unclear && recorder.grant.key.is_some() => {
                recorder.update(|grant| grant.unclear = Some(key));
                Err(failure.error).during(Step::WriteSecret, either_key(&pair.id))
            }
            Err(failure) => {
                let remains = self.discard_key(recorder, user, &pair).await;
                Err(failure.error).during(Step::WriteSecret, remains)
            }
        }
    }

    /// Deletes a new key that is not in the Secret. Returns what remains.
    async fn discard_key(&self, recorder: &mut Recorder<'_>, user: &str, pair: &KeyPair) -> Remains {
        let remains = if recorder.grant.key.is_none() { Remains::Recorded } else { previous_key() };
        let id = &pair.id;
        remains.also(match access_key::delete(self.iam, user, id).await {
            Ok(()) => format!("The new access key {id} was deleted."),
            Err(error) => {
                recorder.update(|grant| grant.retiring.push(id.clone()));
                format!("The new access key {id} could not be deleted ({error}). The next apply or destroy deletes it.")
            }
        })
    }
}

/// Returns the content of the Secret that the plan has shown, from the state, which still contains what the read
/// observed.
fn seen(recorder: &Recorder<'_>) -> Seen {
    let observed = Desired::of(&recorder.state, recorder.grant.method.clone()).place;
    Seen {
        labels: observed.labels,
        annotations: observed.annotations,
        data_changed: recorder.journal.findings.rotation.as_deref() == Some(SECRET_CHANGED),
        is_adopted: recorder.grant.is_adopted,
    }
}
