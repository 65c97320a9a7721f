//! A small AWS in memory: one cluster, its node group with the Auto Scaling Group, and roles.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use gitlabspot_clients::aws::AwsSettings;
use serde_json::{Value as Json, json};

use super::ec2::Template;

/// What happens to a call instead of, or besides, its being carried out.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// An answer instead.
    Error(u16, &'static str, &'static str),
    /// Something that is no answer of AWS.
    Html(u16),
    /// Carried out, and the answer is lost.
    DropAfter,
}

#[derive(Debug, Default)]
pub(super) struct Role {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) attached: Vec<String>,
    pub(super) inline: BTreeMap<String, String>,
    pub(super) path: String,
}

#[derive(Debug, Default)]
pub(super) struct World {
    /// The node group as EKS shows it.
    pub(super) group: Option<Json>,
    /// What its status becomes, one for each look.
    pub(super) statuses: VecDeque<&'static str>,
    /// What the next create goes through.
    pub(super) plan: Vec<&'static str>,
    pub(super) issues: Vec<Json>,
    token: String,
    /// Tags of the Auto Scaling Group with whether they are passed on.
    pub(super) asg_tags: BTreeMap<String, (String, bool)>,
    pub(super) suspended: bool,
    pub(super) roles: BTreeMap<String, Role>,
    /// When EKS made the access entry of the node group's role, in seconds.
    pub(super) access_entry: Option<i64>,
    /// Instance profiles that have the role.
    pub(super) profiles: Vec<String>,
    /// Launch templates by id.
    pub(super) templates: BTreeMap<String, Template>,
    /// What the autoscaler sets the size to while the version is updated.
    pub(super) scales_to: Option<i64>,
    /// How updates end, each after one look.
    pub(super) updates: VecDeque<Json>,
    seen_updates: u32,
    pub(super) faults: Vec<(&'static str, u32, Fault)>,
    pub(super) calls: Vec<String>,
    pub(super) bodies: Vec<(String, Json)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Aws(Arc<Mutex<World>>);

pub(super) const ASG: &str = "eks-build-1";

/// 2026-01-01T00:00:00Z, when every role was made.
pub(super) const ROLE_MADE: i64 = 1_767_225_600;

impl Aws {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) fn settings(&self) -> AwsSettings {
        AwsSettings {
            region: Some("af-south-1".to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            max_retries: Some(2),
            initial_backoff: Some(Duration::from_micros(10)),
            http_client: Some(SharedHttpClient::new(self.clone())),
            ..AwsSettings::default()
        }
    }

    pub(super) fn fault(&self, action: &'static str, times: u32, fault: Fault) {
        self.world().faults.push((action, times, fault));
    }

    /// The calls since the last time, without those that only look.
    pub(super) fn changes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.world().calls);
        let looks = ["Describe", "Get", "List"];
        calls.into_iter().filter(|call| !looks.iter().any(|look| call.starts_with(look))).collect()
    }

    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world().calls)
    }

    /// The bodies of the calls of an action.
    pub(super) fn bodies(&self, action: &str) -> Vec<Json> {
        self.world().bodies.iter().filter(|(name, _)| name == action).map(|(_, body)| body.clone()).collect()
    }
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = url::Url::parse(request.uri()).unwrap();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let is_eks = uri.host_str().unwrap_or_default().starts_with("eks.");
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let action = if is_eks {
            eks_action(request.method(), uri.path())
        } else {
            form.get("Action").cloned().unwrap_or_default()
        };
        let mut world = self.world();
        world.calls.push(action.clone());
        world.bodies.push((action.clone(), serde_json::from_str(&body).unwrap_or_else(|_| json!(form))));
        let fault = world.faults.iter_mut().find(|(name, times, _)| *name == action && *times > 0).map(|fault| {
            fault.1 -= 1;
            fault.2.clone()
        });
        let answer = match &fault {
            Some(Fault::Error(status, code, message)) => Err((*status, (*code).to_owned(), (*message).to_owned())),
            Some(Fault::Html(status)) => {
                let body = SdkBody::from("<html>bad gateway</html>");
                return HttpConnectorFuture::ready(Ok(HttpResponse::new((*status).try_into().unwrap(), body)));
            }
            _ if is_eks => world.eks(&action, &uri, &body),
            _ => world.query(&action, &form),
        };
        if matches!(fault, Some(Fault::DropAfter)) {
            let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
        }
        let (status, text) = match answer {
            Ok(text) => (200, text),
            Err((status, code, message)) if is_eks => {
                (status, json!({ "__type": code, "message": message }).to_string())
            }
            Err((status, code, message)) => {
                let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
                let is_ec2 = uri.host_str().unwrap_or_default().starts_with("ec2.");
                let (outer, inner) =
                    if is_ec2 { ("Response", format!("<Errors>{error}</Errors>")) } else { ("ErrorResponse", error) };
                (status, format!("<{outer}>{inner}<RequestId>r</RequestId></{outer}>"))
            }
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text))))
    }
}

