//! An AWS account for one test.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Fault;
use crate::control::Control;

/// An AWS account with a VPC, subnets in three zones and an EKS cluster, used by one test only.
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

/// A request that reached the local AWS.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// Sequence number of its arrival. Arrivals and ends of calls share one counter.
    pub number: u64,
    /// Sequence number of its end: the response, or the dropped connection. `None` while the call is in progress.
    pub ended: Option<u64>,
    /// Service name as in a signature: `eks`, `s3`, ...
    pub service: String,
    /// Name of the API operation: `CreateNodegroup`, ...
    pub action: String,
    /// Request parameters, without secrets.
    pub parameters: Value,
    /// Access key ID of the signature, if the request was signed.
    pub access_key_id: Option<String>,
    /// Attempt counter that the SDK sends: `attempt=1; max=3`.
    pub attempt: Option<String>,
    /// Invocation ID that the SDK sends: the same for all attempts of one call.
    pub invocation: Option<String>,
    /// User agent of the caller.
    pub user_agent: Option<String>,
    /// HTTP status of the response; `None` when the connection was dropped.
    pub status: Option<u16>,
    /// Error code of the response.
    pub error: Option<String>,
}

impl Call {
    /// Whether the provider sent it, rather than a test or a runner.
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

    /// Account ID of twelve digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.furnished.account
    }

    /// Region of all objects of the account.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.furnished.region
    }

    /// Name of the EKS cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.furnished.cluster
    }

    /// Subnet IDs by zone: `af-south-1a`, `b` and `c`.
    #[must_use]
    pub fn subnet_ids(&self) -> &BTreeMap<String, String> {
        &self.furnished.subnet_ids
    }

    /// URL of the local AWS, the same for all services.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// ID and secret of the administrator's access key.
    #[must_use]
    pub fn keys(&self) -> (&str, &str) {
        (&self.furnished.access_key_id, &self.furnished.secret_access_key)
    }

    /// Expires the session of a role early.
    pub fn expire(&self, access_key_id: &str) {
        let _: Value = self.control.post("/expire", &json!({ "access_key_id": access_key_id }));
    }

    /// Environment variables of a user of this account.
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

    /// S3, with path-style addressing of buckets.
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

    /// Makes some of the account's next calls fail.
    pub fn inject(&self, fault: Fault) {
        let fault = fault.into_rule(self.id());
        let _: Value = self.control.post("/faults", &fault);
    }

    /// Makes EKS return another endpoint for the account's clusters.
    pub(crate) fn set_cluster_endpoint(&self, url: &str) {
        let _: Value = self.control.post("/cluster-endpoint", &json!({ "account": self.id(), "url": url }));
    }

    /// Sets the result of the account's next node group operations: a plan as `cloud/aws/plans.py` defines it, for
    /// example `{"on": "create", "status": "CREATE_FAILED", "issues": [...]}`.
    pub fn plan_node_groups(&self, plan: &Value) {
        let _: Value = self.control.post("/nodegroup-plan", &json!({ "account": self.id(), "plans": [plan] }));
    }

    /// Sets another status of the account's clusters, until they have refused this many changes of node groups.
    pub fn set_cluster_status(&self, status: &str, refusals: u32) {
        let asked = json!({ "account": self.id(), "status": status, "refusals": refusals });
        let _: Value = self.control.post("/cluster-status", &asked);
    }

    /// Whether nodes of each node group can join its cluster, by `cluster/name`.
    #[must_use]
    pub fn node_access(&self) -> BTreeMap<String, bool> {
        self.control.get("/node-access", &[("account", self.id())])
    }

    /// Makes the access keys of the account's users this many days older.
    pub fn age_keys(&self, days: u32) {
        let _: Value = self.control.post("/age-keys", &json!({ "account": self.id(), "days": days }));
    }

    /// Makes IAM and EKS list objects for this many seconds after their deletion, from now on.
    pub fn lag(&self, seconds: f64) {
        let _: Value = self.control.post("/lag", &json!({ "account": self.id(), "seconds": seconds }));
    }

    /// All calls to the account so far in order, including those of the test.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.control.get("/log", &[("account", self.id())])
    }

    /// All calls of one operation.
    #[must_use]
    pub fn calls_of(&self, service: &str, action: &str) -> Vec<Call> {
        let query = [("account", self.id()), ("service", service), ("action", action)];
        self.control.get("/log", &query)
    }

    /// Operations of the provider that change something, in order. All attempts of one call count once.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let looks = ["Describe", "Get", "Head", "List"];
        let mut seen = BTreeSet::new();
        let calls = self.calls().into_iter().filter(Call::is_from_provider);
        let changes = calls.filter(|call| !looks.iter().any(|look| call.action.starts_with(look)));
        let once = changes.filter(|call| call.invocation.clone().is_none_or(|invocation| seen.insert(invocation)));
        once.map(|call| call.action).collect()
    }

    /// Creates a role for nodes outside the provider. Returns its ARN.
    ///
    /// # Panics
    ///
    /// If a role of this name exists.
    pub async fn create_node_role(&self, name: &str) -> String {
        let nodes = json!({ "Service": "ec2.amazonaws.com" });
        let statement = json!({ "Effect": "Allow", "Principal": nodes, "Action": "sts:AssumeRole" });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let made = self.iam().create_role().role_name(name).assume_role_policy_document(trust).send().await;
        made.expect("a role can be made").role.expect("a role that was made is told").arn
    }

    /// Number of reads of EKS since the first successful call of this operation.
    #[must_use]
    pub fn reads_after(&self, action: &str) -> usize {
        let calls = self.calls();
        let position = calls.iter().position(|call| call.action == action && call.status == Some(200));
        let looks = |call: &&Call| call.service == "eks" && call.action.starts_with("Describe");
        position.map_or(0, |position| calls.iter().skip(position).filter(looks).count())
    }

    /// Clears faults, plans and calls, and keeps all objects.
    pub fn forget(&self) {
        let _: Value = self.control.post("/reset", &json!({ "account": self.id() }));
    }

    /// Objects that were added to the account since its creation, by kind. An empty map means none.
    #[must_use]
    pub fn leftovers(&self) -> BTreeMap<String, Vec<String>> {
        self.control.get("/leftovers", &[("account", self.id())])
    }

    /// Objects that the provider created, itself or through a service. A node group is listed without its parts.
    pub(crate) fn leftovers_of_provider(&self) -> BTreeMap<String, Vec<String>> {
        self.control.get("/leftovers", &[("account", self.id()), ("of", "provider")])
    }

    /// Secrets of all access keys that users of the account ever had.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.control.get("/secrets", &[("account", self.id())])
    }

    /// All calls, including those before [`Self::forget`].
    pub(crate) fn all_calls(&self) -> Vec<Call> {
        self.control.get("/log", &[("account", self.id()), ("everything", "1")])
    }

    pub(crate) fn log(&self) -> Result<Value, String> {
        self.control.try_get("/log", &[("account", self.id())])
    }
}
