//! Two resources with one name: a create does not adopt the release of another address.

use std::fs;

use gitlabspot_acceptance_tests::Output;

use super::{ADDRESS, end, generation, typed};

const MANIFEST: &str = "main.tf";

fn assert_refused(printed: Output) {
    assert_ne!(printed.code, Some(0));
    let printed = printed.prose();
    for text in ["belongs to another resource", "add a `moved` block", "create_before_destroy"] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
}

/// R24: `create_before_destroy`, a rename without `moved` and a second resource of one name are refused before anything
/// is changed. With `moved` the plan is empty, and a replacement without `create_before_destroy` succeeds.
#[tokio::test]
async fn second_resource_of_one_release_is_refused() {
    let (stage, workspace) = typed("owners").await;
    workspace.apply().await;
    let before = generation(&stage).await;
    let proxy = stage.kubernetes_faults();
    proxy.forget();
    let replace = ["apply", "-input=false", "-auto-approve", &format!("-replace={ADDRESS}")];
    let before_destroy = "resource \"gitlabspot_runner_release\" \"runner\" {\n  lifecycle {\n    create_before_destroy = \
                          true\n  }\n}\n";
    workspace.write("more_override.tf", before_destroy);
    assert_refused(workspace.run(&replace).await);
    workspace.write("more_override.tf", "");
    workspace.assert_stable().await;

    let text = fs::read_to_string(workspace.folder().join(MANIFEST)).unwrap();
    let renamed = text.replace("\"gitlabspot_runner_release\" \"runner\"", "\"gitlabspot_runner_release\" \"renamed\"");
    assert_ne!(renamed, text);
    workspace.write(MANIFEST, &renamed);
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains("If the resource was renamed, add a `moved` block"), "{printed}");
    let moved = format!("moved {{\n  from = {ADDRESS}\n  to   = gitlabspot_runner_release.renamed\n}}\n");
    workspace.write("moved.tf", &moved);
    let plan = workspace.plan().await;
    assert!(plan.changes().values().all(|actions| actions == &["no-op"]), "{:?}", plan.changes());
    workspace.write("moved.tf", "");
    workspace.write(MANIFEST, &text);

    let (_, resource) = renamed.split_once("resource \"gitlabspot_runner_release\"").unwrap();
    workspace.write("second.tf", &format!("resource \"gitlabspot_runner_release\"{resource}"));
    assert_refused(workspace.try_apply().await);
    workspace.write("second.tf", "");
    workspace.assert_stable().await;
    assert_eq!(proxy.changes(), [""; 0]);
    assert_eq!(generation(&stage).await, before);

    let _ = workspace.run(&replace).await.succeeded();
    workspace.assert_stable().await;

    // Create and destroy run concurrently: the create waits for the end of the destroy.
    workspace.write(MANIFEST, &renamed);
    workspace.apply().await;
    workspace.assert_stable().await;
    end(&stage, &workspace).await;
}
