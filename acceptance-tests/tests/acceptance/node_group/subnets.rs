//! Private and public subnets in one zone.

use gitlabspot_acceptance_tests::{Account, Stage, Workspace};
use serde_json::json;

use super::{guide, node_group};

const ZONE: &str = "af-south-1b";

/// A further cluster with the account's private subnet of the zone and a new public one, with the IDs of the public
/// subnet's route table and gateway.
struct Mixed {
    private: String,
    public: String,
    table: String,
    gateway: String,
}

impl Mixed {
    async fn cluster(account: &Account) -> Self {
        let ec2 = account.ec2();
        let private = account.subnet_ids()[ZONE].clone();
        let subnets = ec2.describe_subnets().subnet_ids(&private).send().await.unwrap();
        let vpc = subnets.subnets()[0].vpc_id().unwrap();
        let gateway = ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
        let gateway = gateway.internet_gateway_id.unwrap();
        ec2.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(vpc).send().await.unwrap();
        let table = ec2.create_route_table().vpc_id(vpc).send().await.unwrap().route_table.unwrap();
        let table = table.route_table_id.unwrap();
        let route = ec2.create_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0");
        route.gateway_id(&gateway).send().await.unwrap();
        let public = ec2.create_subnet().vpc_id(vpc).cidr_block("10.0.224.0/24").availability_zone(ZONE);
        let public = public.send().await.unwrap().subnet.unwrap().subnet_id.unwrap();
        ec2.associate_route_table().route_table_id(&table).subnet_id(&public).send().await.unwrap();
        let network = aws_sdk_eks::types::VpcConfigRequest::builder().subnet_ids(&private).subnet_ids(&public).build();
        let role = account.create_node_role("cluster").await;
        let cluster = account.eks().create_cluster().name("mixed").role_arn(role).resources_vpc_config(network);
        cluster.send().await.unwrap();
        Self { private, public, table, gateway }
    }

    async fn remove(self, account: &Account) {
        let ec2 = account.ec2();
        account.eks().delete_cluster().name("mixed").send().await.unwrap();
        account.iam().delete_role().role_name("cluster").send().await.unwrap();
        ec2.delete_subnet().subnet_id(self.public).send().await.unwrap();
        let tables = ec2.describe_route_tables().route_table_ids(&self.table).send().await.unwrap();
        for association in tables.route_tables()[0].associations() {
            let id = association.route_table_association_id().unwrap();
            ec2.disassociate_route_table().association_id(id).send().await.unwrap();
        }
        ec2.delete_route_table().route_table_id(self.table).send().await.unwrap();
        let _ = self.gateway;
    }
}

async fn end(stage: &Stage, workspace: &Workspace, mixed: Mixed) {
    workspace.destroy().await;
    mixed.remove(&stage.account).await;
    stage.assert_nothing_remains().await;
}

/// The private subnets are used, and the apply prints both kinds.
#[tokio::test]
async fn private_subnets_are_preferred() {
    let (stage, workspace) = guide("mixed_subnets", json!({ "cluster_name": "mixed" })).await;
    let mixed = Mixed::cluster(&stage.account).await;
    let printed = workspace.try_apply().await.succeeded().prose();
    let both = format!(
        "The cluster has private subnets ({}) and public ones ({}) in {ZONE}. The nodes are placed in the private ones.",
        mixed.private, mixed.public
    );
    assert!(printed.contains(&both), "{both}: {printed}");
    assert!(!printed.contains("SSH is open"), "{printed}");
    let request = stage.account.eks().describe_nodegroup().cluster_name("mixed").nodegroup_name(super::NAME);
    let group = request.send().await.unwrap().nodegroup.unwrap();
    assert_eq!(group.subnets(), std::slice::from_ref(&mixed.private));
    assert_eq!(node_group(&stage.account).await, None);
    workspace.assert_stable().await;
    end(&stage, &workspace, mixed).await;
}
