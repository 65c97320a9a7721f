//! Reads zones, offerings, types and prices from EC2.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{Filter, InstanceType as Ec2InstanceType, InstanceTypeInfo, LocationType, VirtualizationType};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Value;

use super::filter::{Candidate, Offer, Offerings};
use super::schema::{InstanceType, SpotInstanceTypes};

/// Product description in the Spot price history. The nodes run Linux.
const PRODUCT: &str = "Linux/UNIX";

fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(Into::into).collect())).build()
}

/// Returns the configured zones, or all zones of the region.
pub(super) async fn zones(ec2: &Client, config: &SpotInstanceTypes) -> Result<BTreeSet<String>, AwsError> {
    let asked: BTreeSet<String> = config
        .availability_zones
        .known()
        .into_iter()
        .flat_map(|set| set.iter())
        .filter_map(|zone| zone.known().cloned())
        .collect();
    if !asked.is_empty() {
        return Ok(asked);
    }
    let found = ec2
        .describe_availability_zones()
        // Excludes Local Zones and Wavelength Zones, in which EKS has no managed node groups.
        .filters(filter("zone-type", ["availability-zone"]))
        .send()
        .await
        .map_err(AwsError::of("DescribeAvailabilityZones"))?;
    Ok(found.availability_zones().iter().filter_map(|zone| zone.zone_name().map(str::to_owned)).collect())
}

/// Reads which of the zones offer which types.
pub(super) async fn offerings(ec2: &Client, zones: &BTreeSet<String>) -> Result<Offerings, AwsError> {
    let mut pages = ec2
        .describe_instance_type_offerings()
        .location_type(LocationType::AvailabilityZone)
        .filters(filter("location", zones.iter().cloned()))
        .into_paginator()
        .send();
    let mut offerings = Offerings::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(AwsError::of("DescribeInstanceTypeOfferings"))?;
        for offering in page.instance_type_offerings() {
            if let (Some(name), Some(zone)) = (offering.instance_type(), offering.location())
                && zones.contains(zone)
            {
                offerings.entry(name.as_str().to_owned()).or_default().insert(zone.to_owned());
            }
        }
    }
    Ok(offerings)
}

/// Reads the types of an architecture that are available on Spot and that EKS nodes can have.
pub(super) async fn candidates(ec2: &Client, architecture: &str) -> Result<Vec<Candidate>, AwsError> {
    let mut pages = ec2
        .describe_instance_types()
        .filters(filter("supported-usage-class", ["spot"]))
        .filters(filter("processor-info.supported-architecture", [architecture]))
        .filters(filter("bare-metal", ["false"]))
        .into_paginator()
        .send();
    let mut candidates = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(AwsError::of("DescribeInstanceTypes"))?;
        for described in page.instance_types().iter().filter(|described| fits_eks(described)) {
            let vcpus = described.v_cpu_info().and_then(|info| info.default_v_cpus());
            let mib = described.memory_info().and_then(|info| info.size_in_mib());
            if let (Some(name), Some(vcpus), Some(mib)) = (described.instance_type(), vcpus, mib) {
                #[expect(clippy::cast_precision_loss, reason = "memory in MiB is far below 2^52")]
                let memory_gib = mib as f64 / 1024.0;
                candidates.push(Candidate { name: name.as_str().to_owned(), vcpus: vcpus.into(), memory_gib });
            }
        }
    }
    Ok(candidates)
}

/// Whether the default AMIs of EKS support a type. They have no drivers for accelerators, and support neither
/// paravirtual types (c1, m1, m2, t1) nor the first generation of Graviton (a1).
///
/// `currentGeneration` is not used: it is false for many types that nodes can have.
fn fits_eks(described: &InstanceTypeInfo) -> bool {
    let accelerated = described.gpu_info.is_some()
        || described.inference_accelerator_info.is_some()
        || described.neuron_info.is_some()
        || described.fpga_info.is_some()
        || described.media_accelerator_info.is_some();
    let paravirtual = described.supported_virtualization_types().contains(&VirtualizationType::Paravirtual);
    let first_graviton = described.instance_type().is_some_and(|name| name.as_str().starts_with("a1."));
    !accelerated && !paravirtual && !first_graviton
}

/// Reads the lowest current price of each type among the zones, in US dollars per hour.
pub(super) async fn prices(
    ec2: &Client,
    names: &[String],
    zones: &BTreeSet<String>,
    now: SystemTime,
) -> Result<BTreeMap<String, f64>, AwsError> {
    let mut pages = ec2
        .describe_spot_price_history()
        .set_instance_types(Some(names.iter().map(|name| Ec2InstanceType::from(name.as_str())).collect()))
        .product_descriptions(PRODUCT)
        .filters(filter("availability-zone", zones.iter().cloned()))
        // With the current time as its start, the history contains only the current price of each type and zone.
        .start_time(DateTime::from(now))
        .into_paginator()
        .send();
    let mut prices = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(AwsError::of("DescribeSpotPriceHistory"))?;
        for entry in page.spot_price_history() {
            let price = entry.spot_price().and_then(|price| price.parse::<f64>().ok());
            if let (Some(name), Some(price)) = (entry.instance_type(), price) {
                prices
                    .entry(name.as_str().to_owned())
                    .and_modify(|lowest: &mut f64| *lowest = lowest.min(price))
                    .or_insert(price);
            }
        }
    }
    Ok(prices)
}

/// Completes the configuration with the results.
pub(super) fn model(config: SpotInstanceTypes, offers: Vec<Offer>) -> SpotInstanceTypes {
    let names = offers.iter().map(|offer| Value::Known(offer.candidate.name.clone())).collect();
    let instance_types = offers
        .into_iter()
        .map(|Offer { candidate, zones, price }| {
            Value::Known(InstanceType {
                name: candidate.name.into(),
                vcpus: candidate.vcpus.into(),
                memory_gib: candidate.memory_gib.into(),
                spot_price: price.into(),
                availability_zones: Value::Known(zones.into_iter().map(Value::Known).collect()),
            })
        })
        .collect();
    SpotInstanceTypes { names: Value::Known(names), instance_types: Value::Known(instance_types), ..config }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{FpgaInfo, GpuInfo, InferenceAcceleratorInfo, MediaAcceleratorInfo, NeuronInfo};

    use super::*;

    fn described(name: &str) -> aws_sdk_ec2::types::builders::InstanceTypeInfoBuilder {
        InstanceTypeInfo::builder().instance_type(name.into()).supported_virtualization_types(VirtualizationType::Hvm)
    }

    #[test]
    fn usable_types_are_kept() {
        assert!(fits_eks(&described("c5.2xlarge").build()));
        assert!(fits_eks(&described("c4.2xlarge").current_generation(false).build()));
    }

    #[test]
    fn unusable_types_are_excluded() {
        let wrong = [
            described("g4dn.2xlarge").gpu_info(GpuInfo::builder().build()),
            described("inf1.2xlarge").inference_accelerator_info(InferenceAcceleratorInfo::builder().build()),
            described("inf2.8xlarge").neuron_info(NeuronInfo::builder().build()),
            described("f1.2xlarge").fpga_info(FpgaInfo::builder().build()),
            described("vt1.3xlarge").media_accelerator_info(MediaAcceleratorInfo::builder().build()),
            described("a1.2xlarge"),
            described("c1.xlarge").supported_virtualization_types(VirtualizationType::Paravirtual),
        ];
        for described in wrong.map(aws_sdk_ec2::types::builders::InstanceTypeInfoBuilder::build) {
            assert!(!fits_eks(&described), "{described:?}");
        }
    }
}
