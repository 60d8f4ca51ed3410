package loader_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// TestReferencesAreToldAsReceived: the rejects of the set checks have the file's own bytes for value, whatever the encoding,
// what mapping made of them, and however many files and records lie between.
func TestReferencesAreToldAsReceived(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	_, err := h.ledger.PutMapping(t.Context(), acme, []byte(`version: 1
files:
  - pattern: "Clients*.csv"
    table: Client
    encoding: windows-1252
    columns:
      ImportId: Id
      ContactId: {from: Who, prefix: "C-", case: upper}
  - pattern: "Contacts*.csv"
    table: Contact
`), "test")
	h.must(err)
	quiet := time.Millisecond
	_, err = h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuietPeriod: &quiet})
	h.must(err)
	h.send("Contacts.csv", "ImportId,Type,LastName\nC-1,Person,Smith\n")
	var clients strings.Builder
	clients.WriteString("Id,Who\n")
	for n := range 400 {
		who := "1"
		switch n {
		case 7:
			who = "gr\xfcn"
		case 300:
			who = "\" x9 \""
		case 399:
			who = strings.Repeat("\xfc", 90)
		}
		fmt.Fprintf(&clients, "K-%d,%s\n", n, who)
	}
	h.send("Clients_1.csv", clients.String())
	h.send("Clients_2.csv", "Id,Who\nL-1,1\nL-2,contact_22635a10c993592cb52c083f346aa950\n")
	time.Sleep(10 * quiet)
	made, _, err := h.ledger.CloseBatches(t.Context())
	h.must(err)
	if len(made) != 1 {
		t.Fatalf("%d imports", len(made))
	}
	h.work()
	imp := h.untilState(made[0], ingest.Staged)
	rejects, _, err := h.ledger.SampleRejects(t.Context(), imp.ID, 100)
	h.must(err)
	got := map[string]string{}
	for _, r := range rejects {
		if r.Code != ingest.CodeMissingRef || r.Column != "ContactId" {
			t.Errorf("%+v", r)
		}
		got[fmt.Sprintf("%s:%d", r.File, r.Line)] = r.Value
	}
	want := map[string]string{
		"/inbox/Clients_1.csv:9":   "grün",
		"/inbox/Clients_1.csv:302": " x9 ",
		"/inbox/Clients_1.csv:401": strings.Repeat("ü", 90),
		"/inbox/Clients_2.csv:3":   "contact_22635a10c993592cb52c083f346aa950",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
