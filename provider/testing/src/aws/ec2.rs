//! EC2: launch templates and subnets.

use std::collections::BTreeMap;

use super::query::{Parameters, elements};
use super::request::{Answer, Request, refused};

#[derive(Clone, Debug, Default)]
pub struct Ec2 {
    /// Launch templates by id.
    pub templates: BTreeMap<String, Template>,
}

#[derive(Clone, Debug, Default)]
pub struct Template {
    pub name: String,
    pub tags: BTreeMap<String, String>,
    pub versions: BTreeMap<u32, Version>,
    /// Maximum number of versions of a launch template. 0 means no limit.
    pub limit: usize,
    /// Version numbers by the client token of the request that created them.
    pub tokens: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Version {
    pub description: String,
    /// The parameters under `LaunchTemplateData`.
    pub data: BTreeMap<String, String>,
}

impl Ec2 {
    pub(super) fn answer(&mut self, Request { action, region, parameters, .. }: &Request) -> Answer {
        match action.as_str() {
            // The ID of a subnet ends with the letter of its availability zone.
            "DescribeSubnets" => {
                let subnets = parameters.list("SubnetId", "").into_iter().map(|id| {
                    let zone = format!("{region}{}", id.trim_start_matches("subnet-"));
                    format!("<subnetId>{id}</subnetId><availabilityZone>{zone}</availabilityZone>")
                });
                return Ok(format!("<subnetSet>{}</subnetSet>", elements("item", subnets)));
            }
            "DescribeRouteTables" => return Ok("<routeTableSet/>".to_owned()),
            "CreateLaunchTemplate" => return self.create_template(parameters),
            "DescribeLaunchTemplates" => return self.describe_templates(parameters),
            _ => {}
        }
        let id = parameters.get("LaunchTemplateId").or(parameters.get("ResourceId.1")).unwrap_or_default();
        let Some(template) = self.templates.get_mut(id) else {
            let message = format!("The specified launch template, with template ID {id}, does not exist.");
            return refused(400, "InvalidLaunchTemplateId.NotFound", &message);
        };
        match action.as_str() {
            "CreateTags" => template.tags.extend(parameters.tags("Tag")),
            "DeleteTags" => {
                let keys = parameters.list("Tag", ".Key");
                template.tags.retain(|key, _| !keys.contains(key));
            }
            "CreateLaunchTemplateVersion" => return template.create_version(id, parameters),
            "DescribeLaunchTemplateVersions" => return template.describe_versions(id, parameters),
            "DeleteLaunchTemplateVersions" => {
                let numbers = parameters.list("LaunchTemplateVersion", "");
                template.versions.retain(|number, _| !numbers.contains(&number.to_string()));
            }
            "DeleteLaunchTemplate" => drop(self.templates.remove(id)),
            other => unreachable!("{other}"),
        }
        Ok(String::new())
    }

    fn create_template(&mut self, parameters: &Parameters) -> Answer {
        let (name, token) = (parameters.text("LaunchTemplateName"), parameters.text("ClientToken"));
        // EC2 returns the existing template for a request with the same client token.
        let same = self.templates.iter().find(|(_, template)| template.tokens.contains_key(&token));
        let id = match same {
            Some((id, _)) => id.clone(),
            None if self.templates.values().any(|template| template.name == name) => {
                let code = "InvalidLaunchTemplateName.AlreadyExistsException";
                return refused(400, code, "Launch template name already in use.");
            }
            None => {
                let id = format!("lt-{}", self.templates.len() + 1);
                let tags = parameters.tags("TagSpecification.1.Tag").collect();
                let mut template = Template { name, tags, ..Template::default() };
                template.add_version(parameters);
                self.templates.insert(id.clone(), template);
                id
            }
        };
        Ok(format!("<launchTemplate><launchTemplateId>{id}</launchTemplateId></launchTemplate>"))
    }

    fn describe_templates(&self, parameters: &Parameters) -> Answer {
        let (name, id) = (parameters.get("LaunchTemplateName.1"), parameters.get("LaunchTemplateId.1"));
        let mut templates = self.templates.iter();
        let found = templates.find(|(known, template)| name == Some(&template.name) || id == Some(known));
        let Some((id, template)) = found else {
            let names = "InvalidLaunchTemplateName.NotFoundException";
            let code = if id.is_some() { "InvalidLaunchTemplateId.NotFound" } else { names };
            return refused(400, code, "At least one of the launch templates does not exist.");
        };
        let tags = template.tags.iter().map(|(key, value)| format!("<key>{key}</key><value>{value}</value>"));
        let tags = elements("item", tags);
        let template = format!("<launchTemplateId>{id}</launchTemplateId><tagSet>{tags}</tagSet>");
        Ok(format!("<launchTemplates>{}</launchTemplates>", elements("item", [template])))
    }
}

impl Template {
    fn newest(&self) -> Option<u32> {
        self.versions.keys().next_back().copied()
    }

    fn add_version(&mut self, parameters: &Parameters) -> u32 {
        let number = self.newest().unwrap_or_default() + 1;
        let description = parameters.text("VersionDescription");
        self.versions.insert(number, Version { description, data: parameters.under("LaunchTemplateData.") });
        self.tokens.insert(parameters.text("ClientToken"), number);
        number
    }

    fn create_version(&mut self, id: &str, parameters: &Parameters) -> Answer {
        let number = match self.tokens.get(&parameters.text("ClientToken")) {
            Some(number) => *number,
            None if self.limit > 0 && self.versions.len() >= self.limit => {
                return refused(400, "VersionLimitExceeded", "The template has as many versions as are allowed.");
            }
            None => self.add_version(parameters),
        };
        Ok(elements("launchTemplateVersion", [self.describe(id, number)]))
    }

    fn describe_versions(&self, id: &str, parameters: &Parameters) -> Answer {
        let numbers: Vec<u32> = match parameters.get("LaunchTemplateVersion.1") {
            None => self.versions.keys().copied().collect(),
            Some("$Latest") => self.newest().into_iter().collect(),
            Some("$Default") => vec![1],
            Some(number) => vec![number.parse().unwrap()],
        };
        if numbers.iter().any(|number| !self.versions.contains_key(number)) {
            return refused(400, "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version.");
        }
        let versions = elements("item", numbers.into_iter().map(|number| self.describe(id, number)));
        Ok(format!("<launchTemplateVersionSet>{versions}</launchTemplateVersionSet>"))
    }

    /// Describes a version with the fields that tests read.
    fn describe(&self, id: &str, number: u32) -> String {
        let Version { description, data } = &self.versions[&number];
        let of = |key: &str, element: &str| elements(element, data.get(key));
        let tokens = of("MetadataOptions.HttpTokens", "httpTokens");
        let hop_limit = of("MetadataOptions.HttpPutResponseHopLimit", "httpPutResponseHopLimit");
        let groups = (1..).map_while(|index| data.get(&format!("SecurityGroupId.{index}")));
        format!(
            "<launchTemplateId>{id}</launchTemplateId><versionNumber>{number}</versionNumber>\
             <versionDescription>{description}</versionDescription><defaultVersion>{is_default}</defaultVersion>\
             <launchTemplateData><metadataOptions>{tokens}{hop_limit}</metadataOptions>{key}{user_data}\
             <securityGroupIdSet>{groups}</securityGroupIdSet></launchTemplateData>",
            is_default = number == 1,
            key = of("KeyName", "keyName"),
            user_data = of("UserData", "userData"),
            groups = elements("item", groups),
        )
    }
}
