//go:build linux

package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/api"
	"dropline/internal/tdstest"
)

// TestPushOverHTTPS: what is pushed is what the server reads itself; a second push brings nothing new; and what has changed is
// all that the next one reads.
func TestPushOverHTTPS(t *testing.T) {
	s := newSite(t, tdstest.Options{Snapshot: true})
	want := rowsOf(firm(t))
	r := s.mustPush(s.http()...)
	if r.Rows != want || r.RequestID == "" || r.NothingNew || r.Resumed || r.Isolation != "snapshot" || r.Snapshots != 1 {
		t.Errorf("the first push: %+v", r)
	}
	for _, rel := range r.Relations {
		if rel.Table == "WorkItem" && rel.Files != 5 {
			t.Errorf("the work items came in %d files", rel.Files)
		}
	}
	if i := s.untilImport(r.RequestID, "staged"); i.RowsStaged != want || i.RowsRejected != 0 || len(i.Files) != r.Files {
		t.Errorf("staged %d rows of %d files, refused %d", i.RowsStaged, len(i.Files), i.RowsRejected)
	}
	if c := s.promoted(r.RequestID); c.Inserted+c.Updated+c.Unchanged != want {
		t.Errorf("the push's promotion: %+v", c)
	}
	if c := s.direct(); c.Unchanged != want || c.Inserted+c.Updated+c.Deleted != 0 {
		t.Errorf("a direct import of the same database differs: %+v", c)
	}
	if again := s.mustPush(s.http()...); !again.NothingNew || again.RequestID != "" || again.Rows != want {
		t.Errorf("the second push: %+v", again)
	}
	whole := false
	for _, rel := range s.mustPush(s.http("--changes")...).Relations {
		whole = whole || rel.Since == "" && rel.Rows > 0
		if rel.Table == "Contact" && rel.Since == "" {
			t.Errorf("the contacts were read whole")
		}
	}
	if !whole {
		t.Error("no table was read whole, though not all tell what has changed")
	}
	s.change(3)
	r = s.mustPush(s.http("--changes", "--watch")...)
	for _, rel := range r.Relations {
		if rel.Table == "Contact" && (rel.Rows != 3 || rel.Since == "") {
			t.Errorf("after a change: %+v", rel)
		}
	}
	if r.RequestID == "" {
		t.Errorf("a change brought nothing new: %+v", r)
	}
	s.keepsSecrets()
}

