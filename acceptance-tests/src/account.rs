//! An AWS account of a test's own.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Fault;
use crate::control::Control;

/// An account with a VPC, subnets in three zones and an EKS cluster, used by one test only.
#[derive(Clone, Debug)]
pub struct Account {
    furnished: Furnished,
    control: Control,
    endpoint: String,
    config: SdkConfig,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Furnished {
    account: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    cluster: String,
    subnet_ids: BTreeMap<String, String>,
}

/// One call that reached AWS.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// When it came, in one count with the ends of calls.
    pub number: u64,
    /// When it was answered, or dropped; none while it is under way.
    pub ended: Option<u64>,
    /// As in a signature: `eks`, `s3`, ...
    pub service: String,
    /// The API's name: `CreateNodegroup`, ...
    pub action: String,
    /// What was asked for; secrets left out.
    pub parameters: Value,
    /// The access key that it was signed with, if it was.
    pub access_key_id: Option<String>,
    /// `attempt=1; max=3`.
    pub attempt: Option<String>,
    /// The same for every attempt of one call.
    pub invocation: Option<String>,
    /// What the caller calls itself.
    pub user_agent: Option<String>,
    /// The status that was answered; none when the connection was dropped.
    pub status: Option<u16>,
    /// The error code that was answered.
    pub error: Option<String>,
}

impl Call {
    /// Whether the provider made it; a test or a runner otherwise.
    #[must_use]
    pub fn is_from_provider(&self) -> bool {
        self.user_agent.as_ref().is_some_and(|agent| agent.contains("lib/terraform-provider-gitlabspot/"))
    }
}

