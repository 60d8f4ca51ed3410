-- The tables of the record. Paths and identifiers compare byte by byte (COLLATE "C"), whatever the database's locale, so that
-- lists come in one order everywhere.

-- +goose Up
CREATE TABLE dropline.tenants (
    id              text COLLATE "C" PRIMARY KEY,
    number          integer GENERATED ALWAYS AS IDENTITY UNIQUE, -- its advisory lock
    name            text NOT NULL,
    schema_id       text NOT NULL,
    time_zone       text NOT NULL,
    enabled         boolean NOT NULL,
    quiet_period    bigint NOT NULL CHECK (quiet_period >= 0), -- nanoseconds
    reject_limit    double precision NOT NULL CHECK (reject_limit BETWEEN 0 AND 1),
    quota_bytes     bigint NOT NULL CHECK (quota_bytes >= 0),
    mapping_version integer NOT NULL DEFAULT 0, -- the latest
    provisioned     text NOT NULL DEFAULT '', -- version of its staging and production schemas
    password_salt   bytea NOT NULL,
    created_at      timestamptz NOT NULL
);

-- What changes with each file, apart from the settings. Its row is the lock under which a tenant's drops, tree and imports
-- change together; it comes before any other row lock.
CREATE TABLE dropline.inboxes (
    tenant       text COLLATE "C" PRIMARY KEY REFERENCES dropline.tenants,
    arrived_at   timestamptz NOT NULL, -- last sign of something arriving
    stored_bytes bigint NOT NULL DEFAULT 0,
    stored_files bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 40);

