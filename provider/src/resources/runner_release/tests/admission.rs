//! Changes of managed fields by admission are no drift, in contrast to later changes by others.

use super::*;

/// Replaces the image with that of a mirror, and adds a toleration.
fn mutate(object: &mut Json) {
    if object["kind"] != "Deployment" {
        return;
    }
    let pod = &mut object["spec"]["template"]["spec"];
    pod["containers"][0]["image"] = json!("mirror.example.com/runner:1");
    pod["tolerations"] = json!([{ "key": "added", "operator": "Exists" }]);
}

#[tokio::test]
async fn admission_changes_are_no_difference() {
    let cluster = Cluster::default();
    cluster.inject(Fault::Admission(mutate));
    let mut stage = stage(&cluster);
    let config = with(typed(), &[("tolerations", Raw::List(vec![]))]);
    stage.apply_wholly(&config).await;
    let generation = |cluster: &Cluster| cluster.get(MANAGER)["metadata"]["generation"].clone();
    assert_eq!(generation(&cluster), 1);

    // A plan that applies the object shows it as admission changes it.
    let labels = object([("team", "ci".into())]);
    let config = with(config, &[("deployment_labels", labels)]);
    let planned = stage.plan(&config).await;
    assert_eq!(summaries(&planned.diagnostics), ["Objects are changed by cluster admission"]);
    let detail = &planned.diagnostics.iter().next().unwrap().detail;
    assert!(
        detail.contains("containers[0].image is \"mirror.example.com/runner:1\" instead of \"registry"),
        "{detail}"
    );
    assert_eq!(stage.apply(&config).await, Diagnostics::new());
    assert_eq!(stage.changes(&config).await, [""; 0]);
    assert_eq!(generation(&cluster), 1);

    // Later changes by others are shown and reverted.
    cluster.change(MANAGER, |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = "by-hand".into();
    });
    assert_eq!(stage.changes(&config).await, ["manifest", "status"]);
    assert_eq!(stage.apply(&config).await, Diagnostics::new());
    assert_eq!(stage.changes(&config).await, [""; 0]);
}

#[tokio::test]
async fn metrics_of_an_autoscaler_are_compared_by_amount() {
    let cluster = Cluster::default();
    cluster.inject(Fault::Admission(|object| {
        if object["kind"] == "HorizontalPodAutoscaler" {
            let metrics = object["spec"]["metrics"].as_array_mut().unwrap();
            metrics[0]["resource"]["target"]["averageValue"] = json!("400m");
            metrics.reverse();
        }
    }));
    let values = "hpa:\n  minReplicas: 1\n  maxReplicas: 3\n  metrics:\n  - type: Resource\n    resource: { name: cpu, \
                  target: { type: AverageValue, averageValue: \"0.4\" } }\n  - type: Resource\n    resource: { name: \
                  memory, target: { type: Utilization, averageUtilization: 80 } }\n";
    let mut stage = stage(&cluster);
    stage.apply_wholly(&with(typed(), &[("values", Raw::List(vec![values.into()]))])).await;
}
