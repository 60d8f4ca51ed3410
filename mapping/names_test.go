package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

func TestTableFor(t *testing.T) {
	t.Parallel()
	m := newMapper(t, schema.Efimis10(), "", mapping.Options{})
	for file, want := range map[string]string{
		"Matters_2026-11-22.csv":             "Matter",
		"20261122_Matter.CSV":                "Matter",
		"/inbox/daily/acme_matters_full.csv": "Matter",
		"Matter.final.v2.csv":                "Matter",
		"MATTERS":                            "Matter",
		"export-work items (2).csv":          "WorkItem",
		"WORKITEMS.csv":                      "WorkItem",
		"workItem20261122T101010Z.txt":       "WorkItem",
		"InvoiceLines.csv":                   "InvoiceLine",
		"invoice_lines-20261122T101010.csv":  "InvoiceLine",
		"Invoice_Line.csv":                   "InvoiceLine",
		"T20261122_contact address.csv":      "ContactAddress",
		"Trust Transactions Nov 2026.csv":    "TrustTransaction",
		"2026-11-22T10:00:00Z_invoices.tsv":  "Invoice",
		"Matters.csv.gz":                     "Matter",
		"Matters.csv.zst":                    "Matter",
		"Copy of Opening Balances - v3.csv":  "OpeningBalance",
		// Never a guess between two, nor for what is none.
		"client_matters.csv":       "",
		"invoices_and_matters.csv": "",
		"mattersexport.csv":        "",
		"2026-11-22.csv":           "",
		".csv":                     "",
		"":                         "",
	} {
		table, refusal := m.TableFor(file)
		switch {
		case want == "" && (refusal == nil || refusal.Code != ingest.CodeUnknownTable):
			t.Errorf("%q is taken for a file of %v", file, table)
		case want != "" && refusal != nil:
			t.Errorf("%q: %s", file, refusal.Message)
		case want != "" && table.Name != want:
			t.Errorf("%q is of %s, want %s", file, table.Name, want)
		}
	}
}

// TestEveryName reads a file under every name that a table of Efimis may have.
func TestEveryName(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	m := newMapper(t, s, "", mapping.Options{})
	for _, table := range s.Tables {
		for _, name := range append([]string{table.Name, table.Plural, table.SQLName}, table.Aliases...) {
			for _, form := range []string{"%s.csv", "2026-11-22 %s.csv", "%s_20261122_full(3).csv", "x/y/%s.txt"} {
				file := fmt.Sprintf(form, name)
				if got, refusal := m.TableFor(file); refusal != nil || got != table {
					t.Errorf("%q is not of %s: %v %v", file, table.Name, got, refusal)
				}
			}
		}
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	m := newMapper(t, schema.Efimis10(), "", mapping.Options{})
	for file, want := range map[string]string{
		"Mater_2026.csv": "did you mean Matter", "Mattr.csv.zst": "did you mean Matter", "invoicelnes.csv": "InvoiceLine", "client_matters.csv": "Client or of Matter",
	} {
		_, refusal := m.TableFor(file)
		if refusal == nil || !strings.Contains(refusal.Message, want) {
			t.Errorf("%q: %v, want %q", file, refusal, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	for _, test := range []struct {
		pattern, file string
		want          bool
	}{
		{"Kunden*.csv", "/inbox/KUNDEN_1.CSV", true},
		{"Kunden*.csv", "/inbox/deep/folder/kunden.csv", true},
		{"daily/*.csv", "/inbox/daily/a.csv", true},
		{"daily/*.csv", "daily/a.csv", true},
		{"daily/*.csv", "/inbox/other/daily/a.csv", false},
		{"**/daily/*.csv", "/inbox/other/daily/a.csv", true},
		{"**/daily/*.csv", "/inbox/daily/a.csv", true},
		{"daily/**", "/inbox/daily/x/y/a.csv", true},
		{"daily/*", "/inbox/daily/x/a.csv", false},
		{"a?[0-9].csv", "/inbox/ab7.csv", true},
		{"a?[0-9].csv", "/inbox/abc.csv", false},
		{"/daily/a.csv", "/inbox/daily/a.csv", true},
	} {
		m := newMapper(t, s, fmt.Sprintf("version: 1\nfiles: [{pattern: %q, table: OrderLine}]", test.pattern), mapping.Options{})
		table, refusal := m.TableFor(test.file)
		if got := refusal == nil && table.Name == "OrderLine"; got != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.pattern, test.file, got, test.want)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	m := newMapper(t, testSchema(t), `
version: 1
files:
  - pattern: Order.csv
    table: Order
    columns:
      ImportId: [Nr, Id]
      CustomerId: {from: [A, B], join: "-"}
      State: {constant: Closed}
      Quantity: {from: Nothing, default: 3}
`, mapping.Options{})
	e, refusal := m.Explain("Order.csv", []string{"Id", "A", "B", "due", "Extra", ""})
	if refusal != nil {
		t.Fatal(refusal)
	}
	got := fmt.Sprintf("%s rule %d ignored %q notes %q\n", e.Table, e.Rule, e.Ignored, e.Notes)
	for _, c := range e.Columns {
		if c.How != mapping.HowAbsent {
			got += fmt.Sprintf("%s %s %q %s\n", c.Column, c.How, c.Headers, c.Value)
		}
	}
	want := `Order rule 4 ignored ["Extra" "(column 6, without a name)"] notes ["the mapping takes Quantity from Nothing, which the file does not have"]
ImportId mapping ["Id"] 
CustomerId join ["A" "B"] 
State constant [] Closed
Quantity default [] 3
Due header ["due"] 
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r := open(t, m, "Order.csv", []byte("Id,A,B\n"))
	if e := r.Explain(); e.Columns[0].How != mapping.HowMapping || e.Columns[0].Headers[0] != "Id" {
		t.Errorf("the reader explains %+v", e.Columns[0])
	}
}
