package ledger_test

import (
	"testing"
	"time"

	"dropline/ingest"
)

// TestTenantsAreIsolated tries each method that names a tenant with what is another's.
func TestTenantsAreIsolated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	d := w.drop("/inbox/day/A.csv", "A")
	imp := w.reach(ingest.Staged)
	_, err := w.PutMapping(ctx, acme, []byte("files: []"), "me")
	w.must(err)
	client, _, err := w.AddClient(ctx, acme, "x", nil)
	w.must(err)
	w.park(ingest.EntryPartial, "/inbox/half.csv", "half")
	archived := "/archive/" + ingest.StemOf(imp) + "/day/A.csv"
	source := w.source("one", "sealed")
	read := w.all(w.requestFrom(source.ID).ID)
	w.end(read, ingest.Staged, map[string]ingest.SourceMark{"dbo.Matter": {Column: "Version", Value: "01"}})
	part, name := "/archive/"+ingest.StemOf(read)+"/database/dbo.Matter.1.csv.gz", "mine"
	before := w.imp(imp.ID)

	for name, err := range map[string]error{
		"Drop":                  only(w.Drop(ctx, globex, d.ID)),
		"ListDrops":             only(w.ListDrops(ctx, globex, d.ID, 10)),
		"LatestDrop":            only(w.LatestDrop(ctx, globex, d.Path)),
		"Lookup":                only(w.Lookup(ctx, globex, "/inbox/half.csv")),
		"Stat":                  only(w.Stat(ctx, globex, archived)),
		"Stat of the old path":  only(w.Stat(ctx, globex, d.Path)),
		"List":                  only(w.List(ctx, globex, "/inbox/day", "", 10)),
		"SetModTime":            w.SetModTime(ctx, globex, archived, time.Now()),
		"Remove":                w.Remove(ctx, globex, "/inbox/half.csv"),
		"Rmdir":                 w.Rmdir(ctx, globex, "/inbox/day"),
		"Rename":                w.Rename(ctx, globex, "/inbox/day", "/inbox/mine", true),
		"Mkdir":                 w.Mkdir(ctx, globex, "/inbox/day/mine"),
		"Mapping":               only(w.Mapping(ctx, globex, 1)),
		"RevokeCredential":      w.RevokeCredential(ctx, globex, client.ID),
		"operator's credential": w.RevokeCredential(ctx, "", client.ID),
		"Import":                only(w.Import(ctx, globex, imp.ID)),
		"RequestPromotion":      only(w.RequestPromotion(ctx, globex, imp.ID, "x", "x")),
		"RequestRollback":       only(w.RequestRollback(ctx, globex, imp.ID, "x")),
		"Cancel":                only(w.Cancel(ctx, globex, imp.ID, "x")),
		"Retry":                 only(w.Retry(ctx, globex, imp.ID, "x")),
		"Source":                only(w.Source(ctx, globex, source.ID)),
		"ChangeSource":          only(w.ChangeSource(ctx, globex, source.ID, ingest.SourceChange{Name: &name})),
		"RemoveSource":          w.RemoveSource(ctx, globex, source.ID),
		"RequestImport":         only(w.RequestImport(ctx, globex, ingest.NewImportID(), ingest.Database{Source: source.ID}, "x")),
		"Drop of a part":        only(w.Drop(ctx, globex, read.Files[0].Drop)),
		"LatestDrop of a part":  only(w.LatestDrop(ctx, globex, read.Files[0].Path)),
		"Stat of a part":        only(w.Stat(ctx, globex, part)),
	} {
		if ingest.KindOf(err) != ingest.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	same(t, "the import after all that", w.imp(imp.ID), before)
	if s, err := w.Source(ctx, acme, source.ID); err != nil || s.Name != "one" {
		t.Errorf("the source after all that: %+v, %v", s, err)
	}
	if list, err := w.ListSources(ctx, globex); err != nil || len(list) != 0 {
		t.Errorf("ListSources: %v, %v", list, err)
	}
	if list, err := w.ListImports(ctx, ingest.ImportFilter{Tenant: globex}); err != nil || len(list) != 0 {
		t.Errorf("ListImports: %v, %v", list, err)
	}
	if list, err := w.EarlierStaged(ctx, globex, 1<<40); err != nil || len(list) != 0 {
		t.Errorf("EarlierStaged: %v, %v", list, err)
	}
	if list, err := w.ListCredentials(ctx, globex); err != nil || len(list) != 0 {
		t.Errorf("ListCredentials: %v, %v", list, err)
	}
	if u, err := w.Usage(ctx, globex); err != nil || u.Bytes != 0 || u.Files != 0 {
		t.Errorf("Usage: %v, %v", u, err)
	}
	if m, err := w.Mapping(ctx, globex, -1); err != nil || m.Version != 0 {
		t.Errorf("Mapping: %v, %v", m, err)
	}
	if list, err := w.List(ctx, globex, "/archive", "", 10); err != nil || len(list) != 0 {
		t.Errorf("List: %v, %v", list, err)
	}
	// The same bytes under the same name, from another tenant: nothing of acme's makes them a duplicate.
	r := w.registration(globex, d.Path, "A")
	if d, err := w.Register(ctx, r); err != nil || d.State != ingest.DropPending {
		t.Errorf("Register: %+v, %v", d, err)
	}
	// One tenant's imports are not in the way of another's.
	made, _, err := w.CloseBatches(ctx)
	w.must(err)
	w.clock.advance(10 * time.Second)
	if len(made) == 0 {
		made, _, err = w.CloseBatches(ctx)
		w.must(err)
	}
	w.finish(made[0], ingest.Staged)
	w.promote(made[0])
}

func TestUnknownThingsAreNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id, source := ingest.NewImportID(), ingest.NewSourceID()
	for name, err := range map[string]error{
		"Tenant":              only(w.Tenant(ctx, "nobody")),
		"ChangeTenant":        only(w.ChangeTenant(ctx, "nobody", ingest.TenantChange{})),
		"Usage":               only(w.Usage(ctx, "nobody")),
		"ListCredentials":     only(w.ListCredentials(ctx, "nobody")),
		"ListMappings":        only(w.ListMappings(ctx, "nobody")),
		"PutMapping":          only(w.PutMapping(ctx, "nobody", nil, "x")),
		"ListDrops":           only(w.ListDrops(ctx, "nobody", "", 1)),
		"Provisioned":         only(w.Provisioned(ctx, "nobody")),
		"SetProvisioned":      w.SetProvisioned(ctx, "nobody", "1"),
		"WithTenantLock":      only(w.WithTenantLock(ctx, "nobody", nil)),
		"Import":              only(w.Import(ctx, "", id)),
		"Take":                only(w.Take(ctx, id)),
		"Blocked":             only(w.Blocked(ctx, id)),
		"SaveProgress":        w.SaveProgress(ctx, id, 1, ingest.Progress{}),
		"StartValidating":     w.StartValidating(ctx, id, 1),
		"Fail":                w.Fail(ctx, id, 1, "x", ""),
		"TakePromotion":       only(w.TakePromotion(ctx, id)),
		"TakeRollback":        only(w.TakeRollback(ctx, id)),
		"RecordLapsed":        w.RecordLapsed(ctx, id),
		"RecordRollbackFail…": w.RecordRollbackFailed(ctx, id, "x", ""),
		"Source":              only(w.Source(ctx, acme, source)),
		"ChangeSource":        only(w.ChangeSource(ctx, acme, source, ingest.SourceChange{})),
		"RemoveSource":        w.RemoveSource(ctx, acme, source),
		"RequestImport":       only(w.RequestImport(ctx, "nobody", id, ingest.Database{Sealed: []byte("x")}, "x")),
		"SavePlan":            w.SavePlan(ctx, id, 1, &ingest.Database{Plan: plan()}),
	} {
		if ingest.KindOf(err) != ingest.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
}
