-- What is in an archive or workbook, or feeds several tables, is listed file by file below what was delivered.

-- +goose Up
ALTER TABLE dropline.import_files
    ADD COLUMN container integer NOT NULL DEFAULT 0, -- number of the file that it was unpacked from
    ADD COLUMN member    text NOT NULL DEFAULT '',
    ADD COLUMN output    integer NOT NULL DEFAULT 0; -- which of the tables that the mapping makes of it

-- An import whose files nobody has mapped waits, or goes on under a mapping that was proposed where the tenant allows it.
ALTER TABLE dropline.tenants ADD COLUMN auto_map boolean NOT NULL DEFAULT false;

DROP INDEX dropline.imports_unfinished;
CREATE INDEX imports_unfinished ON dropline.imports (tenant, seq)
    WHERE state IN ('queued', 'loading', 'unmapped', 'validating', 'staged', 'promoting', 'rolling_back');

-- An import may load another's files again.
ALTER TABLE dropline.imports ADD COLUMN rerun_of text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX imports_rerun ON dropline.imports (rerun_of) WHERE rerun_of <> '';
ALTER TABLE dropline.import_requests DROP CONSTRAINT import_requests_request_check;
ALTER TABLE dropline.import_requests ADD CONSTRAINT import_requests_request_check
    CHECK (request IN ('rollback', 'cancel', 'retry', 'rerun'));

-- register records a drop. p_live holds the states of an import in which the same bytes again are a duplicate; p_import is
-- the id for an import, should one be made. It returns the drop; an import was made if the drop's is p_import. A drop that a queued
-- import loads again stays: it is an older import's as well, and in the archive.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION dropline.register(p_tenant text, p_id text, p_folder text, p_name text, p_key text, p_size bigint,
    p_sha256 bytea, p_hash_state bytea, p_via text, p_by text, p_origin bytea, p_received timestamptz, p_now timestamptz,
    p_import text, p_live text[]) RETURNS SETOF dropline.drops LANGUAGE plpgsql AS $$
DECLARE
    v_path   text := p_folder || '/' || p_name;
    v_tenant record;
    v_import dropline.imports;
    v_state  text := 'pending';
    v_place  text; -- the queued import in which the drop takes its predecessor's place
    latest   dropline.drops;
    result   dropline.drops;
BEGIN
    PERFORM dropline.lock_inbox(p_tenant);
    IF p_origin IS NOT NULL THEN
        INSERT INTO dropline.origins (hash) VALUES (p_origin) ON CONFLICT DO NOTHING;
    END IF;
    SELECT * INTO result FROM dropline.drops WHERE id = p_id;
    IF FOUND THEN
        IF result.tenant <> p_tenant OR result.key <> p_key THEN
            RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = 'another drop has this id';
        END IF;
        RETURN NEXT result;
        RETURN;
    END IF;
    SELECT enabled, quiet_period, mapping_version INTO v_tenant FROM dropline.tenants WHERE id = p_tenant;
    PERFORM dropline.clear_path(p_tenant, p_folder, p_name, p_key, false, p_now);

    -- A duplicate stands for the drop that it equals, so the latest one that is not a duplicate is what counts.
    SELECT * INTO latest FROM dropline.drops
    WHERE tenant = p_tenant AND path = v_path AND state <> 'duplicate' ORDER BY seq DESC LIMIT 1;
    IF FOUND AND latest.state = 'imported' THEN
        SELECT * INTO v_import FROM dropline.imports WHERE id = latest.import_id;
        IF v_import.state = 'queued' THEN -- and it shall stay so until we are done
            SELECT * INTO v_import FROM dropline.imports WHERE id = latest.import_id FOR NO KEY UPDATE;
        END IF;
    END IF;

    IF latest.id IS NOT NULL AND latest.size = p_size AND latest.sha256 = p_sha256 AND (latest.state = 'pending'
        OR latest.state = 'imported' AND v_import.state = ANY (p_live)
        AND v_import.mapping_version = v_tenant.mapping_version) THEN
        v_state := 'duplicate';
        UPDATE dropline.entries SET mod_time = p_received
        WHERE tenant = p_tenant AND folder = p_folder AND name = p_name AND drop_id = latest.id;
    ELSIF latest.state = 'pending' THEN
        PERFORM dropline.end_drop(latest, 'superseded', p_now);
    ELSIF latest.state = 'imported' AND v_import.state = 'queued' AND latest.archived_at IS NULL THEN
        IF v_import.mapping_version = v_tenant.mapping_version THEN
            v_place := v_import.id;
        ELSE -- that import would load it under a mapping no longer in force
            PERFORM dropline.end_drop(latest, 'superseded', p_now);
        END IF;
    END IF;

    INSERT INTO dropline.drops (id, tenant, path, key, size, sha256, via, delivered_by, state, import_id, duplicate_of,
        received_at, mod_time, archived_at)
    VALUES (p_id, p_tenant, v_path, p_key, p_size, p_sha256, p_via, p_by,
        CASE WHEN v_place IS NULL THEN v_state ELSE 'imported' END, v_place,
        CASE WHEN v_state = 'duplicate' THEN latest.id END, p_received, p_received,
        CASE WHEN v_state = 'duplicate' AND latest.archived_at IS NOT NULL THEN p_now END)
    RETURNING * INTO result;
    IF v_place IS NOT NULL THEN
        UPDATE dropline.import_files SET drop_id = p_id WHERE import_id = v_place AND drop_id = latest.id;
        UPDATE dropline.drops SET state = 'superseded', import_id = NULL, ended_at = p_now WHERE id = latest.id;
        UPDATE dropline.imports SET bytes_total = bytes_total - latest.size + p_size WHERE id = v_place;
    END IF;
    IF v_state <> 'duplicate' THEN
        INSERT INTO dropline.entries (tenant, folder, name, kind, size, mod_time, key, drop_id, sha256, hash_state)
        VALUES (p_tenant, p_folder, p_name, 'drop', p_size, p_received, p_key, p_id, p_sha256, p_hash_state)
        ON CONFLICT (tenant, folder, name) DO UPDATE
        SET kind = 'drop', size = p_size, mod_time = p_received, key = p_key, drop_id = p_id, sha256 = p_sha256,
            hash_state = p_hash_state, via = '', delivered_by = '';
    END IF;
    PERFORM dropline.stored(p_tenant, 1, p_size, p_now);
    IF result.state = 'pending' AND v_tenant.enabled AND v_tenant.quiet_period = 0 THEN
        PERFORM dropline.make_import(p_tenant, p_import, p_id, p_now);
        result.state := 'imported';
        result.import_id := p_import;
    END IF;
    RETURN NEXT result;
END $$;
-- +goose StatementEnd

-- OpenPGP keys: a tenant's own, to which its files may be encrypted, and those of senders, who may sign them.
CREATE TABLE dropline.pgp_keys (
    tenant      text COLLATE "C" NOT NULL REFERENCES dropline.tenants,
    fingerprint text COLLATE "C" NOT NULL,
    user_name   text NOT NULL, -- for people
    sender      boolean NOT NULL,
    public      bytea NOT NULL,
    sealed      bytea, -- the private part, encrypted. NULL: a sender's, or revoked
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant, fingerprint)
);
