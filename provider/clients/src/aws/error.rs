//! The error type of all AWS calls: the operation, the response, and advice.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::credentials::NotAssumed;
use super::profile::ProfileError;
use super::retry::{OPERATION_ABORTED, THROTTLING, TRANSIENT};
use super::stop::Stopped;

/// A failed AWS call, independent of the SDK's error types.
///
/// Displayed as "CreateNodegroup: ResourceInUseException: … (status 409, request …)", followed by advice if the cause
/// is the region, the credentials or the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    operation: &'static str,
    fault: Fault,
}

/// The kind of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// AWS returned an error.
    Answer { code: String, message: String, status: u16, request_id: Option<String> },
    /// There are no credentials, or they could not be retrieved. Nothing was sent.
    Credentials { found: bool, detail: String },
    /// The profile of the credentials cannot be used. Nothing was sent.
    Profile { detail: String },
    /// The role of the credentials could not be assumed. Nothing was sent.
    NotAssumed { role_arn: String, cause: Box<AwsError> },
    /// The service could not be reached. Nothing was sent.
    Unreachable { detail: String },
    /// The request may have taken effect: the connection failed after the request was sent, or the response was
    /// incomplete.
    AnswerLost { detail: String },
    /// The response reports success, but cannot be parsed.
    Unreadable { detail: String },
    /// The SDK did not send the request.
    NotSent { detail: String },
    /// The run was stopped before a response arrived.
    Stopped { may_be_done: bool },
}

