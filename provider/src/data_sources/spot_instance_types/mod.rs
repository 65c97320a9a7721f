//! `gitlabspot_spot_instance_types`: the types for a Spot node group, cheapest first.
//!
//! Makes three paginated requests to EC2: offerings of the zones, descriptions of the types, and current prices.

mod filter;
mod find;
mod schema;

use tfplugin::framework::{Context, DataSource, Diagnostic, Diagnostics, Number, Value};

use self::filter::{Emptied, Wanted};
pub use self::schema::SpotInstanceTypes;
use crate::configured::Data;
use crate::errors::OrDiagnostics;

/// The data source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpotInstanceTypesDataSource;

/// Maximum number of instance types of a node group.
const MOST_RESULTS: i64 = 20;

impl DataSource for SpotInstanceTypesDataSource {
    type Data = Data;
    type Model = SpotInstanceTypes;
    const TYPE_NAME: &'static str = "gitlabspot_spot_instance_types";
    const DESCRIPTION: &'static str = "Returns the instance types that are available on Spot in the availability \
         zones and that the default AMIs of EKS support, cheapest first at the current price.\n\n\
         Use `names` for `instance_types` of `gitlabspot_node_group`. The result changes with the Spot prices, and a \
         change of `instance_types` replaces the node group: to prevent this, set \
         `lifecycle { ignore_changes = [instance_types] }` on the node group.\n\n\
         Bare metal types are omitted, and so are types that the default AMIs do not support: those with GPUs or other \
         accelerators, paravirtual types, and the first generation of Graviton.";

    fn validate(&self, config: &SpotInstanceTypes, diagnostics: &mut Diagnostics) {
        if let Some(most) = config.max_results.known()
            && !(1..=MOST_RESULTS).contains(most)
        {
            diagnostics.error(
                "max_results",
                "Invalid number of results",
                format!("The number of results must be between 1 and {MOST_RESULTS}."),
            );
        }
        if let Some(architecture) = config.architecture.as_str()
            && !["x86_64", "arm64"].contains(&architecture)
        {
            diagnostics.error(
                "architecture",
                "Invalid architecture",
                format!("{architecture:?} is not supported. Use \"x86_64\" or \"arm64\"."),
            );
        }
        if let Value::Known(range) = &config.memory_gib
            && let (Some(min), Some(max)) = (range.min.known(), range.max.known())
            && min > max
        {
            diagnostics.error("memory_gib", "Invalid range", format!("min ({min}) must not be more than max ({max})."));
        }
    }

    async fn read(
        &self,
        context: &Context<Data>,
        config: SpotInstanceTypes,
        _: &mut Diagnostics,
    ) -> Result<SpotInstanceTypes, Diagnostics> {
        let ec2 = context.data()?.clients.ec2().await.or_diagnostics()?;
        let zones = find::zones(ec2, &config).await.or_diagnostics()?;
        let offerings = find::offerings(ec2, &zones).await.or_diagnostics()?;
        let candidates =
            find::candidates(ec2, config.architecture.as_str().unwrap_or("x86_64")).await.or_diagnostics()?;
        let wanted = wanted(&config);
        let left =
            filter::matching(&wanted, candidates, &offerings, zones.len()).map_err(|emptied| nothing_left(&emptied))?;
        let names: Vec<String> = left.iter().map(|candidate| candidate.name.clone()).collect();
        // Last, and only for the remaining types: the price history has an entry for each type and zone.
        let prices = find::prices(ec2, &names, &zones, context.clock.time_of_day()).await.or_diagnostics()?;
        let offers = filter::cheapest(&wanted, left, &offerings, &prices);
        if offers.is_empty() {
            return Err(without_price(names.len()));
        }
        Ok(find::model(config, offers))
    }
}

fn wanted(config: &SpotInstanceTypes) -> Wanted {
    let memory = config.memory_gib.known();
    Wanted {
        vcpus: config.vcpus.known().copied(),
        memory_gib: (
            memory.and_then(|range| range.min.known().map(Number::as_f64)),
            memory.and_then(|range| range.max.known().map(Number::as_f64)),
        ),
        exclude: config
            .exclude
            .known()
            .into_iter()
            .flat_map(|set| set.iter())
            .filter_map(|e| e.known().cloned())
            .collect(),
        require_all_zones: config.require_all_zones.or(false),
        max_results: usize::try_from(config.max_results.or(MOST_RESULTS)).unwrap_or(1),
    }
}

fn without_price(types: usize) -> Diagnostics {
    let detail = format!(
        "{types} types matched all other filters, but EC2 has no Spot price for any of them in these zones. Specify \
         other zones, or relax the filters."
    );
    Diagnostic::error("No instance type matches", detail).at("availability_zones").into()
}

fn nothing_left(emptied: &Emptied) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let detail = match emptied.before {
        0 => {
            "EC2 has no Spot instance type of this architecture in the region. Choose another architecture.".to_owned()
        }
        before => format!(
            "{before} types matched the filters before {}, but none of them matches this filter. Relax it, or one of \
             the filters before it.",
            emptied.attribute
        ),
    };
    diagnostics.error(emptied.attribute, "No instance type matches", detail);
    diagnostics
}
