//! Which kind of token is in a Secret that someone else makes.

use serde_json::Value as Json;

use super::error::Error;
use super::schema::RunnerRelease;
use super::spec::TokenKind;
use super::{Scene, live};
use crate::clients::kubernetes::{self, KubernetesError};
use crate::framework::{Context, PrivateState};
use crate::provider::Data;

/// In private state: what was found when the release was applied.
const KIND: &str = "token_kind";

/// What a plan knows of the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// There is none, or its kind.
    Known(Option<TokenKind>),
    /// It is not there yet, or cannot be looked at: an apply will tell.
    Later,
}

/// Looks for the plan.
pub(super) async fn look(context: &Context<Data>, planned: &RunnerRelease, private: &PrivateState) -> Existing {
    if planned.token_secret_name.known().is_none() {
        return Existing::Known(None);
    }
    let remembered = remembered(private);
    let found = match Scene::set(context, planned, &mut private.clone()).await {
        Ok(scene) => scene.find(planned).await.ok().flatten(),
        Err(_) => None,
    };
    match found.or(remembered) {
        Some(kind) => Existing::Known(Some(kind)),
        None => Existing::Later,
    }
}

impl Scene<'_> {
    /// Looks for an apply, and remembers it. A Secret that is not there yet will hold an authentication token.
    pub(super) async fn existing(
        &self,
        planned: &RunnerRelease,
        private: &mut PrivateState,
    ) -> Result<Option<TokenKind>, Error> {
        if planned.token_secret_name.known().is_none() {
            private.remove(KIND);
            return Ok(None);
        }
        let kind = match self.find(planned).await {
            Ok(found) => found.or_else(|| remembered(private)).unwrap_or(TokenKind::Authentication),
            Err(KubernetesError::Forbidden { .. }) => remembered(private).unwrap_or(TokenKind::Authentication),
            Err(source) => return Err(Error::Before { source }),
        };
        private.set(KIND, &matches!(kind, TokenKind::Registration));
        Ok(Some(kind))
    }

    async fn find(&self, planned: &RunnerRelease) -> Result<Option<TokenKind>, KubernetesError> {
        let name = planned.token_secret_name.as_str().unwrap_or_default();
        let place = live::secret(planned.namespace.as_str().unwrap_or_default(), name);
        Ok(kubernetes::get(&self.client, &place).await?.as_ref().and_then(kind))
    }
}

fn remembered(private: &PrivateState) -> Option<TokenKind> {
    private.get(KIND).map(|registers| if registers { TokenKind::Registration } else { TokenKind::Authentication })
}

/// A Secret with both keys has the newer kind of token, unless that key is empty.
fn kind(secret: &Json) -> Option<TokenKind> {
    let has = |key: &str| secret["data"][key].as_str().is_some_and(|value| !value.is_empty());
    match (has("runner-token"), has("runner-registration-token")) {
        (true, _) => Some(TokenKind::Authentication),
        (false, true) => Some(TokenKind::Registration),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_tell() {
        let of = |data: Json| kind(&json!({ "data": data }));
        assert_eq!(of(json!({ "runner-token": "eA==" })), Some(TokenKind::Authentication));
        assert_eq!(
            of(json!({ "runner-token": "", "runner-registration-token": "eA==" })),
            Some(TokenKind::Registration)
        );
        assert_eq!(of(json!({ "token": "eA==" })), None);
    }
}
