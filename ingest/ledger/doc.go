// Package ledger is Dropline's record in PostgreSQL: tenants and their credentials, mapping files, drops and the tree in
// which clients see them, imports with their rejects and promotions, and the River jobs that take imports further. It owns
// the schema "dropline" in the database, which it creates and migrates, River's tables included; everything in it is written
// here and nowhere else, except by River itself.
//
// A fact and the job that follows from it are recorded in one transaction. What changes a tenant's drops, tree or imports
// first takes the lock of the tenant's inbox row, then that of the import: always in this order, and no lock spans tenants.
package ledger
