//! Availability zones, the subnets in them, and which of these are public.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, RouteTable};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Diagnostic;

use super::error::{Error, Fault, Step};
use crate::steps::{Fault as _, Remains};

/// The properties of a subnet that are used here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subnet {
    id: String,
    zone: String,
    vpc: String,
}

/// Subnets for the nodes, with a warning if public subnets are not used.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Choice {
    pub(super) subnets: BTreeSet<String>,
    pub(super) warning: Option<Diagnostic>,
}

/// The subnets of the cluster in these zones. If a zone has private and public subnets, only the private ones: nodes in
/// a public subnet have public addresses, and without them reach neither the cluster nor a registry.
///
/// # Errors
/// There is no such cluster, it has no subnet in one of the zones, or a call failed.
pub(super) async fn in_zones(
    eks: &aws_sdk_eks::Client,
    ec2: &aws_sdk_ec2::Client,
    cluster: &str,
    zones: &[String],
    region: &str,
) -> Result<Choice, Error> {
    let subnets = of_cluster(eks, cluster, region).await?;
    let all = describe(ec2, &subnets).await.map_err(|error| failed(cluster, error))?;
    let missing: Vec<String> =
        zones.iter().filter(|zone| !all.iter().any(|subnet| subnet.zone == **zone)).cloned().collect();
    if !missing.is_empty() {
        let known: BTreeSet<String> = all.into_iter().map(|subnet| subnet.zone).collect();
        return Err(Fault::NoSubnet { cluster: cluster.to_owned(), missing, known: known.into_iter().collect() }.into());
    }
    let all: Vec<Subnet> = all.into_iter().filter(|subnet| zones.contains(&subnet.zone)).collect();
    // With one subnet in each zone there is nothing to choose.
    let public = if all.len() > zones.len() {
        public(ec2, &all).await.map_err(|error| failed(cluster, error))?
    } else {
        BTreeSet::new()
    };
    Ok(choose(&all, &public))
}

