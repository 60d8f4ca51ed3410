package loader_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/loader"
	"dropline/mapping/suggest"
	"dropline/schema"
)

// kunden is an export that nobody has mapped, and kundenMapping what maps it.
const (
	kunden        = "Nr,Name\nK1,Meier\nK2,Huber\n"
	kundenMapping = `version: 1
files:
  - pattern: "Kunden*"
    table: Contact
    columns: {ImportId: Nr, Type: {constant: Person}, LastName: Name}
`
)

// proposing proposes kundenMapping for files that are called so, and counts how often it is asked.
func proposing(asked *atomic.Int64, open bool) loader.Propose {
	return func(ctx context.Context, _ *schema.Schema, files []suggest.File) (*suggest.Proposal, error) {
		asked.Add(1)
		p := &suggest.Proposal{YAML: []byte(kundenMapping), Clear: !open}
		for _, f := range files {
			text, err := f.Open(ctx)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(text)
			_ = text.Close()
			if err != nil || !strings.HasPrefix(string(body), "Nr,Name\n") {
				continue
			}
			p.Lines = append(p.Lines,
				suggest.Line{File: f.Path, Table: "Contact", Confidence: 0.95, Reason: "its name is German for contacts"},
				suggest.Line{File: f.Path, Table: "Contact", Column: "LastName", From: "Name", Confidence: 0.95, Reason: "a name"})
		}
		if open {
			p.Open = []suggest.Question{{File: "Kunden.csv", Text: "is it so?"}}
		}
		return p, nil
	}
}

// report reads one of the import's reports as the tenant finds it.
func (h *house) report(imp ingest.Import, name string) string {
	h.Helper()
	e, err := h.ledger.Stat(h.Context(), acme, ingest.Reports+"/"+ingest.StemOf(imp)+"."+name)
	h.must(err)
	body, _, err := h.bucket.Open(h.Context(), e.Key, 0, -1, "")
	h.must(err)
	defer body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(body)
	h.must(err)
	return string(text)
}

func TestUnmappedImportWaitsAndGoesOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	var asked atomic.Int64
	h.propose = proposing(&asked, true)
	h.work()
	id := h.send("Kunden.csv", kunden)
	imp := h.untilState(id, ingest.Unmapped)
	if f := imp.Files[0]; f.State != ingest.FileRefused || f.Code != ingest.CodeUnknownTable || imp.Error == "" || !strings.Contains(imp.Hint, "proposal.yaml") {
		t.Errorf("unmapped: %+v", imp)
	}
	if got := h.report(imp, "proposal.yaml"); got != kundenMapping {
		t.Errorf("the proposal beside it: %q", got)
	}
	var p loader.Proposed
	h.must(json.Unmarshal([]byte(h.report(imp, "proposal.json")), &p))
	if p.Mapping != kundenMapping || p.Clear || len(p.Lines) != 2 || len(p.Open) != 1 || p.Lines[1].Reason != "a name" {
		t.Errorf("what is known of it: %+v", p)
	}
	if receipt := h.report(imp, "receipt.json"); !strings.Contains(receipt, `"state": "unmapped"`) || !strings.Contains(receipt, `"hint"`) {
		t.Errorf("receipt: %s", receipt)
	}
	if _, err := h.ledger.Stat(t.Context(), acme, "/inbox/Kunden.csv"); err != nil {
		t.Errorf("the file is not in the inbox: %v", err)
	}
	if n := h.stagingTables(); n != 0 {
		t.Errorf("%d staging tables are left", n)
	}
	// One that needs no mapping is not kept waiting.
	h.untilState(h.send("Contacts.csv", contacts(3, 0)), ingest.Staged)

	_, err := h.ledger.PutMapping(t.Context(), acme, []byte(kundenMapping), "me")
	h.must(err)
	imp = h.untilState(id, ingest.Staged)
	if imp.Staged != 2 || imp.MappingVersion != 1 || imp.Files[0].Table != "Contact" {
		t.Errorf("under the mapping: %+v", imp)
	}
	if !strings.Contains(h.report(imp, "receipt.json"), `"state": "staged"`) {
		t.Error("the receipt is still the one of before")
	}
	if next := h.untilState(h.send("Kunden2.csv", kunden), ingest.Staged); next.Staged != 2 {
		t.Errorf("the next export: %+v", next)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("a proposal was asked for %d times, want once", n)
	}
}

