//! Changes that admission controllers make to applied fields, such as a different image or an additional toleration.
//!
//! Another apply would have the same result, so that such a change is not drift. The private state records the applied
//! and the resulting values. A read shows the applied values as long as the object has the resulting ones, and any
//! later change as drift.

use std::collections::BTreeMap;

use gitlabspot_clients::kubernetes::ObjectRef;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tfplugin::framework::Diagnostic;

/// Kinds of objects with sensitive content, which is neither recorded nor shown.
const SECRETIVE: [&str; 2] = ["Secret", "ConfigMap"];

/// Applied fields of one object, and the values that admission gave them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mutation {
    asked: Json,
    made: Json,
}

/// The objects of one resource that admission changes, by kind and place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mutations(BTreeMap<String, Mutation>);

impl Mutations {
    /// Records the values of an object's fields after its apply.
    pub(crate) fn note(&mut self, place: &ObjectRef, asked: &Json, made: Json) {
        if *asked == made || SECRETIVE.contains(&place.kind.as_str()) {
            self.0.remove(&place.to_string());
        } else {
            self.0.insert(place.to_string(), Mutation { asked: asked.clone(), made });
        }
    }

    /// The observed fields of an object, with the applied values where the object still has those of admission.
    pub(crate) fn reconciled(&self, place: &ObjectRef, found: Json) -> Json {
        match self.0.get(&place.to_string()) {
            Some(Mutation { asked, made }) => reconciled(asked, made, &found).unwrap_or(found),
            None => found,
        }
    }
}

/// Replaces the values of admission in `found` by the applied ones. A field that `made` has and `found` lacks stays
/// missing, so that its removal is shown as drift.
fn reconciled(asked: &Json, made: &Json, found: &Json) -> Option<Json> {
    match (asked, made, found) {
        _ if found == made => Some(asked.clone()),
        (Json::Object(asked), Json::Object(made), Json::Object(found)) => {
            let mut names: Vec<&String> = asked.keys().chain(found.keys()).collect();
            names.sort_unstable();
            names.dedup();
            let fields = names.into_iter().filter_map(|name| {
                let value = match (asked.get(name), made.get(name), found.get(name)) {
                    (Some(asked), Some(made), Some(found)) => reconciled(asked, made, found)?,
                    (_, _, Some(found)) => found.clone(),
                    // Admission removes this field.
                    (Some(asked), None, None) => asked.clone(),
                    _ => return None,
                };
                Some((name.clone(), value))
            });
            Some(Json::Object(fields.collect::<Map<_, _>>()))
        }
        (Json::Array(asked), Json::Array(made), Json::Array(found))
            if asked.len() == made.len() && made.len() == found.len() =>
        {
            asked.iter().zip(made).zip(found).map(|((asked, made), found)| reconciled(asked, made, found)).collect()
        }
        _ => Some(found.clone()),
    }
}

/// The warning of a plan for objects that admission changes.
pub(crate) fn admission_warning(changes: &[(ObjectRef, Json, Json)]) -> Option<Diagnostic> {
    let mut lines = Vec::new();
    for (place, asked, made) in changes.iter().filter(|(place, ..)| !SECRETIVE.contains(&place.kind.as_str())) {
        let mut found = Vec::new();
        differences("", asked, made, &mut found);
        lines.extend(found.into_iter().map(|line| format!("\n- {place}: {line}")));
    }
    (!lines.is_empty()).then(|| {
        let detail = format!(
            "A policy or a webhook of the cluster changes objects when they are applied. The attribute manifest does \
             not contain these changes, and later plans do not show them as differences:{}",
            lines.concat()
        );
        Diagnostic::warning("Objects are changed by cluster admission", detail)
    })
}

/// Whether the value at a path may be sensitive: environment variables, commands and their arguments come from users.
fn is_of_users(path: &str) -> bool {
    path.contains("env[") && path.ends_with(".value") || path.contains("command[") || path.contains("args[")
}

fn differences(path: &str, asked: &Json, made: &Json, lines: &mut Vec<String>) {
    match (asked, made) {
        _ if asked == made => {}
        (Json::Object(asked), Json::Object(made)) => {
            let mut names: Vec<&String> = asked.keys().chain(made.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let [asked, made] = [asked.get(name), made.get(name)].map(|value| value.unwrap_or(&Json::Null));
                differences(&below, asked, made, lines);
            }
        }
        (Json::Array(asked), Json::Array(made)) if asked.len() == made.len() => {
            for (at, (asked, made)) in asked.iter().zip(made).enumerate() {
                differences(&format!("{path}[{at}]"), asked, made, lines);
            }
        }
        _ if is_of_users(path) => lines.push(format!("{path} has a different value")),
        _ => lines.push(format!("{path} is {made} instead of {asked}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place() -> ObjectRef {
        crate::objects::namespace::place("ci")
    }

    #[test]
    fn admission_changes_count_as_applied() {
        let asked =
            json!({ "image": "a", "tolerations": [{ "key": "x" }], "list": [{ "n": 1 }, { "n": 2 }], "dropped": 1 });
        let made = json!({
            "image": "mirror/a", "tolerations": [{ "key": "x" }, { "key": "added" }], "list": [{ "n": 1 }, { "n": 3 }],
        });
        let mut mutations = Mutations::default();
        mutations.note(&place(), &asked, made.clone());
        let shown = |found: &Json| mutations.reconciled(&place(), found.clone());
        assert_eq!(shown(&made), asked);
        // A later change by another client is drift; the changes of admission are not.
        let mut changed = made.clone();
        changed["image"] = json!("by-hand");
        changed["more"] = json!(1);
        let mut expected = asked.clone();
        expected["image"] = json!("by-hand");
        expected["more"] = json!(1);
        assert_eq!(shown(&changed), expected);
        // A change that undoes one of admission is drift as well.
        assert_eq!(shown(&asked)["tolerations"], asked["tolerations"]);
        let mut removed = made.clone();
        removed.as_object_mut().unwrap().remove("image");
        assert_eq!(shown(&removed)["image"], Json::Null);

        mutations.note(&place(), &asked, asked.clone());
        assert_eq!(mutations, Mutations::default());
    }

    #[test]
    fn secrets_are_not_kept() {
        let secret = ObjectRef { kind: "Secret".to_owned(), ..place() };
        let mut mutations = Mutations::default();
        mutations.note(&secret, &json!(1), json!(2));
        assert_eq!(mutations, Mutations::default());
    }

    #[test]
    fn plans_predict_the_resulting_state() {
        let (asked, made) =
            (json!({ "a": [{ "image": "x" }], "b": 1 }), json!({ "a": [{ "image": "y" }], "b": 1, "c": [1] }));
        let detail = admission_warning(&[(place(), asked.clone(), made)]).unwrap().detail;
        assert!(detail.ends_with(
            "\n- Namespace ci: a[0].image is \"y\" instead of \"x\"\n- Namespace ci: c is [1] instead of null"
        ));
        assert_eq!(admission_warning(&[(place(), asked.clone(), asked)]), None);
    }

    #[test]
    fn values_of_variables_are_not_shown() {
        let of = |value: &str| json!({ "containers": [{ "env": [{ "name": "A", "value": value }] }] });
        let mut lines = Vec::new();
        differences("", &of("secret"), &of("secret-too"), &mut lines);
        assert_eq!(lines, ["containers[0].env[0].value has a different value"]);
        let of = |value: &str| json!({ "containers": [{ "args": ["-c", value] }] });
        lines.clear();
        differences("", &of("secret"), &of("secret-too"), &mut lines);
        assert_eq!(lines, ["containers[0].args[1] has a different value"]);
    }
}
