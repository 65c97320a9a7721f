//! A small IAM, STS and EKS in memory, with faults on demand and a log of the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use gitlabspot_clients::aws::AwsSettings;
use serde_json::{Value as Json, json};

/// What happens to a call instead of, or after, being carried out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// An error with this status, code and message.
    Code(u16, &'static str, &'static str),
    /// It is carried out, and the answer is lost.
    Lost,
}

#[derive(Default, Debug)]
pub(super) struct World {
    /// Users by name, roles by `role/` and name.
    pub(super) principals: BTreeMap<String, Principal>,
    pub(super) log: Vec<String>,
    pub(super) faults: Vec<(String, u32, Fault)>,
    /// Role ARNs by service account.
    pub(super) associations: BTreeMap<String, (String, Json)>,
    made: u32,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Principal {
    pub(super) path: String,
    pub(super) boundary: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policies: BTreeMap<String, String>,
    /// Whether it is active, by id.
    pub(super) keys: BTreeMap<String, bool>,
    pub(super) trust: String,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Account(Arc<Mutex<World>>);

/// The secret of every key that is made: to be found where it should not be.
pub(super) fn secret_of(id: &str) -> String {
    format!("hidden-secret-of-{id}")
}

impl Account {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) fn settings(&self) -> AwsSettings {
        AwsSettings {
            region: Some("eu-west-1".to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            max_retries: Some(1),
            initial_backoff: Some(std::time::Duration::from_micros(10)),
            http_client: Some(SharedHttpClient::new(self.clone())),
            ..AwsSettings::default()
        }
    }

    pub(super) fn fault(&self, call: &str, times: u32, fault: Fault) {
        self.world().faults.push((call.to_owned(), times, fault));
    }

    /// The changes since the last look.
    pub(super) fn changes(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut self.world().log);
        log.retain(|call| !["Get", "List", "Describe"].iter().any(|read| call.starts_with(read)));
        log
    }

    pub(super) fn keys(&self, user: &str) -> Vec<String> {
        self.world().principals[user].keys.keys().cloned().collect()
    }
}

impl HttpClient for Account {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Account {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let signer = request.headers().get("authorization").unwrap_or_default().to_owned();
        let uri: http::Uri = request.uri().parse().unwrap();
        let mut world = self.0.lock().unwrap();
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let is_eks = uri.host().unwrap_or_default().starts_with("eks");
        let call = if is_eks { eks_call(request.method(), uri.path()) } else { form["Action"].clone() };
        world.log.push(call.clone());
        let fault = world.faults.iter_mut().find(|(hit, times, _)| *hit == call && *times > 0).map(|fault| {
            fault.1 -= 1;
            fault.2
        });
        if let Some(Fault::Code(status, code, message)) = fault {
            let xml = error(status, code, message);
            return respond(if is_eks {
                (status, json!({"__type": code, "message": message}).to_string())
            } else {
                xml
            });
        }
        let answer = if is_eks { world.eks(&call, &uri, &body) } else { world.query(&call, &form, &signer) };
        if matches!(fault, Some(Fault::Lost)) {
            let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
        }
        respond(answer)
    }
}

fn respond((status, body): (u16, String)) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
}

fn error(status: u16, code: &str, message: &str) -> (u16, String) {
    let xml = format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>");
    (status, xml)
}

fn eks_call(method: &str, path: &str) -> String {
    let of_one = path.split('/').count() > 4;
    match (method, path.contains("pod-identity"), of_one) {
        ("GET", true, true) => "DescribePodIdentityAssociation",
        ("GET", true, false) => "ListPodIdentityAssociations",
        ("POST", true, true) => "UpdatePodIdentityAssociation",
        ("POST", true, false) => "CreatePodIdentityAssociation",
        ("DELETE", true, _) => "DeletePodIdentityAssociation",
        _ => "DescribeCluster",
    }
    .to_owned()
}

/// The numbered members of a list parameter.
fn members(form: &BTreeMap<String, String>, list: &str, field: &str) -> Vec<String> {
    (1..).map_while(|number| form.get(&format!("{list}.member.{number}{field}")).cloned()).collect()
}

