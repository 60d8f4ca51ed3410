-- Imports from clients' databases, and the databases that are stored to be imported from again.

-- +goose Up
CREATE TABLE dropline.sources (
    id         text COLLATE "C" PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL REFERENCES dropline.tenants,
    name       text COLLATE "C" NOT NULL,
    server     text NOT NULL, -- for people, as is database_name
    database_name text NOT NULL,
    sealed     bytea NOT NULL, -- its connection string, encrypted
    isolation  text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (tenant, name)
);

CREATE TABLE dropline.import_databases (
    import_id  text COLLATE "C" PRIMARY KEY REFERENCES dropline.imports (id),
    seq        bigint NOT NULL, -- the import's
    source_id  text COLLATE "C" NOT NULL DEFAULT '', -- which may be gone by now. Empty: posted with the request
    server     text NOT NULL,
    database_name text NOT NULL,
    sealed     bytea, -- a posted connection string, encrypted. NULL: the source's, or wiped
    options    json NOT NULL,
    requested_by text NOT NULL,
    plan       json, -- what was found and is read, and how far that is. Not jsonb: a client's key or name may hold NUL
    complete   boolean NOT NULL DEFAULT false, -- all of the plan has been read
    snapshots  integer NOT NULL DEFAULT 0,
    base_id    text COLLATE "C" NOT NULL DEFAULT '', -- the import that an incremental one goes on from
    marks      json -- how far each relation is imported with this import. NULL before it is staged
);
CREATE INDEX import_databases_source ON dropline.import_databases (source_id, seq) WHERE source_id <> '';
CREATE INDEX import_databases_sealed ON dropline.import_databases (import_id) WHERE sealed IS NOT NULL;
CREATE INDEX import_databases_begun ON dropline.import_databases (import_id) WHERE plan IS NOT NULL AND NOT complete;

ALTER TABLE dropline.imports ADD COLUMN rows_total bigint NOT NULL DEFAULT 0; -- as the database says. -1: it does not
ALTER TABLE dropline.import_files ADD COLUMN relation text NOT NULL DEFAULT ''; -- of a database
ALTER TABLE dropline.import_files ALTER COLUMN drop_id DROP NOT NULL; -- a relation that is refused has none