async fn of_cluster(eks: &aws_sdk_eks::Client, cluster: &str, region: &str) -> Result<Vec<String>, Error> {
    match eks.describe_cluster().name(cluster).send().await.map_err(AwsError::of("DescribeCluster")) {
        Ok(output) => {
            let network = output.cluster.and_then(|cluster| cluster.resources_vpc_config);
            Ok(network.map(|network| network.subnet_ids().to_vec()).unwrap_or_default())
        }
        Err(error) if error.is_not_found() => {
            Err(Fault::NoCluster { cluster: cluster.to_owned(), region: region.to_owned() }.into())
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
    let observed = describe(ec2, subnets).await?;
    Ok(observed.into_iter().map(|subnet| (subnet.id, subnet.zone)).collect())
}

/// The public ones among these subnets.
///
/// # Errors
/// A call failed.
pub(super) async fn public_among(ec2: &aws_sdk_ec2::Client, subnets: &[String]) -> Result<BTreeSet<String>, AwsError> {
    let subnets = describe(ec2, subnets).await?;
    public(ec2, &subnets).await
}

async fn describe(ec2: &aws_sdk_ec2::Client, subnets: &[String]) -> Result<Vec<Subnet>, AwsError> {
    if subnets.is_empty() {
        return Ok(Vec::new());
    }
    let request = ec2.describe_subnets().set_subnet_ids(Some(subnets.to_vec())).into_paginator().items();
    let observed = request.send().try_collect().await.map_err(AwsError::of("DescribeSubnets"))?;
    let plain = |subnet: aws_sdk_ec2::types::Subnet| {
        Some(Subnet { id: subnet.subnet_id?, zone: subnet.availability_zone?, vpc: subnet.vpc_id.unwrap_or_default() })
    };
    Ok(observed.into_iter().filter_map(plain).collect())
}

async fn public(ec2: &aws_sdk_ec2::Client, subnets: &[Subnet]) -> Result<BTreeSet<String>, AwsError> {
    let vpcs: BTreeSet<String> = subnets.iter().map(|subnet| subnet.vpc.clone()).collect();
    let of_vpcs = Filter::builder().name("vpc-id").set_values(Some(vpcs.into_iter().collect())).build();
    let request = ec2.describe_route_tables().filters(of_vpcs).into_paginator().items();
    let tables = request.send().try_collect().await.map_err(AwsError::of("DescribeRouteTables"))?;
    let public = subnets.iter().filter(|subnet| is_public(subnet, &tables));
    Ok(public.map(|subnet| subnet.id.clone()).collect())
}

/// Whether the route table of a subnet has a route to an internet gateway. A subnet without a table of its own uses the
/// main table of the VPC.
fn is_public(subnet: &Subnet, tables: &[RouteTable]) -> bool {
    let associated = |table: &&RouteTable| table.associations().iter().any(|it| it.subnet_id() == Some(&subnet.id));
    let main = |table: &&RouteTable| {
        table.vpc_id() == Some(&subnet.vpc) && table.associations().iter().any(|it| it.main() == Some(true))
    };
    let table = tables.iter().find(associated).or_else(|| tables.iter().find(main));
    let leads_out = |table: &RouteTable| {
        table.routes().iter().any(|route| route.gateway_id().is_some_and(|gateway| gateway.starts_with("igw-")))
    };
    table.is_some_and(leads_out)
}

fn failed(cluster: &str, error: AwsError) -> Error {
    let id = format!("in the cluster {cluster}");
    Fault::Step { step: Step::FindSubnets, id, failure: error.into() }.leaving(Remains::Nothing)
}

fn choose(all: &[Subnet], public: &BTreeSet<String>) -> Choice {
    let private_zones: BTreeSet<&str> =
        all.iter().filter(|subnet| !public.contains(&subnet.id)).map(|subnet| subnet.zone.as_str()).collect();
    let (left_out, chosen): (Vec<&Subnet>, Vec<&Subnet>) =
        all.iter().partition(|subnet| public.contains(&subnet.id) && private_zones.contains(subnet.zone.as_str()));
    let zones: BTreeSet<&str> = left_out.iter().map(|subnet| subnet.zone.as_str()).collect();
    let ids = |subnets: &[&Subnet]| {
        let ids: Vec<&str> = subnets.iter().map(|subnet| subnet.id.as_str()).collect();
        ids.join(", ")
    };
    let warning = (!left_out.is_empty()).then(|| {
        let beside: Vec<&Subnet> =
            chosen.iter().filter(|subnet| zones.contains(subnet.zone.as_str())).copied().collect();
        let text = format!(
            "The cluster has private subnets ({}) and public ones ({}) in {}. The nodes are placed in the private \
             ones. To select other subnets, set subnet_ids instead of availability_zones.",
            ids(&beside),
            ids(&left_out),
            zones.iter().copied().collect::<Vec<_>>().join(" and "),
        );
        Diagnostic::warning("Zone with private and public subnets", text).at("availability_zones")
    });
    Choice { subnets: chosen.into_iter().map(|subnet| subnet.id.clone()).collect(), warning }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{Route, RouteTableAssociation};

    use super::*;

    fn subnet(id: &str, zone: &str) -> Subnet {
        Subnet { id: id.to_owned(), zone: zone.to_owned(), vpc: "vpc-1".to_owned() }
    }

    #[test]
    fn private_subnets_are_preferred_zone_by_zone() {
        let all = [subnet("subnet-1", "a"), subnet("subnet-2", "a"), subnet("subnet-3", "b")];
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(
            choose(&all, &set(&[])),
            Choice { subnets: set(&["subnet-1", "subnet-2", "subnet-3"]), warning: None }
        );
        let Choice { subnets, warning } = choose(&all, &set(&["subnet-2", "subnet-3"]));
        assert_eq!(subnets, set(&["subnet-1", "subnet-3"]));
        let text = warning.unwrap().detail.to_string();
        assert!(text.contains("private subnets (subnet-1) and public ones (subnet-2) in a."), "{text}");
        let public_alone = choose(&all, &set(&["subnet-1", "subnet-2"]));
        assert_eq!(public_alone.subnets, set(&["subnet-1", "subnet-2", "subnet-3"]));
        assert_eq!(public_alone.warning, None);
    }

    #[test]
    fn a_route_to_an_internet_gateway_makes_a_subnet_public() {
        let table = |gateway: &str, association: RouteTableAssociation| {
            RouteTable::builder()
                .vpc_id("vpc-1")
                .routes(Route::builder().gateway_id(gateway).build())
                .associations(association)
                .build()
        };
        let of = |id: &str| RouteTableAssociation::builder().subnet_id(id).build();
        let main = RouteTableAssociation::builder().main(true).build();
        let tables = [table("igw-1", of("subnet-1")), table("local", of("subnet-2")), table("igw-1", main)];
        let public = |id: &str| is_public(&subnet(id, "a"), &tables);
        assert_eq!(["subnet-1", "subnet-2", "subnet-3"].map(public), [true, false, true]);
        let elsewhere = Subnet { vpc: "vpc-2".to_owned(), ..subnet("subnet-3", "a") };
        assert!(!is_public(&elsewhere, &tables));
    }
}
