//! Launch templates of the small AWS.

use std::collections::BTreeMap;

use super::aws::{Answer, World, error};

#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) tags: BTreeMap<String, String>,
    /// Description and content, as they were asked for.
    pub(super) versions: BTreeMap<u32, (String, BTreeMap<String, String>)>,
    /// How many it may have; 0 for no limit.
    pub(super) limit: usize,
    pub(super) tokens: BTreeMap<String, u32>,
}

const DATA: &str = "LaunchTemplateData.";

impl World {
    /// The answer to a call about launch templates.
    pub(super) fn launch_templates(&mut self, action: &str, form: &BTreeMap<String, String>) -> Option<Answer> {
        let text = |key: &str| form.get(key).cloned().unwrap_or_default();
        let id = if form.contains_key("LaunchTemplateId") { text("LaunchTemplateId") } else { text("ResourceId.1") };
        let found = self.templates.get_mut(&id);
        Some(match (action, found) {
            ("CreateLaunchTemplate", _) => self.create_template(form),
            ("DescribeLaunchTemplates", _) => self.describe_templates(form),
            ("CreateTags", Some(template)) => {
                template.tags.extend(pairs(form, "Tag"));
                answer(action, "")
            }
            ("DeleteTags", Some(template)) => {
                pairs(form, "Tag").into_iter().for_each(|(key, _)| drop(template.tags.remove(&key)));
                answer(action, "")
            }
            ("CreateLaunchTemplateVersion", Some(template)) => create_version(&id, template, form),
            ("DescribeLaunchTemplateVersions", Some(template)) => versions(&id, template, form),
            ("DeleteLaunchTemplateVersions", Some(template)) => {
                let numbers = form.iter().filter(|(key, _)| key.starts_with("LaunchTemplateVersion."));
                numbers.for_each(|(_, number)| drop(template.versions.remove(&number.parse().unwrap())));
                answer(action, "")
            }
            ("DeleteLaunchTemplate", Some(_)) => {
                self.templates.remove(&id);
                answer(action, "")
            }
            (action, None) if action.contains("LaunchTemplate") => absent(&id),
            _ => return None,
        })
    }

    fn create_template(&mut self, form: &BTreeMap<String, String>) -> Answer {
        let text = |key: &str| form.get(key).cloned().unwrap_or_default();
        let (name, token) = (text("LaunchTemplateName"), text("ClientToken"));
        let same = self.templates.iter().find(|(_, template)| template.tokens.contains_key(&token));
        let taken = self.templates.values().any(|template| template.name == name);
        let id = match same {
            Some((id, _)) => id.clone(),
            None if taken => {
                let code = "InvalidLaunchTemplateName.AlreadyExistsException";
                return error(400, code, "Launch template name already in use.");
            }
            None => {
                let id = format!("lt-{}", self.templates.len() + 1);
                let mut template =
                    Template { name, tags: pairs(form, "TagSpecification.1.Tag"), ..Template::default() };
                add_version(&mut template, form);
                self.templates.insert(id.clone(), template);
                id
            }
        };
        answer(
            "CreateLaunchTemplate",
            &format!("<launchTemplate><launchTemplateId>{id}</launchTemplateId></launchTemplate>"),
        )
    }

    fn describe_templates(&self, form: &BTreeMap<String, String>) -> Answer {
        let asked = |id: &str, template: &Template| {
            form.get("LaunchTemplateName.1") == Some(&template.name)
                || form.get("LaunchTemplateId.1").is_some_and(|it| it == id)
        };
        let Some((id, template)) = self.templates.iter().find(|(id, template)| asked(id, template)) else {
            return error(400, "InvalidLaunchTemplateName.NotFoundException", "At least one does not exist.");
        };
        let tag = |(key, value): (&String, &String)| format!("<item><key>{key}</key><value>{value}</value></item>");
        let tags: String = template.tags.iter().map(tag).collect();
        let item = format!("<item><launchTemplateId>{id}</launchTemplateId><tagSet>{tags}</tagSet></item>");
        answer("DescribeLaunchTemplates", &format!("<launchTemplates>{item}</launchTemplates>"))
    }
}

