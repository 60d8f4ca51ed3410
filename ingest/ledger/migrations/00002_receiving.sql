-- Receiving is done in the server, in one round trip for each file: thousands of small files come in one session, and each
-- is recorded before its CLOSE is answered. All functions run under the lock of the tenant's inbox.
-- SQLSTATEs of our own, which errors.go translates: DL404 not found, DL409 conflict.

-- +goose Up

-- lock_inbox takes the tenant's lock. Only statements after it see what others did before they gave it up.
-- +goose StatementBegin
CREATE FUNCTION dropline.lock_inbox(p_tenant text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM dropline.inboxes WHERE tenant = p_tenant FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'DL404', MESSAGE = 'there is no such tenant';
    END IF;
END $$;
-- +goose StatementEnd

-- discard notes that nothing refers to an object any longer.
-- +goose StatementBegin
CREATE FUNCTION dropline.discard(p_tenant text, p_key text, p_now timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dropline.discarded (key, tenant, due_at) VALUES (p_key, p_tenant, p_now) ON CONFLICT DO NOTHING;
$$;
-- +goose StatementEnd

-- stored keeps the tenant's usage, and, with a time, notes that something arrived.
-- +goose StatementBegin
CREATE FUNCTION dropline.stored(p_tenant text, p_files bigint, p_bytes bigint, p_arrived timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE dropline.inboxes
    SET stored_files = stored_files + p_files, stored_bytes = stored_bytes + p_bytes,
        arrived_at = greatest(arrived_at, p_arrived)
    WHERE tenant = p_tenant;
$$;
-- +goose StatementEnd

-- make_folders makes the folders above a file in the inbox that are not there yet.
-- +goose StatementBegin
CREATE FUNCTION dropline.make_folders(p_tenant text, p_folder text, p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_folder text := p_folder;
    v_parent text;
    v_name   text;
    v_kind   text;
BEGIN
    WHILE v_folder NOT IN ('/inbox', '/archive', '/reports') LOOP
        v_name := regexp_replace(v_folder, '^.*/', '');
        v_parent := left(v_folder, -(length(v_name) + 1));
        SELECT kind INTO v_kind FROM dropline.entries WHERE tenant = p_tenant AND folder = v_parent AND name = v_name;
        IF FOUND THEN
            IF v_kind <> 'dir' THEN
                RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = format('%s is a file, not a folder', v_folder);
            END IF;
            RETURN;
        END IF;
        INSERT INTO dropline.entries (tenant, folder, name, kind, mod_time) VALUES (p_tenant, v_parent, v_name, 'dir', p_now);
        v_folder := v_parent;
    END LOOP;
END $$;
-- +goose StatementEnd

-- clear_path removes the partial and the temporary file at a path, whose objects nothing refers to then, unless one is
-- p_key's own. It refuses a path at which there is a folder, and makes the folders above.
-- +goose StatementBegin
CREATE FUNCTION dropline.clear_path(p_tenant text, p_folder text, p_name text, p_key text, p_partial_only boolean,
    p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_kind text;
    v_key  text;
    v_size bigint;
BEGIN
    IF EXISTS (SELECT FROM dropline.discarded WHERE key = p_key) THEN
        RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = 'the object has been given up';
    END IF;
    SELECT kind, key, size INTO v_kind, v_key, v_size
    FROM dropline.entries WHERE tenant = p_tenant AND folder = p_folder AND name = p_name;
    IF FOUND THEN
        IF v_kind = 'dir' THEN
            RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = format('%s/%s is a folder', p_folder, p_name);
        END IF;
        IF v_kind = 'temporary' AND NOT p_partial_only THEN
            DELETE FROM dropline.entries WHERE tenant = p_tenant AND folder = p_folder AND name = p_name;
            PERFORM dropline.stored(p_tenant, -1, -v_size, NULL);
            IF v_key <> p_key THEN
                PERFORM dropline.discard(p_tenant, v_key, p_now);
            END IF;
        END IF;
    ELSIF p_folder <> '/inbox' THEN
        PERFORM dropline.make_folders(p_tenant, p_folder, p_now);
    END IF;
    DELETE FROM dropline.partials WHERE tenant = p_tenant AND folder = p_folder AND name = p_name
    RETURNING key, size INTO v_key, v_size;
    IF FOUND THEN
        PERFORM dropline.stored(p_tenant, -1, -v_size, NULL);
        IF v_key <> p_key THEN
            PERFORM dropline.discard(p_tenant, v_key, p_now);
        END IF;
    END IF;
END $$;
-- +goose StatementEnd

-- end_drop ends a drop whose import has not started, as superseded or withdrawn, and takes it out of its queued import,
-- which is cancelled when no file is left in it. The caller holds the import's row, or the drop is pending.
-- +goose StatementBegin
CREATE FUNCTION dropline.end_drop(p_drop dropline.drops, p_state text, p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dropline.drops SET state = p_state, import_id = NULL, ended_at = p_now WHERE id = p_drop.id;
    IF p_drop.import_id IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM dropline.import_files WHERE import_id = p_drop.import_id AND drop_id = p_drop.id;
    UPDATE dropline.imports SET bytes_total = bytes_total - p_drop.size WHERE id = p_drop.import_id;
    IF NOT EXISTS (SELECT FROM dropline.import_files WHERE import_id = p_drop.import_id) THEN
        UPDATE dropline.imports
        SET state = 'cancelled', finished_at = p_now, error = 'none of its files is left: they were removed or sent again',
            hint = ''
        WHERE id = p_drop.import_id;
    END IF;
END $$;
-- +goose StatementEnd

-- make_import makes an import, queued, of one pending drop, or of all pending drops of the tenant.
-- +goose StatementBegin
CREATE FUNCTION dropline.make_import(p_tenant text, p_import text, p_drop text, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
BEGIN
    INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at)
    SELECT p_import, t.id, t.schema_id, t.mapping_version, 'queued', p_now FROM dropline.tenants t WHERE t.id = p_tenant
    RETURNING seq INTO v_seq;
    INSERT INTO dropline.import_files (import_id, number, drop_id)
    SELECT p_import, row_number() OVER (ORDER BY d.seq), d.id
    FROM dropline.drops d
    WHERE d.tenant = p_tenant AND d.state = 'pending' AND (p_drop IS NULL OR d.id = p_drop);
    UPDATE dropline.drops d SET state = 'imported', import_id = p_import
    FROM dropline.import_files f WHERE f.import_id = p_import AND d.id = f.drop_id;
    UPDATE dropline.imports
    SET bytes_total = (SELECT coalesce(sum(d.size), 0)
        FROM dropline.import_files f JOIN dropline.drops d ON d.id = f.drop_id WHERE f.import_id = p_import)
    WHERE seq = v_seq;
    RETURN v_seq;
END $$;
-- +goose StatementEnd

-- register records a drop. p_live holds the states of an import in which the same bytes again are a duplicate; p_import is
-- the id for an import, should one be made. It returns the drop; an import was made if the drop's is p_import.
-- +goose StatementBegin
CREATE FUNCTION dropline.register(p_tenant text, p_id text, p_folder text, p_name text, p_key text, p_size bigint,
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
    ELSIF latest.state = 'imported' AND v_import.state = 'queued' THEN
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

-- park records a temporary file or a partial.
-- +goose StatementBegin
CREATE FUNCTION dropline.park(p_partial boolean, p_tenant text, p_id text, p_folder text, p_name text, p_key text,
    p_size bigint, p_sha256 bytea, p_hash_state bytea, p_via text, p_by text, p_origin bytea, p_received timestamptz,
    p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dropline.lock_inbox(p_tenant);
    IF EXISTS (SELECT FROM dropline.drops WHERE key = p_key AND released_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = 'the object is a drop already';
    END IF;
    PERFORM dropline.clear_path(p_tenant, p_folder, p_name, p_key, p_partial, p_now);
    IF p_origin IS NOT NULL THEN
        INSERT INTO dropline.origins (hash) VALUES (p_origin) ON CONFLICT DO NOTHING;
    END IF;
    IF p_partial THEN
        INSERT INTO dropline.partials (tenant, folder, name, size, mod_time, key, sha256, hash_state, parked_at)
        VALUES (p_tenant, p_folder, p_name, p_size, p_received, p_key, p_sha256, p_hash_state, p_now);
    ELSE
        IF EXISTS (SELECT FROM dropline.entries WHERE tenant = p_tenant AND folder = p_folder AND name = p_name) THEN
            RAISE EXCEPTION USING ERRCODE = 'DL409', MESSAGE = format('there is a drop at %s/%s', p_folder, p_name);
        END IF;
        INSERT INTO dropline.entries (tenant, folder, name, kind, size, mod_time, key, drop_id, sha256, hash_state, via,
            delivered_by)
        VALUES (p_tenant, p_folder, p_name, 'temporary', p_size, p_received, p_key, p_id, p_sha256, p_hash_state, p_via,
            p_by);
    END IF;
    PERFORM dropline.stored(p_tenant, 1, p_size, p_now);
END $$;
-- +goose StatementEnd