fn eks_action(method: &str, path: &str) -> String {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["clusters", _]) => "DescribeCluster",
        ("POST", ["clusters", _, "node-groups"]) => "CreateNodegroup",
        ("GET", ["clusters", _, "node-groups", _]) => "DescribeNodegroup",
        ("DELETE", ["clusters", _, "node-groups", _]) => "DeleteNodegroup",
        ("POST", [.., "update-config"]) => "UpdateNodegroupConfig",
        ("POST", [.., "update-version"]) => "UpdateNodegroupVersion",
        ("GET", ["clusters", _, "updates", _]) => "DescribeUpdate",
        ("GET", ["clusters", _, "access-entries", _]) => "DescribeAccessEntry",
        ("DELETE", ["clusters", _, "access-entries", _]) => "DeleteAccessEntry",
        ("POST", ["tags", ..]) => "TagResource",
        ("DELETE", ["tags", ..]) => "UntagResource",
        _ => "unknown",
    }
    .to_owned()
}

pub(super) type Answer = Result<String, (u16, String, String)>;

pub(super) fn error<T>(status: u16, code: &str, message: &str) -> Result<T, (u16, String, String)> {
    Err((status, code.to_owned(), message.to_owned()))
}

impl World {
    fn eks(&mut self, action: &str, uri: &url::Url, body: &str) -> Answer {
        let body: Json = serde_json::from_str(body).unwrap_or_default();
        match action {
            "DescribeCluster" => {
                let subnets = ["subnet-a", "subnet-b", "subnet-c"];
                let network = json!({ "subnetIds": subnets, "clusterSecurityGroupId": "sg-cluster" });
                return Ok(json!({ "cluster": { "name": "prod", "resourcesVpcConfig": network } }).to_string());
            }
            "CreateNodegroup" => return self.create(&body),
            "DescribeAccessEntry" | "DeleteAccessEntry" => return self.access_entry(action),
            _ => {}
        }
        if action == "DescribeNodegroup" {
            self.step();
        }
        let Some(group) = &mut self.group else {
            return error(404, "ResourceNotFoundException", "No node group found for name: build.");
        };
        match action {
            "DescribeNodegroup" => {}
            "DeleteNodegroup" => {
                if group["status"] != "ACTIVE" && group["status"] != "CREATE_FAILED" {
                    return error(409, "ResourceInUseException", "Nodegroup is being changed");
                }
                group["status"] = "DELETING".into();
                self.statuses = ["DELETING", "GONE"].into();
            }
            "UpdateNodegroupConfig" => {
                for (key, value) in body["labels"]["addOrUpdateLabels"].as_object().into_iter().flatten() {
                    group["labels"][key] = value.clone();
                }
                for key in body["labels"]["removeLabels"].as_array().into_iter().flatten() {
                    group["labels"].as_object_mut().unwrap().remove(key.as_str().unwrap());
                }
                let same = |one: &Json, other: &Json| one["key"] == other["key"] && one["effect"] == other["effect"];
                let gone = body["taints"]["removeTaints"].as_array().cloned().unwrap_or_default();
                let new = body["taints"]["addOrUpdateTaints"].as_array().cloned().unwrap_or_default();
                let taints = group["taints"].as_array_mut().unwrap();
                taints.retain(|taint| !gone.iter().chain(&new).any(|other| same(taint, other)));
                taints.extend(new);
                for (key, value) in body["scalingConfig"].as_object().into_iter().flatten() {
                    group["scalingConfig"][key] = value.clone();
                }
                for key in ["updateConfig", "nodeRepairConfig"] {
                    if !body[key].is_null() {
                        group[key] = body[key].clone();
                    }
                }
                return Ok(json!({ "update": { "id": "u-1", "status": "InProgress" } }).to_string());
            }
            "UpdateNodegroupVersion" => {
                if let Some(version) = body["version"].as_str() {
                    group["version"] = version.into();
                }
                if let Some(id) = body["launchTemplate"]["id"].as_str()
                    && let Some(template) = self.templates.get(id)
                    && !template.versions.contains_key(
                        &body["launchTemplate"]["version"].as_str().unwrap_or_default().parse().unwrap_or(0),
                    )
                {
                    return error(400, "InvalidParameterException", "Launch template version does not exist");
                }
                if body["launchTemplate"].is_object() {
                    group["launchTemplate"] = body["launchTemplate"].clone();
                }
                let newest = format!("{}.0-20260301", group["version"].as_str().unwrap_or_default());
                group["releaseVersion"] = body["releaseVersion"].as_str().unwrap_or(&newest).into();
                if let Some(size) = self.scales_to.take() {
                    group["scalingConfig"]["desiredSize"] = size.into();
                }
                return Ok(json!({ "update": { "id": "u-1", "status": "InProgress" } }).to_string());
            }
            "DescribeUpdate" => {
                self.seen_updates += 1;
                let end = if self.seen_updates.is_multiple_of(2) {
                    self.updates.pop_front().unwrap_or_else(|| json!({ "status": "Successful" }))
                } else {
                    json!({ "status": "InProgress" })
                };
                return Ok(json!({ "update": end }).to_string());
            }
            "TagResource" => {
                for (key, value) in body["tags"].as_object().into_iter().flatten() {
                    group["tags"][key] = value.clone();
                }
            }
            "UntagResource" => {
                for (_, key) in uri.query_pairs() {
                    group["tags"].as_object_mut().unwrap().remove(key.as_ref());
                }
            }
            _ => return error(404, "NotFound", action),
        }
        let group = group.clone();
        Ok(json!({ "nodegroup": group }).to_string())
    }

