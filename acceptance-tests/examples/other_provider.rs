//! A stand-in for hashicorp/aws, hashicorp/helm and hashicorp/kubernetes in tests. Its resources can be read, planned
//! and removed from the state; create, update and delete return an error.
//!
//! The name of the binary selects one of the three: `terraform-provider-aws_v1.0.0`.

use std::process::ExitCode;
use std::sync::Arc;

use tfplugin::framework::clock::SystemClock;
use tfplugin::framework::resource::ErasedResource;
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Host, Import, NoIdentity, Object, Provider, Read, Registry,
    Resource, Update, Value,
};
use tfplugin::plugin::{self, Plugin, Services};
use tfplugin::protocol::Server;

fn main() -> ExitCode {
    match plugin::serve(served) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn served() -> Plugin {
    let binary = std::env::args().next().unwrap_or_default();
    let name = ["aws", "helm", "kubernetes"].into_iter().find(|name| binary.contains(&format!("provider-{name}_")));
    let server = Server::new(Other(name.unwrap_or("aws")), Arc::new(SystemClock::new(1)));
    let stop = Arc::new(server.ending());
    Plugin { services: Services::new(server.into_service()), stop }
}

#[derive(Debug)]
struct Other(&'static str);

/// The `provider` block.
#[derive(Clone, Default, PartialEq, Object)]
struct Config {}

impl Provider for Other {
    type Config = Config;
    type Data = ();

    fn name(&self) -> &'static str {
        self.0
    }

    fn description(&self) -> &'static str {
        "Resources of a state."
    }

    fn validate(&self, _config: &Config, _diagnostics: &mut Diagnostics) {}

    fn configure(&self, _config: Config, _host: &Host) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn registry(&self) -> Registry<()> {
        let resources: Vec<Arc<dyn ErasedResource<()>>> = match self.0 {
            "aws" => vec![
                Arc::new(Recorded::<0>),
                Arc::new(Recorded::<1>),
                Arc::new(Recorded::<2>),
                Arc::new(Recorded::<3>),
                Arc::new(Recorded::<4>),
            ],
            "helm" => vec![Arc::new(Recorded::<5>)],
            _ => vec![Arc::new(Recorded::<6>)],
        };
        Registry { resources, data_sources: vec![], list_resources: vec![], functions: vec![] }
    }
}

const TYPES: [&str; 7] = [
    "aws_eks_node_group",
    "aws_s3_bucket",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_iam_user",
    "aws_iam_access_key",
    "helm_release",
    "kubernetes_secret",
];

/// One attribute of the real resources. The others are dropped when the state is read.
#[derive(Clone, Default, PartialEq, Object)]
struct Model {
    /// ID of the object.
    #[attr(optional)]
    id: Value<String>,
}

/// The resource with the type name at this index of [`TYPES`].
#[derive(Debug)]
struct Recorded<const TYPE: usize>;

fn refused() -> Diagnostics {
    Diagnostic::error("Change of another provider's object", "A migration changes no such object.").into()
}

impl<const TYPE: usize> Resource for Recorded<TYPE> {
    type Data = ();
    type Model = Model;
    type Private = ();
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = TYPES[TYPE];
    const DESCRIPTION: &'static str = "An object of a state.";

    fn validate(&self, _config: &Model, _diagnostics: &mut Diagnostics) {}

    async fn create(&self, _context: &Context<()>, _operation: &mut Create<Model>) -> Result<(), Diagnostics> {
        Err(refused())
    }

    async fn read(&self, _context: &Context<()>, _operation: &mut Read<Model>) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn update(&self, _context: &Context<()>, _operation: &mut Update<Model>) -> Result<(), Diagnostics> {
        Err(refused())
    }

    async fn delete(&self, _context: &Context<()>, _operation: &mut Delete<Model>) -> Result<(), Diagnostics> {
        Err(refused())
    }

    async fn import(&self, _context: &Context<()>, _from: Import<NoIdentity>) -> Result<Model, Diagnostics> {
        Err(refused())
    }
}