impl Account {
    pub(crate) fn new(furnished: Furnished, control: Control, endpoint: &str) -> Self {
        let credentials =
            Credentials::new(&furnished.access_key_id, &furnished.secret_access_key, None, None, "local cloud");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(furnished.region.clone()))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self { furnished, control, endpoint: endpoint.to_owned(), config }
    }

    /// Twelve digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.furnished.account
    }

    /// The region that everything is in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.furnished.region
    }

    /// Name of the EKS cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.furnished.cluster
    }

    /// The subnet of each zone: `af-south-1a`, `b` and `c`.
    #[must_use]
    pub fn subnet_ids(&self) -> &BTreeMap<String, String> {
        &self.furnished.subnet_ids
    }

    /// The URL of every service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The administrator's access key: its id and its secret.
    #[must_use]
    pub fn keys(&self) -> (&str, &str) {
        (&self.furnished.access_key_id, &self.furnished.secret_access_key)
    }

    /// Ends a session of a role before its time.
    pub fn expire(&self, access_key_id: &str) {
        let _: Value = self.control.post("/expire", &json!({ "access_key_id": access_key_id }));
    }

    /// What a user of this account has in the environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", self.furnished.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.furnished.secret_access_key.clone()),
            ("AWS_REGION", self.furnished.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// EC2 Auto Scaling.
    #[must_use]
    pub fn autoscaling(&self) -> aws_sdk_autoscaling::Client {
        aws_sdk_autoscaling::Client::new(&self.config)
    }

    /// EC2.
    #[must_use]
    pub fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config)
    }

    /// EKS.
    #[must_use]
    pub fn eks(&self) -> aws_sdk_eks::Client {
        aws_sdk_eks::Client::new(&self.config)
    }

    /// IAM.
    #[must_use]
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    /// S3, addressing buckets by path.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// STS.
    #[must_use]
    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    /// Lets some of the account's next calls fail.
    pub fn inject(&self, fault: Fault) {
        let fault = fault.into_rule(self.id());
        let _: Value = self.control.post("/faults", &fault);
    }

    /// Lets EKS name another endpoint for the account's clusters.
    pub(crate) fn set_cluster_endpoint(&self, url: &str) {
        let _: Value = self.control.post("/cluster-endpoint", &json!({ "account": self.id(), "url": url }));
    }

    /// Says how the account's next node groups, updates and deletions end: a plan as `cloud/aws/plans.py` has it, for
    /// instance `{"on": "create", "status": "CREATE_FAILED", "issues": [...]}`.
    pub fn plan_node_groups(&self, plan: &Value) {
        let _: Value = self.control.post("/nodegroup-plan", &json!({ "account": self.id(), "plans": [plan] }));
    }

    /// Gives the account's clusters another status, until they have refused so many changes of node groups.
    pub fn set_cluster_status(&self, status: &str, refusals: u32) {
        let asked = json!({ "account": self.id(), "status": status, "refusals": refusals });
        let _: Value = self.control.post("/cluster-status", &asked);
    }

    /// Whether nodes of the account's node groups can join their cluster, by `cluster/name`.
    #[must_use]
    pub fn node_access(&self) -> BTreeMap<String, bool> {
        self.control.get("/node-access", &[("account", self.id())])
    }

    /// Lets the access keys of the account's users be so many days older.
    pub fn age_keys(&self, days: u32) {
        let _: Value = self.control.post("/age-keys", &json!({ "account": self.id(), "days": days }));
    }

    /// Lets IAM and EKS go on listing what is deleted from now on, for so many seconds.
    pub fn lag(&self, seconds: f64) {
        let _: Value = self.control.post("/lag", &json!({ "account": self.id(), "seconds": seconds }));
    }

    /// Every call of the account so far, those of the test included, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.control.get("/log", &[("account", self.id())])
    }

    /// The calls of one operation.
    #[must_use]
    pub fn calls_of(&self, service: &str, action: &str) -> Vec<Call> {
        let query = [("account", self.id()), ("service", service), ("action", action)];
        self.control.get("/log", &query)
    }

    /// The provider's calls that change something, in order, each once however often it was sent.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let looks = ["Describe", "Get", "Head", "List"];
        let mut seen = BTreeSet::new();
        let calls = self.calls().into_iter().filter(Call::is_from_provider);
        let changes = calls.filter(|call| !looks.iter().any(|look| call.action.starts_with(look)));
        let once = changes.filter(|call| call.invocation.clone().is_none_or(|invocation| seen.insert(invocation)));
        once.map(|call| call.action).collect()
    }

    /// Makes a role for nodes, as somebody else would. Returns its ARN.
    ///
    /// # Panics
    ///
    /// When there is one of this name.
    pub async fn create_node_role(&self, name: &str) -> String {
        let nodes = json!({ "Service": "ec2.amazonaws.com" });
        let statement = json!({ "Effect": "Allow", "Principal": nodes, "Action": "sts:AssumeRole" });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let made = self.iam().create_role().role_name(name).assume_role_policy_document(trust).send().await;
        made.expect("a role can be made").role.expect("a role that was made is told").arn
    }

    /// How often EKS was looked at since a call of this operation was answered well.
    #[must_use]
    pub fn reads_after(&self, action: &str) -> usize {
        let calls = self.calls();
        let position = calls.iter().position(|call| call.action == action && call.status == Some(200));
        let looks = |call: &&Call| call.service == "eks" && call.action.starts_with("Describe");
        position.map_or(0, |position| calls.iter().skip(position).filter(looks).count())
    }

    /// Forgets faults, plans and calls; what exists stays.
    pub fn forget(&self) {
        let _: Value = self.control.post("/reset", &json!({ "account": self.id() }));
    }

    /// What exists in the account beyond what it had at the start, by kind. Empty is nothing.
    #[must_use]
    pub fn leftovers(&self) -> BTreeMap<String, Vec<String>> {
        self.control.get("/leftovers", &[("account", self.id())])
    }

    /// What exists and neither the account had at the start nor the test made: the provider did, or had it made. A node
    /// group stands for its parts.
    pub(crate) fn leftovers_of_provider(&self) -> BTreeMap<String, Vec<String>> {
        self.control.get("/leftovers", &[("account", self.id()), ("of", "provider")])
    }

    /// The secret of every access key that a user of the account ever got.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.control.get("/secrets", &[("account", self.id())])
    }

    /// Every call, those that the test told to forget as well.
    pub(crate) fn all_calls(&self) -> Vec<Call> {
        self.control.get("/log", &[("account", self.id()), ("everything", "1")])
    }

    pub(crate) fn log(&self) -> Result<Value, String> {
        self.control.try_get("/log", &[("account", self.id())])
    }
}
