package mssql_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
	"dropline/mapping"
	"dropline/schema"
)

// TestWhatIsReadIsWhatAMappingTakes reads a table whose types are not the schema's, as a client's are not.
func TestWhatIsReadIsWhatAMappingTakes(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	table := tdstest.Table{
		Name: "WorkItem",
		Columns: []tdstest.Column{
			{Name: "ImportId", Type: "uniqueidentifier"},
			{Name: "EntryDate", Type: "datetime"},
			{Name: "MatterId", Type: "char(10)"},
			{Name: "EmployeeId", Type: "int"},
			{Name: "State", Type: "tinyint"},
			{Name: "Title", Type: "nvarchar(300)"},
			{Name: "Rate", Type: "float"},
			{Name: "Units", Type: "real"},
			{Name: "Total", Type: "money"},
			{Name: "IsBillable", Type: "bit"},
			{Name: "CreatedOn", Type: "datetimeoffset"},
			{Name: "UpdatedOn", Type: "datetime2(6)"},
			{Name: "Stamp", Type: "rowversion"},
		},
		Rows: [][]any{
			{guid, midnight, "M1", 7, 1, "a \"quoted\", long\nline", 450.25, 1e-3, "12.5000", true, morning, morning.Add(123456 * time.Microsecond), nil},
			{"FFFFFFFF-0000-0000-0000-000000000001", midnight, "M2", 8, nil, "", 1e14, nil, "-0.0001", nil, nil, midnight, nil},
		},
	}
	c := siteOf(tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})).open(t, mssql.Options{})
	text, _ := read(t, c, mssql.Part{Schema: "dbo", Name: "WorkItem"})
	mapper, err := mapping.New(schema.Efimis10(), nil, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := mapper.Open("WorkItem.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int {
		for i := range r.Table().Columns {
			if r.Table().Columns[i].Name == name {
				return i
			}
		}
		t.Fatalf("no column %s", name)
		return 0
	}
	var got []string
	for r.Next() {
		if j := r.Refused(); j != nil {
			t.Errorf("record %d: %s: %s", j.Record, j.Column, j.Message)
			continue
		}
		v := r.Row().Values
		got = append(got, string(v[column("ImportId")].Text)+" "+string(v[column("MatterId")].Text)+" "+string(v[column("Rate")].Text))
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	if want := guid + " M1 450.25;FFFFFFFF-0000-0000-0000-000000000001 M2 100000000000000"; strings.Join(got, ";") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAValueThatIsTooLongCostsItsRecordOnly(t *testing.T) {
	t.Parallel()
	table := tdstest.Table{
		Name:    "Currency",
		Columns: []tdstest.Column{{Name: "ImportId", Type: "int"}, {Name: "Code", Type: "char(3)"}, {Name: "Name", Type: "nvarchar(max)"}},
		Rows:    [][]any{{1, "AUD", "dollar"}, {2, "EUR", strings.Repeat("x", 17<<20)}, {3, "GBP", "pound"}},
	}
	c := siteOf(tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}})).open(t, mssql.Options{})
	mapper, err := mapping.New(schema.Efimis10(), nil, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	go func() {
		_, err := c.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Currency"}, out, nil)
		out.CloseWithError(err)
	}()
	r, err := mapper.Open("Currency.csv", in)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for r.Next() {
		code := ""
		if j := r.Refused(); j != nil {
			code = j.Code
		}
		codes = append(codes, code)
	}
	if r.Err() != nil || !slices.Equal(codes, []string{"", ingest.CodeRecordTooLong, ""}) {
		t.Errorf("%q, %v", codes, r.Err())
	}
}