impl AwsError {
    /// Creates the error of `operation`, which is the name in the API, such as `CreateNodegroup`.
    pub fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Self { operation, fault: Fault::of(error) }
    }

    /// For use in `map_err`.
    pub fn of<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        move |error| Self::new(operation, &error)
    }

    /// An error response of AWS, for tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn answered(operation: &'static str, status: u16, code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self { operation, fault: Fault::Answer { code, message, status, request_id: None } }
    }

    /// The API operation, such as `CreateNodegroup`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The kind of the failure.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The error code of the response, such as `ResourceNotFoundException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.fault {
            Fault::Answer { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The message of the response; empty if there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        match &self.fault {
            Fault::Answer { message, .. } => message,
            _ => "",
        }
    }

    /// Whether the response has this code and its message contains `fragment`. Codes such as
    /// `InvalidParameterException` are too ambiguous to be evaluated alone.
    #[must_use]
    pub fn matches(&self, code: &str, fragment: &str) -> bool {
        self.code() == Some(code) && self.message().contains(fragment)
    }

    /// Whether AWS throttles the caller.
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        match &self.fault {
            Fault::Answer { code, status, .. } => *status == 429 || THROTTLING.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.fault {
            Fault::Answer { code, status, .. } => {
                *status >= 500
                    || TRANSIENT.contains(&code.as_str())
                    || self.is_throttling()
                    // S3 also uses this code for conflicts that a retry does not resolve, so the message decides.
                    || self.matches("OperationAborted", OPERATION_ABORTED)
            }
            Fault::AnswerLost { .. } | Fault::Unreachable { .. } => true,
            Fault::Credentials { .. }
            | Fault::Profile { .. }
            | Fault::NotAssumed { .. }
            | Fault::Unreadable { .. }
            | Fault::NotSent { .. }
            | Fault::Stopped { .. } => false,
        }
    }

    /// Whether the requested object does not exist.
    ///
    /// The caller evaluates `ValidationError`, which Auto Scaling returns for this and for other errors.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        const CODES: [&str; 12] = [
            "ResourceNotFoundException",
            "NotFoundException",
            "NotFound",
            "NoSuchEntity",
            "NoSuchBucket",
            "NoSuchKey",
            "NoSuchBucketPolicy",
            "NoSuchLifecycleConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
            "NoSuchTagSet",
            "OwnershipControlsNotFoundError",
            "ServerSideEncryptionConfigurationNotFoundError",
        ];
        match &self.fault {
            Fault::Answer { code, message, status, .. } => {
                CODES.contains(&code.as_str())
                    // EC2 names the kind of the object in the code, for instance `InvalidLaunchTemplateId.NotFound`.
                    || code.starts_with("Invalid") && code.ends_with(".NotFound")
                    // Some operations of EKS answer with this code for a cluster that does not exist.
                    || code == "ClientException" && message.starts_with("No cluster found for name:")
                    // A HEAD request has no body to carry a code.
                    || code.is_empty() && *status == 404
            }
            _ => false,
        }
    }

    /// Whether the request may have taken effect although no response confirms it. The caller reads the object before
    /// it repeats the request.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match &self.fault {
            Fault::AnswerLost { .. } | Fault::Unreadable { .. } => true,
            Fault::Answer { status, .. } => *status >= 500,
            Fault::Stopped { may_be_done } => *may_be_done,
            _ => false,
        }
    }

    /// Advice for the user, if the cause is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        const NO_CREDENTIALS: &str = "Set \"profile\", or \"access_key\" and \"secret_key\", in the provider block, or \
             the environment variables AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        const PROFILE: &str =
            "Select another profile (\"profile\" in the provider block, or AWS_PROFILE), or correct this one";
        const ROLE: &str = "Check the ARN of the role, and whether its trust policy allows these credentials, or this token, \
             to assume it";
        const EXPIRED_TOKEN: &str = "The web identity token has expired: request a new one and run again";
        const FOREIGN_TOKEN: &str = "STS does not accept the web identity token: check its issuer and its audience \
             against the OpenID Connect provider in the account";
        const EXPIRED: &str = "The AWS credentials have expired: renew them (for SSO: \"aws sso login\") and run again";
        const REJECTED: &str = "AWS does not recognize these credentials: check that they are complete, that the key \
             was not deleted, and that the region is enabled for the account";
        const EXPIRED_OR_CLOCK: &str = "The AWS credentials have expired: renew them (for SSO: \"aws sso login\") and \
             run again. If they have not expired, the clock of this machine is wrong: correct it";
        const CERTIFICATE: &str = "The certificate of the server is not signed by a certificate authority that this \
             machine trusts: set \"custom_ca_bundle\" in the provider block, or AWS_CA_BUNDLE, to a file with the \
             certificate authorities of your network";
        const CLOCK: &str = "The clocks of this machine and of AWS differ: correct the clock of this machine and run \
            again";
        const REGION: &str = "Check the region (\"region\" in the provider block, or AWS_REGION), the endpoints and \
             the proxy settings, and whether this machine can reach the network";
        const OTHER_REGION: &str =
            "The bucket, or the name, belongs to another region: set \"region\" to that region, or choose another name";
        const SIGN_IN: &str = "Sign in with \"aws sso login\" for this profile and run again";
        const FOREIGN_ANSWER: &str = "A proxy between this machine and the service may have changed the response: \
             check the endpoints and the proxy settings";
        const FETCH: &str = "Check the profile, role or token that the credentials come from";
        match &self.fault {
            Fault::Answer { code, .. } => match code.as_str() {
                "ExpiredTokenException" if self.operation == "AssumeRoleWithWebIdentity" => Some(EXPIRED_TOKEN),
                "InvalidIdentityToken" => Some(FOREIGN_TOKEN),
                "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Some(EXPIRED),
                // Each service has its own code for a key that it does not accept.
                "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "AuthFailure"
                | "InvalidToken" => Some(REJECTED),
                // EC2 returns this code for expired credentials and for a wrong clock.
                "RequestExpired" => Some(EXPIRED_OR_CLOCK),
                "RequestTimeTooSkewed" | "RequestInTheFuture" => Some(CLOCK),
                "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                    Some(OTHER_REGION)
                }
                _ => None,
            },
            Fault::Credentials { found: false, .. } => Some(NO_CREDENTIALS),
            Fault::Credentials { found: true, detail } if detail.to_ascii_lowercase().contains("expired") => {
                Some(EXPIRED)
            }
            Fault::Credentials { found: true, detail } if detail.contains("SSO") => Some(SIGN_IN),
            Fault::Credentials { found: true, .. } => Some(FETCH),
            Fault::Profile { .. } => Some(PROFILE),
            // The message of the cause already contains its own advice.
            Fault::NotAssumed { cause, .. } => cause.advice().is_none().then_some(ROLE),
            Fault::Unreachable { detail } if detail.contains("invalid peer certificate") => Some(CERTIFICATE),
            Fault::Unreachable { .. } => Some(REGION),
            Fault::Unreadable { .. } => Some(FOREIGN_ANSWER),
            Fault::AnswerLost { .. } | Fault::NotSent { .. } | Fault::Stopped { .. } => None,
        }
    }
}

