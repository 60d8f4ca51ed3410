package preview_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/preview"
	"dropline/schema"
)

const definition = `
schema: Shop
version: "1.0"
enums:
  - name: State
    values:
      - {number: 0, name: Open}
      - {number: 1, name: InProgress}
tables:
  - name: Customer
    prefix: customer
    key: ImportId
    columns:
      - {name: ImportId, type: text(20), required: true}
      - {name: Name, type: text(2000)}
  - name: Order
    prefix: order
    key: ImportId
    columns:
      - {name: ImportId, type: text(20), required: true}
      - {name: CustomerId, type: reference(Customer), required: true}
      - {name: State, type: enum(State)}
      - {name: Quantity, type: integer}
      - {name: Price, type: "decimal(7,2)"}
      - {name: Ordered, type: timestamp}
      - {name: Due, type: date}
      - {name: Paid, type: boolean}
      - {name: Note, type: text}
`

func mapper(t *testing.T, yaml string) *mapping.Mapper {
	t.Helper()
	s, err := schema.Parse("shop.yaml", strings.NewReader(definition))
	if err != nil {
		t.Fatal(err)
	}
	var m *mapping.Mapping
	if yaml != "" {
		if m, err = mapping.Parse("mapping.yaml", []byte(yaml), s); err != nil {
			t.Fatal(err)
		}
	}
	mapper, err := mapping.New(s, m, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return mapper
}

func file(path, text string) preview.File {
	return preview.File{Path: path, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

func run(t *testing.T, m *mapping.Mapper, o preview.Options, files ...preview.File) []preview.Table {
	t.Helper()
	tables, err := preview.Run(t.Context(), m, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// flat is rows with "-" where there is no value.
func flat(rows [][]*string) [][]string {
	out := make([][]string, len(rows))
	for r, row := range rows {
		for _, v := range row {
			if v == nil {
				out[r] = append(out[r], "-")
			} else {
				out[r] = append(out[r], *v)
			}
		}
	}
	return out
}

func TestRowsAreShownAsTheyWouldBeStaged(t *testing.T) {
	t.Parallel()
	m := mapper(t, `
version: 1
files:
  - pattern: "Best*"
    table: Order
    columns:
      ImportId: Nr
      CustomerId: Kunde
      Due: {from: bis, format: dd.MM.yyyy}
`)
	got := run(t, m, preview.Options{}, file("Bestellungen.csv", "Nr,Kunde,bis,State,Price,Ordered,Paid,extra\n"+
		"1,C1,24.12.2026,in progress,\"1,234.50\",2026-11-22 10:00+02:00,yes,x\n"+
		"2,C2,32.12.2026,,,,,\n"+
		"3,C3,,,,,,\n"))[0]
	wantColumns := []string{"ImportId", "CustomerId", "State", "Price", "Ordered", "Due", "Paid"}
	wantRows := [][]string{{"1", "C1", "InProgress", "1234.50", "2026-11-22T08:00:00Z", "2026-12-24", "true"}, {"3", "C3", "-", "-", "-", "-", "-"}}
	if d := cmp.Diff(wantColumns, got.Columns); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(wantRows, flat(got.Rows)); d != "" {
		t.Error(d)
	}
	if got.Table != "Order" || got.Read != 3 || got.Refused != 1 || !got.Whole || len(got.Ignored) != 1 || got.Explanation == nil || got.Output != 0 {
		t.Errorf("%+v", got)
	}
	if len(got.Rejects) != 1 || got.Rejects[0].File != "Bestellungen.csv" || got.Rejects[0].Code != ingest.CodeNotDate || got.Rejects[0].Line != 3 {
		t.Errorf("rejects: %+v", got.Rejects)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	m := mapper(t, "")
	var b strings.Builder
	b.WriteString("ImportId,Name\n")
	for b.Len() < 3<<20 {
		b.WriteString("C,\"a name\nof two lines\"\n,x\n")
	}
	big := file("Customers.csv", b.String())
	got := run(t, m, preview.Options{Rows: 2, Rejects: 3, Bytes: 1}, big)[0]
	if len(got.Rows) != 2 || len(got.Rejects) != 3 || got.Whole || got.Refused < 1000 || got.Refused > got.Read/2+1 || got.Read > 200_000 {
		t.Errorf("%d rows and %d rejects shown, %d read, %d refused, whole %v", len(got.Rows), len(got.Rejects), got.Read, got.Refused, got.Whole)
	}
	for _, r := range got.Rejects {
		if r.Code != ingest.CodeRequired {
			t.Errorf("a record that was cut is a reject: %+v", r)
		}
	}
	got = run(t, m, preview.Options{}, big)[0]
	if !got.Whole || got.Read != 2*int64(strings.Count(b.String(), "C,")) {
		t.Errorf("without a bound: %d read, whole %v", got.Read, got.Whole)
	}
	exact := "ImportId,Name\n" + strings.Repeat("C1,x\n", (preview.MinBytes-14)/5) + "C2,yyyy" // of just the bytes that are read
	exact = exact[:preview.MinBytes]
	if got = run(t, m, preview.Options{Bytes: 1}, file("Customers.csv", exact))[0]; !got.Whole {
		t.Error("a file of just the size that is read counts as cut")
	}
	if got = run(t, m, preview.Options{Bytes: 1}, file("Customers.csv", exact+"!"))[0]; got.Whole {
		t.Error("a file of a byte more counts as whole")
	}
}

func TestRefusedFilesAndFaults(t *testing.T) {
	t.Parallel()
	m := mapper(t, "")
	damaged := &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "the compressed file is damaged"}
	broken := preview.File{Path: "Customers.csv", Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("ImportId\nA\n"), failing{damaged})), nil
	}}
	got := run(t, m, preview.Options{}, file("unknown.csv", "a\n1\n"), broken, file("Customer.csv", "ImportId\nA\n"))
	if got[0].Code != ingest.CodeUnknownTable || got[0].Error == "" || got[0].Whole {
		t.Errorf("%+v", got[0])
	}
	if got[1].Code != ingest.CodeUnreadable || got[1].Rows != nil || got[1].Explanation != nil {
		t.Errorf("of a file that turns out to be damaged, rows are shown: %+v", got[1])
	}
	if len(got) != 3 || len(got[2].Rows) != 1 {
		t.Errorf("the others are not shown: %+v", got)
	}
	lost := errors.New("the store is away")
	_, err := preview.Run(t.Context(), m, []preview.File{{Path: "Customers.csv", Open: func(context.Context) (io.ReadCloser, error) {
		return nil, lost
	}}}, preview.Options{})
	if !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(lost)
	_, err = preview.Run(ctx, m, []preview.File{file("Customers.csv", "ImportId\n"+strings.Repeat("A\n", 5000))}, preview.Options{})
	if !errors.Is(err, lost) {
		t.Errorf("when its time is over: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
