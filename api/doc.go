// Package api owns Dropline's HTTP interface: JSON over HTTP described by an OpenAPI 3.1 document that is generated from the
// same Go types, OAuth 2.0 client credentials and bearer tokens scoped to a tenant or to the operator, problems (RFC 9457)
// for every error, Idempotency-Key, uploads, the schema downloads and a browsable reference that needs no internet.
//
// It records what is asked for through ingest.Ledger; workers do it. What it needs from rooms it may not import is a
// function in Config.
package api