func TestClearProposalIsUsedWhereTheTenantAllowsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allowed, open bool
		yaml          string
		want          ingest.State
	}{
		"allowed and clear":          {true, false, "", ingest.Staged},
		"allowed, something is open": {true, true, "", ingest.Unmapped},
		"not allowed":                {false, false, "", ingest.Unmapped},
		"faulty":                     {true, false, "version: 99\n", ingest.Unmapped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 0)
			_, err := h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{AutoMap: &c.allowed})
			h.must(err)
			var asked atomic.Int64
			inner := proposing(&asked, c.open)
			h.propose = func(ctx context.Context, s *schema.Schema, files []suggest.File) (*suggest.Proposal, error) {
				p, err := inner(ctx, s, files)
				if c.yaml != "" {
					p.YAML = []byte(c.yaml)
				}
				return p, err
			}
			h.work()
			imp := h.untilState(h.send("Kunden.csv", kunden), c.want)
			m, err := h.ledger.Mapping(t.Context(), acme, ingest.LatestVersion)
			h.must(err)
			if c.want == ingest.Unmapped {
				if m.Version != 0 {
					t.Errorf("a mapping was stored: %+v", m)
				}
				return
			}
			if imp.Staged != 2 || imp.MappingVersion != 1 || m.CreatedBy != "proposal for "+string(imp.ID) || string(m.YAML) != kundenMapping {
				t.Errorf("%+v under %+v", imp, m)
			}
			if h.report(imp, "proposal.yaml") != kundenMapping {
				t.Error("the proposal is not beside the import")
			}
		})
	}
}

// TestStrayFilesWaitForNothing: what no proposal speaks of is refused as ever, and so is all where the tenant has a mapping.
func TestStrayFilesWaitForNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	var asked atomic.Int64
	h.propose = proposing(&asked, false)
	h.work()
	imp := h.untilState(h.send("README.txt", "Dear Sir,\nhere is what you asked for.\n"), ingest.Rejected)
	if imp.Files[0].Code != ingest.CodeUnknownTable || asked.Load() != 1 {
		t.Errorf("a note: %+v, asked %d times", imp.Files[0], asked.Load())
	}
	h.untilState(h.send("Matters.csv", "\x00\x01\x02"), ingest.Rejected)
	_, err := h.ledger.PutMapping(t.Context(), acme, []byte("version: 1\nfiles: [{pattern: x, table: Contact}]\n"), "me")
	h.must(err)
	before := asked.Load()
	imp = h.untilState(h.send("Kunden.csv", kunden), ingest.Rejected)
	if imp.Files[0].Code != ingest.CodeUnknownTable || asked.Load() != before {
		t.Errorf("under a mapping: %+v, asked %d times", imp.Files[0], asked.Load())
	}
	// Run again as if there were no mapping, it is that which is asked for, and not to wait.
	again, err := h.ledger.Rerun(t.Context(), acme, imp.ID, 0, "me")
	h.must(err)
	h.untilState(again.ID, ingest.Rejected)
}

