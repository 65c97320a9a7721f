//! Migrates `aws_s3_bucket`, with the resources for its settings.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::cache::{Bucket, Caches};
use super::super::hcl::{Block, Value};
use super::super::project::Project;
use super::super::release::Cache;
use super::super::report::Topic;
use super::instance::{Instance, Instances};
use super::node_group::all_tags;
use super::ties::Ties;
use super::{STAYS, place};
use crate::cache_path::directory;

const RESOURCE: &str = "gitlabspot_cache_bucket";

/// Types of resources for settings of a bucket, which are attributes in this provider.
const PARTS: [&str; 6] = [
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
];

/// Adds the buckets of caches, of which `names` has the names. Returns their number.
pub(super) fn migrate(ties: Ties<'_>, names: &BTreeSet<String>, caches: &mut Caches, project: &mut Project) -> usize {
    let mut count = 0;
    for instance in ties.instances.of("aws_s3_bucket") {
        let Some(name) = name(instance) else { continue };
        if caches.buckets.iter().any(|bucket| bucket.name == name) {
            continue;
        }
        if !names.contains(&name) {
            let text = format!(
                "nothing says that {name} is a cache: neither the values of a release nor the policy of its user name it. It \
                 stays with hashicorp/aws. `--bucket {name}` migrates it."
            );
            project.report.add(Topic::Kept, place(instance), text);
            continue;
        }
        let cache = ties.releases.iter().map(|of| &of.cache).find(|cache| cache.bucket.as_ref() == Some(&name));
        let cache = cache.cloned().unwrap_or_default();
        let address = bucket(ties, instance, &name, &cache, project);
        caches.buckets.push(Bucket { name, address });
        count += 1;
    }
    count
}

pub(super) fn name(instance: &Instance) -> Option<String> {
    instance.text("bucket").or_else(|| instance.text("id"))
}

fn bucket(ties: Ties<'_>, instance: &Instance, name: &str, cache: &Cache, project: &mut Project) -> String {
    let instances = ties.instances;
    let label = project.name(RESOURCE, &instance.label());
    let address = format!("{RESOURCE}.{label}");
    let mut block = Block::new("resource", [RESOURCE, &label]);
    let given = ties.arguments.bucket_region.clone().filter(|_| ties.arguments.bucket.as_deref() == Some(name));
    // Version 6 of hashicorp/aws has `bucket_region`. In both versions, `region` has the same value.
    let of_state = instance.text("bucket_region").or_else(|| instance.text("region"));
    let region = of_state.or(given).or_else(|| cache.region.clone());
    block.set_some("provider", project.provider_of_bucket(region.as_deref()));
    block.set("bucket", name);
    block.set_some("cache_path", cache.path.as_deref());
    block.set_some("shared", cache.shared.filter(|shared| !shared));
    lifecycle(&rules(instances, instance), cache, &mut block);
    let of_bucket = |kind: &'static str| part(instances, kind, name);
    let status = of_bucket("aws_s3_bucket_versioning").and_then(|part| part.text("versioning_configuration.0.status"));
    let inline = instance.get("versioning.0.enabled").and_then(Json::as_bool).unwrap_or(false);
    if status.map_or(inline, |status| status == "Enabled") {
        block.set("versioning", true);
    }
    match of_bucket("aws_s3_bucket_server_side_encryption_configuration") {
        Some(part) => encryption(part, "rule.0", &mut block),
        None => encryption(instance, "server_side_encryption_configuration.0.rule.0", &mut block),
    }
    block.set_some("force_destroy", instance.get("force_destroy").and_then(Json::as_bool).filter(|it| *it));
    block.set_some("tags", all_tags(instance));
    let text = format!(
        "`{address}`: a lifecycle rule of the provider, a bucket policy that denies plain HTTP and the public access block are \
         added if they are missing. The existing lifecycle rules are kept."
    );
    project.report.add(Topic::Change, None, text);
    project.resource(block, Some(name.into()));
    project.forget(&instance.address);
    for kind in PARTS {
        if let Some(part) = part(instances, kind, name) {
            project.forget(&part.address);
        }
    }
    others(instances, name, project);
    address
}

