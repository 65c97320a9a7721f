//! Tests of `gitlabspot_spot_instance_types`.

use gitlabspot_acceptance_tests::{Engine, Fault, Stage, Workspace};
use serde_json::{Value, json};

const ADDRESS: &str = "data.gitlabspot_spot_instance_types.build";

async fn search(test: &str, engine: Engine, variables: Value) -> (Stage, Workspace) {
    let stage = Stage::new(&format!("spot_instance_types/{test}"), engine).await;
    let workspace = stage.testdata("spot_instance_types/search", variables).await;
    (stage, workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "50"))
}

/// Applies a search and returns its instance types.
async fn found(workspace: &Workspace) -> Vec<Value> {
    workspace.apply().await;
    let state = workspace.state().await;
    let data = state.resource(ADDRESS);
    let types = data["instance_types"].as_array().unwrap().clone();
    let names: Vec<Value> = types.iter().map(|found| found["name"].clone()).collect();
    assert_eq!(data["names"], Value::from(names));
    types
}

fn names(types: &[Value]) -> Vec<&str> {
    types.iter().filter_map(|found| found["name"].as_str()).collect()
}

/// The types are filtered, sorted by price, at most twenty, and from every page of DescribeInstanceTypes. A node group
/// can use the result.
async fn types_are_filtered_and_sorted(engine: Engine) {
    let wide = json!({ "memory_gib": { "min": 8, "max": 64 } });
    let (stage, workspace) = search(&format!("finds_{}", engine.name()), engine, wide).await;
    let all = found(&workspace).await;
    assert_eq!(all.len(), 20);
    let price = |found: &Value| found["spot_price"].as_f64().unwrap();
    assert!(all.iter().all(|found| price(found) > 0.0 && found["vcpus"] == 8), "{all:?}");
    assert!(all.iter().all(|found| (8.0..=64.0).contains(&found["memory_gib"].as_f64().unwrap())), "{all:?}");
    assert!(all.windows(2).all(|pair| price(&pair[0]) <= price(&pair[1])), "{all:?}");
    assert!(all.iter().all(|found| !found["availability_zones"].as_array().unwrap().is_empty()), "{all:?}");
    let pages = stage.account.calls_of("ec2", "DescribeInstanceTypes");
    let further = pages.iter().filter(|call| call.parameters.get("NextToken").is_some()).count();
    assert!(pages.len() > 1 && further == pages.len() - 1, "{}", pages.len());
    // The lowest price that EC2 returns for these zones.
    let history = stage.account.ec2().describe_spot_price_history().start_time(std::time::SystemTime::now().into());
    let history =
        history.product_descriptions("Linux/UNIX").instance_types(names(&all)[0].into()).send().await.unwrap();
    let lowest = history
        .spot_price_history()
        .iter()
        .filter(|entry| ["af-south-1a", "af-south-1b"].contains(&entry.availability_zone().unwrap()))
        .map(|entry| entry.spot_price().unwrap().parse::<f64>().unwrap())
        .fold(f64::INFINITY, f64::min);
    assert!((price(&all[0]) - lowest).abs() < 1e-9, "{} is not {lowest}", price(&all[0]));

    let first = names(&all)[0].split('.').next().unwrap().to_owned();
    workspace.set(&json!({ "exclude": [format!("{first}.*")], "require_all_zones": true, "max_results": 3 }));
    let fewer = found(&workspace).await;
    assert_eq!(fewer.len(), 3);
    assert!(names(&fewer).iter().all(|name| !name.starts_with(&format!("{first}."))), "{fewer:?}");
    let both = json!(["af-south-1a", "af-south-1b"]);
    assert!(fewer.iter().all(|found| found["availability_zones"] == both), "{fewer:?}");

    workspace.set(&json!({ "use": true }));
    workspace.apply().await;
    workspace.assert_stable().await;
    let group = stage.account.eks().describe_nodegroup().cluster_name("prod").nodegroup_name("found");
    let group = group.send().await.unwrap().nodegroup.unwrap();
    assert_eq!(group.instance_types(), names(&fewer));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn types_are_filtered_and_sorted_with_opentofu() {
    types_are_filtered_and_sorted(Engine::opentofu()).await;
}

#[tokio::test]
async fn types_are_filtered_and_sorted_with_terraform() {
    if let Some(engine) = Engine::terraform() {
        types_are_filtered_and_sorted(engine).await;
    }
}

/// Another architecture, all zones of the region, and no limits.
#[tokio::test]
async fn arm64_without_limits() {
    let variables =
        json!({ "architecture": "arm64", "availability_zones": null, "memory_gib": null, "max_results": 5 });
    let (stage, workspace) = search("other", Engine::opentofu(), variables).await;
    let types = found(&workspace).await;
    assert_eq!(types.len(), 5);
    let described = stage.account.ec2().describe_instance_types();
    let described = described.set_instance_types(Some(names(&types).into_iter().map(Into::into).collect()));
    let described = described.send().await.unwrap();
    for kind in described.instance_types() {
        let architectures = kind.processor_info().unwrap().supported_architectures();
        assert!(architectures.iter().any(|architecture| architecture.as_str() == "arm64"), "{kind:?}");
    }
    assert_eq!(stage.account.calls_of("ec2", "DescribeAvailabilityZones").len(), 1);
    // The offerings of three zones are on several pages, and those of one type can be on any of them.
    let pages = stage.account.calls_of("ec2", "DescribeInstanceTypeOfferings");
    let further = pages.iter().filter(|call| call.parameters.get("NextToken").is_some()).count();
    assert!(pages.len() > 1 && further == pages.len() - 1, "{pages:?}");
    for found in &types {
        let name = aws_sdk_ec2::types::Filter::builder().name("instance-type").values(found["name"].as_str().unwrap());
        let offered = stage.account.ec2().describe_instance_type_offerings().location_type("availability-zone".into());
        let offered = offered.filters(name.build()).send().await.unwrap();
        let mut zones: Vec<&str> =
            offered.instance_type_offerings().iter().filter_map(|offering| offering.location()).collect();
        zones.sort_unstable();
        assert_eq!(found["availability_zones"], json!(zones), "{found}");
    }
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// EKS accepts every result: there are no accelerators and no types that its AMIs do not support, and Arm has another
/// AMI.
#[tokio::test]
async fn every_result_can_be_used_by_a_node_group() {
    for architecture in ["x86_64", "arm64"] {
        let variables = json!({ "architecture": architecture, "memory_gib": { "min": 8, "max": 64 }, "use": true });
        let (stage, workspace) = search(&format!("all_{architecture}"), Engine::opentofu(), variables).await;
        let types = found(&workspace).await;
        assert!(types.len() > 5, "{types:?}");
        workspace.assert_stable().await;
        workspace.destroy().await;
        stage.assert_nothing_remains().await;
    }
}

/// The error of an empty result names the filter that excluded the last types.
#[tokio::test]
async fn empty_result_names_the_filter() {
    let (stage, workspace) = search("nothing", Engine::opentofu(), json!({})).await;
    let usual = json!({
        "vcpus": 8, "memory_gib": { "min": 16, "max": 32 }, "exclude": null,
        "availability_zones": ["af-south-1a", "af-south-1b"], "require_all_zones": null,
    });
    for (attribute, value) in [
        ("vcpus", json!(7)),
        ("memory_gib", json!({ "min": 17, "max": 17.5 })),
        ("exclude", json!(["*"])),
        ("availability_zones", json!(["af-south-1z"])),
        ("require_all_zones", json!(true)),
    ] {
        workspace.set(&usual);
        workspace.set(&json!({ attribute: value }));
        if attribute == "require_all_zones" {
            workspace.set(&json!({ "availability_zones": ["af-south-1a", "af-south-1z"] }));
        }
        let printed = workspace.try_plan().await.unwrap_err().failed();
        assert!(printed.contains("No instance type matches"), "{printed}");
        assert!(
            printed.contains(&format!(
                "types matched the filters before {attribute}, but none of them matches this filter"
            )),
            "{printed}"
        );
    }
    workspace.set(&usual);
    workspace.set(&json!({ "max_results": 21, "architecture": "z80" }));
    let printed = workspace.try_plan().await.unwrap_err().failed();
    assert!(
        printed.contains("The number of results must be between 1 and 20")
            && printed.contains("\"z80\" is not supported"),
        "{printed}"
    );
    stage.assert_nothing_remains().await;
}

/// Throttling is retried. The error for a missing permission has its action.
#[tokio::test]
async fn throttling_is_retried_and_missing_permissions_are_named() {
    let (stage, workspace) = search("trouble", Engine::opentofu(), json!({ "max_results": 3 })).await;
    stage.account.inject(Fault::throttle("ec2", "Describe.*").times(4));
    assert_eq!(found(&workspace).await.len(), 3);
    let denied = "You are not authorized to perform: ec2:DescribeSpotPriceHistory";
    stage
        .account
        .inject(Fault::error("ec2", "DescribeSpotPriceHistory", 403, "UnauthorizedOperation", denied).times(0));
    let printed = workspace.try_plan().await.unwrap_err().failed();
    assert!(printed.contains("ec2:DescribeSpotPriceHistory"), "{printed}");
    stage.assert_nothing_remains().await;
}