fn add_version(template: &mut Template, form: &BTreeMap<String, String>) -> u32 {
    let number = template.versions.keys().next_back().map_or(1, |last| last + 1);
    let data = form.iter().filter_map(|(key, value)| Some((key.strip_prefix(DATA)?.to_owned(), value.clone())));
    let description = form.get("VersionDescription").cloned().unwrap_or_default();
    template.versions.insert(number, (description, data.collect()));
    template.tokens.insert(form.get("ClientToken").cloned().unwrap_or_default(), number);
    number
}

fn create_version(id: &str, template: &mut Template, form: &BTreeMap<String, String>) -> Answer {
    let number = match template.tokens.get(form.get("ClientToken").map_or("", String::as_str)) {
        Some(number) => *number,
        None if template.limit > 0 && template.versions.len() >= template.limit => {
            return error(400, "VersionLimitExceeded", "The template has as many versions as are allowed.");
        }
        None => add_version(template, form),
    };
    let version = show(id, template, number);
    answer("CreateLaunchTemplateVersion", &format!("<launchTemplateVersion>{version}</launchTemplateVersion>"))
}

fn versions(id: &str, template: &Template, form: &BTreeMap<String, String>) -> Answer {
    let numbers: Vec<u32> = match form.get("LaunchTemplateVersion.1").map(String::as_str) {
        None => template.versions.keys().copied().collect(),
        Some("$Latest") => template.versions.keys().next_back().copied().into_iter().collect(),
        Some("$Default") => vec![1],
        Some(number) => vec![number.parse().unwrap()],
    };
    if numbers.iter().any(|number| !template.versions.contains_key(number)) {
        return error(400, "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
    }
    let item = |number: &u32| format!("<item>{}</item>", show(id, template, *number));
    let items: String = numbers.iter().map(item).collect();
    answer("DescribeLaunchTemplateVersions", &format!("<launchTemplateVersionSet>{items}</launchTemplateVersionSet>"))
}

/// A version with the part of its content that tests look at.
fn show(id: &str, template: &Template, number: u32) -> String {
    let (description, data) = &template.versions[&number];
    let of = |key: &str, element: &str| {
        data.get(key).map(|value| format!("<{element}>{value}</{element}>")).unwrap_or_default()
    };
    let metadata = of("MetadataOptions.HttpTokens", "httpTokens")
        + &of("MetadataOptions.HttpPutResponseHopLimit", "httpPutResponseHopLimit");
    let groups = |index: u32| data.get(&format!("SecurityGroupId.{index}"));
    let groups: String = (1..).map_while(groups).map(|group| format!("<item>{group}</item>")).collect();
    format!(
        "<launchTemplateId>{id}</launchTemplateId><versionNumber>{number}</versionNumber>\
         <versionDescription>{description}</versionDescription><defaultVersion>{}</defaultVersion><launchTemplateData>\
         <metadataOptions>{metadata}</metadataOptions>{}{}<securityGroupIdSet>{groups}</securityGroupIdSet>\
         </launchTemplateData>",
        number == 1,
        of("KeyName", "keyName"),
        of("UserData", "userData"),
    )
}

/// Keys and values of a list.
fn pairs(form: &BTreeMap<String, String>, list: &str) -> BTreeMap<String, String> {
    (1..)
        .map_while(|index| {
            let key = form.get(&format!("{list}.{index}.Key"))?.clone();
            Some((key, form.get(&format!("{list}.{index}.Value")).cloned().unwrap_or_default()))
        })
        .collect()
}

fn absent(id: &str) -> Answer {
    error(400, "InvalidLaunchTemplateId.NotFound", &format!("The specified launch template {id} does not exist."))
}

fn answer(action: &str, inner: &str) -> Answer {
    Ok(format!("<{action}Response>{inner}</{action}Response>"))
}
