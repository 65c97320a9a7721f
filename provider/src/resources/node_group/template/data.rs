//! Converts a version of a launch template to and from the types of the EC2 API.

use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateTagSpecificationRequest,
    LaunchTemplatesMonitoringRequest, RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData, Tag,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tfplugin::framework::Value;

use super::schema::{Metadata, Template};
use super::user_data::{self, Family};
use super::volumes::{self, Volume};
use super::{Desired, kubelet, usual_hop_limit};
use crate::resources::node_group::schema::{NodeGroup, map_value};

/// Resources that are tagged when a node starts.
const TAGGED: [ResourceType; 2] = [ResourceType::Instance, ResourceType::Volume];

/// The content of a version as EC2 requires it. `cluster_security_group` is added to other security groups: EKS only
/// adds it to a template without any.
pub(super) fn request(spec: &Desired, cluster_security_group: Option<&str>) -> RequestLaunchTemplateData {
    let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .http_tokens(LaunchTemplateHttpTokensState::from(spec.http_tokens.as_str()))
        .http_put_response_hop_limit(spec.hop_limit)
        .build();
    let mut groups: Vec<String> = spec.security_groups.iter().cloned().collect();
    if !groups.is_empty() {
        groups.extend(cluster_security_group.filter(|group| !spec.security_groups.contains(*group)).map(str::to_owned));
    }
    let tags: Vec<Tag> =
        spec.instance_tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let specification = |resource: ResourceType| {
        LaunchTemplateTagSpecificationRequest::builder().resource_type(resource).set_tags(Some(tags.clone())).build()
    };
    let monitoring = LaunchTemplatesMonitoringRequest::builder().enabled(true).build();
    RequestLaunchTemplateData::builder()
        .set_block_device_mappings(not_empty(spec.volumes.iter().map(mapping).collect()))
        .metadata_options(metadata)
        .set_security_group_ids(not_empty(groups))
        .set_key_name(spec.key_name.clone())
        .set_monitoring(spec.detailed_monitoring.then_some(monitoring))
        .set_user_data(spec.user_data.as_ref().map(|text| STANDARD.encode(text)))
        .set_tag_specifications((!tags.is_empty()).then(|| TAGGED.map(specification).to_vec()))
        .build()
}

fn mapping(volume: &Volume) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .delete_on_termination(true)
        .set_volume_size(volume.size)
        .set_volume_type(volume.r#type.as_deref().map(Into::into))
        .set_iops(volume.iops)
        .set_throughput(volume.throughput)
        .set_encrypted(volume.encrypted)
        .set_kms_key_id(volume.kms_key_id.clone())
        .build();
    LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&volume.device).ebs(ebs).build()
}

/// The attribute `template` for the content of a version; null if the provider would create the same content without
/// the attribute. Settings without an attribute are omitted.
pub(super) fn attribute(
    data: &ResponseLaunchTemplateData,
    model: &NodeGroup,
    cluster_security_group: Option<&str>,
) -> Value<Template> {
    let family = Family::of(model.ami_type.as_str());
    let volumes: Vec<Volume> = data.block_device_mappings().iter().filter_map(volume).collect();
    let (root_volume, volumes) = volumes::attributes(&volumes, family);
    let parts = user_data(data).map(|text| user_data::parts(&text, family)).unwrap_or_default();
    let groups = data.security_group_ids().iter().filter(|group| Some(group.as_str()) != cluster_security_group);
    let groups: tfplugin::framework::Set<String> = groups.cloned().collect();
    let of_instances = data.tag_specifications().iter().find(|tags| tags.resource_type == Some(ResourceType::Instance));
    let tags = of_instances.into_iter().flat_map(|tags| tags.tags()).filter_map(|tag| {
        let key = tag.key.clone()?;
        Some((key, tag.value.clone().unwrap_or_default()))
    });
    let tags: std::collections::BTreeMap<String, String> = tags.collect();
    let mirrors = parts.registry_mirrors.into_iter().map(|(host, urls)| {
        let urls = urls.into_iter().map(|url| Value::from(url.as_str())).collect();
        (host, Value::Known(urls))
    });
    let mirrors: tfplugin::framework::value::Map<tfplugin::framework::value::List<String>> = mirrors.collect();
    let template = Template {
        root_volume,
        volumes: null_if(volumes.is_empty(), volumes.into_iter().map(Value::Known).collect()),
        instance_store: if parts.instance_store { "raid0".into() } else { Value::Null },
        metadata: metadata(data, model),
        security_group_ids: null_if(groups.is_empty(), groups),
        key_name: data.key_name.clone().into(),
        detailed_monitoring: data.monitoring.as_ref().and_then(|monitoring| monitoring.enabled).unwrap_or(false).into(),
        user_data: parts.user_data.into(),
        registry_mirrors: null_if(mirrors.is_empty(), mirrors),
        kubelet: kubelet::attribute(&parts.kubelet),
        instance_tags: if tags.is_empty() { Value::Null } else { map_value(tags) },
    };
    let nothing = Template { detailed_monitoring: false.into(), ..Template::default() };
    if template == nothing { Value::Null } else { Value::Known(template) }
}

fn metadata(data: &ResponseLaunchTemplateData, model: &NodeGroup) -> Value<Metadata> {
    let options = data.metadata_options.as_ref();
    // A version only contains the options that it sets: these are the defaults of EC2 for the others.
    let tokens = options.and_then(|options| options.http_tokens.as_ref()).map_or("optional", |tokens| tokens.as_str());
    let hops = options.and_then(|options| options.http_put_response_hop_limit).unwrap_or(1);
    let is_usual = usual_hop_limit(None, model) == Some(hops);
    if tokens == "required" && is_usual {
        return Value::Null;
    }
    let hop_limit = if is_usual { Value::Null } else { i64::from(hops).into() };
    Value::Known(Metadata { http_tokens: tokens.into(), hop_limit, pods: Value::Null })
}

fn volume(mapping: &aws_sdk_ec2::types::LaunchTemplateBlockDeviceMapping) -> Option<Volume> {
    let ebs = mapping.ebs.as_ref()?;
    Some(Volume {
        device: mapping.device_name.clone()?,
        size: ebs.volume_size,
        r#type: ebs.volume_type.as_ref().map(|kind| kind.as_str().to_owned()),
        iops: ebs.iops,
        throughput: ebs.throughput,
        encrypted: ebs.encrypted,
        kms_key_id: ebs.kms_key_id.clone(),
    })
}

fn user_data(data: &ResponseLaunchTemplateData) -> Option<String> {
    let bytes = STANDARD.decode(data.user_data.as_deref()?).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn null_if<T>(is_empty: bool, value: T) -> Value<T> {
    if is_empty { Value::Null } else { Value::Known(value) }
}

fn not_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
