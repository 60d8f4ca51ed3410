package sample_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/internal/sample"
	"dropline/schema"
)

// export is an export read back with encoding/csv: rows by table and ImportId.
type export map[string][]map[string]string

func write(t *testing.T, cfg sample.Config) (string, []sample.Spoiled) {
	t.Helper()
	e, err := sample.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var spoiled []sample.Spoiled
	if err := e.Write(context.Background(), dir, func(s sample.Spoiled) error {
		spoiled = append(spoiled, s)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return dir, spoiled
}

func read(t *testing.T, dir string) export {
	t.Helper()
	out := export{}
	for _, table := range schema.Efimis10().Tables {
		f, err := os.Open(filepath.Join(dir, table.Plural+".csv"))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(f)
		header, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		for {
			fields, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", table.Name, err)
			}
			row := map[string]string{}
			for i, name := range header {
				row[name] = fields[i]
			}
			out[table.Name] = append(out[table.Name], row)
		}
		f.Close()
	}
	return out
}

func number(t *testing.T, s string) *big.Rat {
	t.Helper()
	if s == "" {
		return new(big.Rat)
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is not a number", s)
	}
	return n
}

// sums adds up a column of the children by the parent they name.
func sums(t *testing.T, rows []map[string]string, by string, value func(map[string]string) *big.Rat) map[string]*big.Rat {
	t.Helper()
	out := map[string]*big.Rat{}
	for _, row := range rows {
		if row[by] == "" {
			continue
		}
		if out[row[by]] == nil {
			out[row[by]] = new(big.Rat)
		}
		out[row[by]].Add(out[row[by]], value(row))
	}
	return out
}

// checkSound goes through an export with nothing of the generator's own knowledge: keys, references, required values,
// members, lengths and the sums of the schema's declared checks.
func checkSound(t *testing.T, x export) {
	t.Helper()
	keys := map[string]map[string]bool{}
	for name, rows := range x {
		keys[name] = map[string]bool{}
		for _, row := range rows {
			if id := row["ImportId"]; id == "" || keys[name][id] {
				t.Errorf("%s: key %q is empty or there twice", name, id)
			}
			keys[name][row["ImportId"]] = true
		}
	}
	for _, table := range schema.Efimis10().Tables {
		for _, row := range x[table.Name] {
			checkRow(t, table, row, keys)
		}
	}
	checkWholes(t, x)
	checkTrust(t, x["TrustTransaction"])
}

func checkRow(t *testing.T, table *schema.Table, row map[string]string, keys map[string]map[string]bool) {
	t.Helper()
	for _, c := range table.Columns {
		v := row[c.Name]
		switch {
		case v == "" && c.Required:
			t.Errorf("%s %s: %s is missing", table.Name, row["ImportId"], c.Name)
		case v == "":
		case c.Kind == schema.Reference && !keys[c.References.Name][v]:
			t.Errorf("%s %s: %s %q is not in the export", table.Name, row["ImportId"], c.Name, v)
		case c.Kind == schema.Enumerate && !member(c.Enum, v):
			t.Errorf("%s %s: %s has no member %q", table.Name, row["ImportId"], c.Enum.Name, v)
		case c.Length > 0 && len([]rune(v)) > c.Length:
			t.Errorf("%s %s: %s is too long", table.Name, row["ImportId"], c.Name)
		}
	}
	for _, order := range [][2]string{{"OpenedDate", "ClosedDate"}, {"PeriodStart", "PeriodEnd"}, {"InvoiceDate", "DueDate"}, {"EffectiveFrom", "EffectiveTo"}} {
		if a, b := row[order[0]], row[order[1]]; a != "" && b != "" && b < a {
			t.Errorf("%s %s: %s %s is before %s %s", table.Name, row["ImportId"], order[1], b, order[0], a)
		}
	}
}

func member(e *schema.Enum, name string) bool {
	for _, v := range e.Values {
		if v.Name == name {
			return true
		}
	}
	return false
}

func checkWholes(t *testing.T, x export) {
	t.Helper()
	amount := func(column string) func(map[string]string) *big.Rat {
		return func(row map[string]string) *big.Rat { return number(t, row[column]) }
	}
	lines := sums(t, x["InvoiceLine"], "InvoiceId", amount("Total"))
	paid := sums(t, x["ReceiptAllocation"], "InvoiceId", amount("Amount"))
	credited := sums(t, x["CreditNote"], "InvoiceId", amount("Total"))
	for _, row := range x["Invoice"] {
		id, total := row["ImportId"], number(t, row["Total"])
		if lines[id] != nil && lines[id].Cmp(total) != 0 {
			t.Errorf("invoice %s is %s, its lines %s", id, row["Total"], lines[id].FloatString(2))
		}
		parts := number(t, row["FeesTotal"])
		parts.Add(parts, number(t, row["DisbursementsTotal"])).Add(parts, number(t, row["TaxTotal"]))
		if parts.Cmp(total) != 0 {
			t.Errorf("invoice %s is %s, its parts %s", id, row["Total"], parts.FloatString(2))
		}
		rest := new(big.Rat).Set(total)
		if paid[id] != nil {
			rest.Sub(rest, paid[id])
		}
		if credited[id] != nil {
			rest.Sub(rest, credited[id])
		}
		if rest.Cmp(number(t, row["OutstandingAmount"])) != 0 || rest.Sign() < 0 {
			t.Errorf("invoice %s has %s outstanding and says %s", id, rest.FloatString(2), row["OutstandingAmount"])
		}
	}
	allocated := sums(t, x["ReceiptAllocation"], "ReceiptId", amount("Amount"))
	for _, row := range x["Receipt"] {
		if a := allocated[row["ImportId"]]; a != nil && a.Cmp(number(t, row["Amount"])) > 0 {
			t.Errorf("receipt %s is %s, allocated %s", row["ImportId"], row["Amount"], a.FloatString(2))
		}
	}
	balance := sums(t, x["LedgerLine"], "LedgerEntryId", func(row map[string]string) *big.Rat {
		return new(big.Rat).Sub(number(t, row["Debit"]), number(t, row["Credit"]))
	})
	for _, row := range x["LedgerEntry"] {
		if b := balance[row["ImportId"]]; b == nil || b.Sign() != 0 {
			t.Errorf("ledger entry %s does not balance: %v", row["ImportId"], b)
		}
	}
	brought := new(big.Rat)
	for _, row := range x["OpeningBalance"] {
		brought.Add(brought, number(t, row["Debit"])).Sub(brought, number(t, row["Credit"]))
	}
	if brought.Sign() != 0 {
		t.Errorf("the opening balances do not balance: %s", brought.FloatString(2))
	}
	billed := map[string]bool{}
	for _, row := range x["InvoiceLine"] {
		if id := row["WorkItemId"]; id != "" {
			if billed[id] {
				t.Errorf("work item %s is billed twice", id)
			}
			billed[id] = true
		}
	}
	for _, row := range x["WorkItem"] {
		if billed[row["ImportId"]] != (row["State"] == "Billed") {
			t.Errorf("work item %s is %s, but billed: %v", row["ImportId"], row["State"], billed[row["ImportId"]])
		}
	}
}

// checkTrust replays each matter's trust ledger.
func checkTrust(t *testing.T, rows []map[string]string) {
	t.Helper()
	into := map[string]int{"Receipt": 1, "TransferIn": 2, "Payment": -4, "TransferOut": -5}
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		if a["TransactionDate"] != b["TransactionDate"] {
			return a["TransactionDate"] < b["TransactionDate"]
		}
		return into[a["TransactionType"]] > into[b["TransactionType"]]
	})
	held, given, taken := map[string]*big.Rat{}, map[string]*big.Rat{}, map[string]*big.Rat{}
	for _, row := range rows {
		m, kind, n := row["MatterId"], row["TransactionType"], number(t, row["Amount"])
		if into[kind] == 0 || n.Sign() <= 0 {
			t.Errorf("trust transaction %s: %s of %s", row["ImportId"], kind, row["Amount"])
		}
		if held[m] == nil {
			held[m] = new(big.Rat)
		}
		if into[kind] > 0 {
			held[m].Add(held[m], n)
		} else {
			held[m].Sub(held[m], n)
		}
		if held[m].Sign() < 0 {
			t.Errorf("trust ledger of %s falls to %s with %s", m, held[m].FloatString(2), row["ImportId"])
		}
		switch kind {
		case "TransferOut":
			given[row["ImportId"]] = n
		case "TransferIn":
			taken[row["TransferFromId"]] = n
		}
	}
	for id, n := range given {
		if taken[id] == nil || taken[id].Cmp(n) != 0 {
			t.Errorf("transfer %s gives %v and %v is received", id, n, taken[id])
		}
	}
	if len(given) != len(taken) {
		t.Errorf("%d transfers out, %d in", len(given), len(taken))
	}
}

