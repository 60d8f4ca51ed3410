package loader_test

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
)

// zipOf is an archive of files, given as name and text by turns.
func zipOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const customers = `version: 1
lookups:
  kinds: {file: "kinds.csv", key: Code, value: Type}
files:
  - pattern: "customers.csv"
    tables:
      - table: Contact
        only: true
        columns: {ImportId: No, Type: {from: Kind, lookup: kinds}, LastName: Name, OrganisationName: Name}
      - table: ContactPoint
        split: {columns: [Phone, Email]}
        only: true
        columns: {ImportId: {from: [No, $header], join: "-"}, ContactId: No, Type: $header, Value: $part}
      - table: Client
        where: Client == "yes"
        only: true
        columns: {ImportId: No, ContactId: No}
`

// TestArchiveOfFilesThatFeedSeveralTables loads an archive, whose rows come back after a crash as they were.
func TestArchiveOfFilesThatFeedSeveralTables(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	_, err := h.ledger.PutMapping(t.Context(), acme, []byte(customers), "test")
	h.must(err)
	h.work()
	table := h.send("kinds.csv", "Code,Type\np,Person\no,Organisation\n")
	if imp := h.untilState(table, ingest.Staged); imp.Files[0].State != ingest.FileUsed || imp.Read != 0 {
		t.Errorf("a lookup table by itself: %+v", imp)
	}
	id := h.send("export.zip", zipOf(t, "data/customers.csv",
		"No;Name;Kind;Phone;Email;Client\n1;Ann;P;01;ann@example.com;yes\n2;Acme;o;;;no\n3;Bob;x;02;;yes\n4;Eve;p;;eve@example.com;yes\n",
		"Offices.csv", "ImportId,Name\nS,Sydney\n", "__MACOSX/._x", "?"))
	imp := h.untilState(id, ingest.Staged)
	var got []string
	for _, f := range imp.Files {
		got = append(got, strings.Join([]string{f.Name(), f.Table, string(f.State)}, " ")+
			strings.Repeat("+", int(f.Staged))+strings.Repeat("-", int(f.Rejected)))
	}
	slices.Sort(got)
	if want := []string{
		"/inbox/export.zip  unpacked",
		"/inbox/export.zip/Offices.csv Office loaded+",
		"/inbox/export.zip/data/customers.csv Client loaded+-", // that of Bob, whose contact is refused
		"/inbox/export.zip/data/customers.csv Contact loaded+++-",
		"/inbox/export.zip/data/customers.csv ContactPoint loaded+++-",
		"/inbox/kinds.csv  used",
	}; !slices.Equal(got, slices.Sorted(slices.Values(want))) && len(got) != len(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if imp.BytesRead != imp.BytesTotal || imp.Read != imp.Staged+imp.Rejected {
		t.Errorf("%d of %d bytes; %d read, %d staged, %d refused", imp.BytesRead, imp.BytesTotal, imp.Read, imp.Staged, imp.Rejected)
	}
	rejects, _, err := h.ledger.SampleRejects(t.Context(), id, 10)
	h.must(err)
	if len(rejects) != 3 || rejects[0].File != "/inbox/export.zip/data/customers.csv" || rejects[0].Output != 1 || rejects[0].Line != 4 {
		t.Errorf("%+v", rejects)
	}
	want := map[string][]string{}
	for _, table := range []string{"Contact", "ContactPoint", "Client", "Office"} {
		want[table] = h.rows(id, table)
	}
	h.crash()
	h.until(id, "restored", func(ingest.Import) bool {
		intact, err := h.store.Intact(t.Context(), acme)
		h.must(err)
		return intact
	})
	for table, rows := range want {
		if got := h.rows(id, table); !slices.Equal(got, rows) {
			t.Errorf("%s restored: %q, was: %q", table, got, rows)
		}
	}
}

// TestHostileArchive makes sure that an archive is refused as a whole, that the receipt says why, and that its neighbours load.
func TestHostileArchive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"out of it":  {zipOf(t, "../Offices.csv", "ImportId,Name\nS,Sydney\n"), "leads out"},
		"cut off":    {zipOf(t, "Offices.csv", "ImportId,Name\nS,Sydney\n")[:80], "damaged"},
		"in another": {zipOf(t, "a.zip", zipOf(t, "Offices.csv", "ImportId,Name\n")), "packed twice"},
		"encrypted":  {"-----BEGIN PGP MESSAGE-----\n\nhF4D\n-----END PGP MESSAGE-----\n", "encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 1)
			h.work()
			imp := h.untilState(h.send("Offices.zip", c.body), ingest.Rejected)
			said := ""
			for _, f := range imp.Files {
				said += f.Error
			}
			if !strings.Contains(said, c.want) {
				t.Errorf("%+v", imp.Files)
			}
			if imp := h.untilState(h.send("Offices.csv", "ImportId,Name\nS,Sydney\n"), ingest.Staged); imp.Staged != 1 {
				t.Errorf("its neighbour: %+v", imp)
			}
		})
	}
}
