//! EKS: the cluster `prod`, its node group, access entry and Pod Identity associations.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value as Json, json};

use super::State;
use super::autoscaling::{self, AutoScalingGroup};
use super::iam::CREATED_SECONDS;
use super::request::{Answer, Request, refused};

#[derive(Clone, Debug, Default)]
pub struct Eks {
    /// The node group in the format of the API, or null.
    pub node_group: Json,
    /// The next statuses, one for each read. `DELETED` deletes the node group.
    pub statuses: VecDeque<&'static str>,
    /// The statuses after the next create, if not `CREATING` and `ACTIVE`.
    pub create_statuses: Vec<&'static str>,
    /// Its health issues once a create has failed.
    pub issues: Vec<Json>,
    /// The results of the next updates, instead of success. An update ends at its second read.
    pub updates: VecDeque<Json>,
    /// The size that the autoscaler sets during an update of the version.
    pub size_after_update: Option<i64>,
    /// When EKS created the access entry of the node role, in seconds.
    pub access_entry: Option<u64>,
    /// Pod Identity associations by service account, which is also their ID.
    pub associations: BTreeMap<String, Json>,
    token: String,
    update_reads: u32,
}

const UPDATE: &str = r#"{"update":{"id":"u-1","status":"InProgress"}}"#;

pub(super) fn action(method: &str, path: &str) -> &'static str {
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["clusters", _]) => "DescribeCluster",
        ("POST", ["clusters", _, "node-groups"]) => "CreateNodegroup",
        ("GET", ["clusters", _, "node-groups", _]) => "DescribeNodegroup",
        ("DELETE", ["clusters", _, "node-groups", _]) => "DeleteNodegroup",
        ("POST", ["clusters", _, "node-groups", _, "update-config"]) => "UpdateNodegroupConfig",
        ("POST", ["clusters", _, "node-groups", _, "update-version"]) => "UpdateNodegroupVersion",
        ("GET", ["clusters", _, "updates", _]) => "DescribeUpdate",
        ("GET", ["clusters", _, "access-entries", _]) => "DescribeAccessEntry",
        ("DELETE", ["clusters", _, "access-entries", _]) => "DeleteAccessEntry",
        ("GET", ["clusters", _, "pod-identity-associations"]) => "ListPodIdentityAssociations",
        ("POST", ["clusters", _, "pod-identity-associations"]) => "CreatePodIdentityAssociation",
        ("GET", ["clusters", _, "pod-identity-associations", _]) => "DescribePodIdentityAssociation",
        ("POST", ["clusters", _, "pod-identity-associations", _]) => "UpdatePodIdentityAssociation",
        ("DELETE", ["clusters", _, "pod-identity-associations", _]) => "DeletePodIdentityAssociation",
        ("POST", ["tags", _]) => "TagResource",
        ("DELETE", ["tags", _]) => "UntagResource",
        other => unreachable!("{other:?}"),
    }
}

impl State {
    pub(super) fn eks(&mut self, request: &Request) -> Answer {
        let action = request.action.as_str();
        match request.path.split('/').nth(1) {
            Some(cluster) if cluster != "prod" && request.path.starts_with("clusters/") => {
                refused(404, "ResourceNotFoundException", &format!("No cluster found for name: {cluster}."))
            }
            _ if action == "DescribeCluster" => Ok(cluster(&request.region)),
            _ if action == "CreateNodegroup" => self.create_node_group(request),
            _ if action.contains("AccessEntry") => self.eks.access_entry(action),
            _ if action.contains("PodIdentity") => self.eks.pod_identity(request),
            _ => self.node_group(request),
        }
    }

