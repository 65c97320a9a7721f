//! Converts the observed objects to the state, and a Deployment or CronJob to the attributes that it was created from.

use serde_json::Value as Json;
use tfplugin::framework::Value;

use super::manifests::cron_job::PERIOD_END;
use super::model::{Observed, priority_of_class};
use super::private::Private;
use super::schema::{Pod, Schedule, Toleration, WarmCapacity};
use crate::objects::ShowsObjects as _;
use crate::projection::project;

/// Sets the manifest of the state to the observed objects.
pub(super) fn flatten(state: &mut WarmCapacity, observed: &Observed, private: &Private) {
    let manifest = observed.objects.manifest(&state.manifest(), &private.objects, project);
    state.show(&manifest);
}

/// The attributes of a Deployment or CronJob. Attributes that it does not contain are null.
pub(super) fn attributes(object: &Json) -> WarmCapacity {
    let is_scheduled = object["kind"] == "CronJob";
    let text = |value: &Json| Value::from(value.as_str().map(str::to_owned));
    let job = &object["spec"]["jobTemplate"]["spec"];
    let (pods, template) = match is_scheduled {
        true => (&job["parallelism"], &job["template"]),
        false => (&object["spec"]["replicas"], &object["spec"]["template"]),
    };
    let pod = &template["spec"];
    let container = &pod["containers"][0];
    WarmCapacity {
        name: text(&object["metadata"]["name"]),
        namespace: text(&object["metadata"]["namespace"]),
        pods: pods.as_i64().into(),
        pod: Value::Known(size_and_place(pod)),
        schedule: is_scheduled
            .then(|| Schedule {
                start: text(&object["spec"]["schedule"]),
                end: text(&object["metadata"]["annotations"][PERIOD_END]),
                time_zone: text(&object["spec"]["timeZone"]),
            })
            .into(),
        priority: pod["priorityClassName"].as_str().and_then(priority_of_class).into(),
        pause_image: text(&container["image"]),
        ..WarmCapacity::default()
    }
}

fn size_and_place(pod: &Json) -> Pod {
    let requests = &pod["containers"][0]["resources"]["requests"];
    let text = |value: &Json| Value::from(value.as_str().map(str::to_owned));
    let selector = pod["nodeSelector"]
        .as_object()
        .map(|labels| labels.iter().map(|(label, value)| (label.clone(), text(value))).collect());
    let tolerations = pod["tolerations"].as_array().map(|tolerations| {
        let read = tolerations.iter().map(|toleration| {
            Value::Known(Toleration {
                key: text(&toleration["key"]),
                operator: text(&toleration["operator"]),
                value: text(&toleration["value"]),
                effect: text(&toleration["effect"]),
            })
        });
        read.collect()
    });
    Pod {
        cpu: text(&requests["cpu"]),
        memory: text(&requests["memory"]),
        ephemeral_storage: text(&requests["ephemeral-storage"]),
        node_selector: selector.into(),
        tolerations: tolerations.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::expand::workload;
    use super::super::model::Desired;
    use super::super::plan;
    use super::*;

    #[test]
    fn applied_values_are_read_back() {
        let toleration = Toleration { key: "build".into(), operator: "Exists".into(), ..Toleration::default() };
        let mut model = WarmCapacity {
            name: "warm".into(),
            namespace: "ci".into(),
            pods: 2.into(),
            pod: Value::Known(Pod {
                cpu: "2".into(),
                ephemeral_storage: "20Gi".into(),
                node_selector: Value::Known([("intent".to_owned(), "build".into())].into()),
                tolerations: Value::Known(vec![Value::Known(toleration)]),
                ..Pod::default()
            }),
            priority: (-10).into(),
            pause_image: "pause".into(),
            ..WarmCapacity::default()
        };
        let schedule =
            Schedule { start: "0 8 * * *".into(), end: "0 18 * * *".into(), time_zone: "Europe/Berlin".into() };
        for schedule in [Value::Null, Value::Known(schedule)] {
            model.schedule = schedule;
            let mut read = attributes(&workload(&Desired::of(&model).unwrap()));
            assert_eq!(read, model);
            plan::describe(&mut read);
            assert_eq!(read.id, "ci/warm".into());
        }
    }
}
