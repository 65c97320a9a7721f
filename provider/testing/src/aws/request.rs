//! Requests and responses: the actions of each service, and the formats of results and errors.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::{Value as Json, json};

use super::query::Parameters;
use super::{eks, s3};

/// A result, as JSON or the inner XML, or the status, code and message of an error.
pub(super) type Answer = Result<String, (u16, String, String)>;

pub(super) fn refused(status: u16, code: &str, message: &str) -> Answer {
    Err((status, code.to_owned(), message.to_owned()))
}

/// A request of the SDK.
#[derive(Debug)]
pub(super) struct Request {
    /// The prefix of the endpoint, such as `eks`.
    pub(super) service: String,
    pub(super) region: String,
    /// The name of the operation, such as `CreateNodegroup`.
    pub(super) action: String,
    pub(super) method: String,
    /// The path without the first slash. For S3, it begins with the bucket.
    pub(super) path: String,
    pub(super) parameters: Parameters,
    pub(super) body: String,
    /// The access key of the signature.
    pub(super) access_key: String,
}

impl Request {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let url = url::Url::parse(request.uri()).unwrap();
        let (method, path) = (request.method().to_owned(), &url.path()[1..]);
        let labels: Vec<&str> = url.host_str().unwrap().split('.').collect();
        let (service, region, path) = match labels.as_slice() {
            [bucket, service @ "s3", region, ..] => (*service, *region, format!("{bucket}/{path}")),
            [service, region, ..] => (*service, *region, path.to_owned()),
            other => unreachable!("{other:?}"),
        };
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let has_form = !matches!(service, "eks" | "s3");
        let parameters = Parameters::parse(if has_form { &body } else { url.query().unwrap_or_default() });
        let action = match service {
            "eks" => eks::action(&method, &path).to_owned(),
            "s3" => s3::action(&method, &path, &parameters),
            _ => parameters.text("Action"),
        };
        let signature = request.headers().get("authorization").unwrap_or_default();
        let credential = signature.split_once("Credential=").unwrap_or_default().1;
        let access_key = credential.split('/').next().unwrap_or_default().to_owned();
        let (service, region) = (service.to_owned(), region.to_owned());
        Self { service, region, action, method, path, parameters, body, access_key }
    }

    /// The JSON body, or the parameters.
    pub(super) fn json(&self) -> Json {
        if self.service == "eks" {
            serde_json::from_str(&self.body).unwrap_or_default()
        } else {
            self.parameters.json()
        }
    }

    /// The status and body of a response.
    pub(super) fn encoded(&self, answer: Answer) -> (u16, String) {
        let (service, action) = (self.service.as_str(), &self.action);
        let (status, body) = match answer {
            Ok(xml) => match service {
                "s3" if self.method == "DELETE" => (204, xml),
                "eks" | "s3" => (200, xml),
                "ec2" => (200, format!("<{action}Response>{xml}</{action}Response>")),
                _ => (200, format!("<{action}Response><{action}Result>{xml}</{action}Result></{action}Response>")),
            },
            Err((status, code, message)) if service == "eks" => {
                (status, json!({ "__type": code, "message": message }).to_string())
            }
            Err((status, code, message)) => {
                let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
                let body = match service {
                    "s3" => error,
                    "ec2" => format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"),
                    _ => format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"),
                };
                (status, body)
            }
        };
        // A response to HEAD has no body.
        (status, if self.method == "HEAD" { String::new() } else { body })
    }
}
