//! The import check for every resource: the imported state equals the applied one.

use crate::Workspace;
use crate::state::significant;

impl Workspace {
    /// Removes an applied resource from the state of a copy of the workspace and imports it, by command and by `import`
    /// block. Every attribute must have its former value, except those in `except`, such as `force_destroy`, which AWS
    /// does not store. Without exceptions, the plan must be empty.
    ///
    /// # Panics
    ///
    /// If an attribute differs or the plan has changes.
    pub async fn assert_import(&self, address: &str, id: &str, except: &[&str]) {
        let applied = self.state().await;
        let applied = significant(applied.resource(address), except);

        let twin = self.copy_without(address).await;
        let other = twin.twin();
        let _ = twin.try_import(address, id).await.succeeded();
        let imported = twin.state().await;
        let imported = significant(imported.resource(address), except);
        assert_eq!(imported, applied, "{address} as imported with id {id} (left) is not what was applied (right)");
        if except.is_empty() {
            let (output, empty) = twin.try_write_plan(&[]).await.unwrap_or_else(|output| panic!("{output}"));
            assert!(empty, "a plan after the import of {address} is not empty: {output}");
        }

        let twin = other;
        twin.write("import.tf", &format!("import {{\n  to = {address}\n  id = {id:?}\n}}\n"));
        let plan = twin.plan().await;
        let change = plan.change(address);
        assert_eq!(change["importing"]["id"], id, "{}", plan.output());
        if except.is_empty() {
            assert!(plan.changes().is_empty(), "the import block changes something: {}", plan.output());
        }
    }

    /// Does the same with an `import` block that has an identity (an HCL object), for engines that support identities.
    ///
    /// # Panics
    ///
    /// If an attribute differs.
    pub async fn assert_import_by_identity(&self, address: &str, identity: &str, except: &[&str]) {
        let applied = self.state().await;
        let applied = significant(applied.resource(address), except);
        let twin = self.copy_without(address).await;
        twin.write("import.tf", &format!("import {{\n  to = {address}\n  identity = {identity}\n}}\n"));
        let _ = twin.apply().await;
        let imported = twin.state().await;
        let imported = significant(imported.resource(address), except);
        assert_eq!(imported, applied, "{address} as imported by identity (left) is not what was applied (right)");
    }

    /// Returns the error of a plan with an `import` block that has this identity.
    ///
    /// # Panics
    ///
    /// If the plan succeeds.
    pub async fn refused_import_by_identity(&self, address: &str, identity: &str) -> String {
        let twin = self.copy_without(address).await;
        twin.write("import.tf", &format!("import {{\n  to = {address}\n  identity = {identity}\n}}\n"));
        match twin.try_plan().await {
            Ok(plan) => panic!("an import with {identity} is not refused: {}", plan.output()),
            Err(printed) => printed.prose(),
        }
    }

    async fn copy_without(&self, address: &str) -> Self {
        let twin = self.twin();
        let _ = twin.run(&["state", "rm", address]).await.succeeded();
        twin
    }
}