    fn access_entry(&mut self, action: &str) -> Answer {
        let Some(made) = self.access_entry else {
            return error(404, "ResourceNotFoundException", "The specified principalArn could not be found");
        };
        if action == "DeleteAccessEntry" {
            self.access_entry = None;
        }
        Ok(json!({ "accessEntry": { "createdAt": made } }).to_string())
    }

    fn create(&mut self, body: &Json) -> Answer {
        let token = body["clientRequestToken"].as_str().unwrap_or_default();
        if let Some(group) = &self.group {
            if token != self.token {
                return error(409, "ResourceInUseException", "NodeGroup already exists with name build");
            }
            return Ok(json!({ "nodegroup": group }).to_string());
        }
        let mut group = body.clone();
        let name = body["nodegroupName"].as_str().unwrap_or_default();
        group["clusterName"] = "prod".into();
        group["nodegroupArn"] = format!("arn:aws:eks:af-south-1:123456789012:nodegroup/prod/{name}/1").into();
        group["status"] = "CREATING".into();
        for (key, value) in [
            ("amiType", json!("AL2023_x86_64_STANDARD")),
            ("version", json!("1.34")),
            ("releaseVersion", json!("1.34.0-20260101")),
            ("updateConfig", json!({ "maxUnavailable": 1 })),
            ("labels", json!({})),
            ("taints", json!([])),
        ] {
            if group[key].is_null() {
                group[key] = value;
            }
        }
        if group["diskSize"].is_null() && group["launchTemplate"].is_null() {
            group["diskSize"] = json!(20);
        }
        self.token = token.to_owned();
        self.group = Some(group.clone());
        // EKS keeps the entry of a role of the same ARN, whichever it was made for.
        self.access_entry.get_or_insert(ROLE_MADE + 60);
        self.statuses = if self.plan.is_empty() { vec!["CREATING", "ACTIVE"] } else { self.plan.clone() }.into();
        for key in ["eks:cluster-name", "eks:nodegroup-name", "k8s.io/cluster-autoscaler/enabled"] {
            self.asg_tags.insert(key.to_owned(), ("x".to_owned(), true));
        }
        Ok(json!({ "nodegroup": group }).to_string())
    }

