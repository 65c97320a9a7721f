//! Conversion of diagnostics to messages.

use tfplugin_proto::tfplugin6::Diagnostic as Message;
use tfplugin_proto::tfplugin6::diagnostic::Severity as SeverityMessage;

use super::attribute_path;
use crate::framework::attribute_path::Step;
use crate::framework::{AttributePath, Diagnostic, Diagnostics, Severity};

pub(in crate::protocol) fn to_messages(diagnostics: Diagnostics) -> Vec<Message> {
    diagnostics.into_iter().map(to_message).collect()
}

fn to_message(diagnostic: Diagnostic) -> Message {
    let severity = match diagnostic.severity {
        Severity::Error => SeverityMessage::Error,
        Severity::Warning => SeverityMessage::Warning,
    };
    let Diagnostic { path, summary, mut detail, .. } = diagnostic;
    let shown = shown(&path);
    // The rest of the path would be lost, because hosts do not show it.
    if shown != path && !detail.contains(&path.to_string()) {
        detail = format!("{path}: {detail}");
    }
    Message {
        severity: severity.into(),
        summary: summary.into_owned(),
        detail,
        // Without a path, core shows the block; with an empty path, it would search for an attribute.
        attribute: (!shown.is_root()).then(|| attribute_path::to_message(&shown)),
    }
}

/// Returns the part of a path that hosts find in a configuration: an attribute of the block, or one of its elements.
/// For a deeper path they show the first line of the block, and no host prints the path.
fn shown(path: &AttributePath) -> AttributePath {
    let mut steps = path.steps().iter();
    let Some(Step::Attribute(name)) = steps.next() else { return path.clone() };
    let attribute = AttributePath::of(name);
    match steps.next() {
        Some(Step::Key(key)) => attribute.key(key),
        Some(Step::Index(index)) => attribute.index(*index),
        Some(Step::Attribute(_)) | None => attribute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_path_is_omitted() {
        let whole = Diagnostic::error("Wrong", "Why.");
        let one = Diagnostic::warning("Odd", "Why.").at("size");
        let messages = to_messages([whole, one].into_iter().collect());
        let expected = [
            Message { severity: 1, summary: "Wrong".to_owned(), detail: "Why.".to_owned(), attribute: None },
            Message {
                severity: 2,
                summary: "Odd".to_owned(),
                detail: "Why.".to_owned(),
                attribute: Some(attribute_path::to_message(&"size".into())),
            },
        ];
        assert_eq!(messages, expected);
    }

    #[test]
    fn path_not_shown_by_hosts_is_in_the_detail() {
        let sent = |path: AttributePath, detail: &str| {
            let message = to_message(Diagnostic::error("Wrong", detail).at(path));
            (message.detail, message.attribute)
        };
        let at = |path: AttributePath| Some(attribute_path::to_message(&path));
        let volume = AttributePath::of("template").attribute("volumes").index(0);
        assert_eq!(
            sent(volume.clone(), "Too small."),
            ("template.volumes[0]: Too small.".to_owned(), at("template".into()))
        );
        assert_eq!(sent(volume, "template.volumes[0] is 1.").0, "template.volumes[0] is 1.");
        let key = AttributePath::of("taints").index(1).attribute("key");
        assert_eq!(sent(key, "Bad."), ("taints[1].key: Bad.".to_owned(), at(AttributePath::of("taints").index(1))));
    }
}
