//! Lists objects that already exist, one event per object. Only `terraform query` calls it, in Terraform 1.14 and
//! newer.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tfplugin_proto::tfplugin6::list_resource::{Event, Request};
use tfplugin_proto::tfplugin6::validate_list_resource_config;
use tonic::Status;
use tracing::Instrument;

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::offer::{ListResource as Offered, Resource};
use super::rpc::{Rpc, span};
use super::server::Server;
use crate::framework::list_resource::Listed;
use crate::framework::{Context, Diagnostic, Diagnostics, Provider, Severity, panic};

/// The stream of events of one response.
pub(super) type Events = BoxStream<'static, Result<Event, Status>>;

const NAME: &str = "ListResource";

pub(super) struct ValidateListResourceConfig;

impl<P: Provider> Rpc<P> for ValidateListResourceConfig {
    const NAME: &'static str = "ValidateListResourceConfig";
    type Request = validate_list_resource_config::Request;
    type Response = validate_list_resource_config::Response;

    fn subject(request: &Self::Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Self::Request) -> Result<Self::Response, Diagnostics> {
        let list = server.offer().list_resource(&request.type_name)?;
        let filter = dynamic_value::decode(request.config.as_ref(), list.ty())?;
        Ok(Self::Response { diagnostics: to_messages(list.erased.validate(filter)) })
    }
}

/// Starts a list, which is cancelled when the returned stream is dropped.
pub(super) fn serve<P: Provider>(server: &Server<P>, request: Request) -> Events {
    let span = span(NAME, &request.type_name);
    let offer = server.offer();
    let prepared = offer.list_resource(&request.type_name).and_then(|list| {
        let filter = dynamic_value::decode(request.config.as_ref(), list.ty())?;
        Ok((Arc::clone(list), offer.resource(&request.type_name)?.clone(), filter))
    });
    let (list, resource, filter) = match prepared {
        Ok(prepared) => prepared,
        Err(diagnostics) => return stream::iter([Ok(diagnostic_event(diagnostics))]).boxed(),
    };
    let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let context = Arc::new(server.context(None));
    let found = {
        let (list, context) = (Arc::clone(&list), Arc::clone(&context));
        async move {
            match panic::caught(list.erased.list(&context, filter, limit)).await {
                Ok(found) => found,
                Err(panic) => (Vec::new(), panic.diagnostic(NAME).into()),
            }
        }
    };
    let with_state = request.include_resource_object;
    stream::once(found.instrument(span.clone()))
        .flat_map(move |(found, diagnostics)| {
            let messages = (!diagnostics.is_empty()).then(|| diagnostic_event(diagnostics));
            let (list, resource, context, span) =
                (Arc::clone(&list), resource.clone(), Arc::clone(&context), span.clone());
            let events = stream::iter(found).then(move |listed| {
                let (list, resource, context) = (Arc::clone(&list), resource.clone(), Arc::clone(&context));
                async move { event(&list, &resource, &context, listed, with_state).await }.instrument(span.clone())
            });
            stream::iter(messages).chain(events).map(Ok)
        })
        .boxed()
}

/// Returns an event with diagnostics, and without an object.
fn diagnostic_event(diagnostics: Diagnostics) -> Event {
    Event { diagnostic: to_messages(diagnostics), ..Event::default() }
}

async fn event<D>(
    list: &Offered<D>,
    resource: &Resource<D>,
    context: &Context<D>,
    listed: Listed,
    with_state: bool,
) -> Event {
    let Listed { mut identity, display_name } = listed;
    let mut event = Event { display_name, ..Event::default() };
    if with_state {
        let state = match panic::caught(list.erased.state(context, identity.clone())).await {
            Ok(state) => state,
            Err(panic) => return diagnostic_event(panic.diagnostic(NAME).into()),
        };
        // Reported as warnings, because the other objects can still be listed.
        if state.diagnostics.has_errors() {
            return diagnostic_event(warnings(&event.display_name, state.diagnostics));
        }
        if state.state.is_null() {
            return diagnostic_event(Diagnostics::new());
        }
        identity = state.identity.unwrap_or(identity);
        event.diagnostic = to_messages(state.diagnostics);
        match dynamic_value::encode(&state.state, resource.ty()) {
            Ok(state) => event.resource_object = Some(state),
            Err(diagnostics) => return diagnostic_event(diagnostics),
        }
    }
    match resource.write_identity(&identity) {
        Ok(identity) => event.identity = identity,
        Err(diagnostics) => return diagnostic_event(diagnostics),
    }
    event
}

/// Converts the errors of an object into warnings that the list omits it.
fn warnings(display_name: &str, diagnostics: Diagnostics) -> Diagnostics {
    diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|error| {
            Diagnostic::warning(format!("{display_name} is not listed"), format!("{}: {}", error.summary, error.detail))
        })
        .collect()
}