// TestMissingColumnWaits: a file's name may say its table, and its header nothing. What was loaded before it was met is given up.
func TestMissingColumnWaits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	quiet := 200 * time.Millisecond
	_, err := h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuietPeriod: &quiet})
	h.must(err)
	var asked atomic.Int64
	h.propose = proposing(&asked, false)
	h.send("Contacts_old.csv", contacts(4, 0))
	h.send("Contacts_new.csv", kunden)
	var made []ingest.ImportID
	for len(made) == 0 {
		made, _, err = h.ledger.CloseBatches(t.Context())
		h.must(err)
		time.Sleep(20 * time.Millisecond)
	}
	h.work()
	imp := h.untilState(made[0], ingest.Unmapped)
	if f := imp.Files[1]; f.State != ingest.FileRefused || f.Code != ingest.CodeMissingColumn {
		t.Errorf("the file that is not understood: %+v", f)
	}
	if f := imp.Files[0]; f.State != ingest.FileWaiting || f.Staged != 0 || imp.Staged != 0 || imp.BytesRead != 0 || h.stagingTables() != 0 {
		t.Errorf("the other: %+v of %+v", f, imp)
	}
	_, err = h.ledger.PutMapping(t.Context(), acme, []byte(strings.Replace(kundenMapping, "Kunden*", "*new*", 1)), "me")
	h.must(err)
	if imp = h.untilState(made[0], ingest.Staged); imp.Staged != 6 {
		t.Errorf("under the mapping: %+v", imp)
	}
}

// TestArchiveWaits: what is in an archive is looked at as well, though the archive be named as text.
func TestArchiveWaits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	var asked atomic.Int64
	h.propose = proposing(&asked, false)
	h.work()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{"Kunden.csv", "liesmich.txt"} {
		w, err := z.Create(name)
		h.must(err)
		body := kunden
		if name == "liesmich.txt" {
			body = "Guten Tag\n"
		}
		_, err = io.WriteString(w, body)
		h.must(err)
	}
	h.must(z.Close())
	for _, name := range []string{"export.zip", "export.dat"} {
		imp := h.untilState(h.send(name, archive.String()), ingest.Unmapped)
		at := slices.IndexFunc(imp.Files, func(f ingest.ImportFile) bool { return f.Member == "Kunden.csv" })
		if at < 0 || imp.Files[at].Code != ingest.CodeUnknownTable {
			t.Errorf("%s: %+v", name, imp.Files)
		}
	}
}

// TestRerunFromTheStoredFiles: an import that was rejected is loaded again under a mapping, from the bucket, and promoted.
func TestRerunFromTheStoredFiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.propose = func(context.Context, *schema.Schema, []suggest.File) (*suggest.Proposal, error) {
		return &suggest.Proposal{}, nil
	}
	h.work()
	old := h.untilState(h.send("Kunden.csv", kunden), ingest.Rejected)
	_, err := h.ledger.PutMapping(t.Context(), acme, []byte(kundenMapping), "me")
	h.must(err)
	next, err := h.ledger.Rerun(t.Context(), acme, old.ID, ingest.LatestVersion, "me")
	h.must(err)
	imp := h.untilState(next.ID, ingest.Staged)
	if imp.Staged != 2 || imp.RerunOf != old.ID || imp.MappingVersion != 1 {
		t.Errorf("run again: %+v", imp)
	}
	if again := h.get(old.ID); again.State != ingest.Rejected || again.RerunAs != next.ID || again.Files[0].Code != ingest.CodeUnknownTable {
		t.Errorf("the old one: %+v", again)
	}
	_, err = h.ledger.RequestPromotion(t.Context(), acme, next.ID, "me", "")
	h.must(err)
	promoted := h.untilState(next.ID, ingest.Promoted)
	third, err := h.ledger.Rerun(t.Context(), acme, promoted.ID, ingest.LatestVersion, "me")
	h.must(err)
	h.untilState(third.ID, ingest.Staged)
	_, err = h.ledger.RequestPromotion(t.Context(), acme, third.ID, "me", "")
	h.must(err)
	if imp := h.untilState(third.ID, ingest.Promoted); imp.Promotion.Counts.Unchanged != 2 {
		t.Errorf("the same rows once more: %+v", imp.Promotion.Counts)
	}
}