func TestExportIsSound(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]sample.Config{
		"default":        {},
		"other seed":     {Seed: 20261122},
		"small":          {Seed: 3, Scale: 0.05},
		"larger":         {Seed: 4, Scale: 3.7},
		"total":          {Seed: 5, Total: 12345},
		"fewest":         {Seed: 12, Total: 107},
		"tiny":           {Seed: 13, Scale: 1e-6},
		"many lines":     {Seed: 6, Rows: map[string]int64{"InvoiceLine": 3001, "Invoice": 7, "LedgerLine": 1001, "LedgerEntry": 3}},
		"many invoices":  {Seed: 7, Rows: map[string]int64{"Invoice": 900, "InvoiceLine": 1300, "Receipt": 50, "ReceiptAllocation": 1200}},
		"one matter":     {Seed: 8, Rows: map[string]int64{"Matter": 1, "TrustTransaction": 63}},
		"much work":      {Seed: 9, Rows: map[string]int64{"WorkItem": 20000}},
		"no optionals":   {Seed: 10, Rows: map[string]int64{"Invoice": 0, "Receipt": 0, "ReceiptAllocation": 0, "BankAccount": 0, "Supplier": 0, "Office": 0}},
		"case of a name": {Seed: 11, Rows: map[string]int64{"workitem": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, spoiled := write(t, cfg)
			if len(spoiled) > 0 {
				t.Errorf("rows were spoiled unasked: %v", spoiled)
			}
			x := read(t, dir)
			checkSound(t, x)
			total := 0
			for name, rows := range x {
				total += len(rows)
				for want, n := range cfg.Rows {
					if strings.EqualFold(want, name) && int64(len(rows)) != n {
						t.Errorf("%s has %d rows, wanted %d", name, len(rows), n)
					}
				}
			}
			if cfg.Total > 0 && int64(total) != cfg.Total {
				t.Errorf("%d rows in all, wanted %d", total, cfg.Total)
			}
			if len(cfg.Rows) == 0 && len(x) != len(schema.Efimis10().Tables) {
				t.Errorf("%d tables of %d were written", len(x), len(schema.Efimis10().Tables))
			}
		})
	}
}

