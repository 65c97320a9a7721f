//! STS, which accepts the access keys of the users.

use super::iam::Iam;
use super::request::{Answer, Request, refused};

impl Iam {
    pub(super) fn sts(&self, request: &Request) -> Answer {
        assert_eq!(request.action, "GetCallerIdentity");
        let key = &request.access_key;
        // The access keys in AWS's documentation are those of the provider.
        if key.ends_with("EXAMPLE") || self.principals.values().any(|user| user.keys.get(key) == Some(&true)) {
            return Ok("<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId>".to_owned());
        }
        refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }
}