/// Reports the other resources for settings of the bucket.
fn others(instances: &Instances, name: &str, project: &mut Project) {
    let is_other = |other: &&Instance| {
        other.kind.starts_with("aws_s3_bucket_")
            && !PARTS.contains(&other.kind.as_str())
            && other.text("bucket").as_deref() == Some(name)
    };
    for other in instances.all().filter(is_other) {
        project.report.add(Topic::Kept, place(other), STAYS);
    }
}

fn part<'a>(instances: &'a Instances, kind: &'a str, bucket: &str) -> Option<&'a Instance> {
    instances.of(kind).find(|part| part.text("bucket").as_deref() == Some(bucket))
}

/// The enabled lifecycle rules of the bucket.
pub(super) fn rules(instances: &Instances, instance: &Instance) -> Vec<Json> {
    let name = name(instance).unwrap_or_default();
    // Since version 4.0 of hashicorp/aws, the rules are a separate resource, and the block in the bucket is deprecated.
    let apart = part(instances, "aws_s3_bucket_lifecycle_configuration", &name);
    let rules = apart.map_or_else(|| instance.list("lifecycle_rule"), |part| part.list("rule"));
    // The separate resource has `status`, and the block has `enabled`.
    let is_enabled = |rule: &&&Json| rule["status"] == "Enabled" || rule["enabled"] == true;
    rules.iter().filter(is_enabled).map(|rule| (*rule).clone()).collect()
}

/// Whether a rule deletes objects after a number of days.
pub(super) fn expires(rule: &Json) -> bool {
    rule.pointer("/expiration/0/days").and_then(Json::as_i64).is_some_and(|days| days > 0)
}

fn lifecycle(rules: &[Json], cache: &Cache, block: &mut Block) {
    let days = |pointers: &[&str]| {
        let of =
            |rule: &Json| pointers.iter().find_map(|pointer| rule.pointer(pointer)?.as_i64().filter(|days| *days > 0));
        rules.iter().find_map(of)
    };
    // 0 disables expiration. Without a rule, no object expires, which must not change.
    block.set("expiration_days", days(&["/expiration/0/days"]).unwrap_or(0));
    if let Some(rule) = rules.iter().find(|rule| expires(rule)) {
        let pointers = ["/filter/0/prefix", "/filter/0/and/0/prefix", "/prefix"];
        let prefix =
            pointers.iter().find_map(|pointer| rule.pointer(pointer)?.as_str().filter(|text| !text.is_empty()));
        let folder = if cache.shared == Some(false) { "runner/" } else { "project/" };
        let usual = format!("{}{folder}", directory(cache.path.as_deref().unwrap_or_default()));
        // A rule without a prefix applies to the whole bucket. `usual` is the default of the attribute.
        block.set_some("prefix", Some(prefix.unwrap_or_default()).filter(|prefix| *prefix != usual));
    }
    // The first path is that of the separate resource, the second that of the block. 1 is the default of both
    // attributes.
    let noncurrent = ["/noncurrent_version_expiration/0/noncurrent_days", "/noncurrent_version_expiration/0/days"];
    block.set_some("noncurrent_expiration_days", days(&noncurrent).filter(|days| *days != 1));
    let broken =
        ["/abort_incomplete_multipart_upload/0/days_after_initiation", "/abort_incomplete_multipart_upload_days"];
    block.set_some("abort_incomplete_multipart_days", days(&broken).filter(|days| *days != 1));
}

fn encryption(part: &Instance, rule: &str, block: &mut Block) {
    let default = format!("{rule}.apply_server_side_encryption_by_default.0");
    // S3 encrypts with AES256 by default, as does the attribute.
    let Some(algorithm) = part.text(&format!("{default}.sse_algorithm")).filter(|algorithm| algorithm == "aws:kms")
    else {
        return;
    };
    let mut fields = vec![("sse_algorithm".to_owned(), Value::from(algorithm))];
    let key = part.text(&format!("{default}.kms_master_key_id"));
    fields.extend(key.map(|key| ("kms_key_id".to_owned(), key.into())));
    let has_key = part.get(&format!("{rule}.bucket_key_enabled")).and_then(Json::as_bool).filter(|it| *it);
    fields.extend(has_key.map(|it| ("bucket_key_enabled".to_owned(), it.into())));
    block.set("encryption", Value::Object(fields));
}