CREATE TABLE dropline.credentials (
    id           text COLLATE "C" PRIMARY KEY,
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    tenant       text COLLATE "C" REFERENCES dropline.tenants, -- NULL: the operator
    kind         text NOT NULL CHECK (kind IN ('password', 'public_key', 'client')),
    label        text NOT NULL,
    fingerprint  text NOT NULL DEFAULT '',
    secret       bytea NOT NULL, -- argon2id in PHC form; the key in wire format; SHA-256 of the client's secret
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX credentials_tenant ON dropline.credentials (tenant, kind, seq);
CREATE UNIQUE INDEX credentials_key ON dropline.credentials (tenant, fingerprint)
    WHERE kind = 'public_key' AND revoked_at IS NULL;

CREATE TABLE dropline.tokens (
    hash       bytea PRIMARY KEY, -- SHA-256
    credential text COLLATE "C" NOT NULL REFERENCES dropline.credentials ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX tokens_credential ON dropline.tokens (credential);
CREATE INDEX tokens_expiry ON dropline.tokens (expires_at);

CREATE TABLE dropline.mappings (
    tenant     text COLLATE "C" NOT NULL REFERENCES dropline.tenants,
    version    integer NOT NULL CHECK (version > 0),
    yaml       bytea NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE dropline.imports (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text COLLATE "C" NOT NULL UNIQUE,
    tenant          text COLLATE "C" NOT NULL REFERENCES dropline.tenants,
    schema_id       text NOT NULL,
    mapping_version integer NOT NULL,
    state           text NOT NULL,
    attempt         integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    started_at      timestamptz,
    loaded_at       timestamptz,
    finished_at     timestamptz,
    promoted_at     timestamptz,
    rolled_back_at  timestamptz,
    lapsed_at       timestamptz, -- its staging tables and before-images are gone
    bytes_total     bigint NOT NULL DEFAULT 0,
    bytes_read      bigint NOT NULL DEFAULT 0,
    records_read    bigint NOT NULL DEFAULT 0,
    staged          bigint NOT NULL DEFAULT 0,
    rejected        bigint NOT NULL DEFAULT 0,
    warnings        bigint NOT NULL DEFAULT 0,
    error           text NOT NULL DEFAULT '',
    hint            text NOT NULL DEFAULT '',
    job_id          bigint, -- the River job that is to take it further
    promotion_order bigint -- in which imports were promoted; the highest may be rolled back
) WITH (fillfactor = 70);
CREATE SEQUENCE dropline.promotion_order;
CREATE INDEX imports_tenant ON dropline.imports (tenant, seq);
CREATE INDEX imports_state ON dropline.imports (state, seq);
CREATE INDEX imports_unfinished ON dropline.imports (tenant, seq)
    WHERE state IN ('queued', 'loading', 'validating', 'staged', 'promoting', 'rolling_back');
CREATE INDEX imports_promoted ON dropline.imports (tenant, promotion_order) WHERE state = 'promoted';
CREATE INDEX imports_lapsing ON dropline.imports (state, seq) WHERE lapsed_at IS NULL;

CREATE TABLE dropline.drops (
    id           text COLLATE "C" PRIMARY KEY,
    seq          bigint GENERATED ALWAYS AS IDENTITY, -- order of arrival
    tenant       text COLLATE "C" NOT NULL REFERENCES dropline.tenants,
    path         text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    size         bigint NOT NULL,
    sha256       bytea NOT NULL,
    via          text NOT NULL,
    delivered_by text NOT NULL,
    state        text NOT NULL,
    import_id    text COLLATE "C" REFERENCES dropline.imports (id),
    duplicate_of text COLLATE "C",
    received_at  timestamptz NOT NULL,
    mod_time     timestamptz NOT NULL, -- as the client set it
    archived_at  timestamptz, -- when it left the inbox
    ended_at     timestamptz, -- when it was superseded or withdrawn
    released_at  timestamptz -- when its object became another's or was given up
);
CREATE UNIQUE INDEX drops_seq ON dropline.drops (tenant, seq);
CREATE INDEX drops_path ON dropline.drops (tenant, path, seq);
CREATE INDEX drops_key ON dropline.drops (key);
CREATE INDEX drops_pending ON dropline.drops (tenant, seq) WHERE state = 'pending';
CREATE INDEX drops_duplicate ON dropline.drops (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX drops_ended ON dropline.drops (ended_at) WHERE ended_at IS NOT NULL AND released_at IS NULL;

CREATE TABLE dropline.origins (
    hash bytea PRIMARY KEY -- SHA-256 of the origin, which may be longer than an index takes
);

-- A tenant's virtual tree. A folder is in it as an entry of its parent; the root and its three folders are not.
CREATE TABLE dropline.entries (
    tenant       text COLLATE "C" NOT NULL,
    folder       text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('dir', 'drop', 'temporary', 'report')),
    size         bigint NOT NULL DEFAULT 0,
    mod_time     timestamptz NOT NULL,
    key          text COLLATE "C" NOT NULL DEFAULT '',
    drop_id      text COLLATE "C" NOT NULL DEFAULT '', -- of a temporary file: what it will be once renamed
    sha256       bytea,
    hash_state   bytea,
    via          text NOT NULL DEFAULT '',
    delivered_by text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, folder, name)
);
CREATE INDEX entries_drop ON dropline.entries (drop_id) WHERE drop_id <> '';
CREATE INDEX entries_key ON dropline.entries (key) WHERE kind IN ('temporary', 'report');

CREATE TABLE dropline.partials (
    tenant     text COLLATE "C" NOT NULL,
    folder     text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    size       bigint NOT NULL,
    mod_time   timestamptz NOT NULL,
    key        text COLLATE "C" NOT NULL,
    sha256     bytea NOT NULL,
    hash_state bytea,
    parked_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, folder, name)
);
CREATE INDEX partials_key ON dropline.partials (key);
CREATE INDEX partials_age ON dropline.partials (parked_at);

-- Objects that nothing refers to any longer. A row stays a while after its object was given up for deletion, so that a
-- sweep of the bucket never takes the object for one that was forgotten.
CREATE TABLE dropline.discarded (
    key      text COLLATE "C" PRIMARY KEY,
    tenant   text COLLATE "C" NOT NULL,
    handed   integer NOT NULL DEFAULT 0, -- how often it was returned for deletion
    due_at   timestamptz NOT NULL -- when to return it, or to forget it
);
CREATE INDEX discarded_due ON dropline.discarded (due_at);

CREATE TABLE dropline.import_files (
    import_id  text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    number     integer NOT NULL,
    drop_id    text COLLATE "C" NOT NULL REFERENCES dropline.drops,
    state      text NOT NULL DEFAULT 'waiting',
    table_name text NOT NULL DEFAULT '',
    bytes      bigint NOT NULL DEFAULT 0,
    records_read bigint NOT NULL DEFAULT 0,
    staged     bigint NOT NULL DEFAULT 0,
    rejected   bigint NOT NULL DEFAULT 0,
    ignored    text[],
    notes      text[],
    code       text NOT NULL DEFAULT '',
    error      text NOT NULL DEFAULT '',
    PRIMARY KEY (import_id, number)
) WITH (fillfactor = 70);
CREATE INDEX import_files_drop ON dropline.import_files (drop_id);

CREATE TABLE dropline.import_tables (
    import_id    text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    position     integer NOT NULL,
    name         text NOT NULL,
    records_read bigint NOT NULL,
    staged       bigint NOT NULL,
    rejected     bigint NOT NULL,
    inserted     bigint, -- NULL before it was promoted, as are the next three
    updated      bigint,
    unchanged    bigint,
    deleted      bigint,
    PRIMARY KEY (import_id, position)
);

CREATE TABLE dropline.import_prerequisites (
    import_id    text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    position     integer NOT NULL,
    prerequisite text COLLATE "C" NOT NULL,
    PRIMARY KEY (import_id, position)
);

-- The sample of rejects and warnings; all of them are in the rejects file.
CREATE TABLE dropline.import_rejects (
    import_id   text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    warning     boolean NOT NULL,
    file_number integer NOT NULL,
    record      bigint NOT NULL,
    position    integer NOT NULL,
    file        text NOT NULL,
    table_name  text NOT NULL,
    line        bigint NOT NULL,
    column_name text NOT NULL,
    header      text NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    value       bytea NOT NULL, -- as received: may hold NUL and need not be UTF-8
    row_id      text NOT NULL,
    byte_offset bigint NOT NULL,
    byte_length bigint NOT NULL,
    PRIMARY KEY (import_id, warning, file_number, record, position)
);

CREATE TABLE dropline.promotions (
    import_id    text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    number       integer NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    from_state   text NOT NULL, -- where a failure takes the import back to
    override     text NOT NULL,
    started_at   timestamptz,
    finished_at  timestamptz,
    inserted     bigint NOT NULL DEFAULT 0,
    updated      bigint NOT NULL DEFAULT 0,
    unchanged    bigint NOT NULL DEFAULT 0,
    deleted      bigint NOT NULL DEFAULT 0,
    error        text NOT NULL DEFAULT '',
    PRIMARY KEY (import_id, number)
);

-- Who asked for what: rollbacks, cancellations, retries. Promotions have their own table.
CREATE TABLE dropline.import_requests (
    import_id    text COLLATE "C" NOT NULL REFERENCES dropline.imports (id),
    number       integer GENERATED ALWAYS AS IDENTITY,
    request      text NOT NULL CHECK (request IN ('rollback', 'cancel', 'retry')),
    requested_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    PRIMARY KEY (import_id, number)
);

CREATE TABLE dropline.idempotency (
    caller       text NOT NULL,
    key          text NOT NULL,
    request      bytea NOT NULL,
    reserved_at  timestamptz NOT NULL,
    settled      boolean NOT NULL DEFAULT false,
    status       integer NOT NULL DEFAULT 0,
    content_type text NOT NULL DEFAULT '',
    body         bytea,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_age ON dropline.idempotency (reserved_at);

CREATE TABLE dropline.settings (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);
