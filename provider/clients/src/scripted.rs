//! AWS for tests: sends scripted responses and records requests.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::aws::AwsSettings;
use super::{Clients, Environment, Settings};

/// The response to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    Http(u16, String),
    /// The connection is reset after the request was sent.
    Reset,
    /// No response arrives.
    Silence,
    /// A successful response after a delay.
    Slow(Duration, String),
}

impl Answer {
    /// The response of STS for credentials of the account 123456789012.
    pub fn identity() -> Self {
        let text = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        Self::Http(200, text.to_owned())
    }
}

/// A network with scripted responses. After the last one, every connection is reset.
#[derive(Debug, Clone, Default)]
pub struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A recorded request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub uri: String,
    pub body: String,
    pub user_agent: String,
    pub authorization: String,
    pub content_md5: Option<String>,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), requests: Arc::default() }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Settings with keys and a region that use this network.
    pub fn settings(&self) -> AwsSettings {
        AwsSettings {
            region: Some("eu-west-1".to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            max_retries: Some(0),
            initial_backoff: Some(Duration::from_micros(10)),
            http_client: Some(SharedHttpClient::new(self.clone())),
            ..AwsSettings::default()
        }
    }

    pub fn clients(&self) -> Clients {
        clients(self.settings())
    }
}

pub fn clients(aws: AwsSettings) -> Clients {
    Clients::new(Settings { aws, environment: Environment::fixed([]), ..Settings::default() })
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        self.requests.lock().unwrap().push(Request {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
            user_agent: header("x-amz-user-agent") + &header("user-agent"),
            authorization: header("authorization"),
            content_md5: request.headers().get("content-md5").map(str::to_owned),
        });
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Reset);
        HttpConnectorFuture::ready(match answer {
            Answer::Http(status, body) => Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))),
            Answer::Reset => {
                let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Err(ConnectorError::io(reset.into()))
            }
            Answer::Slow(time, body) => {
                return HttpConnectorFuture::new(async move {
                    tokio::time::sleep(time).await;
                    Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body)))
                });
            }
            Answer::Silence => return HttpConnectorFuture::new(std::future::pending()),
        })
    }
}