impl Error for AwsError {}

impl fmt::Display for AwsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.operation)?;
        match &self.fault {
            Fault::Answer { code, message, status, request_id } => {
                match (code.as_str(), message.as_str()) {
                    ("", "") => write!(formatter, "an error without a message")?,
                    ("", text) | (text, "") => write!(formatter, "{text}")?,
                    (code, message) => write!(formatter, "{code}: {message}")?,
                }
                write!(formatter, " (status {status}")?;
                if let Some(id) = request_id {
                    write!(formatter, ", request {id}")?;
                }
                write!(formatter, ")")?;
            }
            Fault::Credentials { found: false, .. } => write!(formatter, "no AWS credentials were found")?,
            Fault::Credentials { found: true, detail } => {
                write!(formatter, "the credentials could not be retrieved: {detail}")?;
            }
            Fault::Profile { detail } => write!(formatter, "{detail}")?,
            Fault::NotAssumed { role_arn, cause } => {
                write!(formatter, "the role {role_arn} could not be assumed: {cause}")?;
            }
            Fault::Unreachable { detail } => write!(formatter, "the service cannot be reached: {detail}")?,
            Fault::AnswerLost { detail } => {
                write!(
                    formatter,
                    "the connection was lost before a response arrived, so the request may have been \
                    processed: {detail}"
                )?;
            }
            Fault::Unreadable { detail } => write!(formatter, "the response cannot be read: {detail}")?,
            Fault::NotSent { detail } => write!(formatter, "the request was not sent: {detail}")?,
            Fault::Stopped { may_be_done: false } => {
                write!(formatter, "the run was stopped before a response arrived")?;
            }
            Fault::Stopped { may_be_done: true } => write!(
                formatter,
                "the run was stopped before a response arrived, so the request may have been processed"
            )?,
        }
        match self.advice() {
            Some(advice) => write!(formatter, ". {advice}"),
            None => Ok(()),
        }
    }
}

impl Fault {
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let SdkError::ServiceError(answer) = error {
            // The service reported success, but the SDK could not parse the response.
            if answer.raw().status().is_success() && answer.err().code().is_none() {
                return Self::Unreadable { detail: innermost(error) };
            }
            return Self::Answer {
                code: answer.err().code().unwrap_or_default().to_owned(),
                message: answer.err().message().unwrap_or_default().to_owned(),
                status: answer.raw().status().as_u16(),
                request_id: answer.raw().headers().request_id().map(str::to_owned),
            };
        }
        // The SDK wraps the errors of this crate and those of credentials, and reports them as a request that failed.
        if let Some(Stopped { may_be_done }) = find::<Stopped>(error) {
            return Self::Stopped { may_be_done: *may_be_done };
        }
        if let Some(NotAssumed { role_arn, cause }) = find::<NotAssumed>(error) {
            return Self::NotAssumed { role_arn: role_arn.clone(), cause: Box::new(cause.clone()) };
        }
        if let Some(cause) = find::<ProfileError>(error) {
            return Self::Profile { detail: cause.to_string() };
        }
        if let Some(cause) = find::<CredentialsError>(error) {
            return Self::Credentials {
                found: !matches!(cause, CredentialsError::CredentialsNotLoaded(_)),
                detail: innermost(cause),
            };
        }
        let detail = innermost(error);
        match error {
            SdkError::ConstructionFailure(_) => Self::NotSent { detail },
            SdkError::DispatchFailure(failure) => {
                // Without a connection nothing was sent; with one, the request may have reached the service.
                if never_connected(error) {
                    Self::Unreachable { detail }
                } else if failure.is_io() || failure.is_timeout() || failure.as_other().is_some() || in_flight(error) {
                    Self::AnswerLost { detail }
                } else {
                    Self::NotSent { detail }
                }
            }
            // A timeout of the whole call, an unreadable response, and variants that later versions of the SDK add.
            _ => Self::AnswerLost { detail },
        }
    }
}

/// `error` and its sources. For an `io::Error` this includes its payload, which its `source` skips.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let payload = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|payload| payload as &(dyn Error + 'static));
        payload.or_else(|| error.source())
    })
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref::<T>())
}

pub(super) fn never_connected(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(|cause| cause.is_connect())
        // The SDK's type for this timeout is private, so the text is matched.
        || chain(error).any(|cause| cause.to_string().starts_with("HTTP connect timeout"))
}

