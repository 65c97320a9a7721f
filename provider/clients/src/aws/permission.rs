//! Calls that AWS denies, and the missing permission.

use super::error::{AwsError, Fault};

impl AwsError {
    /// Whether AWS authenticated the caller and denied the call.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        match self.fault() {
            Fault::Answer { code, status, .. } => {
                // In this order: S3, IAM, STS and Auto Scaling; EKS; EC2.
                ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"].contains(&code.as_str())
                    // A HEAD request has no body to carry a code.
                    || code.is_empty() && *status == 403
            }
            _ => false,
        }
    }

    /// The permission that a denied call requires: the IAM action, and the resource if the message contains it.
    #[must_use]
    pub fn missing_permission(&self) -> String {
        let message = self.message();
        let after = |label: &str| {
            let (_, rest) = message.split_once(label)?;
            let word = rest.split_whitespace().next()?;
            Some(word.trim_matches(['"', '.', ',']).to_owned())
        };
        // EC2 does not name the action in its message.
        let action = after("not authorized to perform: ").unwrap_or_else(|| self.action().to_owned());
        match after("on resource: ") {
            Some(resource) => format!("{action} on {resource}"),
            None => action,
        }
    }

    /// The IAM action of the operation. For some operations of S3 its name differs from that of the operation.
    fn action(&self) -> &'static str {
        match self.operation() {
            "HeadBucket" | "ListObjectsV2" => "s3:ListBucket",
            "GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
            "GetBucketEncryption" => "s3:GetEncryptionConfiguration",
            "GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
            "GetBucketOwnershipControls" => "s3:GetBucketOwnershipControls",
            "GetBucketPolicy" => "s3:GetBucketPolicy",
            "GetBucketTagging" => "s3:GetBucketTagging",
            "GetBucketVersioning" => "s3:GetBucketVersioning",
            other => other,
        }
    }
}
