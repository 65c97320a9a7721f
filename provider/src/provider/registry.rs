//! The registry of all resources, data sources and functions of this provider.

use std::sync::Arc;

use tfplugin::framework::Registry;

use crate::configured::Data;
use crate::data_sources::spot_instance_types::SpotInstanceTypesDataSource;
use crate::functions::autoscaler_tags::AutoscalerTags;
use crate::functions::runner_config::RunnerConfig;
use crate::resources::cache_bucket::CacheBucketResource;
use crate::resources::node_group::NodeGroupResource;
use crate::resources::runner_credentials::RunnerCredentialsResource;
use crate::resources::runner_release::RunnerReleaseResource;
use crate::resources::warm_capacity::WarmCapacityResource;

/// Returns the registry, in the order of the docs.
pub(super) fn registry() -> Registry<Data> {
    Registry {
        resources: vec![
            Arc::new(NodeGroupResource::default()),
            Arc::new(CacheBucketResource),
            Arc::new(RunnerCredentialsResource),
            Arc::new(RunnerReleaseResource),
            Arc::new(WarmCapacityResource),
        ],
        data_sources: vec![Arc::new(SpotInstanceTypesDataSource)],
        list_resources: vec![
            Arc::new(NodeGroupResource::default()),
            Arc::new(CacheBucketResource),
            Arc::new(RunnerCredentialsResource),
            Arc::new(RunnerReleaseResource),
            Arc::new(WarmCapacityResource),
        ],
        functions: vec![Arc::new(AutoscalerTags), Arc::new(RunnerConfig)],
    }
}