    fn create_node_group(&mut self, request: &Request) -> Answer {
        let body = request.json();
        let token = body["clientRequestToken"].as_str().unwrap();
        if !self.eks.node_group.is_null() {
            // EKS returns the existing node group for a request with the same client token.
            if token != self.eks.token {
                return refused(409, "ResourceInUseException", "NodeGroup already exists with name build");
            }
            return Ok(json!({ "nodegroup": self.eks.node_group }).to_string());
        }
        let name = body["nodegroupName"].as_str().unwrap();
        let arn = format!("arn:aws:eks:{}:123456789012:nodegroup/prod/{name}/1", request.region);
        let mut group = json!({
            "clusterName": "prod",
            "nodegroupArn": arn,
            "status": "CREATING",
            "amiType": "AL2023_x86_64_STANDARD",
            "version": "1.34",
            "releaseVersion": "1.34.0-20260101",
            "updateConfig": { "maxUnavailable": 1 },
            "labels": {},
            "taints": [],
        });
        if body["launchTemplate"].is_null() {
            group["diskSize"] = 20.into();
        }
        merge(&mut group, &body);
        token.clone_into(&mut self.eks.token);
        self.eks.node_group = group.clone();
        // EKS keeps an existing access entry of the role's ARN, even of an earlier role with this ARN.
        self.eks.access_entry.get_or_insert(CREATED_SECONDS + 60);
        let usual = vec!["CREATING", "ACTIVE"];
        let statuses = &self.eks.create_statuses;
        self.eks.statuses = if statuses.is_empty() { usual } else { statuses.clone() }.into();
        self.autoscaling = AutoScalingGroup::of_node_group();
        Ok(json!({ "nodegroup": group }).to_string())
    }

    fn node_group(&mut self, request: &Request) -> Answer {
        if request.action == "DescribeNodegroup" {
            self.eks.next_status();
        }
        let group = &mut self.eks.node_group;
        let name = request.path.split('/').nth(3).filter(|_| request.path.contains("/node-groups/"));
        if group.is_null() || name.is_some_and(|name| group["nodegroupName"] != name) {
            return refused(404, "ResourceNotFoundException", "No node group found for name: build.");
        }
        let body = request.json();
        match request.action.as_str() {
            "DescribeNodegroup" => {}
            "DeleteNodegroup" => {
                if group["status"] != "ACTIVE" && group["status"] != "CREATE_FAILED" {
                    return refused(409, "ResourceInUseException", "Nodegroup is being changed");
                }
                group["status"] = "DELETING".into();
                self.eks.statuses = ["DELETING", "DELETED"].into();
            }
            "UpdateNodegroupConfig" => return update_config(group, &body),
            "UpdateNodegroupVersion" => return self.update_version(&body),
            "DescribeUpdate" => return self.eks.describe_update(),
            "TagResource" => merge(&mut group["tags"], &body["tags"]),
            "UntagResource" => request.parameters.all("tagKeys").for_each(|key| remove(&mut group["tags"], key)),
            other => unreachable!("{other}"),
        }
        Ok(json!({ "nodegroup": self.eks.node_group }).to_string())
    }

    fn update_version(&mut self, body: &Json) -> Answer {
        let (group, template) = (&mut self.eks.node_group, &body["launchTemplate"]);
        if let Some(known) = template["id"].as_str().and_then(|id| self.ec2.templates.get(id))
            && !template["version"].as_str().is_some_and(|it| known.versions.contains_key(&it.parse().unwrap()))
        {
            return refused(400, "InvalidParameterException", "Launch template version does not exist");
        }
        let given = [("version", &body["version"]), ("launchTemplate", template)];
        for (key, value) in given.into_iter().filter(|(_, value)| !value.is_null()) {
            group[key] = value.clone();
        }
        let newest = format!("{}.0-20260301", group["version"].as_str().unwrap());
        group["releaseVersion"] = body["releaseVersion"].as_str().unwrap_or(&newest).into();
        if let Some(size) = self.eks.size_after_update.take() {
            group["scalingConfig"]["desiredSize"] = size.into();
        }
        Ok(UPDATE.to_owned())
    }
}

impl Eks {
    /// Changes to the next status, once for each read.
    fn next_status(&mut self) {
        let Some(next) = self.statuses.pop_front() else { return };
        let group = &mut self.node_group;
        group["status"] = next.into();
        match next {
            "DELETED" => *group = Json::Null,
            "CREATE_FAILED" => group["health"] = json!({ "issues": self.issues }),
            "ACTIVE" => group["resources"] = json!({ "autoScalingGroups": [{ "name": autoscaling::NAME }] }),
            _ => {}
        }
    }