    /// Somebody looks, and time has passed.
    fn step(&mut self) {
        let (Some(group), Some(next)) = (&mut self.group, self.statuses.pop_front()) else { return };
        group["status"] = next.into();
        match next {
            "GONE" => {
                self.group = None;
                self.asg_tags.clear();
            }
            "CREATE_FAILED" | "DEGRADED" => group["health"] = json!({ "issues": self.issues }),
            "ACTIVE" => group["resources"] = json!({ "autoScalingGroups": [{ "name": ASG }] }),
            _ => {}
        }
    }

    fn query(&mut self, action: &str, form: &BTreeMap<String, String>) -> Answer {
        if let Some(answer) = self.launch_templates(action, form) {
            return answer;
        }
        let text = |key: &str| form.get(key).cloned().unwrap_or_default();
        let list = |prefix: &str, field: &str| -> Vec<String> {
            (1..).map_while(|index| form.get(&format!("{prefix}.member.{index}.{field}")).cloned()).collect()
        };
        let answer =
            |inner: &str| Ok(format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"));
        match action {
            "DescribeSubnets" => {
                let asked: Vec<&String> =
                    form.iter().filter(|(key, _)| key.starts_with("SubnetId.")).map(|(_, id)| id).collect();
                let zone = |id: &str| format!("af-south-1{}", id.trim_start_matches("subnet-"));
                let items: String = asked
                    .iter()
                    .map(|id| {
                        format!(
                            "<item><subnetId>{id}</subnetId><availabilityZone>{}</availabilityZone></item>",
                            zone(id)
                        )
                    })
                    .collect();
                Ok(format!("<DescribeSubnetsResponse><subnetSet>{items}</subnetSet></DescribeSubnetsResponse>"))
            }
            "DescribeRouteTables" => {
                Ok("<DescribeRouteTablesResponse><routeTableSet></routeTableSet></DescribeRouteTablesResponse>"
                    .to_owned())
            }
            "DescribeAutoScalingGroups" => {
                if self.group.is_none() {
                    return answer("<AutoScalingGroups></AutoScalingGroups>");
                }
                let tags: String = self
                    .asg_tags
                    .iter()
                    .map(|(key, (value, passed_on))| {
                        format!("<member><Key>{key}</Key><Value>{value}</Value><PropagateAtLaunch>{passed_on}</PropagateAtLaunch></member>")
                    })
                    .collect();
                let suspended =
                    if self.suspended { "<member><ProcessName>AZRebalance</ProcessName></member>" } else { "" };
                answer(&format!(
                    "<AutoScalingGroups><member><AutoScalingGroupName>{ASG}</AutoScalingGroupName><Tags>{tags}</Tags>\
                     <SuspendedProcesses>{suspended}</SuspendedProcesses></member></AutoScalingGroups>"
                ))
            }
            "CreateOrUpdateTags" => {
                let (keys, values) = (list("Tags", "Key"), list("Tags", "Value"));
                let passed_on = list("Tags", "PropagateAtLaunch");
                for ((key, value), passed_on) in keys.into_iter().zip(values).zip(passed_on) {
                    self.asg_tags.insert(key, (value, passed_on == "true"));
                }
                answer("")
            }
            "DeleteTags" => {
                for key in list("Tags", "Key") {
                    self.asg_tags.remove(&key);
                }
                answer("")
            }
            "SuspendProcesses" | "ResumeProcesses" => {
                self.suspended = action == "SuspendProcesses";
                answer("")
            }
            "GetCallerIdentity" => answer("<Account>123456789012</Account>"),
            "CreateRole" => {
                let name = text("RoleName");
                if self.roles.contains_key(&name) {
                    return error(409, "EntityAlreadyExists", &format!("Role with name {name} already exists."));
                }
                let tags = list("Tags", "Key").into_iter().zip(list("Tags", "Value")).collect();
                self.roles.insert(name.clone(), Role { tags, path: text("Path"), ..Role::default() });
                answer(&self.show(&name))
            }
            _ => {
                let name = text("RoleName");
                let Some(role) = self.roles.get_mut(&name) else {
                    return error(404, "NoSuchEntity", &format!("The role with name {name} cannot be found."));
                };
                match action {
                    "GetRole" => return answer(&self.show(&name)),
                    "AttachRolePolicy" => {
                        role.attached.retain(|arn| *arn != text("PolicyArn"));
                        role.attached.push(text("PolicyArn"));
                    }
                    "DetachRolePolicy" => role.attached.retain(|arn| *arn != text("PolicyArn")),
                    "PutRolePolicy" => drop(role.inline.insert(text("PolicyName"), text("PolicyDocument"))),
                    "DeleteRolePolicy" => drop(role.inline.remove(&text("PolicyName"))),
                    "UntagRole" => {
                        let keys = (1..).map_while(|index| form.get(&format!("TagKeys.member.{index}")));
                        keys.for_each(|key| drop(role.tags.remove(key)));
                    }
                    "TagRole" => role.tags.extend(list("Tags", "Key").into_iter().zip(list("Tags", "Value"))),
                    "ListAttachedRolePolicies" => {
                        let arn = |arn: &String| {
                            format!("<member><PolicyName>x</PolicyName><PolicyArn>{arn}</PolicyArn></member>")
                        };
                        let policies: String = role.attached.iter().map(arn).collect();
                        return answer(&format!(
                            "<IsTruncated>false</IsTruncated><AttachedPolicies>{policies}</AttachedPolicies>"
                        ));
                    }
                    "ListRolePolicies" => {
                        let names: String = role.inline.keys().map(|name| format!("<member>{name}</member>")).collect();
                        return answer(&format!("<IsTruncated>false</IsTruncated><PolicyNames>{names}</PolicyNames>"));
                    }
                    "ListInstanceProfilesForRole" => {
                        let profile = |name: &String| {
                            format!("<member><InstanceProfileName>{name}</InstanceProfileName></member>")
                        };
                        let profiles: String = self.profiles.iter().map(profile).collect();
                        return answer(&format!(
                            "<IsTruncated>false</IsTruncated><InstanceProfiles>{profiles}</InstanceProfiles>"
                        ));
                    }
                    "DeleteRole" if !self.profiles.is_empty() => {
                        return error(
                            409,
                            "DeleteConflict",
                            "Cannot delete entity, must remove roles from instance profile first.",
                        );
                    }
                    "DeleteRole" => {
                        if !(role.attached.is_empty() && role.inline.is_empty()) {
                            return error(
                                409,
                                "DeleteConflict",
                                "Cannot delete entity, must detach all policies first.",
                            );
                        }
                        self.roles.remove(&name);
                    }
                    _ => return error(400, "InvalidAction", action),
                }
                answer("")
            }
        }
    }

    fn show(&self, name: &str) -> String {
        let Role { tags, path, .. } = &self.roles[name];
        let tags: String = tags
            .iter()
            .map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"))
            .collect();
        format!(
            "<Role><Path>{path}</Path><RoleName>{name}</RoleName><RoleId>AROA</RoleId>\
             <Arn>arn:aws:iam::123456789012:role{path}{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
             <Tags>{tags}</Tags></Role>"
        )
    }
}
