package ingest

// The jobs' arguments. They hold identifiers only, never a secret.

// LoadArgs asks for an import's files to be loaded into staging and checked.
type LoadArgs struct {
	Import ImportID `json:"import"`
}

// Kind names the job.
func (LoadArgs) Kind() string { return "load" }

// PromoteArgs asks for a staged import to be promoted.
type PromoteArgs struct {
	Import ImportID `json:"import"`
}

// Kind names the job.
func (PromoteArgs) Kind() string { return "promote" }

// RollbackArgs asks for a promoted import to be rolled back.
type RollbackArgs struct {
	Import ImportID `json:"import"`
}

// Kind names the job.
func (RollbackArgs) Kind() string { return "rollback" }
