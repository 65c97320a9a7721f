//! The gRPC service: maps each RPC to its module.

use tfplugin_proto::tfplugin6 as message;
use tfplugin_proto::tfplugin6::provider_server::Provider as Service;
use tokio_stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use super::apply_resource_change::ApplyResourceChange;
use super::call_function::CallFunction;
use super::configure_provider::ConfigureProvider;
use super::ephemeral_resource::{
    CloseEphemeralResource, OpenEphemeralResource, RenewEphemeralResource, ValidateEphemeralResourceConfig,
};
use super::generate_resource_config::GenerateResourceConfig;
use super::get_functions::GetFunctions;
use super::get_metadata::GetMetadata;
use super::get_provider_schema::GetProviderSchema;
use super::get_resource_identity_schemas::GetResourceIdentitySchemas;
use super::import_resource_state::ImportResourceState;
use super::list_resource::{self, ValidateListResourceConfig};
use super::move_resource_state::MoveResourceState;
use super::plan_resource_change::PlanResourceChange;
use super::read_data_source::ReadDataSource;
use super::read_resource::ReadResource;
use super::server::Server;
use super::stop_provider;
use super::upgrade_resource_identity::UpgradeResourceIdentity;
use super::upgrade_resource_state::UpgradeResourceState;
use super::validate_data_resource_config::ValidateDataResourceConfig;
use super::validate_provider_config::ValidateProviderConfig;
use super::validate_resource_config::ValidateResourceConfig;
use crate::framework::Provider;

type Answer<T> = Result<Response<T>, Status>;

/// Core shows this status as "Unsupported plugin method". Where core only probes for a feature, it continues without
/// it, as with an older provider.
fn not_offered<T>() -> Answer<T> {
    Err(Status::unimplemented("this provider does not support it"))
}

#[tonic::async_trait]
impl<P: Provider> Service for Server<P> {
    async fn get_metadata(
        &self,
        request: Request<message::get_metadata::Request>,
    ) -> Answer<message::get_metadata::Response> {
        self.answer::<GetMetadata>(request).await
    }

    async fn get_provider_schema(
        &self,
        request: Request<message::get_provider_schema::Request>,
    ) -> Answer<message::get_provider_schema::Response> {
        self.answer::<GetProviderSchema>(request).await
    }

    async fn get_resource_identity_schemas(
        &self,
        request: Request<message::get_resource_identity_schemas::Request>,
    ) -> Answer<message::get_resource_identity_schemas::Response> {
        self.answer::<GetResourceIdentitySchemas>(request).await
    }

    async fn validate_provider_config(
        &self,
        request: Request<message::validate_provider_config::Request>,
    ) -> Answer<message::validate_provider_config::Response> {
        self.answer::<ValidateProviderConfig>(request).await
    }

    async fn configure_provider(
        &self,
        request: Request<message::configure_provider::Request>,
    ) -> Answer<message::configure_provider::Response> {
        self.answer::<ConfigureProvider>(request).await
    }

    async fn validate_resource_config(
        &self,
        request: Request<message::validate_resource_config::Request>,
    ) -> Answer<message::validate_resource_config::Response> {
        self.answer::<ValidateResourceConfig>(request).await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<message::upgrade_resource_state::Request>,
    ) -> Answer<message::upgrade_resource_state::Response> {
        self.answer::<UpgradeResourceState>(request).await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<message::upgrade_resource_identity::Request>,
    ) -> Answer<message::upgrade_resource_identity::Response> {
        self.answer::<UpgradeResourceIdentity>(request).await
    }

    async fn read_resource(
        &self,
        request: Request<message::read_resource::Request>,
    ) -> Answer<message::read_resource::Response> {
        self.answer::<ReadResource>(request).await
    }

    async fn plan_resource_change(
        &self,
        request: Request<message::plan_resource_change::Request>,
    ) -> Answer<message::plan_resource_change::Response> {
        self.answer::<PlanResourceChange>(request).await
    }

    async fn apply_resource_change(
        &self,
        request: Request<message::apply_resource_change::Request>,
    ) -> Answer<message::apply_resource_change::Response> {
        self.answer::<ApplyResourceChange>(request).await
    }

    async fn import_resource_state(
        &self,
        request: Request<message::import_resource_state::Request>,
    ) -> Answer<message::import_resource_state::Response> {
        self.answer::<ImportResourceState>(request).await
    }

    async fn move_resource_state(
        &self,
        request: Request<message::move_resource_state::Request>,
    ) -> Answer<message::move_resource_state::Response> {
        self.answer::<MoveResourceState>(request).await
    }