    fn describe_update(&mut self) -> Answer {
        self.update_reads += 1;
        let usual = || json!({ "status": "Successful" });
        let is_done = self.update_reads.is_multiple_of(2);
        let update = is_done.then(|| self.updates.pop_front().unwrap_or_else(usual));
        Ok(json!({ "update": update.unwrap_or_else(|| json!({ "status": "InProgress" })) }).to_string())
    }

    fn access_entry(&mut self, action: &str) -> Answer {
        let Some(created) = self.access_entry else {
            return refused(404, "ResourceNotFoundException", "The specified principalArn could not be found");
        };
        if action == "DeleteAccessEntry" {
            self.access_entry = None;
        }
        Ok(json!({ "accessEntry": { "createdAt": created } }).to_string())
    }

    fn pod_identity(&mut self, request: &Request) -> Answer {
        let body = request.json();
        match request.action.as_str() {
            "ListPodIdentityAssociations" => {
                let account = request.parameters.text("serviceAccount");
                let found = self.associations.keys().filter(|known| **known == account);
                let found: Vec<_> = found.map(|id| json!({ "associationId": id })).collect();
                return Ok(json!({ "associations": found }).to_string());
            }
            "CreatePodIdentityAssociation" => {
                let account = body["serviceAccount"].as_str().unwrap();
                if self.associations.contains_key(account) {
                    return refused(409, "ResourceInUseException", "Association already exists");
                }
                self.associations.insert(account.to_owned(), body.clone());
                return Ok(json!({ "association": body }).to_string());
            }
            _ => {}
        }
        let id = request.path.rsplit('/').next().unwrap();
        let Some(association) = self.associations.get_mut(id) else {
            return refused(404, "ResourceNotFoundException", "The association could not be found");
        };
        if request.action == "UpdatePodIdentityAssociation" {
            merge(association, &body);
        }
        let answer = json!({ "association": association }).to_string();
        if request.action == "DeletePodIdentityAssociation" {
            self.associations.remove(id);
        }
        Ok(answer)
    }
}

fn cluster(region: &str) -> String {
    let network = json!({ "subnetIds": ["subnet-a", "subnet-b", "subnet-c"], "clusterSecurityGroupId": "sg-cluster" });
    let identity = json!({ "oidc": { "issuer": format!("https://oidc.eks.{region}.amazonaws.com/id/ABC") } });
    json!({ "cluster": { "name": "prod", "resourcesVpcConfig": network, "identity": identity } }).to_string()
}

fn update_config(group: &mut Json, body: &Json) -> Answer {
    merge(&mut group["labels"], &body["labels"]["addOrUpdateLabels"]);
    for key in body["labels"]["removeLabels"].as_array().into_iter().flatten() {
        remove(&mut group["labels"], key.as_str().unwrap());
    }
    let taints = |change: &str| body["taints"][change].as_array().cloned().unwrap_or_default();
    let (new, gone) = (taints("addOrUpdateTaints"), taints("removeTaints"));
    let is_same = |one: &Json, other: &Json| one["key"] == other["key"] && one["effect"] == other["effect"];
    let taints = group["taints"].as_array_mut().unwrap();
    taints.retain(|taint| !gone.iter().chain(&new).any(|other| is_same(taint, other)));
    taints.extend(new);
    merge(&mut group["scalingConfig"], &body["scalingConfig"]);
    for key in ["updateConfig", "nodeRepairConfig"].into_iter().filter(|key| !body[key].is_null()) {
        group[key] = body[key].clone();
    }
    Ok(UPDATE.to_owned())
}

fn merge(object: &mut Json, more: &Json) {
    for (key, value) in more.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
}

fn remove(object: &mut Json, key: &str) {
    object.as_object_mut().unwrap().remove(key);
}
