package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/ledger"
)

// requestPosted requests an import of acme's from a database whose sealed connection string is posted.
func (w *world) requestPosted(sealed string) ingest.Import {
	w.t.Helper()
	imp, err := w.RequestImport(w.t.Context(), acme, ingest.NewImportID(), ingest.Database{
		Server: "db1", Name: "sales", Sealed: []byte(sealed), Options: ingest.DatabaseOptions{Full: true},
	}, "me")
	w.must(err)
	return imp
}

// requestFrom requests an import from a source of acme's.
func (w *world) requestFrom(source ingest.SourceID) ingest.Import {
	w.t.Helper()
	imp, err := w.RequestImport(w.t.Context(), acme, ingest.NewImportID(), ingest.Database{Source: source}, "me")
	w.must(err)
	return imp
}

// wantSealed fails unless the import's connection string is there, sealed as that and bound to that id; an empty one: unless it
// is not to be had.
func (w *world) wantSealed(id ingest.ImportID, sealed, bound string) {
	w.t.Helper()
	got, to, err := w.Sealed(w.t.Context(), id)
	if sealed == "" {
		w.want(err, ingest.NotFound)
		if ingest.HintOf(err) == "" {
			w.t.Errorf("nothing says what to do about it: %v", err)
		}
		return
	}
	w.must(err)
	same(w.t, "sealed", string(got), sealed)
	same(w.t, "bound to", to, ingest.SealedFor(acme, bound))
}

// plan of two relations, of which the first is read in parts.
func plan() *ingest.DatabasePlan {
	return &ingest.DatabasePlan{Isolation: "snapshot", Relations: []ingest.PlannedRelation{
		{Name: "dbo.Matter", Table: "Matter", Schema: "dbo", View: "Matter", Columns: []string{"Id"}, Ignored: []string{"Colour"}, Key: "Id", Rows: 30},
		{Name: "dbo.Contact", Table: "Contact", Schema: "dbo", View: "Contact", Columns: []string{"Id"}, Rows: 5},
	}}
}

// planned takes an import up and plans it.
func (w *world) planned(id ingest.ImportID) ingest.Import {
	w.t.Helper()
	imp := w.take(id)
	imp.Database.Plan = plan()
	w.must(w.SavePlan(w.t.Context(), id, imp.Attempt, imp.Database))
	return imp
}

// part is the next part of a relation of an import, and has its plan say so.
func (w *world) part(imp *ingest.Import, relation int, done bool) ingest.ImportFile {
	w.t.Helper()
	rel := &imp.Database.Plan.Relations[relation]
	rel.Parts++
	rel.After, rel.Done = fmt.Sprint(10*rel.Parts), done
	n := len(imp.Files) + 1
	content := fmt.Sprintf("%s part %d", rel.Name, rel.Parts)
	f := ingest.ImportFile{
		Number: n, Drop: ingest.NewDropID(), Path: fmt.Sprintf("/database/%s.%d.csv.gz", rel.Name, rel.Parts),
		Key:  ingest.PartKey(w.clock.Now(), imp.Tenant, imp.ID, imp.Attempt, n),
		Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content)), ReceivedAt: w.clock.Now(), State: ingest.FileLoading,
		Relation: rel.Name, Table: rel.Table, Ignored: rel.Ignored,
	}
	imp.Files = append(imp.Files, f)
	return f
}

func (w *world) record(imp *ingest.Import, relation int, done bool) ingest.ImportFile {
	w.t.Helper()
	f := w.part(imp, relation, done)
	w.must(w.RecordPart(w.t.Context(), *imp, f))
	return f
}

// half takes up an import and reads one part of two relations.
func (w *world) half(id ingest.ImportID) ingest.Import {
	w.t.Helper()
	imp := w.planned(id)
	w.record(&imp, 0, false)
	return imp
}

// all takes up an import and reads all of its database.
func (w *world) all(id ingest.ImportID) ingest.Import {
	w.t.Helper()
	imp := w.half(id)
	w.record(&imp, 0, true)
	w.record(&imp, 1, true)
	return imp
}

// end ends the loading of what is all read.
func (w *world) end(imp ingest.Import, state ingest.State, marks map[string]ingest.SourceMark) {
	w.t.Helper()
	w.must(w.StartValidating(w.t.Context(), imp.ID, imp.Attempt))
	for i := range imp.Files {
		imp.Files[i].State = ingest.FileLoaded
	}
	if marks == nil {
		marks = map[string]ingest.SourceMark{}
	}
	_, err := w.Finish(w.t.Context(), imp.ID, imp.Attempt, ledger.Outcome{State: state, Files: imp.Files, Marks: marks})
	w.must(err)
}