    async fn generate_resource_config(
        &self,
        request: Request<message::generate_resource_config::Request>,
    ) -> Answer<message::generate_resource_config::Response> {
        self.answer::<GenerateResourceConfig>(request).await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<message::validate_data_resource_config::Request>,
    ) -> Answer<message::validate_data_resource_config::Response> {
        self.answer::<ValidateDataResourceConfig>(request).await
    }

    async fn read_data_source(
        &self,
        request: Request<message::read_data_source::Request>,
    ) -> Answer<message::read_data_source::Response> {
        self.answer::<ReadDataSource>(request).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<message::validate_ephemeral_resource_config::Request>,
    ) -> Answer<message::validate_ephemeral_resource_config::Response> {
        self.answer::<ValidateEphemeralResourceConfig>(request).await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<message::open_ephemeral_resource::Request>,
    ) -> Answer<message::open_ephemeral_resource::Response> {
        self.answer::<OpenEphemeralResource>(request).await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<message::renew_ephemeral_resource::Request>,
    ) -> Answer<message::renew_ephemeral_resource::Response> {
        self.answer::<RenewEphemeralResource>(request).await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<message::close_ephemeral_resource::Request>,
    ) -> Answer<message::close_ephemeral_resource::Response> {
        self.answer::<CloseEphemeralResource>(request).await
    }

    async fn get_functions(
        &self,
        request: Request<message::get_functions::Request>,
    ) -> Answer<message::get_functions::Response> {
        self.answer::<GetFunctions>(request).await
    }

    async fn call_function(
        &self,
        request: Request<message::call_function::Request>,
    ) -> Answer<message::call_function::Response> {
        self.answer::<CallFunction>(request).await
    }

    async fn stop_provider(
        &self,
        _: Request<message::stop_provider::Request>,
    ) -> Answer<message::stop_provider::Response> {
        Ok(Response::new(stop_provider::serve(self)))
    }

    // List resources.

    type ListResourceStream = list_resource::Events;

    async fn list_resource(
        &self,
        request: Request<message::list_resource::Request>,
    ) -> Answer<Self::ListResourceStream> {
        Ok(Response::new(list_resource::serve(self, request.into_inner())))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<message::validate_list_resource_config::Request>,
    ) -> Answer<message::validate_list_resource_config::Response> {
        self.answer::<ValidateListResourceConfig>(request).await
    }

    // Actions.

    type InvokeActionStream = Empty<Result<message::invoke_action::Event, Status>>;

    async fn invoke_action(&self, _: Request<message::invoke_action::Request>) -> Answer<Self::InvokeActionStream> {
        not_offered()
    }

    async fn plan_action(&self, _: Request<message::plan_action::Request>) -> Answer<message::plan_action::Response> {
        not_offered()
    }

    async fn validate_action_config(
        &self,
        _: Request<message::validate_action_config::Request>,
    ) -> Answer<message::validate_action_config::Response> {
        not_offered()
    }

    // State stores.

    type ReadStateBytesStream = Empty<Result<message::read_state_bytes::Response, Status>>;

    async fn read_state_bytes(
        &self,
        _: Request<message::read_state_bytes::Request>,
    ) -> Answer<Self::ReadStateBytesStream> {
        not_offered()
    }

    async fn write_state_bytes(
        &self,
        _: Request<Streaming<message::write_state_bytes::RequestChunk>>,
    ) -> Answer<message::write_state_bytes::Response> {
        not_offered()
    }

    async fn validate_state_store_config(
        &self,
        _: Request<message::validate_state_store::Request>,
    ) -> Answer<message::validate_state_store::Response> {
        not_offered()
    }

    async fn configure_state_store(
        &self,
        _: Request<message::configure_state_store::Request>,
    ) -> Answer<message::configure_state_store::Response> {
        not_offered()
    }

    async fn lock_state(&self, _: Request<message::lock_state::Request>) -> Answer<message::lock_state::Response> {
        not_offered()
    }

    async fn unlock_state(
        &self,
        _: Request<message::unlock_state::Request>,
    ) -> Answer<message::unlock_state::Response> {
        not_offered()
    }

    async fn get_states(&self, _: Request<message::get_states::Request>) -> Answer<message::get_states::Response> {
        not_offered()
    }

    async fn delete_state(
        &self,
        _: Request<message::delete_state::Request>,
    ) -> Answer<message::delete_state::Response> {
        not_offered()
    }
}