fn in_flight(error: &(dyn Error + 'static)) -> bool {
    find::<hyper::Error>(error).is_some() || find::<hyper_util::client::legacy::Error>(error).is_some()
}

/// The causes in one line, without the SDK's generic text ("dispatch failure").
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error).skip(1) {
        let text = cause.to_string();
        // Error classes of the SDK, which do not help users.
        if ["user error", "connector error", "io error"].contains(&text.as_str()) {
            continue;
        }
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    if texts.is_empty() { DisplayErrorContext(error).to_string() } else { texts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Script, clients};

    async fn failure(answer: Answer) -> AwsError {
        let clients = Script::new([answer]).clients();
        let eks = clients.eks().await.unwrap();
        let error = eks.describe_nodegroup().cluster_name("c").nodegroup_name("n").send().await.unwrap_err();
        AwsError::new("DescribeNodegroup", &error)
    }

    async fn answer(status: u16, code: &str, message: &str) -> AwsError {
        failure(Answer::Http(status, format!(r#"{{"__type": "{code}", "message": "{message}"}}"#))).await
    }

    /// The classes in this order: throttling, transient, not found, outcome unknown.
    fn classes(error: &AwsError) -> [bool; 4] {
        [error.is_throttling(), error.is_transient(), error.is_not_found(), error.is_outcome_unknown()]
    }

    #[tokio::test]
    async fn responses_are_classified() {
        assert_eq!(
            [
                classes(&answer(429, "ThrottlingException", "slow down").await),
                classes(&answer(500, "ServerException", "oops").await),
                classes(&answer(404, "ResourceNotFoundException", "no").await),
                classes(&answer(409, "ResourceInUseException", "busy").await),
                classes(&answer(409, "LimitExceeded", "two keys").await),
                classes(&answer(409, "OperationAborted", OPERATION_ABORTED).await),
                classes(&failure(Answer::Reset).await),
            ],
            [
                [true, true, false, false],
                [false, true, false, true],
                [false, false, true, false],
                [false, false, false, false],
                [false, false, false, false],
                [false, true, false, false],
                [false, true, false, true],
            ]
        );
    }

    #[tokio::test]
    async fn error_text_has_operation_and_code() {
        let error = answer(409, "ResourceInUseException", "an update runs").await;
        assert_eq!(error.to_string(), "DescribeNodegroup: ResourceInUseException: an update runs (status 409)");
        assert!(
            error.matches("ResourceInUseException", "update") && !error.matches("ResourceInUseException", "delete")
        );
    }

    #[tokio::test]
    async fn lost_response_is_named() {
        assert_eq!(
            failure(Answer::Reset).await.to_string(),
            "DescribeNodegroup: the connection was lost before a response arrived, so the request may have been \
             processed: connection reset"
        );
    }

    #[tokio::test]
    async fn unreadable_response_is_explained() {
        let error = failure(Answer::Http(200, "<html>not JSON</html>".to_owned())).await;
        assert!(matches!(error.fault(), Fault::Unreadable { .. }), "{error:?}");
        assert_eq!(classes(&error), [false, false, false, true]);
        let text = error.to_string();
        assert!(
            text.starts_with("DescribeNodegroup: the response cannot be read: ") && text.contains("expected"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn expired_token_error_has_advice() {
        let error = answer(403, "ExpiredTokenException", "The security token included in the request is expired").await;
        assert_eq!(
            error.to_string(),
            "DescribeNodegroup: ExpiredTokenException: The security token included in the request is expired (status \
             403). The AWS credentials have expired: renew them (for SSO: \"aws sso login\") and run again"
        );
    }

    #[tokio::test]
    async fn connection_failure_is_not_a_lost_response() {
        let mut settings = Script::default().settings();
        settings.http_client = None;
        // A port without a listener.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        settings.endpoints.eks = Some(format!("http://127.0.0.1:{port}"));
        let clients = clients(settings);
        let error = clients.eks().await.unwrap().list_clusters().send().await.unwrap_err();
        let error = AwsError::new("ListClusters", &error);
        assert!(matches!(error.fault(), Fault::Unreachable { .. }), "{error:?}");
        assert_eq!(classes(&error), [false, true, false, false]);
        assert!(error.advice().unwrap().starts_with("Check the region"));
    }
}