func (w *world) usage() ingest.Usage {
	w.t.Helper()
	u, err := w.Usage(w.t.Context(), acme)
	w.must(err)
	return u
}

func TestRequestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.PutMapping(ctx, acme, []byte("files: []"), "me")
	w.must(err)
	posted := w.requestPosted("sealed")
	want := ingest.Import{
		ID: posted.ID, Seq: posted.Seq, Tenant: acme, Schema: ingest.DefaultSchema, MappingVersion: 1, State: ingest.Queued, CreatedAt: w.clock.Now(),
		Files: []ingest.ImportFile{}, Tables: []ingest.ImportTable{}, Prerequisites: []ingest.ImportID{},
		Database: &ingest.Database{Server: "db1", Name: "sales", Options: ingest.DatabaseOptions{Full: true}},
	}
	same(t, "posted", posted, want)
	same(t, "read", w.imp(posted.ID), want)
	w.wantSealed(posted.ID, "sealed", string(posted.ID))
	same(t, "its job", w.query(`SELECT count(*) FROM dropline.river_job j JOIN dropline.imports i ON i.job_id = j.id
		WHERE i.id = $1 AND j.kind = 'load' AND j.args->>'import' = $1`, posted.ID), int64(1))

	s := w.source("one", "of the source")
	imp, err := w.RequestImport(ctx, acme, ingest.NewImportID(), ingest.Database{
		Source: s.ID, Sealed: []byte("smuggled"), Server: "other", Name: "other", Options: ingest.DatabaseOptions{Isolation: "auto"},
	}, "me")
	w.must(err)
	same(t, "of a source", imp.Database, &ingest.Database{
		Source: s.ID, Server: "db1", Name: "sales", Options: ingest.DatabaseOptions{Isolation: "auto"},
	})
	w.wantSealed(imp.ID, "of the source", string(s.ID))
	same(t, "copies of the source's secret", w.query(`SELECT count(*) FROM dropline.import_databases WHERE import_id = $1
		AND sealed IS NOT NULL`, imp.ID), int64(0))
	list, err := w.ListImports(ctx, ingest.ImportFilter{Tenant: acme})
	w.must(err)
	same(t, "listed", len(list), 2)
	for _, secret := range []string{"sealed", "of the source"} {
		in := w.query(`SELECT (SELECT count(*) FROM dropline.river_job j WHERE j::text LIKE '%' || $1 || '%' OR j::text LIKE '%' || $2 || '%')
			+ (SELECT count(*) FROM dropline.imports i WHERE i::text LIKE '%' || $1 || '%' OR i::text LIKE '%' || $2 || '%')`,
			secret, fmt.Sprintf("%x", secret))
		same(t, "places in jobs and imports that have it", in, int64(0))
	}
}

func TestRequestImportRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	theirs, err := w.AddSource(ctx, ingest.Source{ID: ingest.NewSourceID(), Tenant: globex, Name: "x", Sealed: []byte("x")})
	w.must(err)
	own, posted := w.source("own", "x"), ingest.Database{Sealed: []byte("sealed")}
	off := false
	request := func(tenant ingest.TenantID, id ingest.ImportID, d ingest.Database) error {
		_, err := w.RequestImport(ctx, tenant, id, d, "me")
		return err
	}
	w.want(request("nobody", ingest.NewImportID(), posted), ingest.NotFound)
	w.want(request(acme, ingest.NewImportID(), ingest.Database{Source: theirs.ID}), ingest.NotFound)
	w.want(request(acme, ingest.NewImportID(), ingest.Database{Source: ingest.NewSourceID()}), ingest.NotFound)
	w.want(request(acme, ingest.NewImportID(), ingest.Database{}), ingest.Internal)
	w.want(request(acme, "import_x", posted), ingest.Internal)
	w.want(request(acme, ingest.NewImportID(), ingest.Database{
		Sealed: []byte("x"), Options: ingest.DatabaseOptions{Isolation: "\x00"},
	}), ingest.Invalid)
	_, err = w.ChangeTenant(ctx, acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	w.want(request(acme, ingest.NewImportID(), posted), ingest.Denied)
	w.want(request(acme, ingest.NewImportID(), ingest.Database{Source: own.ID}), ingest.Denied)
	same(t, "imports", w.query(`SELECT count(*) FROM dropline.imports`), int64(0))
	same(t, "jobs", w.query(`SELECT count(*) FROM dropline.river_job`), int64(0))
	same(t, "databases", w.query(`SELECT count(*) FROM dropline.import_databases`), int64(0))
}

func TestSealedOfASourceThatChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	s := w.source("one", "first")
	id := w.requestFrom(s.ID).ID
	change := func(server, database, sealed string) {
		t.Helper()
		_, err := w.ChangeSource(ctx, acme, s.ID, ingest.SourceChange{Sealed: []byte(sealed), Server: server, Database: database})
		w.must(err)
	}
	change("db1", "sales", "new password")
	w.wantSealed(id, "new password", string(s.ID))
	w.half(id)
	for _, to := range [][2]string{{"db2", "sales"}, {"db1", "hr"}} {
		change(to[0], to[1], "elsewhere") // rows of two databases shall not become one import
		w.wantSealed(id, "", "")
	}
	change("db1", "sales", "back")
	w.wantSealed(id, "back", string(s.ID))
	w.must(w.RemoveSource(ctx, acme, s.ID))
	w.wantSealed(id, "", "")
	_, _, err := w.Sealed(ctx, w.reach(ingest.Queued).ID) // an import of files
	w.want(err, ingest.NotFound)
	_, _, err = w.Sealed(ctx, ingest.NewImportID())
	w.want(err, ingest.NotFound)
}

// TestRemoveSourceInUse removes a source while imports of it are queued, loading and staged: they stay, and can be seen.
func TestRemoveSourceInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.source("one", "x")
	staged := w.all(w.requestFrom(s.ID).ID)
	w.end(staged, ingest.Staged, nil)
	loading := w.half(w.requestFrom(s.ID).ID)
	queued := w.requestFrom(s.ID)
	w.must(w.RemoveSource(t.Context(), acme, s.ID))
	for id, want := range map[ingest.ImportID]ingest.State{staged.ID: ingest.Staged, loading.ID: ingest.Loading, queued.ID: ingest.Queued} {
		imp := w.imp(id)
		if imp.State != want || imp.Database.Source != s.ID || imp.Database.Server != "db1" {
			t.Errorf("want %s: %s, %+v", want, imp.State, imp.Database)
		}
		w.wantSealed(id, "", "")
	}
	w.record(&loading, 0, true) // it is connected
	w.record(&loading, 1, true)
	w.end(loading, ingest.Staged, nil)
	w.promote(staged.ID)
	base, _, err := w.Marks(t.Context(), s.ID, ingest.DefaultSchema, 0)
	if err != nil || base != "" {
		t.Errorf("marks of a source that is gone: %s, %v", base, err)
	}
	w.must(w.Fail(t.Context(), queued.ID, w.take(queued.ID).Attempt, "gone", ""))
	_, err = w.Retry(t.Context(), acme, queued.ID, "me")
	w.want(err, ingest.Conflict)
	if !strings.Contains(ingest.MessageOf(err), "source") || ingest.HintOf(err) == "" {
		t.Errorf("the refusal does not say why: %v", err)
	}
}

func TestImportsFromDatabasesDoNotPileUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.requestPosted("s")
	_, err := w.pool.Exec(t.Context(), `WITH more AS (INSERT INTO dropline.imports (id, tenant, schema_id, mapping_version, state, created_at)
			SELECT 'import_' || lpad(to_hex(n), 32, '0'), i.tenant, i.schema_id, i.mapping_version, 'queued', i.created_at
			FROM dropline.imports i, generate_series(2, $2::int) n WHERE i.id = $1 RETURNING id, seq)
		INSERT INTO dropline.import_databases (import_id, seq, source_id, server, database_name, options, requested_by)
		SELECT id, seq, '', '', '', '{}', '' FROM more`, first.ID, ingest.MaxQueuedDatabases)
	w.must(err)
	request := func(tenant ingest.TenantID) error {
		_, err := w.RequestImport(t.Context(), tenant, ingest.NewImportID(), ingest.Database{Server: "db1", Name: "sales", Sealed: []byte("s")}, "me")
		return err
	}
	if err := request(acme); ingest.KindOf(err) != ingest.Conflict || ingest.HintOf(err) == "" {
		t.Errorf("one more: %v", err)
	}
	w.must(request(globex))
	_, err = w.Cancel(t.Context(), acme, first.ID, "me")
	w.must(err)
	w.must(request(acme))
}
