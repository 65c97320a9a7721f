//! Availability zones and the subnets in them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Cause, Error, Left, Step};
use crate::clients::aws::AwsError;
use crate::framework::wait::WaitError;

/// The subnets of the cluster in these zones.
///
/// # Errors
/// There is no such cluster, it has no subnet in one of the zones, or a call failed.
pub(super) async fn in_zones(
    eks: &aws_sdk_eks::Client,
    ec2: &aws_sdk_ec2::Client,
    cluster: &str,
    zones: &[String],
    region: &str,
) -> Result<BTreeSet<String>, Error> {
    let subnets = of_cluster(eks, cluster, region).await?;
    let zone_of = zones_of(ec2, &subnets).await.map_err(|error| failed(cluster, error))?;
    choose(&zone_of, zones).map_err(|missing| {
        let known: BTreeSet<String> = zone_of.into_values().collect();
        Error::NoSubnet { cluster: cluster.to_owned(), missing, known: known.into_iter().collect() }
    })
}

async fn of_cluster(eks: &aws_sdk_eks::Client, cluster: &str, region: &str) -> Result<Vec<String>, Error> {
    match eks.describe_cluster().name(cluster).send().await.map_err(AwsError::of("DescribeCluster")) {
        Ok(output) => {
            let network = output.cluster.and_then(|cluster| cluster.resources_vpc_config);
            Ok(network.map(|network| network.subnet_ids().to_vec()).unwrap_or_default())
        }
        Err(error) if error.is_not_found() => {
            Err(Error::NoCluster { cluster: cluster.to_owned(), region: region.to_owned() })
        }
        Err(error) => Err(failed(cluster, error)),
    }
}

/// The zones of these subnets.
///
/// # Errors
/// The call failed, for instance because one of them does not exist.
pub(super) async fn zones_of(
    ec2: &aws_sdk_ec2::Client,
    subnets: &[String],
) -> Result<BTreeMap<String, String>, AwsError> {
    if subnets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let request = ec2.describe_subnets().set_subnet_ids(Some(subnets.to_vec())).into_paginator().items();
    let found = request.send().try_collect().await.map_err(AwsError::of("DescribeSubnets"))?;
    Ok(found.into_iter().filter_map(|subnet| Some((subnet.subnet_id?, subnet.availability_zone?))).collect())
}

fn failed(cluster: &str, error: AwsError) -> Error {
    Error::Step {
        step: Step::FindSubnets,
        id: format!("in the cluster {cluster}"),
        source: WaitError::Failed(Cause::Aws(error)),
        left: Left::Nothing,
    }
}

/// The subnets in these zones, or the zones that have none.
fn choose(zone_of: &BTreeMap<String, String>, zones: &[String]) -> Result<BTreeSet<String>, Vec<String>> {
    let missing: Vec<String> =
        zones.iter().filter(|zone| !zone_of.values().any(|known| known == *zone)).cloned().collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok(zone_of.iter().filter(|(_, zone)| zones.contains(zone)).map(|(subnet, _)| subnet.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_needs_a_subnet() {
        let zone_of: BTreeMap<String, String> = [("subnet-1", "a"), ("subnet-2", "b"), ("subnet-3", "b")]
            .map(|(subnet, zone)| (subnet.to_owned(), zone.to_owned()))
            .into();
        assert_eq!(choose(&zone_of, &["b".to_owned()]), Ok(["subnet-2".to_owned(), "subnet-3".to_owned()].into()));
        assert_eq!(choose(&zone_of, &["a".to_owned(), "c".to_owned()]), Err(vec!["c".to_owned()]));
    }
}
