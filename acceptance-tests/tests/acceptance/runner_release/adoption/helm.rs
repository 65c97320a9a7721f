//! Releases as Helm installs them.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use gitlabspot_acceptance_tests::Stage;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::super::{GUIDE, NAME};

/// Objects that chart 0.86.0 renders from the guide's values file.
const OBJECTS: &str =
    include_str!("../../../../../provider/src/resources/runner_release/testdata/guide-chart-objects.json");

/// A short version of the chart's script, with the arguments that come from values.
const REGISTER: &str = "#!/bin/bash\nfor i in $(seq 1 30); do\n  /entrypoint register \\\n    \
                        --name=\"a runner\" \\\n    --template-config /configmaps/config.template.toml \\\n    \
                        --non-interactive\ndone\n";

/// Version of Helm. Both use the same field manager, and write objects differently.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Helm {
    Three,
    Four,
}

/// The objects of a release, before Helm installs them.
pub(crate) struct Chart {
    namespace: String,
    objects: Vec<Value>,
    /// Values of the user.
    pub(super) values: Value,
}

impl Chart {
    /// The objects of the guide's values file.
    pub(crate) fn guide(stage: &Stage, gitlab_url: &str) -> Self {
        let namespace = stage.namespace.name().to_owned();
        let text = OBJECTS
            .replace(r#""namespace": "gitlab-runner""#, &format!(r#""namespace": "{namespace}""#))
            .replace(r#"namespace = \"gitlab-runner\""#, &format!(r#"namespace = \"{namespace}\""#))
            .replace("https://gitlab.com/", gitlab_url);
        let values = serde_saphyr::from_str(&GUIDE.replace("https://gitlab.com/", gitlab_url)).unwrap();
        let mut chart = Self { namespace, objects: serde_json::from_str(&text).unwrap(), values };
        chart.object("Secret")["data"] = json!({ "runner-registration-token": "WFhYWFg=", "runner-token": "" });
        chart.object("ConfigMap")["data"]["register-the-runner"] = REGISTER.replace("--name=\"a runner\"", "").into();
        chart.object("ServiceMonitor")["spec"]["namespaceSelector"]["matchNames"] = json!([chart.namespace]);
        chart
    }

    /// The objects of values like those in `testdata/runner_release/adopted`, for GitLab Runner 19.3.0.
    pub(super) fn adopted(stage: &Stage) -> Self {
        let mut chart = Self::guide(stage, "https://gitlab.com/");
        chart.objects.retain(|object| !["Service", "ServiceMonitor"].contains(&object["kind"].as_str().unwrap()));
        chart.object("Secret")["data"] = json!({ "runner-registration-token": "", "runner-token": "Z2xydC14Cg==" });
        let template = format!(
            "[[runners]]\n  [runners.kubernetes]\n    namespace = {:?}\n    image = \"alpine\"\n",
            chart.namespace
        );
        chart.values = json!({
            "gitlabUrl": "https://gitlab.com/", "runnerToken": "glrt-x", "extraEnv": { "PASSWORD": "of-the-pod" },
            "resources": { "requests": { "cpu": "1" } }, "rbac": { "create": true }, "useTini": null,
            "runners": { "config": template, "name": "a runner", "cache": { "secretName": "gitlab-runner-s3-access" } },
        });
        let data = &mut chart.object("ConfigMap")["data"];
        data["config.template.toml"] = template.into();
        data["config.toml"] =
            "shutdown_timeout = 0\nconcurrent = 10\ncheck_interval = 3\nlog_level = \"info\"\n".into();
        data["register-the-runner"] = REGISTER.into();
        let template = &mut chart.object("Deployment")["spec"]["template"];
        template["metadata"]["annotations"] = json!({ "checksum/configmap": "a", "checksum/secrets": "b" });
        template["metadata"]["labels"]["chart"] = "gitlab-runner-0.92.0".into();
        let pod = &mut template["spec"];
        let _ = pod.as_object_mut().unwrap().remove("imagePullSecrets");
        let container = &mut pod["containers"][0];
        container["image"] = "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v19.3.0".into();
        container["resources"] = json!({ "requests": { "cpu": "1", "memory": "1Gi" } });
        container["env"].as_array_mut().unwrap().insert(4, json!({ "name": "PASSWORD", "value": "of-the-pod" }));
        chart
    }

    /// The object of a kind.
    pub(super) fn object(&mut self, kind: &str) -> &mut Value {
        self.objects.iter_mut().find(|object| object["kind"] == kind).unwrap()
    }

    /// Adds an object.
    pub(super) fn with(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }
}

impl Helm {
    /// Installs the objects as revision 2 into an existing namespace.
    pub(crate) async fn install(self, stage: &Stage, chart: Chart) {
        for object in &chart.objects {
            self.write(stage, object.clone()).await;
        }
        for revision in ["1", "2"] {
            let record: Secret = serde_json::from_value(json!({
                "metadata": {
                    "name": format!("sh.helm.release.v1.{NAME}.v{revision}"),
                    "labels": { "name": NAME, "owner": "helm", "status": "deployed", "version": revision },
                },
                "type": "helm.sh/release.v1",
                "data": { "release": STANDARD.encode(packed(&chart.values)) },
            }))
            .unwrap();
            let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
            secrets.create(&PostParams::default(), &record).await.unwrap();
        }
    }

    /// Writes an object with the labels and annotations of the chart and of Helm.
    async fn write(self, stage: &Stage, mut object: Value) {
        let labels = json!({
            "app": NAME, "chart": "gitlab-runner-0.86.0", "release": NAME, "heritage": "Helm",
            "app.kubernetes.io/managed-by": "Helm",
        });
        let metadata = &mut object["metadata"];
        metadata["labels"] = labels;
        metadata["annotations"] = json!({
            "meta.helm.sh/release-name": NAME, "meta.helm.sh/release-namespace": stage.namespace.name(),
        });
        let namespace = metadata["namespace"].as_str().unwrap_or(stage.namespace.name()).to_owned();
        let name = metadata["name"].as_str().unwrap().to_owned();
        let (api_version, kind) = (object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(stage.kubernetes.client(), &namespace, &resource);
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        match self {
            Self::Three => {
                let parameters = PostParams { field_manager: Some("helm".to_owned()), ..PostParams::default() };
                api.create(&parameters, &object).await.map(drop).unwrap();
            }
            Self::Four => {
                api.patch(&name, &PatchParams::apply("helm"), &Patch::Apply(&object)).await.map(drop).unwrap();
            }
        }
    }
}

/// A release in the format of Helm's release record.
fn packed(values: &Value) -> String {
    let metadata = json!({ "name": "gitlab-runner", "version": "0.86.0", "appVersion": "18.9.0" });
    let release =
        json!({ "name": NAME, "version": 2, "config": values, "chart": { "metadata": metadata } }).to_string();
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(release.as_bytes()).unwrap();
    STANDARD.encode(packer.finish().unwrap())
}

/// UIDs of all pods and ReplicaSets by kind and name.
pub(crate) async fn pods_and_replica_sets(stage: &Stage) -> BTreeMap<String, String> {
    let mut uids = BTreeMap::new();
    let namespace = stage.namespace.name();
    for (group, kind) in [("", "Pod"), ("apps", "ReplicaSet")] {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(stage.kubernetes.client(), namespace, &resource);
        for object in api.list(&kube::api::ListParams::default()).await.unwrap() {
            let name = format!("{kind} {}", object.metadata.name.unwrap());
            uids.insert(name, object.metadata.uid.unwrap());
        }
    }
    uids
}
