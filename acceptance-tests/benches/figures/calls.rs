//! AWS calls of each resource to create, refresh and destroy it.

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Call, Engine, Stage, Workspace};
use serde_json::{Value, json};

use crate::table::Table;

/// Checks at compile time that a configuration exists, because the bench runs rarely.
macro_rules! testdata {
    ($name:literal) => {{
        const _: &str = include_str!(concat!("../../testdata/", $name, "/main.tf"));
        $name
    }};
}

/// A resource, its configuration, and the maximum number of calls for each step.
struct Subject {
    name: &'static str,
    testdata: &'static str,
    budget: [usize; 3],
}

/// The number of reads of a wait depends on the time that AWS needs: here three reads until a node group is active, and
/// three until it is deleted. The budget of a create has two more calls, for reads of objects that are not visible yet.
const SUBJECTS: [Subject; 5] = [
    Subject { name: "node group", testdata: testdata!("node_group/many"), budget: [14, 2, 7] },
    Subject { name: "node group with role", testdata: testdata!("node_group/guide"), budget: [26, 2, 17] },
    Subject { name: "node group with template", testdata: testdata!("node_group/template"), budget: [25, 3, 19] },
    Subject { name: "cache bucket", testdata: testdata!("cache_bucket/guide"), budget: [16, 8, 11] },
    Subject { name: "credentials (access_key)", testdata: testdata!("runner_credentials/guide"), budget: [11, 4, 9] },
];

const STEPS: [&str; 3] = ["create", "refresh", "destroy"];

pub(crate) async fn measure() -> [Table; 1] {
    let mut table = Table::new("Calls of AWS", &["resource", "step", "calls", "budget", "of which"]);
    for subject in SUBJECTS {
        let stage = Stage::new(&format!("bench/{}", subject.testdata), Engine::opentofu()).await;
        let workspace = stage.testdata(subject.testdata, variables(&stage, subject.testdata).await).await;
        let workspace = workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "50");
        for (step, budget) in STEPS.into_iter().zip(subject.budget) {
            stage.account.forget();
            run(&workspace, step).await;
            let calls: Vec<Call> = stage.account.calls().into_iter().filter(Call::is_from_provider).collect();
            table.row(&[&subject.name, &step, &calls.len(), &budget, &kinds(&calls)]);
            let what = format!("{} takes {} calls to {step}, and may take {budget}", subject.name, calls.len());
            table.budget(calls.len() <= budget, what);
        }
    }
    [table]
}

async fn variables(stage: &Stage, testdata: &str) -> Value {
    let name = stage.namespace.name();
    match testdata {
        "cache_bucket/guide" => json!({ "bucket": name }),
        "runner_credentials/guide" => {
            stage.namespace.create().await;
            json!({ "namespace": name })
        }
        "node_group/many" => json!({ "groups": 1, "node_role_arn": stage.account.create_node_role("nodes").await }),
        _ => json!({}),
    }
}

async fn run(workspace: &Workspace, step: &str) {
    match step {
        "create" => _ = workspace.apply().await,
        "refresh" => assert!(workspace.plan().await.is_empty(), "a plan right after apply is not empty"),
        _ => _ = workspace.destroy().await,
    }
}

fn kinds(calls: &[Call]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(&call.action).or_default() += 1;
    }
    let kinds =
        kinds.into_iter().map(|(kind, count)| if count == 1 { kind.to_owned() } else { format!("{count} {kind}") });
    kinds.collect::<Vec<_>>().join(", ")
}
