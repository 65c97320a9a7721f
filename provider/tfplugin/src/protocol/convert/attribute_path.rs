//! Conversion of attribute paths to messages.

use tfplugin_proto::tfplugin6::AttributePath as Message;
use tfplugin_proto::tfplugin6::attribute_path::Step as StepMessage;
use tfplugin_proto::tfplugin6::attribute_path::step::Selector;

use crate::framework::{AttributePath, Step};

pub(in crate::protocol) fn to_message(path: &AttributePath) -> Message {
    let steps = path.steps().iter().map(|step| {
        let selector = match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        };
        StepMessage { selector: Some(selector) }
    });
    Message { steps: steps.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_selector() {
        let steps = to_message(&AttributePath::of("taints").index(2).attribute("labels").key("a/b")).steps;
        let selectors: Vec<_> = steps.into_iter().filter_map(|step| step.selector).collect();
        assert_eq!(
            selectors,
            [
                Selector::AttributeName("taints".to_owned()),
                Selector::ElementKeyInt(2),
                Selector::AttributeName("labels".to_owned()),
                Selector::ElementKeyString("a/b".to_owned()),
            ]
        );
    }
}
