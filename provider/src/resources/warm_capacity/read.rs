//! Reading placeholders back, also those that are to be imported.

use serde_json::Value as Json;

use super::error::Error;
use super::manifests::is_warm_capacity;
use super::{Scene, WarmCapacity, flatten, plan};
use crate::clients::kubernetes::ObjectRef;
use crate::framework::Read;
use crate::framework::value::known_map;
use crate::resources::live;
use crate::resources::manifest::{Manifest, shown_manifest, text};
use crate::resources::projection::project;

impl Scene<'_> {
    pub(super) async fn read(&self, operation: &mut Read<WarmCapacity>) -> Result<(), Error> {
        if operation.importing {
            self.recall(&mut operation.state).await?;
        }
        let prior = known_map(&operation.state.manifest).unwrap_or_default();
        let found = live::get_all(&self.client, live::places(&prior)).await;
        let mut manifest = Manifest::new();
        for (place, live) in found.map_err(|source| Error::Read { source })? {
            let key = place.to_string();
            let (Some(live), Some(shown)) = (live, prior.get(&key)) else { continue };
            let shown: Json = serde_json::from_str(shown).unwrap_or_default();
            manifest.insert(key, text(&project(&shown, &live)));
        }
        if manifest.is_empty() {
            operation.gone();
            return Ok(());
        }
        let state = &mut operation.state;
        state.manifest = shown_manifest(&manifest);
        Ok(())
    }

    /// The attributes, from the object that was made from them.
    async fn recall(&self, state: &mut WarmCapacity) -> Result<(), Error> {
        let [namespace, name] =
            [&state.namespace, &state.name].map(|text| text.as_str().unwrap_or_default().to_owned());
        for (api_version, kind) in [("apps/v1", "Deployment"), ("batch/v1", "CronJob")] {
            let place = ObjectRef {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                namespace: Some(namespace.clone()),
                name: name.clone(),
            };
            let found = self.get(&place).await.map_err(|source| Error::Read { source })?;
            if let Some(found) = found.filter(is_warm_capacity) {
                *state = WarmCapacity { cluster_name: state.cluster_name.clone(), ..flatten::attributes(&found) };
                plan::describe(state);
                return Ok(());
            }
        }
        Err(Error::NothingToImport { namespace, name })
    }
}