func TestExportIsTheSameForASeed(t *testing.T) {
	t.Parallel()
	digest := func(cfg sample.Config) string {
		dir, spoiled := write(t, cfg)
		h := sha256.New()
		names, err := filepath.Glob(filepath.Join(dir, "*.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			h.Write(raw)
		}
		return fmt.Sprintf("%x %v", h.Sum(nil), spoiled)
	}
	a := digest(sample.Config{Seed: 1, Errors: 40})
	if b := digest(sample.Config{Seed: 1, Errors: 40}); a != b {
		t.Error("the same seed gave two exports")
	}
	if b := digest(sample.Config{Seed: 2, Errors: 40}); a == b {
		t.Error("two seeds gave the same export")
	}
}

// Each table can be written by itself, and is then what it is within the whole.
func TestTablesByThemselves(t *testing.T) {
	t.Parallel()
	all, _ := write(t, sample.Config{Seed: 5})
	one, _ := write(t, sample.Config{Seed: 5, Tables: []string{"workitem"}})
	names, _ := filepath.Glob(filepath.Join(one, "*"))
	if len(names) != 1 {
		t.Fatalf("files %v, wanted one", names)
	}
	want, _ := os.ReadFile(filepath.Join(all, "WorkItems.csv"))
	got, _ := os.ReadFile(filepath.Join(one, "WorkItems.csv"))
	if len(want) == 0 || !bytes.Equal(want, got) {
		t.Error("the table differs from that of the whole export")
	}
}

func TestSpoiledRows(t *testing.T) {
	t.Parallel()
	clean, _ := write(t, sample.Config{Seed: 9})
	for _, n := range []int64{1, 12, 63, 500} {
		dir, spoiled := write(t, sample.Config{Seed: 9, Errors: n})
		if int64(len(spoiled)) != n {
			t.Errorf("%d rows were spoiled, wanted %d", len(spoiled), n)
		}
		listed := map[string]map[int64]sample.Spoiled{}
		for _, s := range spoiled {
			if listed[s.File] == nil {
				listed[s.File] = map[int64]sample.Spoiled{}
			}
			listed[s.File][s.Record] = s
		}
		names, _ := filepath.Glob(filepath.Join(clean, "*.csv"))
		for _, name := range names {
			compareRecords(t, name, filepath.Join(dir, filepath.Base(name)), listed[filepath.Base(name)])
		}
	}
}

// compareRecords makes sure that two files differ in the listed records only, and in all of them but those that stay as
// they are because their key is repeated, and that these begin on the lines listed.
func compareRecords(t *testing.T, clean, spoiled string, listed map[int64]sample.Spoiled) {
	t.Helper()
	as, _ := records(t, clean)
	bs, lines := records(t, spoiled)
	if len(as) != len(bs) {
		t.Fatalf("%s has %d records, spoiled %d", clean, len(as), len(bs))
	}
	for i := range as {
		s, ok := listed[int64(i)]
		switch {
		case !ok && as[i] != bs[i]:
			t.Errorf("%s record %d differs and is not listed:\n%s", spoiled, i, bs[i])
		case ok && as[i] == bs[i] && s.Code != ingest.CodeDuplicateKey:
			t.Errorf("%s record %d is listed (%s) and does not differ", spoiled, i, s.Code)
		case ok && s.Line != lines[i]:
			t.Errorf("%s record %d is on line %d, listed on %d", spoiled, i, lines[i], s.Line)
		}
	}
}

// records splits a file where a line ends outside of quotes; record 0 is the header. In the table with misplaced quotes
// each line is a record.
func records(t *testing.T, path string) (out []string, lines []int64) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	record, first := "", int64(1)
	for i, line := range strings.SplitAfter(string(raw), "\n") {
		record += line
		if strings.Count(record, `"`)%2 == 0 || filepath.Base(path) == "WorkItems.csv" {
			out, lines = append(out, record), append(lines, first)
			record, first = "", int64(i)+2
		}
	}
	return out, lines
}

func TestRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]sample.Config{
		`there is no table "Nothing"`:     {Rows: map[string]int64{"Nothing": 1}},
		`there is no table "Neither"`:     {Tables: []string{"Neither"}},
		"rows at most can be spoiled":     {Errors: 1 << 40},
		"is negative":                     {Errors: -1},
		"Account has at least":            {Rows: map[string]int64{"Account": 1}},
		"rows need rows of Matter":        {Rows: map[string]int64{"Matter": 0}},
		"needs two lines":                 {Rows: map[string]int64{"LedgerLine": 3, "LedgerEntry": 2}},
		"cannot be shared out":            {Total: 20},
		"scale must be":                   {Scale: -1},
		"at most 1000000000 rows":         {Rows: map[string]int64{"WorkItem": 1 << 50}},
		"ReceiptAllocation rows for each": {Rows: map[string]int64{"Invoice": 1, "ReceiptAllocation": 101}},
	} {
		if _, err := sample.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, wanted one with %q", cfg, err, want)
		}
	}
}

func TestCodesAreThoseOfIngest(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, code := range []string{
		ingest.CodeRequired, ingest.CodeNotNumber, ingest.CodeOutOfRange, ingest.CodePrecision, ingest.CodeNotDate,
		ingest.CodeNotTimestamp, ingest.CodeNotBoolean, ingest.CodeNotMember, ingest.CodeTooLong, ingest.CodeInvalidText,
		ingest.CodeInvalidRef, ingest.CodeFieldCount, ingest.CodeQuote, ingest.CodeDuplicateKey, ingest.CodeMissingRef,
	} {
		known[code] = true
	}
	checks := map[string]bool{}
	for _, table := range schema.Efimis10().Tables {
		for _, c := range table.Checks {
			checks[c.Name] = c.Severity == schema.Error
		}
	}
	_, spoiled := write(t, sample.Config{Errors: 600})
	seen := map[string]bool{}
	for _, s := range spoiled {
		if !known[s.Code] && !checks[s.Code] {
			t.Errorf("code %q of %+v is neither a reject code nor a check", s.Code, s)
		}
		seen[s.Code] = true
	}
	var missing []string
	for code := range known {
		if !seen[code] {
			missing = append(missing, code)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("codes never made (-want +got):\n%s", diff)
	}
}

func BenchmarkWorkItems(b *testing.B) {
	e, err := sample.New(sample.Config{Rows: map[string]int64{"WorkItem": 100_000}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var n counter
		if err := e.WriteTable(context.Background(), "WorkItem", &n, nil); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(n))
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
