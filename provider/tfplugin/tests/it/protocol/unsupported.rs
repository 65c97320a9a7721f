//! Features that the framework does not support.

use tfplugin_proto::tfplugin6 as message;
use tonic::Code;

use super::host::{fresh, summaries};

macro_rules! unimplemented {
    ($($call:ident $module:ident)*) => {
        #[tokio::test]
        async fn calls_of_unsupported_features_are_unimplemented() {
            let mut client = fresh().await;
            $(
                let status = client.$call(message::$module::Request::default()).await.unwrap_err();
                assert_eq!(status.code(), Code::Unimplemented, stringify!($call));
            )*
            let chunks = tokio_stream::empty::<message::write_state_bytes::RequestChunk>();
            assert_eq!(client.write_state_bytes(chunks).await.unwrap_err().code(), Code::Unimplemented);
        }
    };
}

unimplemented! {
    plan_action plan_action
    invoke_action invoke_action
    validate_action_config validate_action_config
    validate_state_store_config validate_state_store
    configure_state_store configure_state_store
    read_state_bytes read_state_bytes
    lock_state lock_state
    unlock_state unlock_state
    get_states get_states
    delete_state delete_state
}

macro_rules! ephemeral {
    ($($call:ident $module:ident)*) => {
        #[tokio::test]
        async fn ephemeral_resources_are_refused_by_name() {
            let mut client = fresh().await;
            $(
                let request = message::$module::Request { type_name: "spot_token".to_owned(), ..Default::default() };
                let answer = client.$call(request).await.unwrap().into_inner();
                assert_eq!(summaries(&answer.diagnostics), ["Error: : Unknown type"], stringify!($call));
                assert!(answer.diagnostics[0].detail.contains("spot_token"));
            )*
        }
    };
}

ephemeral! {
    validate_ephemeral_resource_config validate_ephemeral_resource_config
    open_ephemeral_resource open_ephemeral_resource
    renew_ephemeral_resource renew_ephemeral_resource
    close_ephemeral_resource close_ephemeral_resource
}