impl World {
    fn query(&mut self, call: &str, form: &BTreeMap<String, String>, signer: &str) -> (u16, String) {
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let answer =
            |xml: String| (200, format!("<{call}Response><{call}Result>{xml}</{call}Result></{call}Response>"));
        if call == "GetCallerIdentity" {
            let key = signer.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            let is_known =
                key.ends_with("EXAMPLE") || self.principals.values().any(|user| user.keys.get(key) == Some(&true));
            let xml = "<Account>123456789012</Account><Arn>a</Arn><UserId>u</UserId>".to_owned();
            return if is_known { answer(xml) } else { error(403, "InvalidClientTokenId", "The token is invalid") };
        }
        if call == "GetOpenIDConnectProvider" {
            return answer("<ClientIDList><member>sts.amazonaws.com</member></ClientIDList>".to_owned());
        }
        let kind = if form.contains_key("RoleName") { "Role" } else { "User" };
        let name = text(&format!("{kind}Name"));
        let place = if kind == "Role" { format!("role/{name}") } else { name.clone() };
        let tags = || members(form, "Tags", ".Key").into_iter().zip(members(form, "Tags", ".Value"));
        if ["CreateUser", "CreateRole"].contains(&call) {
            if self.principals.contains_key(&place) {
                return error(409, "EntityAlreadyExists", "exists");
            }
            let principal = Principal {
                path: text("Path"),
                boundary: form.get("PermissionsBoundary").cloned(),
                tags: tags().collect(),
                trust: text("AssumeRolePolicyDocument"),
                ..Principal::default()
            };
            let xml = described(kind, &name, &principal);
            self.principals.insert(place, principal);
            return answer(xml);
        }
        let number = self.made;
        let Some(principal) = self.principals.get_mut(&place) else {
            return error(404, "NoSuchEntity", "no such entity");
        };
        match call {
            "GetUser" | "GetRole" => return answer(described(kind, &name, principal)),
            // Keys that differ in case alone are one key.
            "TagUser" | "TagRole" => {
                for (key, value) in tags() {
                    principal.tags.retain(|known, _| !known.eq_ignore_ascii_case(&key));
                    principal.tags.insert(key, value);
                }
            }
            "UntagUser" | "UntagRole" => {
                for key in members(form, "TagKeys", "") {
                    principal.tags.retain(|known, _| !known.eq_ignore_ascii_case(&key));
                }
            }
            "PutUserPermissionsBoundary" | "PutRolePermissionsBoundary" => {
                principal.boundary = Some(text("PermissionsBoundary"));
            }
            "DeleteUserPermissionsBoundary" | "DeleteRolePermissionsBoundary" => principal.boundary = None,
            "UpdateAssumeRolePolicy" => principal.trust = text("PolicyDocument"),
            "PutUserPolicy" | "PutRolePolicy" => {
                principal.policies.insert(text("PolicyName"), text("PolicyDocument"));
            }
            "GetUserPolicy" | "GetRolePolicy" => {
                let Some(document) = principal.policies.get(&text("PolicyName")) else {
                    return error(404, "NoSuchEntity", "no policy");
                };
                let document: String = url::form_urlencoded::byte_serialize(document.as_bytes()).collect();
                let document = document.replace('+', "%20");
                return answer(format!(
                    "<{kind}Name>{name}</{kind}Name><PolicyName>p</PolicyName><PolicyDocument>{document}</PolicyDocument>"
                ));
            }
            "DeleteUserPolicy" | "DeleteRolePolicy" => {
                if principal.policies.remove(&text("PolicyName")).is_none() {
                    return error(404, "NoSuchEntity", "no policy");
                }
            }
            "CreateAccessKey" => {
                if principal.keys.len() == 2 {
                    return error(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
                }
                let id = format!("AKIA{number:04}");
                principal.keys.insert(id.clone(), true);
                self.made += 1;
                return answer(format!(
                    "<AccessKey><UserName>{name}</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status>\
                     <SecretAccessKey>{}</SecretAccessKey><CreateDate>{}</CreateDate></AccessKey>",
                    secret_of(&id),
                    now()
                ));
            }
            "ListAccessKeys" => {
                let keys = principal.keys.iter().map(|(id, active)| {
                    let status = if *active { "Active" } else { "Inactive" };
                    let date = now();
                    format!(
                        "<member><UserName>{name}</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status>\
                         <CreateDate>{date}</CreateDate></member>"
                    )
                });
                let keys: String = keys.collect();
                return answer(format!(
                    "<IsTruncated>false</IsTruncated><AccessKeyMetadata>{keys}</AccessKeyMetadata>"
                ));
            }
            "UpdateAccessKey" | "DeleteAccessKey" if !principal.keys.contains_key(&text("AccessKeyId")) => {
                return error(404, "NoSuchEntity", "no key");
            }
            "UpdateAccessKey" => {
                principal.keys.insert(text("AccessKeyId"), false);
            }
            "DeleteAccessKey" => {
                principal.keys.remove(&text("AccessKeyId"));
            }
            "DeleteUser" | "DeleteRole" => {
                if !principal.keys.is_empty() || !principal.policies.is_empty() {
                    return error(409, "DeleteConflict", "must delete others first");
                }
                self.principals.remove(&place);
            }
            "ListUserPolicies" => {
                let names: String = principal.policies.keys().map(|name| format!("<member>{name}</member>")).collect();
                return answer(format!("<PolicyNames>{names}</PolicyNames>"));
            }
            "ListAttachedUserPolicies"
            | "ListGroupsForUser"
            | "ListMFADevices"
            | "ListSSHPublicKeys"
            | "ListSigningCertificates"
            | "ListServiceSpecificCredentials" => return answer(String::new()),
            "GetLoginProfile" => return error(404, "NoSuchEntity", "no password"),
            other => unreachable!("{other}"),
        }
        answer(String::new())
    }

    fn eks(&mut self, call: &str, uri: &http::Uri, body: &str) -> (u16, String) {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let describe = |account: &String, (role, tags): &(String, Json)| json!({"associationId": account, "roleArn": role, "tags": tags, "clusterName": "prod"});
        match call {
            "DescribeCluster" => {
                let issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC";
                (200, json!({"cluster": {"name": "prod", "identity": {"oidc": {"issuer": issuer}}}}).to_string())
            }
            "ListPodIdentityAssociations" => {
                let account = query["serviceAccount"].clone();
                let found: BTreeSet<_> = self.associations.keys().filter(|known| **known == account).collect();
                let found: Vec<_> = found.into_iter().map(|id| json!({"associationId": id})).collect();
                (200, json!({"associations": found}).to_string())
            }
            "CreatePodIdentityAssociation" => {
                let body: Json = serde_json::from_str(body).unwrap();
                let account = body["serviceAccount"].as_str().unwrap().to_owned();
                let association = (body["roleArn"].as_str().unwrap().to_owned(), body["tags"].clone());
                let answer = json!({"association": describe(&account, &association)});
                self.associations.insert(account, association);
                (200, answer.to_string())
            }
            _ => {
                let id = uri.path().rsplit('/').next().unwrap().to_owned();
                let Some(found) = self.associations.get_mut(&id) else {
                    return (404, json!({"__type": "ResourceNotFoundException"}).to_string());
                };
                if call == "UpdatePodIdentityAssociation" {
                    let body: Json = serde_json::from_str(body).unwrap();
                    found.0 = body["roleArn"].as_str().unwrap().to_owned();
                }
                let answer = json!({"association": describe(&id, found)}).to_string();
                if call == "DeletePodIdentityAssociation" {
                    self.associations.remove(&id);
                }
                (200, answer)
            }
        }
    }
}

/// The same for all that a test makes.
fn now() -> String {
    static NOW: std::sync::LazyLock<std::time::SystemTime> = std::sync::LazyLock::new(std::time::SystemTime::now);
    crate::timestamp::format(*NOW)
}

fn described(kind: &str, name: &str, principal: &Principal) -> String {
    let tags =
        principal.tags.iter().map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    let boundary = principal.boundary.as_ref().map(|arn| {
        format!("<PermissionsBoundary><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>")
    });
    let trust: String = url::form_urlencoded::byte_serialize(principal.trust.as_bytes()).collect();
    format!(
        "<{kind}><Path>{path}</Path><{kind}Name>{name}</{kind}Name><{kind}Id>ID</{kind}Id>\
         <Arn>arn:aws:iam::123456789012:{word}{path}{name}</Arn><CreateDate>{date}</CreateDate>{boundary}\
         <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><Tags>{tags}</Tags></{kind}>",
        path = principal.path,
        word = kind.to_lowercase(),
        date = now(),
        boundary = boundary.unwrap_or_default(),
        trust = trust.replace('+', "%20"),
        tags = tags.collect::<String>(),
    )
}