// TestPushOverSFTP is the same by the other way, with servers and sign-ins that are wrong.
func TestPushOverSFTP(t *testing.T) {
	s := newSite(t, tdstest.Options{})
	known := s.sftp()
	sftp := func(args ...string) []string { return append(slices.Clone(known[:4]), args...) }
	if _, errs, status := s.push(sftp()...); status != 2 || !strings.Contains(errs, "host key is not given") {
		t.Errorf("without a host key: %d, %s", status, errs)
	}
	if _, errs, status := s.push(sftp("--host-key", "SHA256:"+strings.Repeat("A", 43))...); status != 1 || !strings.Contains(errs, known[5]) {
		t.Errorf("another host key: %d, %s", status, errs)
	}
	wrong := filepath.Join(s.dir, "wrong.txt")
	if err := os.WriteFile(wrong, []byte("not it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, status := s.push(append(known, "--password-file", wrong)...); status != 1 || !strings.Contains(errs, "refused the sign-in") {
		t.Errorf("a wrong password: %d, %s", status, errs)
	}
	if len(s.sql.Queries()) > 0 {
		t.Errorf("the database was asked %d times before the server was known", len(s.sql.Queries()))
	}
	want := rowsOf(firm(t))
	if r := s.mustPush(known...); r.Rows != want || r.Resumed {
		t.Errorf("the first push: %+v", r)
	}
	id := s.newest(1)
	if i := s.untilImport(id, "staged"); i.RowsStaged != want || i.RowsRejected != 0 {
		t.Errorf("staged %d rows, refused %d: %+v", i.RowsStaged, i.RowsRejected, i.FirstErrors)
	}
	s.promoted(id)
	if c := s.direct(); c.Unchanged != want || c.Inserted+c.Updated+c.Deleted != 0 {
		t.Errorf("a direct import of the same database differs: %+v", c)
	}
	if again := s.mustPush(known...); !again.NothingNew {
		t.Errorf("the second push: %+v", again)
	}
	s.change(3)
	r := s.mustPush(append(known, "--changes")...)
	since := 0
	for _, rel := range r.Relations {
		if rel.Since != "" {
			since++
		}
		if rel.Table == "Contact" && (rel.Since == "" || rel.Rows != 3) {
			t.Errorf("after a change: %+v", rel)
		}
	}
	if since == 0 {
		t.Errorf("--changes read everything: %v", r.Notes)
	}
	s.keepsSecrets()
}

// TestPushKilledGoesOn kills a push in the middle of a part: the next one reads that part and those after it, and no other.
func TestPushKilledGoesOn(t *testing.T) {
	for _, way := range []string{"https", "sftp"} {
		t.Run(way, func(t *testing.T) {
			s := newSite(t, tdstest.Options{})
			s.sql.SetFaults(tdstest.Faults{StallAfterRows: 2500, StallTable: "WorkItem", StallFor: time.Minute, StallTimes: 1})
			args := s.http()
			if way == "sftp" {
				args = s.sftp()
			}
			s.killAfter(2, args)
			before := s.reads("WorkItem")
			if before != 3 {
				t.Fatalf("it was killed in part %d", before)
			}
			r := s.mustPush(args...)
			want := rowsOf(firm(t))
			if !r.Resumed || r.Rows != want {
				t.Errorf("the second run: %+v", r)
			}
			if got := s.reads("WorkItem") - before; got != 4 { // the last finds that there is nothing more
				t.Errorf("of 5 parts 2 were delivered, and then it was read %d times", got)
			}
			if i := s.untilImport(s.newest(1), "staged"); i.RowsStaged != want || i.RowsRejected != 0 {
				t.Errorf("staged %d rows, refused %d: %+v", i.RowsStaged, i.RowsRejected, i.FirstErrors)
			}
			s.keepsSecrets()
		})
	}
}

// TestPushBearsLostConnections: connections to the database and to the server break amid parts, and all rows arrive once.
func TestPushBearsLostConnections(t *testing.T) {
	s := newSite(t, tdstest.Options{})
	s.sql.SetFaults(tdstest.Faults{DropAfterRows: 1500, DropTable: "WorkItem", DropTimes: 2})
	relay := newRelay(t, hostOf(t, s.url))
	relay.cut.Store(60_000)
	r := s.mustPush("--url", "http://"+relay.address(), "--tenant", "acme", "--data-dir", s.operatorAt(relay.address()))
	want := rowsOf(firm(t))
	if r.Rows != want || r.RequestID == "" {
		t.Errorf("the push: %+v", r)
	}
	if relay.cuts.Load() == 0 {
		t.Error("the connection to the server never broke")
	}
	if i := s.untilImport(r.RequestID, "staged"); i.RowsStaged != want || i.RowsRejected != 0 {
		t.Errorf("staged %d rows, refused %d: %+v", i.RowsStaged, i.RowsRejected, i.FirstErrors)
	}
}

// TestPushRefusesBeforeItReads: a table that cannot be read as it is ends the push before anything is sent, and a dry run says
// the same.
func TestPushRefusesBeforeItReads(t *testing.T) {
	tables := firm(t)
	for i := range tables {
		if table := &tables[i]; table.Name == "Matter" {
			key := slices.IndexFunc(table.Columns, func(c tdstest.Column) bool { return c.Name == "ImportId" })
			table.Columns[key].Name, table.PrimaryKey = "SomethingElse", nil
		}
	}
	s := newSite(t, tdstest.Options{Tables: tables})
	for _, args := range [][]string{s.http("--dry-run"), s.http()} {
		_, errs, status := s.push(args...)
		if said := errs + s.said.String(); status != 3 || !strings.Contains(said, "Matter") {
			t.Errorf("%v: %d, %s", args, status, said)
		}
	}
	var page api.DropPage
	if s.call(http.MethodGet, "/etl/drops?tenant=acme", nil, &page); len(page.Items) != 0 {
		t.Errorf("%d files were delivered", len(page.Items))
	}
	if got := s.reads("WorkItem"); got > 1 { // the dry run's
		t.Errorf("rows were read %d times", got)
	}
}
