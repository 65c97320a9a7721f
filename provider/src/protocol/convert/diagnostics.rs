//! Diagnostics as messages carry them.

use gitlabspot_proto::tfplugin6::Diagnostic as Message;
use gitlabspot_proto::tfplugin6::diagnostic::Severity as SeverityMessage;

use super::attribute_path;
use crate::framework::{Diagnostic, Diagnostics, Severity};

pub(in crate::protocol) fn to_messages(diagnostics: Diagnostics) -> Vec<Message> {
    diagnostics.into_iter().map(to_message).collect()
}

fn to_message(diagnostic: Diagnostic) -> Message {
    let severity = match diagnostic.severity {
        Severity::Error => SeverityMessage::Error,
        Severity::Warning => SeverityMessage::Warning,
    };
    Message {
        severity: severity.into(),
        summary: diagnostic.summary.into_owned(),
        detail: diagnostic.detail,
        // Without a path core names the block; with an empty one it would look for an attribute.
        attribute: (!diagnostic.path.is_root()).then(|| attribute_path::to_message(&diagnostic.path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_object_has_no_path() {
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
}
