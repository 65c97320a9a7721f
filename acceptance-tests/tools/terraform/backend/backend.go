// Package backend stands for the remote state backends that are modules of their own in Terraform's repository and that no proxy
// serves. No test keeps a state in one of them.
package backend

import "github.com/hashicorp/terraform/internal/backend"

// New is what Terraform calls for a configuration that names such a backend.
func New() backend.Backend {
	panic("this Terraform is built without this backend")
}
