//! AWS partitions: what stands in ARNs, and the domain of the services.

pub(crate) use crate::clients::aws::dns_suffix;

/// The partition of a region, as it stands in ARNs: `aws`, `aws-cn`, `aws-us-gov`, and so on.
pub(crate) fn name(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}

/// The name of EC2 as a principal in trust policies. It is not `ec2` with the partition's domain: the newer partitions have
/// the name of the first one.
pub(crate) fn ec2_principal(region: &str) -> &'static str {
    match name(region) {
        "aws-cn" => "ec2.amazonaws.com.cn",
        "aws-iso" => "ec2.c2s.ic.gov",
        "aws-iso-b" => "ec2.sc2s.sgov.gov",
        _ => "ec2.amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Region, partition in ARNs, domain of endpoints, principal of EC2.
    const PARTITIONS: [[&str; 4]; 8] = [
        ["eu-west-1", "aws", "amazonaws.com", "ec2.amazonaws.com"],
        ["cn-north-1", "aws-cn", "amazonaws.com.cn", "ec2.amazonaws.com.cn"],
        ["us-gov-west-1", "aws-us-gov", "amazonaws.com", "ec2.amazonaws.com"],
        ["us-iso-east-1", "aws-iso", "c2s.ic.gov", "ec2.c2s.ic.gov"],
        ["us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", "ec2.sc2s.sgov.gov"],
        ["eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk", "ec2.amazonaws.com"],
        ["us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov", "ec2.amazonaws.com"],
        ["eusc-de-east-1", "aws-eusc", "amazonaws.eu", "ec2.amazonaws.com"],
    ];

    #[test]
    fn arns_endpoints_and_principals_of_every_partition() {
        for [region, partition, domain, principal] in PARTITIONS {
            assert_eq!([name(region), dns_suffix(region), ec2_principal(region)], [partition, domain, principal]);
        }
    }
}
