// Package ingest is Dropline's vocabulary: tenants, drops, imports, rejects, promotions, their identifiers, states, limits
// and error kinds; the row type that mapping yields and loader/staging writes; the arguments of the jobs; and Receiver, the
// one door by which every file enters. Its two shared interfaces, Ledger and Bucket, are the contracts that the packages
// below it implement. It depends on the standard library and on the types of package schema, and on nothing else.
package ingest
