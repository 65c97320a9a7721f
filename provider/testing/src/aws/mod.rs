//! An AWS account in memory: IAM, STS, S3, EC2, Auto Scaling, and EKS with the cluster `prod`, behind one HTTP client.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

pub mod autoscaling;
pub mod ec2;
pub mod eks;
pub mod iam;
mod query;
mod request;
pub mod s3;
mod sts;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::Value as Json;

use self::request::{Answer, Request, refused};

/// An account, its calls, and their faults. Clones share the account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    state: Arc<Mutex<State>>,
    log: Arc<Mutex<Log>>,
}

/// The objects of the account.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub autoscaling: autoscaling::AutoScalingGroup,
    pub ec2: ec2::Ec2,
    pub eks: eks::Eks,
    pub iam: iam::Iam,
    pub s3: s3::S3,
}

/// A fault of a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The call fails with this HTTP status, code and message.
    Error(u16, &'static str, &'static str),
    /// The response is an HTML page with this HTTP status, as proxies send it.
    HtmlPage(u16),
    /// The call takes effect, and its response is lost.
    LostAnswer,
    /// The call is executed on this earlier state of the account.
    StaleRead(Box<State>),
}

/// Every call.
pub const ALL: Range<usize> = 0..usize::MAX;

#[derive(Debug, Default)]
struct Log {
    /// Actions with their JSON bodies or parameters.
    calls: Vec<(String, Json)>,
    seen: usize,
    /// Faults by action, with the indexes of the calls that they hit, counted from the first call of the action.
    faults: Vec<(&'static str, Range<usize>, Fault)>,
}

impl Account {
    /// An HTTP client of this account.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    /// Adds a fault to calls of an action, counted from the next call: `0..2` are the next two.
    pub fn fault(&self, action: &'static str, calls: Range<usize>, fault: Fault) {
        let mut log = self.log();
        let before = log.count(action);
        log.faults.push((action, before + calls.start..before.saturating_add(calls.end), fault));
    }

    pub fn clear_faults(&self) {
        self.log().faults.clear();
    }

    /// The actions that were called since the last call of [`Self::changes`].
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let log = self.log();
        log.calls.iter().skip(log.seen).map(|(action, _)| action.clone()).collect()
    }

    /// The write actions that were called since the last call of this function.
    pub fn changes(&self) -> Vec<String> {
        let mut calls = self.calls();
        calls.retain(|call| !["Describe", "Get", "Head", "List"].iter().any(|read| call.starts_with(read)));
        let mut log = self.log();
        log.seen = log.calls.len();
        calls
    }

    /// The JSON bodies or parameters of all calls of an action.
    #[must_use]
    pub fn bodies(&self, action: &str) -> Vec<Json> {
        self.log().calls.iter().filter(|(called, _)| called == action).map(|(_, body)| body.clone()).collect()
    }
}

impl Log {
    fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|(called, _)| called == action).count()
    }

    /// Records a call; returns its fault.
    fn add(&mut self, request: &Request) -> Option<Fault> {
        let number = self.count(&request.action);
        self.calls.push((request.action.clone(), request.json()));
        let mut faults = self.faults.iter();
        let fault = faults.find(|(action, calls, _)| *action == request.action && calls.contains(&number));
        fault.map(|(.., fault)| fault.clone())
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        match request.service.as_str() {
            "autoscaling" => self.autoscaling(request),
            "ec2" => self.ec2.answer(request),
            "eks" => self.eks(request),
            "iam" => self.iam.answer(request),
            "s3" => self.s3.answer(request),
            "sts" => self.iam.sts(request),
            other => unreachable!("{other}"),
        }
    }
}

impl HttpClient for Account {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Account {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = Request::of(&request);
        let fault = self.log().add(&request);
        let answer = match fault {
            None => self.state().answer(&request),
            Some(Fault::Error(status, code, message)) => refused(status, code, message),
            Some(Fault::HtmlPage(status)) => return respond((status, "<html>bad gateway</html>".to_owned())),
            Some(Fault::StaleRead(mut earlier)) => earlier.answer(&request),
            Some(Fault::LostAnswer) => {
                drop(self.state().answer(&request));
                let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
            }
        };
        respond(request.encoded(answer))
    }
}

fn respond((status, body): (u16, String)) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
}
